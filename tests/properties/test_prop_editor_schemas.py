"""The schemas for editors refuse only what the loader refuses, and every mistake that needs no org."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.desired.check.validate import validate
from rolecall.desired.edit.schemas import EDITOR_SCHEMAS, editor_schema
from rolecall.desired.load.read import load

HEAD: dict[str, Any] = {"version": 1, "org": {"name": "a", "url": "local:org.db"}}
VALID = {kind: jsonschema_rs.Draft7Validator(json.loads(editor_schema(kind))).is_valid for kind in EDITOR_SCHEMAS}

TEXTS = st.sampled_from(
    ["member", "team_admin", "Org admin", " org_admin", "A", "", "a@b.c", "2026-02-31", "2026-13-01"]
)
URLS = st.sampled_from(
    ["https://h", "HTTP://localhost:8", "https://u:p@h", "https:///x", "http:h", "https://h?a", "https://a b", "h"]
) | st.sampled_from(["local:x", "LOCAL:x", "observed:o.yaml", "local:", "ftp://h", "https://[::1]:2/p"])
REMOVE = st.just({"remove": True})
TEAMS = st.lists(st.sampled_from(["A", "B"]), max_size=2)


def maps(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


FLAG = st.just(True) | st.booleans()
ENTRY = st.just("blank") | maps(
    role=TEXTS, teams=TEAMS, blank=FLAG, remove=FLAG, expires=TEXTS, owner=TEXTS, id=TEXTS, protect=FLAG
)
ADDRESSES = st.sampled_from(["sso", "domains", "domains/a.com", "idp_groups/*", "*", "idp_group/x", "scim/x", "s?o"])
RULE = st.fixed_dictionaries({"address": ADDRESSES, "reason": st.just("x")}, optional={"until": TEXTS})
TEST = st.fixed_dictionaries(
    {"name": st.just("t")},
    optional={
        "person": TEXTS | st.just({"groups": ["A"]}),
        "role": TEXTS,
        "has": TEXTS,
        "never": TEXTS,
        "granted_by_only": TEAMS,
        "expect": st.just([{"team": "A", "role": "member"}]),
    },
)
SECTIONS = {
    "domains": st.dictionaries(st.sampled_from(["a.com", "b.com"]), maps(join=TEXTS, discoverable=FLAG, remove=FLAG)),
    "defaults": maps(role=TEXTS, teams=TEAMS),
    "sso": maps(enabled=FLAG, name=TEXTS),
    "scim": maps(enabled=FLAG, endpoint=st.sampled_from(["legacy", "new"])),
    "idp_groups": st.dictionaries(st.sampled_from(["A", "B"]), ENTRY, max_size=2),
    "ignore": st.lists(RULE, max_size=2),
    "access_tests": st.lists(TEST, max_size=2),
    "watch": maps(roles=st.lists(TEXTS, max_size=2)),
}
MAIN = maps(
    **SECTIONS,
    org=maps(name=TEXTS, url=URLS),
    people=st.just("org") | maps(okta=URLS, app=TEXTS, token=st.just({"env": "T"}), file=TEXTS),
    guards=maps(min_org_admins=st.integers(0, 2), max_removals=maps(review=st.integers(0, 2))),
)


def errors(folder: Path, env: str | None = None) -> list[str]:
    return [str(problem) for problem in validate(load(folder, env)) if problem.severity == "error"]


def write(folder: str, files: Mapping[str, Any]) -> Path:
    for name, value in files.items():
        (Path(folder) / name).parent.mkdir(exist_ok=True)
        (Path(folder) / name).write_text(json.dumps(value), encoding="utf-8")
    return Path(folder)


@settings(max_examples=300, deadline=None)
@given(MAIN)
def test_what_the_schema_refuses_the_loader_refuses(config: dict[str, Any]) -> None:
    config = {**HEAD, **config}
    with tempfile.TemporaryDirectory() as folder:
        if not VALID["config"](config):
            assert errors(write(folder, {"rolecall.yaml": config})) != []


@settings(max_examples=300, deadline=None)
@given(maps(**SECTIONS, org=maps(name=TEXTS), manage=maps(sso=st.just("additive"))))
def test_what_the_schema_of_a_part_refuses_the_loader_refuses(part: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if not VALID["part"](part):
            assert errors(write(folder, {"rolecall.yaml": {**HEAD, "include": ["p.json"]}, "p.json": part})) != []


BASE = {
    **HEAD,
    "sso": {"enabled": True, "name": "S"},
    "idp_groups": {"A": {"role": "member", "teams": ["A"], "owner": "x"}},
    "people": {"okta": "https://h", "app": "a", "token": {"env": "T"}},
    "guards": {"min_org_admins": 1, "max_removals": {"review": 1}},
}
DROPPED = {name: value | REMOVE for name, value in SECTIONS.items()}


@settings(max_examples=300, deadline=None)
@given(
    maps(
        **DROPPED,
        org=maps(name=TEXTS | REMOVE, url=URLS),
        people=st.just("org") | REMOVE | maps(okta=URLS | REMOVE, app=TEXTS | REMOVE, token=st.just({"file": "t"})),
        guards=REMOVE
        | maps(min_org_admins=st.integers(0, 2) | REMOVE, max_removals=REMOVE | maps(block=st.integers(0, 2))),
    )
)
def test_what_the_schema_of_an_overlay_refuses_the_loader_refuses(over: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if not VALID["overlay"](over):
            assert errors(write(folder, {"rolecall.yaml": BASE, "env/prod.json": over}), "prod") != []


@pytest.mark.parametrize(
    "wrong",
    [
        {"idp_groups": {"A": {"role": "member"}}},
        {"idp_groups": {"A": {"owner": "x"}}},
        {"idp_groups": {"A": {"blank": True, "teams": ["A"]}}},
        {"idp_groups": {"A": {"blank": True, "remove": True}}},
        {"idp_groups": {"A": {"remove": True, "expires": "2026-01-01"}}},
        {"idp_groups": {"A": {"role": "member", "teams": ["A"], "expires": "2026-02-30"}}},
        {"idp_groups": {"A": {"role": "member", "teams": ["A"], "expires": "2026-13-01"}}},
        {"domains": {"a.com": {"remove": True, "join": "approval"}}},
        {"defaults": {"role": "org_admin", "teams": ["A"]}},
        {"defaults": {"role": "Org Admin"}},
        {"sso": {"enabled": False}, "scim": {"enabled": True}},
        {"org": {"name": "a", "url": "ftp://h"}},
        {"org": {"name": "a", "url": "https://u:p@h"}},
        {"org": {"name": "a", "url": "https://"}},
        {"people": {"okta": "https://u@h", "app": "a", "token": {"env": "T"}}},
        {"ignore": [{"address": "idp_group/x", "reason": "x"}]},
        {"ignore": [{"address": "idp_groups", "reason": "x"}]},
        {"ignore": [{"address": "sso/x", "reason": "x"}]},
        {"access_tests": [{"name": "t"}]},
        {"access_tests": [{"name": "t", "person": "a@b.c"}]},
        {"access_tests": [{"name": "t", "role": "member", "has": "member"}]},
        {"access_tests": [{"name": "t", "person": "ann", "has": "member"}]},
    ],
    ids=json.dumps,
)
def test_mistakes_that_need_no_org_are_in_the_schema(wrong: dict[str, Any], tmp_path: Path) -> None:
    validator = jsonschema_rs.Draft7Validator(json.loads(editor_schema("config")), validate_formats=True)
    assert not validator.is_valid({**HEAD, **wrong})
    assert errors(write(str(tmp_path), {"rolecall.yaml": {**HEAD, **wrong}})) != []


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        ("part", {}),
        ("part", {"idp_groups": {"A": {"role": "member", "teams": ["A"]}, "B": "blank"}}),
        ("overlay", {"idp_groups": {"A": {"role": "member"}, "B": {"remove": True, "reason": "x"}}}),
        ("overlay", {"org": {"url": "https://h"}, "people": {"token": {"file": "t"}}}),
        ("overlay", {"sso": {"name": {"remove": True}}, "guards": {"remove": True}}),
        ("overlay", {"idp_groups": {"A": {"protect": {"remove": True}}}}),
    ],
    ids=str,
)
def test_parts_and_overlays_need_not_be_complete(kind: str, right: dict[str, Any]) -> None:
    assert VALID[kind](right)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("part", {"version": 1}),
        ("part", {"org": {}}),
        ("part", {"idp_groups": {"A": {"role": "member"}}}),
        ("overlay", {"orgs": {}}),
        ("overlay", {"sso": {"enabeld": True}}),
        ("overlay", {"sso": {"enabled": "yes"}}),
        ("overlay", {"sso": {"name": {"remove": False}}}),
        ("overlay", {"access_tests": [{"name": "t"}]}),
        ("overlay", {"allow": [{"guard": "upgrade"}]}),
    ],
    ids=str,
)
def test_mistakes_in_parts_and_overlays_are_in_their_schemas(kind: str, wrong: dict[str, Any]) -> None:
    assert not VALID[kind](wrong)
