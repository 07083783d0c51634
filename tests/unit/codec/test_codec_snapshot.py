"""Test snapshots as JSON: the meaning of each form, and that encoding and decoding lose nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest

from rolecall.codec.snapshot import Snapshot, decode_roles, decode_snapshot, encode_snapshot
from rolecall.model.live import UNREAD, Coverage, Facts, Group, Live, Reported
from rolecall.model.roles import BUILT_IN, Role
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings
from rolecall.schema_files import schema_text

SCHEMA = jsonschema_rs.validator_for(json.loads(schema_text("snapshot.schema.json")))
TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)

ACME: dict[str, Any] = {
    "snapshot": 1,
    "taken_at": "2026-11-22T10:00:00Z",
    "org": {"id": "org_8817", "name": "acme"},
    "coverage": {
        "domains": "complete",
        "idp_groups": {"state": "complete", "taken_at": "2026-11-20T09:00:00Z", "taken_by": "ann@acme.com"},
        "people": {"state": "partial", "read": 1, "total": 400},
    },
    "teams": ["Everyone", "Marketing"],
    "roles": ["org_admin", "team_admin", "member"],
    "domains": {"acme.com": {"discoverable": True, "join": "approval"}},
    "defaults": {"role": "member", "teams": ["Everyone"]},
    "scim": {"enabled": True, "idp": "okta", "endpoint": "upgrading", "manual_editing": False},
    "idp_groups": {"Writer-Admins": {"role": "org_admin", "teams": ["IT"]}, "All-Staff": "blank"},
    "people": [{"email": "ann@acme.com", "groups": ["Writer-Admins"]}],
}


def decode(**changes: Any) -> Snapshot:
    """ACME with some keys changed, and those that are None left out."""
    merged = {key: value for key, value in (ACME | changes).items() if value is not None}
    assert SCHEMA.is_valid(merged), list(SCHEMA.iter_errors(merged))
    return decode_snapshot(merged)


def test_values_that_were_reported_done_belong_to_their_section() -> None:
    reported = {
        "idp_groups/a.b": {"by": "bo@acme.com", "at": "2026-11-29T08:13:00Z"},
        "scim.manual_editing": {"by": "cy@acme.com", "at": "2026-11-29T08:13:00Z"},
        "sso.name": {"by": "cy@acme.com", "at": "2026-11-29T08:13:00Z"},
    }
    snapshot = decode(reported=reported)
    coverage, at = snapshot.live.coverage, datetime(2026, 11, 29, 8, 13, tzinfo=UTC)
    assert coverage["idp_groups"].reported == (Reported("idp_groups/a.b", "bo@acme.com", at),)
    assert coverage["scim"].reported == (Reported("scim.manual_editing", "cy@acme.com", at),)
    assert coverage["sso"].state == "unread"
    assert coverage["sso"].reported == ()
    encoded = encode_snapshot(snapshot)
    assert encoded["reported"] == {at: reported[at] for at in ("scim.manual_editing", "idp_groups/a.b")}
    assert decode_snapshot(encoded).live.coverage == coverage


def test_sections_and_facts_are_read() -> None:
    live = decode().live
    assert live.settings == Settings(
        domains={"acme.com": Domain(True, "approval")},
        defaults=Defaults("member", frozenset({"Everyone"})),
        sso=UNSET,
        scim=Scim(True, "okta", "upgrading", False),
        idp_groups={"Writer-Admins": GroupMapping("org_admin", frozenset({"IT"})), "All-Staff": BLANK},
    )
    assert (live.facts.org_id, live.facts.org_name, live.facts.people) == ("org_8817", "acme", 400)
    assert live.facts.teams == {"Everyone", "Marketing"}
    assert set(live.facts.groups) == {"Writer-Admins", "All-Staff"}


def test_coverage_has_each_of_its_forms() -> None:
    coverage = decode().live.coverage
    assert coverage["domains"] == Coverage("complete", taken_at=TEN)
    assert coverage["idp_groups"].taken_by == "ann@acme.com"
    assert coverage["people"] == Coverage("partial", 1, 400, TEN)
    assert coverage["defaults"] == Coverage(taken_at=TEN), "left out and present: complete"
    assert coverage["sso"] == UNREAD, "left out and absent: unread"


def test_a_section_said_to_be_unread_is_not_believed() -> None:
    snapshot = decode(coverage={"domains": "unread", "teams": "unread", "people": {"state": "unread", "problem": "no"}})
    assert snapshot.live.settings.domains is UNSET
    assert snapshot.live.facts.teams is None
    assert snapshot.people is None
    assert snapshot.live.coverage["people"] == UNREAD._replace(problem="no")


def test_a_section_said_to_be_complete_but_absent_is_unread() -> None:
    assert decode(domains=None).live.coverage["domains"] == UNREAD


def test_people_may_be_a_path() -> None:
    assert decode(people="people.jsonl").people == "people.jsonl"
    assert decode(people="people.jsonl", coverage=None).live.facts.people is None


@pytest.mark.parametrize("entry", ["blank", {}, {"blank": True}, {"id": "g1", "members": 3}])
def test_a_blank_group_has_many_forms(entry: Any) -> None:
    assert decode(idp_groups={"A": entry}).live.settings.idp_groups == {"A": BLANK}


def test_null_is_a_blank_group_too() -> None:
    assert decode_snapshot(ACME | {"idp_groups": {"A": None}}).live.settings.idp_groups == {"A": BLANK}


def test_a_legacy_group_has_its_linked_teams_alone() -> None:
    live = decode(idp_groups={"A": {"teams": ["Legal"]}}, scim={"endpoint": "legacy"}).live
    assert live.settings.idp_groups == {"A": GroupMapping(None, frozenset({"Legal"}))}


def test_groups_that_share_a_name_are_told_apart() -> None:
    live = decode(idp_groups={"Sales [g1]": {"name": "Sales", "id": "g1"}, "Sales [g2]": {"id": "g2"}}).live
    assert live.facts.homonyms == {"Sales"}
    assert live.facts.groups["Sales [g1]"] == Group("g1")


def test_console_words_and_custom_roles() -> None:
    custom = {"id": "editor", "name": "Editor", "level": "org"}
    live = decode(roles=["Org admin", custom, "auditor"], defaults={"role": "Editor", "teams": [" Everyone "]}).live
    assert live.settings.defaults == Defaults("editor", frozenset({"Everyone"}))
    assert live.facts.roles == {
        **BUILT_IN,
        "editor": Role("editor", "Editor", "org"),
        "auditor": Role("auditor", "auditor"),
    }


def test_the_ranked_roles_cannot_be_renamed() -> None:
    assert decode_roles([{"id": "member", "name": "Boss", "level": "org"}]) == dict(BUILT_IN)


def test_there_and_back() -> None:
    for snapshot in (
        decode(),
        decode(people=None),
        decode(people="p.jsonl", taken_at=None),
        decode(taken_by="bo@acme.com"),
    ):
        encoded = encode_snapshot(snapshot)
        assert SCHEMA.is_valid(encoded), list(SCHEMA.iter_errors(encoded))
        assert decode_snapshot(json.loads(json.dumps(encoded))) == snapshot


def test_there_and_back_with_the_facts_of_an_api() -> None:
    read = decode().live
    facts = Facts(
        org_id="o",
        org_name="o",
        plan="team",
        local=True,
        teams=frozenset({"B", "A"}),
        roles={**BUILT_IN, "x": Role("x", "X")},
        groups={"A [g1]": Group("g1", "e1", 0), "A [g2]": Group("g2"), "B": Group("g3", members=4)},
        homonyms=frozenset({"A"}),
        caller=read.facts.caller._replace(email="ann@acme.com"),
        can=frozenset({"domains.create"}),
        features=frozenset(),
        legacy_links={"A [g9]": frozenset({"B", "A"}), "C": frozenset()},
        kept=Settings(scim=Scim(True, endpoint="new"), idp_groups={"B": BLANK}),
        people=7,
        active_people=6,
    )
    groups = {"A [g1]": GroupMapping("x", frozenset({"B"})), "A [g2]": BLANK, "B": GroupMapping(None, frozenset({"A"}))}
    coverage = {**read.coverage, "sso": UNREAD._replace(problem="403")}
    live = Live(Settings(domains={}, idp_groups=groups), coverage, facts)
    encoded = encode_snapshot(Snapshot(live, [], TEN))
    assert SCHEMA.is_valid(encoded), list(SCHEMA.iter_errors(encoded))
    again = decode_snapshot(encoded)
    assert (again.live.settings, again.live.facts, again.people) == (live.settings, facts, [])


def test_what_an_upgrade_or_scim_off_keeps_in_force_goes_there_and_back() -> None:
    kept = {"defaults": {"role": "Team admin", "teams": ["Legal"]}, "idp_groups": {"G": "blank"}}
    snapshot = decode(legacy_links={" Staff ": ["Legal", "IT"]}, kept=kept)
    facts = snapshot.live.facts
    assert facts.legacy_links == {"Staff": {"IT", "Legal"}}
    assert facts.kept == Settings(defaults=Defaults("team_admin", frozenset({"Legal"})), idp_groups={"G": BLANK})
    encoded = encode_snapshot(snapshot)
    SCHEMA.validate(encoded)
    assert decode_snapshot(encoded) == snapshot


def test_what_is_written_is_short_and_in_order() -> None:
    encoded = encode_snapshot(decode())
    assert list(encoded) == [key for key in ACME if key in encoded]
    assert encoded["coverage"]["defaults"] == "complete"
    assert encoded["coverage"]["idp_groups"] == ACME["coverage"]["idp_groups"]
    assert encoded["coverage"]["sso"] == "unread"
    assert encoded["idp_groups"] == {"All-Staff": "blank", "Writer-Admins": ACME["idp_groups"]["Writer-Admins"]}


def test_a_live_without_coverage_rows_is_written_as_what_it_holds() -> None:
    encoded = encode_snapshot(Snapshot(Live(Settings(domains={}), {}, Facts(org_id="o", org_name="o"))))
    assert encoded["coverage"] == dict.fromkeys(encoded["coverage"], "unread") | {"domains": "complete"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"snapshot": 2},
        {"org": {"name": "acme"}},
        {"taken_at": "2026-11-22"},
        {"taken_at": "2026-11-22T10:00:00"},
        {"teams": [" "]},
        {"domains": {"acme.com": None}},
        {"defaults": {"role": "member", "teams": []}},
        {"scim": {"endpoint": "old"}},
        {"idp_groups": {"A": {"roles": "member"}}},
        {"idp_groups": {"A": {"blank": True, "role": "member"}}},
        {"people": [{"email": "a@b.c", "origin": "ldap"}]},
        {"coverage": {"domains": "some"}},
        {"token": "x"},
    ],
)
def test_the_schema_refuses(wrong: dict[str, Any]) -> None:
    assert SCHEMA.is_valid(ACME)
    assert not SCHEMA.is_valid(ACME | wrong)


def test_a_mapping_whose_teams_are_left_out_was_not_read() -> None:
    live = decode(idp_groups={"A": {"role": "org_admin"}, "B": {"role": "member", "teams": []}}).live
    assert live.covered("idp_groups").state == "partial"
    assert "`A`" in (live.covered("idp_groups").problem or "")
    assert live.facts.partial == {"idp_groups"}
    whole = decode(idp_groups={"B": {"role": "member", "teams": []}})
    assert whole.live.covered("idp_groups").state == "complete"
    assert decode_snapshot(encode_snapshot(whole)).live == whole.live
