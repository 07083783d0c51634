"""Test a completed manual step in the file of an observed org; comments and the rest stay."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rolecall.errors import Misuse
from rolecall.jobs.done import Statement, found_value, write_step
from rolecall.live.snapshot.file import read_snapshot
from rolecall.model.live import Facts
from rolecall.model.run import Step
from rolecall.model.settings import BLANK, Defaults, Domain, GroupMapping, Scim

FILE = """\
# seen by us
snapshot: 1
org: {id: org_1}
teams: [Everyone, "R, D"]
scim: {enabled: true, endpoint: legacy}   # the old one
domains:
  acme.com: {discoverable: true, join: approval} # ours
idp_groups:
  A: {role: member, teams: [Everyone], id: g-1, members: 4} # four
  B: blank
"""


def step(at: str, action: str, after, before=None) -> Step:
    return Step(1, 1, at, action, "human", before, after, "human")


BO = Statement("bo@acme.com", at=datetime(2026, 11, 29, 8, 13, tzinfo=UTC))


def test_who_reported_a_value_is_in_the_file_for_the_fields_that_changed(tmp_path: Path) -> None:
    path = tmp_path / "org.yaml"
    path.write_text(FILE)
    old, new = Domain(True, "approval"), Domain(True, "immediate")
    write_step(path, step("domains/acme.com", "update", new, old), new, BO)
    write_step(path, step("idp_groups/B", "update", GroupMapping("member", frozenset({"Everyone"})), BLANK), BLANK, BO)
    line = '{by: bo@acme.com, at: "2026-11-29T08:13:00Z"}'
    reported = f"reported:\n  domains/acme.com.join: {line}\n  idp_groups/B: {line}\n"
    assert f"org: {{id: org_1}}\n{reported}teams:" in path.read_text()
    write_step(path, step("domains/acme.com", "delete", None, new), None, BO)
    assert "domains/acme.com.join" not in path.read_text()
    write_step(
        path,
        step("scim", "upgrade", Scim(endpoint="upgrading"), Scim(endpoint="legacy")),
        Scim(endpoint="upgrading"),
        BO,
    )
    assert list(read_snapshot(path).value["reported"]) == ["scim.endpoint"]
    assert path.read_text().startswith("# seen by us\n")


def test_who_reported_a_value_is_in_a_json_file(tmp_path: Path) -> None:
    path = tmp_path / "org.json"
    path.write_text('{"snapshot": 1, "org": {"id": "o"}, "coverage": {}, "scim": {"enabled": true}, "teams": []}')
    write_step(path, step("scim", "update", Scim(enabled=False), Scim(enabled=True)), Scim(enabled=False), BO)
    content = json.loads(path.read_text())
    assert list(content) == ["snapshot", "org", "coverage", "reported", "scim", "teams"]
    assert content["reported"] == {"scim.enabled": {"by": "bo@acme.com", "at": "2026-11-29T08:13:00Z"}}


def written(tmp_path: Path, at: str, action: str, after) -> str:
    path = tmp_path / "org.yaml"
    path.write_text(FILE)
    write_step(path, step(at, action, after), after)
    read_snapshot(path)
    return path.read_text()


@pytest.mark.parametrize(
    ("at", "action", "after", "line", "instead"),
    [
        (
            "idp_groups/A",
            "update",
            GroupMapping("org_admin", frozenset({"R, D"})),
            '  A: {role: org_admin, teams: ["R, D"], id: g-1, members: 4} # four\n',
            "  A: {role: member, teams: [Everyone], id: g-1, members: 4} # four\n",
        ),
        (
            "idp_groups/A",
            "delete",
            None,
            "  A: {id: g-1, members: 4} # four\n",
            "  A: {role: member, teams: [Everyone], id: g-1, members: 4} # four\n",
        ),
        (
            "idp_groups/B",
            "create",
            GroupMapping("member", frozenset({"Everyone"})),
            "  B: {role: member, teams: [Everyone]}\n",
            "  B: blank\n",
        ),
        ("idp_groups/B", "update", BLANK, "  B: blank\n", "  B: blank\n"),
        (
            "domains/acme.com",
            "update",
            Domain(join="immediate"),
            "  acme.com: {discoverable: true, join: immediate} # ours\n",
            "  acme.com: {discoverable: true, join: approval} # ours\n",
        ),
    ],
)
def test_one_line_changes(tmp_path: Path, at: str, action: str, after, line: str, instead: str) -> None:
    assert written(tmp_path, at, action, after) == FILE.replace(instead, line)


def test_a_domain_is_claimed_and_given_up(tmp_path: Path) -> None:
    text = written(tmp_path, "domains/acme.io", "create", Domain(discoverable=False))
    assert "  acme.io: {discoverable: false}\n" in text
    assert "domains: {}\n" in written(tmp_path, "domains/acme.com", "delete", None)


def test_the_upgrade_empties_the_groups_and_keeps_their_links(tmp_path: Path) -> None:
    written(tmp_path, "scim", "upgrade", Scim(endpoint="upgrading"))
    path = tmp_path / "org.yaml"
    said = read_snapshot(path).value
    assert said["scim"] == {"enabled": True, "endpoint": "upgrading"}
    assert said["idp_groups"] == {}
    assert said["legacy_links"] == {"A": ["Everyone"], "B": []}
    write_step(path, step("scim", "upgrade", Scim(endpoint="new")), Scim(endpoint="new"))
    said = read_snapshot(path).value
    assert said["scim"]["endpoint"] == "new"
    assert "legacy_links" not in said


FACTS = Facts(teams=frozenset({"Everyone", "R, D"}))


@pytest.mark.parametrize(
    ("at", "found", "value"),
    [
        ("idp_groups/A", "Org admin: R, D, Everyone", GroupMapping("org_admin", frozenset({"R, D", "Everyone"}))),
        ("idp_groups/A", "blank", BLANK),
        ("idp_groups/A", "{role: member, teams: [Everyone]}", GroupMapping("member", frozenset({"Everyone"}))),
        ("domains/acme.com", "{join: immediate}", Domain(join="immediate")),
        ("domains/acme.com", "none", None),
    ],
)
def test_what_was_found_is_read_as_people_say_it(at: str, found: str, value) -> None:
    assert found_value(step(at, "update", None), found, FACTS) == value


@pytest.mark.parametrize("found", ["Boss: Everyone", "Member: Nobody", "Member", "{a", "", " : "])
def test_what_cannot_be_is_refused(found: str) -> None:
    with pytest.raises(Exception) as caught:
        found_value(step("idp_groups/A", "update", None), found, FACTS)
    assert isinstance(caught.value, Misuse) or caught.type.__name__ == "ConfigError"


BRANDED = Facts(teams=frozenset({"Everyone", "Brand"}))


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("domains/acme.com", "{nope: 1}"),
        ("domains/acme.com", "nope: x"),
        ("domains/acme.com", "{}"),
        ("domains/acme.com", "{join: tomorrow}"),
        ("domains/acme.com", "{discoverable: perhaps}"),
        ("domains/acme.com", "yes"),
        ("domains/acme.com", "[discoverable]"),
        ("defaults", "{role: org_admin}"),
        ("defaults", "{teams: [Nowhere]}"),
        ("defaults", "{teams: []}"),
        ("defaults", "none"),
        ("sso", "none"),
        ("sso", "{enabled: 3}"),
        ("scim", "{endpoint: newer}"),
        ("idp_groups/A", "{role: member}"),
        ("idp_groups/A", "{role: member, teams: [Nowhere]}"),
        ("idp_groups/A", "{role: boss, teams: [Brand]}"),
        ("idp_groups/A", "{role: member, team: [Brand]}"),
        ("idp_groups/A", "Member: Nowhere"),
        ("idp_groups/A", "Boss: Brand"),
        ("idp_groups/A", "Member"),
        ("idp_groups/A", ""),
    ],
)
def test_what_was_found_has_to_be_a_value_that_the_address_can_have(at: str, found: str) -> None:
    with pytest.raises(Misuse, match="--found cannot be read"):
        found_value(step(at, "update", None), found, BRANDED)


@pytest.mark.parametrize(
    ("at", "found", "value"),
    [
        ("domains/acme.com", "{join: immediate}", Domain(join="immediate")),
        ("domains/acme.com", "none", None),
        ("defaults", "{role: team_admin, teams: [Brand]}", Defaults("team_admin", frozenset({"Brand"}))),
        ("scim", "{endpoint: new}", Scim(endpoint="new")),
        ("scim", "{idp: Microsoft Entra ID, endpoint: New}", Scim(idp="entra", endpoint="new")),
        ("scim", "{idp: OneLogin}", Scim(idp="OneLogin")),
        ("domains/acme.com", "{join: After approval}", Domain(join="approval")),
        ("idp_groups/A", "{role: member, teams: [Brand]}", GroupMapping("member", frozenset({"Brand"}))),
        ("idp_groups/A", "Member: Brand", GroupMapping("member", frozenset({"Brand"}))),
        ("idp_groups/A", "blank", BLANK),
    ],
)
def test_what_was_found_is_read_as_the_value(at: str, found: str, value) -> None:
    assert found_value(step(at, "update", None), found, BRANDED) == value
