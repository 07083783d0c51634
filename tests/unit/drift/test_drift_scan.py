"""Test a drift check made of values: users on both sides, what counts, what does not, policy violations."""

from __future__ import annotations

import json
from array import array
from dataclasses import replace
from datetime import timedelta

import drifts
import pytest
from drifts import LEAD, NOW, PEOPLE, A, L, M, event, inquiry
from hypothesis import given
from hypothesis import strategies as st

from rolecall.codec.people import decode_people
from rolecall.codec.roster import decode_roster, encode_roster
from rolecall.drift.encode import encode_report
from rolecall.drift.membership import take_roster
from rolecall.drift.privacy import redact_report
from rolecall.drift.scan import drifted, scan
from rolecall.drift.value import Acknowledgement
from rolecall.drift.writers import FieldWrite
from rolecall.model.evidence import Finding, Proof
from rolecall.model.live import UNREAD, Coverage, Facts, Group, Live
from rolecall.model.policy import AccessTest, Guards, Ignore, Policy, TeamRole
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import BLANK, Defaults, Scim, Settings
from rolecall.model.sighting import Roster, RosterGroup, RosterUsers
from rolecall.plan.value import Tally, Who
from rolecall.schema_files import schema_text

AT = "idp_groups/G"


def test_people_are_counted_both_ways_by_the_planner():
    found = scan(inquiry({"G": M}, {"G": L}, {"G": M})).report
    assert [row.address for row in found.drifts] == [AT]
    assert found.did.impact.headline.startswith("2 users move from Marketing to Legal, as members.")
    assert found.revert.impact.headline.startswith("2 users move from Legal to Marketing, as members.")
    assert found.tally("did", AT) == found.tally("revert", AT) == Tally(change=2)
    assert [(c.before, c.after, c.reason) for c in found.revert.changes] == [(L, M, "drift")]


def test_guards_judge_what_a_drift_did():
    found = scan(inquiry({"G": M}, {"G": LEAD}, {"G": M})).report
    verdicts = {guard.name: guard.verdict for guard in found.did.guards}
    assert verdicts["escalations"] == "review"
    assert verdicts["min_org_admins"] == "pass"


def test_where_all_three_differ_reverting_leads_to_the_config():
    found = scan(inquiry({"G": M}, {"G": L}, {"G": LEAD})).report
    assert [row.kind for row in found.drifts] == ["both"]
    assert [(c.before, c.after) for c in found.did.changes] == [(LEAD, L)]
    assert [(c.before, c.after) for c in found.revert.changes] == [(L, M)]


def test_a_default_that_moved_touches_those_who_live_by_it():
    made = inquiry({}, {}, {})
    wanted = replace(made.plan_input.desired.settings, defaults=drifts.DEFAULTS)
    legal = Defaults("member", frozenset({"Legal"}))
    there = replace(made.plan_input.live.settings, defaults=legal)
    past = made.past
    applied = replace(past.memory.applied, settings=replace(past.memory.applied.settings, defaults=drifts.DEFAULTS))
    recorded = past.memory.recorded | {"defaults"}
    made = replace(
        made,
        plan_input=made.plan_input._replace(
            desired=made.plan_input.desired._replace(settings=wanted),
            live=replace(made.plan_input.live, settings=there),
        ),
        past=replace(past, memory=replace(past.memory, applied=applied, recorded=recorded)),
    )
    found = scan(made).report
    assert [row.address for row in found.drifts] == ["defaults"]
    assert found.tally("did", "defaults") == Tally(change=2)  # cy in an unmapped group, di in none


def test_people_who_were_not_read_are_not_counted():
    made = inquiry({"G": M}, {"G": L}, {"G": M})
    found = scan(replace(made, plan_input=made.plan_input._replace(directory=None))).report
    assert len(found.drifts) == 1
    assert found.tally("did", AT) is None
    assert (found.sighting, found.people, found.without_access) == (None, None, None)


def test_a_moved_endpoint_is_drift_and_nobody_says_whom_it_touched():
    made = inquiry({}, {}, {})
    scim = Scim(enabled=True, endpoint="new", manual_editing=False)
    old = Scim(enabled=True, endpoint="legacy")
    memory = made.past.memory
    applied = replace(memory.applied, settings=replace(memory.applied.settings, scim=old))
    plan_input = made.plan_input
    desired = plan_input.desired._replace(settings=replace(plan_input.desired.settings, scim=old))
    past = replace(made.past, memory=replace(memory, applied=applied, recorded=memory.recorded | {"scim"}))
    found = scan(replace(made, plan_input=plan_input._replace(desired=desired), past=past)).report
    assert [(row.address, row.live) for row in found.drifts] == [("scim", scim)]
    assert found.did is None


def test_a_section_that_was_not_read_is_unknown_and_told():
    made = inquiry({"G": M}, {"G": L}, {"G": M})
    unread = replace(made.plan_input.live, coverage={"idp_groups": UNREAD})
    found = scan(replace(made, plan_input=made.plan_input._replace(live=unread))).report
    assert (found.drifts, found.unread) == ((), ("idp_groups",))


def test_ignored_for_good_or_for_once():
    policy = Policy(ignore=(Ignore("idp_groups/G*", "sandbox"),))
    assert scan(inquiry({"G": M}, {"G": L}, {"G": M}, policy)).report.entries == ()
    once = scan(inquiry({"G": M}, {"G": L}, {"G": M}, ignore=("idp_groups/*",))).report
    assert (once.entries, once.ignored) == ((), ("idp_groups/*",))


def test_own_writes_explain_nothing():
    made = inquiry({"G": M}, {"G": L}, {"G": M}, events={AT: event(AT, key="rolecall/j1/1/1")})
    assert [row.event for row in scan(made).report.drifts] == [None]
    other = replace(made, events={AT: event(AT, key="rolecall/j2/1/1")})
    assert [(row.kind, row.event.actor) for row in scan(other).report.drifts] == [("other_run", "bo@acme.com")]


def test_what_an_authoritative_apply_left_blank_is_drift_once_somebody_wrote_there():
    policy = Policy(manage={"idp_groups": "authoritative"})
    made = inquiry({}, {"G": L}, {}, policy)
    memory = replace(made.past.memory, applied=replace(made.past.memory.applied, policy=policy))
    made = replace(made, past=replace(made.past, memory=memory))
    assert [row.kind for row in scan(made).report.entries] == ["differs"]
    assert [row.address for row in drifted(made)] == [AT]
    known = scan(replace(made, events={AT: event(AT)})).report
    assert [(row.kind, row.last, row.live) for row in known.drifts] == [("console", None, L)]
    assert [(c.before, c.after) for c in known.revert.changes] == [(L, None)]


def test_inventory_with_people_and_a_new_door_to_org_admin():
    found = scan(inquiry({}, {"G": A, "X": M}, {})).report
    assert [(row.address, row.people, row.new) for row in found.unmanaged] == [
        (AT, 2, True),
        ("idp_groups/X", 0, True),
    ]
    assert [(row.address, row.new_admin) for row in found.drifts] == [(AT, True)]
    assert found.tally("did", AT) == Tally(change=1)  # bo was org admin on IT before
    assert [(c.address, c.after) for c in found.revert.changes] == [(AT, None)]


def looked(people, **more):
    return scan(inquiry({"G": M}, {"G": M}, {"G": M}, people=people, **more))


def again(first, people, **more):
    """The same org a day later, with other people."""
    made = inquiry({"G": M}, {"G": M}, {"G": M}, people=people, **more)
    past = replace(made.past, roster=first.roster, sighting=first.report.sighting, watched=first.report.sighting)
    plan_input = made.plan_input._replace(created_at=NOW + timedelta(days=1))
    return scan(replace(made, plan_input=plan_input, past=past)).report


def test_joiners_movers_and_leavers():
    moved = [
        *PEOPLE[1:3],
        {"id": "p4", "email": "di@acme.com", "groups": ["Admins"]},
        {"id": "p5", "email": "ed@acme.com", "groups": []},
        {"id": "p6", "email": "fay@acme.com", "groups": [], "active": False},
    ]
    news = again(looked(PEOPLE), moved).people
    assert (news.joined, news.left, news.moved, news.since) == (1, 1, 1, NOW)
    assert [(row.who.email, row.by, row.address) for row in news.new_admins] == [
        ("di@acme.com", "by Admins", "idp_groups/Admins")
    ]
    assert [who.email for who in news.former_admins] == ["ann@acme.com"]


def test_nobody_moved():
    assert not again(looked(PEOPLE), [*reversed(PEOPLE)]).people.any


def test_a_watched_role_and_who_is_explained_by_a_drift():
    policy = Policy(watch_roles=frozenset({ORG_ADMIN}))
    first = looked(PEOPLE, policy=policy)
    joined = [*PEOPLE[:3], {"id": "p4", "email": "di@acme.com", "groups": ["Admins"]}]
    (alarm,) = again(first, joined, policy=policy).alarms
    assert (alarm.kind, alarm.who.email, alarm.message) == ("watch", "di@acme.com", "is now org admin, by Admins")
    made = inquiry({"G": M}, {"G": A}, {"G": M}, policy)
    made = replace(made, past=replace(made.past, watched=first.report.sighting))
    assert scan(made).report.alarms == ()


def test_a_new_holder_of_a_watched_role_is_named_with_role_mapping_and_place():
    policy = Policy(watch_roles=frozenset({ORG_ADMIN}))
    first = looked(PEOPLE, policy=policy)
    joined = [*PEOPLE[:3], {"id": "p4", "email": "di@acme.com", "groups": ["Admins"]}]
    (alarm,) = again(first, joined, policy=policy).alarms
    assert (alarm.name, alarm.who) == (ORG_ADMIN, Who("p4", "di@acme.com"))
    more = [*joined[:3], {"id": "p5", "email": "di@acme.com", "groups": ["Admins"]}]
    (other,) = again(first, more, policy=policy).alarms
    assert other.fingerprint != alarm.fingerprint


@pytest.mark.parametrize("incomplete", ["before", "now"])
def test_watched_roles_are_not_compared_with_a_record_that_is_incomplete(incomplete):
    policy = Policy(watch_roles=frozenset({ORG_ADMIN}))
    first = looked([PEOPLE[0], PEOPLE[2]], policy=policy)
    made = inquiry({"G": M}, {"G": M}, {"G": M}, policy)
    record = first.report.sighting
    assert [alarm.kind for alarm in again(first, PEOPLE, policy=policy).alarms] == ["watch"]
    if incomplete == "before":
        made = replace(made, past=replace(made.past, watched=replace(record, complete=False)))
    else:
        directory = decode_people(PEOPLE, made.plan_input.live.facts.groups, coverage=Coverage("partial", 4, 9))
        made = replace(made, plan_input=made.plan_input._replace(directory=directory))
        made = replace(made, past=replace(made.past, watched=record))
    found = scan(made).report
    assert [alarm for alarm in found.alarms if alarm.kind == "watch"] == []
    assert "watch" in found.not_evaluated


def test_users_that_were_read_in_part_are_a_warning_with_what_follows_from_it():
    made = inquiry({"G": M}, {"G": M}, {"G": M})
    directory = decode_people(PEOPLE, made.plan_input.live.facts.groups, coverage=Coverage("partial", 4, 9))
    found = scan(replace(made, plan_input=made.plan_input._replace(directory=directory))).report
    (warning,) = [warning for warning in found.warnings if warning.code == "people_unread"]
    assert warning.severity == "warning"
    assert warning.message == (
        "users were partially read (4 of 9); limits, watched roles and access tests that need users were not evaluated"
    )
    assert warning.hint == "to find the cause: rolecall doctor -e prod"
    assert found.coverage["people"].state == "partial"


def test_an_acknowledged_drift_is_reported_but_neither_counted_nor_in_the_plans():
    made = inquiry({"G": M, "H": M}, {"G": L, "H": A}, {"G": M, "H": M})
    whole = scan(made).report
    assert [change.address for change in whole.did.changes] == ["idp_groups/G", "idp_groups/H"]
    known = {row.fingerprint: Acknowledgement(row.fingerprint, "ann@acme.com", NOW, "known", 3) for row in whole.drifts}
    one = next(row.fingerprint for row in whole.drifts if row.address == "idp_groups/H")
    made = replace(made, past=replace(made.past, acknowledged={one: known[one]}))
    part = scan(made).report
    assert [row.address for row in part.entries] == ["idp_groups/G", "idp_groups/H"]
    assert part.counted == whole.counted - {one}
    assert [change.address for change in part.did.changes] == ["idp_groups/G"]
    assert [change.address for change in part.revert.changes] == ["idp_groups/G"]
    assert list(part.acknowledged) == [one]
    all_known = scan(replace(made, past=replace(made.past, acknowledged=known))).report
    assert (all_known.did, all_known.counted) == (None, frozenset())


def test_standing_limits_and_access_tests():
    guards = Guards(min_org_admins=3, required_org_admins=("ANN@acme.com", "zoe@acme.com"))
    test = AccessTest("cy has Legal", person="cy@acme.com", has=(TeamRole("Legal", "member"),))
    found = scan(inquiry({"G": M}, {"G": M}, {"G": M}, Policy(guards=guards, access_tests=(test,)))).report
    assert [(alarm.kind, alarm.name) for alarm in found.alarms] == [
        ("limit", "min_org_admins"),
        ("limit", "required_org_admins"),
        ("access_test", "cy has Legal"),
    ]
    assert found.alarms[1].who.email == "zoe@acme.com"
    assert len({alarm.fingerprint for alarm in found.alarms}) == 3


def test_groups_since_the_last_look():
    made = inquiry({"G": M, "W": M}, {"G": M}, {"G": M})
    first = scan(made)
    assert first.roster.waiting == {"W"}
    made = inquiry({"G": M, "W": M}, {"G": M, "W": BLANK, "New": BLANK}, {"G": M})
    groups = {**first.roster.groups, "id-Gone": RosterGroup("Gone", 3), "id-G": RosterGroup("Old name", 2)}
    past = replace(made.past, roster=replace(first.roster, groups=groups))
    news = scan(replace(made, past=past)).report.groups
    assert (news.arrived, news.vanished, news.ready) == (("New", "W"), ("Gone",), ("W",))
    assert [(row.was, row.now, row.key) for row in news.renamed] == [("Old name", "G", "G")]


def test_what_may_be_shown_of_people():
    policy = Policy(watch_roles=frozenset({ORG_ADMIN}))
    joined = [*PEOPLE[:3], {"id": "p4", "email": "di@acme.com", "groups": ["Admins"]}]
    first = looked(PEOPLE, policy=policy)
    made = inquiry({"G": M}, {"G": L}, {"G": M}, policy, joined, events={AT: event(AT, "eve@acme.com")})
    past = replace(made.past, roster=first.roster, sighting=first.report.sighting, watched=first.report.sighting)
    found = scan(replace(made, past=past)).report
    named = str(encode_report(found))
    assert all(name in named for name in ("bo@acme.com", "cy@acme.com", "di@acme.com"))
    for mode in ("counts", "masked"):
        told = str(encode_report(redact_report(found, mode, b"key")))
        assert not any(name in told for name in ("bo@acme.com", "cy@acme.com", "di@acme.com")), mode
        assert "eve@acme.com" in told  # who changed a setting is what the audit log is for
    assert "person-" in str(encode_report(redact_report(found, "masked", b"key")))


hashes = st.dictionaries(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), max_size=30)


@given(
    st.none() | hashes, st.dictionaries(st.text(max_size=5), st.tuples(st.text(max_size=9), st.none() | st.integers(0)))
)
def test_a_look_survives_being_kept(people, groups):
    seen = None if people is None else RosterUsers(array("Q", people), array("I", people.values()))
    roster = Roster(NOW, {key: RosterGroup(*said) for key, said in groups.items()}, seen, frozenset({"a"}))
    assert decode_roster(encode_roster(roster)) == roster


@pytest.mark.parametrize(
    "part", [{"people": "AAAA"}, {"people": "eJxLBAAAYgBi"}, {"people": 3}, {"at": "today"}, {"waiting": [1]}]
)
def test_a_roster_that_was_damaged_raises_a_value_error(part):
    kept = {"at": NOW.isoformat(), "groups": {}, "waiting": [], "people": None}
    assert decode_roster(kept).people is None
    with pytest.raises(ValueError):
        decode_roster({**kept, **part})


def test_a_look_is_kept_as_it_always_was():
    """What an older version kept is compared with what this one sees."""
    kept = {"at": NOW.isoformat(), "groups": {}, "waiting": [], "people": "eAFjZYAARgjVwA6kmYAYAAVgAJA="}
    assert decode_roster(kept).people == RosterUsers(array("Q", [5, 2**63 + 1]), array("I", [7, 2]))
    rows = [
        {"email": "ann@acme.com", "id": "u1", "groups": ["A", "B", "C"]},
        {"email": "bo@acme.com", "id": "u2", "active": False},
        {
            "email": "cy@acme.com",
            "id": "u3",
            "origin": "saml",
            "manual": [{"team": "X", "role": "member"}],
            "groups": ["A"],
        },
    ]
    live = Live(Settings(), facts=Facts(groups={"A": Group("g1")}))
    seen = take_roster(live, decode_people(rows), (), NOW).people
    assert seen == RosterUsers(
        array("Q", [10563559511108250325, 281517485760021791]), array("I", [3985577122, 3577742347])
    )


mappings = st.sampled_from([BLANK, M, L, LEAD, A])


@given(mappings, mappings, mappings, st.booleans())
def test_reverting_what_was_found_reaches_the_config_and_counts_are_what_the_plans_say(wanted, there, was, include):
    made = inquiry({"G": wanted}, {"G": there}, {"G": was}, include_unapplied=include)
    found = scan(made).report
    for row in found.drifts:
        (change,) = found.revert.changes
        assert (change.before or BLANK, change.after or BLANK) == (row.live or BLANK, row.desired or BLANK)
        if found.did is not None:
            (change,) = found.did.changes
            assert (change.before or BLANK, change.after or BLANK) == (row.last or BLANK, row.live or BLANK)
    if there == wanted:
        assert not found.drifts


def test_in_sync_is_nothing_at_all():
    found = scan(inquiry({"G": M}, {"G": M}, {"G": M})).report
    assert (found.entries, found.did, found.revert, found.counted) == ((), None, None, frozenset())


def test_what_waits_for_the_idp_is_never_counted():
    found = scan(inquiry({"G": M, "W": M}, {"G": M}, {"G": M}, include_unapplied=True)).report
    assert (found.waiting, found.drifts) == ({"idp_groups/W"}, ())


def test_of_people_who_were_read_in_part_no_access_test_says_anything():
    policy = Policy(
        access_tests=(
            AccessTest("a person", person="nobody@acme.com", has=("member",)),
            AccessTest("a role", role="org_admin", granted_by_only=()),
            AccessTest("a persona", groups=("G",), has=("org_admin",)),
        )
    )
    made = inquiry({"G": M}, {"G": M}, {"G": M}, policy)
    directory = replace(made.plan_input.directory, coverage=Coverage("partial"))
    part = replace(made, plan_input=made.plan_input._replace(directory=directory))
    assert [alarm.name for alarm in scan(part).report.alarms if alarm.kind == "access_test"] == ["a persona"]


def test_every_key_of_the_schema_is_in_the_json_of_a_report():
    schema = json.loads(schema_text("drift.schema.json"))
    proof = Proof("ab" * 32, NOW, "eve@acme.com", "Area", "Action", "G", "legacy", (AT,), False)
    finding = Finding("unclear", (proof,), (AT,), (AT,), "why")
    events = {AT: event(AT, "eve@acme.com", "rolecall/x/1/1")}
    made = inquiry({"G": M}, {"G": L}, {"G": M}, events=events, findings={AT: finding})
    made = replace(made, writes={AT: (FieldWrite(f"{AT}.teams", "eve@acme.com", NOW),)})
    found = encode_report(scan(made).report)
    assert found.keys() == schema["properties"].keys()
    audit = schema["definitions"]["audit"]["properties"]
    assert found["drift"][0]["audit"].keys() == audit.keys()
    assert found["drift"][0]["audit"]["records"][0].keys() == audit["records"]["items"]["properties"].keys()
    drift = schema["properties"]["drift"]["items"]["properties"]
    (entry,) = found["drift"]
    assert entry.keys() == drift.keys()
    assert entry["fields"][0].keys() == schema["definitions"]["fields"]["items"]["properties"].keys()
    assert entry["from"] == {"channel": "console", "ip": "10.0.0.7", "key": "rolecall/x/1/1"}
    assert (entry["who"], entry["when"]) == ("eve@acme.com", NOW.isoformat())
    (unknown,) = encode_report(scan(inquiry({"G": M}, {"G": L}, {"G": M})).report)["drift"]
    assert (unknown["from"], unknown["who"], unknown["when"]) == (None, None, None)
