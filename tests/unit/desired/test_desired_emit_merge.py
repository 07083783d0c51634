"""Test updating a part of a snapshot that is edited manually: everything else stays the same to the letter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_orgs import texts

from rolecall.desired.edit.snapshot import merged_snapshot, snapshot_yaml
from rolecall.source.yaml_file import parse_yaml

FILE = """\
# Acme, kept by the identity team
snapshot: 1
org: {id: acme} # as on the invoice

coverage:
  scim: {state: complete, taken_by: ann@acme.com} # Ann looked
  # nobody may see SSO but Bo
  sso: unread

# the org's teams
teams:
  - Everyone # all of us
  - "R&D"
  - Legal

scim: {enabled: true, idp: okta, endpoint: new}   # since May
idp_groups:
  # admins first
  Admins: {role: org_admin, teams: [IT], id: g-1}   # four people
  'Staff': blank # to be mapped in Q3
  Long:
    role: member # for now
    teams:
      - Legal
people:
- {email: ann@acme.com}
"""


def said() -> dict[str, Any]:
    value: dict[str, Any] = parse_yaml(FILE.encode(), "").value
    return value


def lines_changed(after: str) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    before, now = FILE.splitlines(), after.splitlines()
    return [line for line in before if line not in now], [line for line in now if line not in before]


def test_what_says_the_same_is_not_touched() -> None:
    assert merged_snapshot(FILE, said()) == FILE
    turned = {name: said()[name] for name in reversed(said())}
    assert merged_snapshot(FILE, {**turned, "teams": ["Legal", "R&D", "Everyone"]}) == FILE


@pytest.mark.parametrize(
    ("path", "value", "gone", "new"),
    [
        (
            ("coverage", "sso"),
            {"state": "complete", "taken_by": "bo@acme.com"},
            "  sso: unread",
            "  sso: {state: complete, taken_by: bo@acme.com}",
        ),
        (("teams",), ["Everyone", "Legal", "Sales"], '  - "R&D"', "  - Sales"),
        (
            ("scim", "endpoint"),
            "upgrading",
            "scim: {enabled: true, idp: okta, endpoint: new}   # since May",
            "scim: {enabled: true, idp: okta, endpoint: upgrading}   # since May",
        ),
        (
            ("idp_groups", "Admins"),
            {"id": "g-1"},
            "  Admins: {role: org_admin, teams: [IT], id: g-1}   # four people",
            "  Admins: {id: g-1}   # four people",
        ),
        (
            ("idp_groups", "Staff"),
            {"role": "member", "teams": ["R&D"]},
            "  'Staff': blank # to be mapped in Q3",
            "  'Staff': {role: member, teams: [R&D]} # to be mapped in Q3",
        ),
        (("idp_groups", "Long", "teams"), ["R&D"], "      - Legal", "      - R&D"),
        (("idp_groups", "Fresh, one"), "blank", None, '  "Fresh, one": blank'),
        (
            ("org", "name"),
            "Acme",
            "org: {id: acme} # as on the invoice",
            "org: {id: acme, name: Acme} # as on the invoice",
        ),
        (("defaults",), {"role": "member", "teams": ["Everyone"]}, None, "defaults: {role: member, teams: [Everyone]}"),
    ],
    ids=lambda part: "/".join(part) if isinstance(part, tuple) else "",
)  # fmt: skip
def test_one_line_changes(path: tuple[str, ...], value: Any, gone: str | None, new: str) -> None:
    wanted = said()
    held = wanted
    for step in path[:-1]:
        held = held[step]
    held[path[-1]] = value
    after = merged_snapshot(FILE, wanted)
    assert lines_changed(after) == ([gone] if gone else [], [new])
    assert parse_yaml(after.encode(), "").value == wanted


def test_entries_and_sections_that_went_take_their_lines_along() -> None:
    wanted = said()
    del wanted["idp_groups"]["Long"], wanted["scim"]
    after = merged_snapshot(FILE, wanted)
    assert "Long" not in after
    assert "since May" not in after
    assert "  # admins first\n  Admins" in after


def test_a_section_that_becomes_empty_or_is_no_longer_so() -> None:
    emptied = merged_snapshot(FILE, {**said(), "idp_groups": {}})
    assert "\nidp_groups: {}\npeople:" in emptied
    filled = merged_snapshot(emptied, said())
    assert parse_yaml(filled.encode(), "").value == said()


def test_a_section_stands_where_it_belongs() -> None:
    wanted = {name: held for name, held in said().items() if name != "people"}
    after = merged_snapshot(FILE, {**wanted, "legacy_links": {"A": ["IT"], "B": []}, "people": said()["people"]})
    assert after.index("idp_groups:") < after.index("legacy_links:\n  A: [IT]\n  B: []\n") < after.index("people:")


def test_what_cannot_be_changed_in_place_is_written_anew() -> None:
    text = "snapshot: 1\norg: &o {id: acme}\nscim: {enabled: true}\nsso: {enabled: true}\ncoverage: {sso: unread}\n"
    wanted = {**parse_yaml(text.encode(), "").value, "org": {"id": "b"}}
    assert parse_yaml(merged_snapshot(text, wanted).encode(), "").value == wanted
    assert merged_snapshot("{snapshot: 1}", {"snapshot": 1, "teams": ["A"]}, ("noted",)).startswith("# noted")


entries = st.one_of(
    st.just("blank"),
    st.fixed_dictionaries({}, optional={"role": texts, "teams": st.lists(texts, min_size=1, max_size=3, unique=True)}),
)
snapshots = st.fixed_dictionaries(
    {"snapshot": st.just(1), "org": st.fixed_dictionaries({"id": texts})},
    optional={
        "teams": st.lists(texts, max_size=4, unique=True),
        "scim": st.dictionaries(st.sampled_from(["enabled", "idp", "endpoint"]), st.one_of(st.booleans(), texts)),
        "idp_groups": st.dictionaries(texts, entries, max_size=4),
        "coverage": st.dictionaries(
            st.sampled_from(["scim", "sso"]), st.one_of(st.just("unread"), st.just({"state": "partial"}))
        ),
        "people": st.lists(st.fixed_dictionaries({"email": texts}), max_size=3),
    },
)


@given(snapshots, snapshots)
def test_whatever_it_said_it_says_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    """And a comment before each section that stays is still there."""
    text = "".join(
        f"# about {name}\n{line}" if (name := line.partition(":")[0]) in before else line
        for line in snapshot_yaml(before).splitlines(keepends=True)
    )
    made = merged_snapshot(text, after)
    found = parse_yaml(made.encode(), "").value
    assert _sorted(found) == _sorted(after)
    assert [name for name in before if name in after and f"# about {name}\n" not in made] == []


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(held) for name, held in value.items()}
    named = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return sorted(value) if named else value
