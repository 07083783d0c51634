"""Test when two records are of the same configuration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.model.lineage import ConfigId, read_config_id, same_config

FIRST, OTHER = "1a2b3c4d5e6f7a8b", "ffff3c4d5e6f7a8b"
REMOTE = "example.com/acme/writer"
REPO = ConfigId("acme", "prod/rolecall.yaml", True, FIRST, REMOTE, absolute="/home/ann/writer/prod/rolecall.yaml")
FILE = ConfigId("acme", "/srv/a/rolecall.yaml", beside="../a/rolecall.yaml", absolute="/srv/a/rolecall.yaml")


@pytest.mark.parametrize(
    ("mine", "recorded", "gone", "there"),
    [
        (REPO, REPO, True, True),
        (REPO, REPO._replace(remote=""), True, True),
        (REPO, REPO._replace(remote="example.com/acme/renamed"), True, True),
        (REPO, REPO._replace(first=""), True, True),
        (REPO._replace(first=""), REPO, True, True),
        (REPO._replace(first=""), REPO._replace(remote=""), True, True),
        (REPO, REPO._replace(first=OTHER), True, True),
        (REPO, REPO._replace(first=OTHER, remote="example.com/acme/other"), False, False),
        (REPO, REPO._replace(path="staging/rolecall.yaml"), True, False),
        (REPO, REPO._replace(path="staging/rolecall.yaml", remote=""), True, False),
        (REPO._replace(first=""), REPO._replace(path="staging/rolecall.yaml", remote=""), False, False),
        (REPO, FILE._replace(path=REPO.absolute, beside=""), True, True),
        (REPO, FILE, True, False),
        (FILE, FILE, True, True),
        (FILE, FILE._replace(path="/elsewhere/a/rolecall.yaml"), True, True),
        (FILE, FILE._replace(path="/srv/b/rolecall.yaml", beside="../b/rolecall.yaml"), True, False),
        (FILE._replace(path="/work/prod/rolecall.yaml"), REPO, True, True),
        (FILE, REPO, False, False),
    ],
)
def test_the_same_where_it_was_or_where_it_has_moved_to(
    mine: ConfigId, recorded: ConfigId, gone: bool, there: bool
) -> None:
    assert same_config(mine, recorded, lambda _: False) is gone
    assert same_config(mine, recorded, lambda _: True) is there


texts = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\n"), min_size=1, max_size=12)
parts = texts.filter(lambda text: "/" not in text)
paths = st.lists(parts, min_size=1, max_size=3).map("/".join)
digits = st.one_of(st.just(""), st.text("0123456789abcdef", min_size=16, max_size=16))
ids = st.one_of(
    st.builds(
        ConfigId,
        st.sampled_from(["acme", "Acme Inc", "a:b"]),
        paths,
        st.just(value=True),
        digits,
        st.sampled_from(["", REMOTE, "work:acme/x"]),
        beside=st.just(""),
        absolute=st.just(""),
    ),
    st.builds(
        lambda org, path, beside: ConfigId(org, f"/{path}", beside=beside),
        st.sampled_from(["acme", "Acme Inc"]),
        paths,
        st.one_of(st.just(""), paths),
    ),
)


@given(ids)
def test_what_is_recorded_is_read_back_and_is_the_same(known: ConfigId) -> None:
    assert read_config_id(str(known)) == known
    assert same_config(known, known, lambda _: True)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("acme example.com/acme/writer//prod/rolecall.yaml", REPO._replace(first="", absolute="")),
        ("Acme Inc /srv/a b/rolecall.yaml", ConfigId("Acme Inc", "/srv/a b/rolecall.yaml")),
        ("acme", None),
        ("", None),
    ],
)
def test_what_0_1_0_recorded_is_read(text: str, known: ConfigId | None) -> None:
    assert read_config_id(text) == known
