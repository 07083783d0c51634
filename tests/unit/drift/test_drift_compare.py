"""Test the classes of drift, one by one and as a complete table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import orgs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.drift.compare import (
    DRIFTED,
    Lifecycle,
    Memory,
    attributed,
    classify,
    compare,
    equal,
    lifecycle,
)
from rolecall.model.desired import Applied, Desired, Intent
from rolecall.model.live import UNREAD, Facts, Group, Live
from rolecall.model.outcome import Event
from rolecall.model.policy import Ignore, Policy
from rolecall.model.settings import BLANK, GroupMapping, Scim, Settings
from rolecall.model.sighting import Roster, RosterGroup
from rolecall.plan.diff.identity import identify

M = GroupMapping("member", frozenset({"Marketing"}))
L = GroupMapping("member", frozenset({"Legal"}))
A = GroupMapping("org_admin", frozenset({"IT"}))


def live(**groups) -> Live:
    facts = Facts(org_id="org_1", groups={key: Group(f"id-{key}") for key in groups}, can=orgs.EVERYTHING)
    return Live(Settings(idp_groups=groups, scim=Scim(endpoint="new")), facts=facts)


def desired(policy=None, **groups) -> Desired:
    return Desired(Settings(idp_groups=groups), {}, policy or Policy())


def memory(ids=(), unmanaged=None, **groups) -> Memory:
    applied = Applied(Settings(idp_groups=groups), group_ids=dict(ids), unmanaged=unmanaged)
    return Memory(
        applied,
        frozenset(f"idp_groups/{key}" for key in groups),
        "j1",
        frozenset({"rolecall/j1/1/1", "rolecall/j1/2/1/aa"}),
    )


def event(key=None) -> Event:
    return Event("e1", datetime(2026, 11, 22, tzinfo=UTC), "bo@acme.com", "console", "idp_groups/G", None, None, key)


def kinds(wanted, held, past, events=None):
    return {row.address: row.kind for row in compare(wanted, held, past, orgs.TODAY, events).entries}


@pytest.mark.parametrize(
    ("last", "wanted", "held", "kind"),
    [
        (M, M, M, "in_sync"),
        (L, M, M, "converged"),
        (M, L, M, "unapplied"),
        (M, M, L, "console"),
        (M, L, A, "both"),
        (M, M, BLANK, "console"),
        (M, BLANK, M, "unapplied"),
    ],
)
def test_three_ways(last, wanted, held, kind):
    assert kinds(desired(G=wanted), live(G=held), memory(G=last)) == {"idp_groups/G": kind}


def test_without_a_row_it_is_two_ways_and_says_so():
    assert kinds(desired(G=M), live(G=L), memory()) == {"idp_groups/G": "differs"}
    assert kinds(desired(G=M), live(G=M), memory()) == {"idp_groups/G": "in_sync"}


def test_what_was_not_read_is_unknown_and_never_drift():
    unread = replace(live(G=M), coverage={"idp_groups": UNREAD})
    assert kinds(desired(G=M), unread, memory(G=M)) == {"idp_groups/G": "unknown"}
    assert "unknown" not in DRIFTED


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (None, "console"),
        ("rolecall/j1/1/1", "console"),
        ("rolecall/j1/2/1/aa", "console"),
        ("rolecall/j1/2/1/bb", "other_run"),
        ("rolecall/j1/9/1", "other_run"),
        ("rolecall/j2/1/1", "other_run"),
        ("terraform/1", "console"),
    ],
)
def test_a_write_of_another_journal_or_of_a_run_this_one_lacks(key, kind):
    assert kinds(desired(G=M), live(G=L), memory(G=M), {"idp_groups/G": event(key)}) == {"idp_groups/G": kind}


def test_a_group_that_is_gone_or_has_another_id_is_the_idps_doing():
    assert kinds(desired(G=M), live(), memory(ids={"G": "id-G"}, G=M)) == {"idp_groups/G": "idp"}
    assert kinds(desired(G=M), live(G=BLANK), memory(ids={"G": "other"}, G=M)) == {"idp_groups/G": "idp"}


def test_a_pinned_group_that_is_gone_is_the_idps_doing_too():
    """The journal keeps the id of a pinned group by its address, one of 0.1.0 not at all."""
    gone = replace(memory(G=M), applied=replace(memory(G=M).applied, ids={"idp_groups/G": "id-G"}))
    pinned = desired(G=M)._replace(intents={"idp_groups/G": Intent(id="id-G")})
    for wanted, past in ((pinned, gone), (pinned, memory(G=M)), (desired(G=M), gone)):
        (row,) = compare(wanted, live(H=M), past, orgs.TODAY).entries
        assert (row.kind, row.id) == ("idp", "id-G")


def test_in_a_section_that_is_not_authoritative_what_only_the_org_has_is_inventory():
    found = compare(desired(G=M), live(G=M, X=L), memory(G=M), orgs.TODAY)
    assert [row.kind for row in found.entries] == ["in_sync"]
    assert found.unmanaged == ("idp_groups/X",)


def test_in_an_authoritative_section_it_is_drift():
    policy = Policy(manage={"idp_groups": "authoritative"})
    past = memory(G=M)
    past = replace(past, recorded=past.recorded | {"idp_groups/X"})
    assert kinds(desired(policy, G=M), live(G=M, X=L), past)["idp_groups/X"] == "console"


def test_a_new_unmanaged_mapping_that_gives_org_admin_is_drift():
    past = memory(unmanaged=frozenset({"idp_groups/Old"}), G=M)
    found = compare(desired(G=M), live(G=M, Old=A, New=A, Plain=L), past, orgs.TODAY)
    assert [(row.address, row.new_admin) for row in found.entries if row.kind == "console"] == [
        ("idp_groups/New", True)
    ]


def test_ignored_addresses_are_cut_first():
    policy = Policy(ignore=(Ignore("idp_groups/G*", "later"),))
    assert kinds(desired(policy, G=M), live(G=L), memory(G=M)) == {}


def test_a_fingerprint_stays_while_the_drift_does():
    one, again, other = (
        compare(desired(G=M), live(G=held), memory(G=M), orgs.TODAY).entries[0].fingerprint for held in (L, L, A)
    )
    assert one == again != other
    assert len(one) == 16


values = st.sampled_from([None, M, L, A])


@given(values, values, values, st.booleans())
def test_every_case_has_one_class_and_drift_is_never_claimed_of_what_agrees(last, wanted, held, known):
    kind = classify(last, wanted, held, known=known)
    assert (kind in ("in_sync", "converged")) == (held == wanted)
    if kind == "console":
        assert equal(last, wanted)
        assert held != last
    if kind == "unapplied":
        assert held == last != wanted
    if not known:
        assert kind in ("in_sync", "differs")


@pytest.mark.parametrize(
    ("manage", "rows"),
    [
        ("additive", {"idp_groups/G", "idp_groups/Gone"}),
        ("authoritative", {"idp_groups/G", "idp_groups/Gone", "idp_groups/X"}),
        ("unmanaged", set()),
    ],
)
def test_what_is_compared_is_what_the_config_manages(manage, rows):
    wanted = desired(Policy(manage={"idp_groups": manage}), G=M)
    wanted = wanted._replace(intents={"idp_groups/Gone": Intent(remove=True), "domains/a.io": Intent(remove=True)})
    assert kinds(wanted, live(G=L, X=L, Blank=BLANK), memory(G=M, Gone=M)).keys() == rows


def test_a_new_unmanaged_admin_mapping_carries_its_event_its_id_and_the_last_value():
    wrote = event()
    past = memory(unmanaged=frozenset(), G=M)
    (row,) = compare(desired(G=M), live(G=M, New=A), past, orgs.TODAY, {"idp_groups/New": wrote}).of("console")
    assert (row.address, row.last, row.desired, row.live, row.id) == ("idp_groups/New", None, None, A, "id-New")
    assert (row.event, row.source, row.new_admin, row.managed) == (wrote, None, True, True)


def test_a_released_mapping_that_already_gave_org_admin_is_no_new_one():
    for last, new in ((A, False), (L, True)):
        past = memory(unmanaged=frozenset(), G=M, Old=last)
        found = compare(desired(G=M), live(G=M, Old=A), past, orgs.TODAY).of("console")
        assert [row.last for row in found] == ([last] if new else [])


def log(address, before=None, after=None, day=22):
    return Event(f"e{day}", datetime(2026, 11, day, tzinfo=UTC), "idp", "scim", address, before, after)


def test_the_log_tells_which_groups_were_pushed_and_removed():
    events = [
        log("groups/g1", None, {"displayName": "New"}),
        log("groups/g2", {"displayName": " Gone "}, None),
        log("groups/g3", {"displayName": "Old"}, {"displayName": "Now"}),
        log("groups/g4", {"displayName": 5}, None),
        log("groups/g5", "text", None),
        log("idp_groups/X", None, {"role": "member"}),
    ]
    assert lifecycle(events) == Lifecycle(frozenset({"g1"}), frozenset({"Gone"}))


def places(events, held, roster=None, past=None):
    """The live address of each event, oldest first."""
    known = live(**held)
    identity = identify(desired(), known, (past or memory()).applied)
    return [at for at, _ in attributed(events, identity, roster)][::-1]


def test_a_write_is_attributed_to_the_group_that_had_the_name_at_the_time():
    renamed = log("groups/id-B", {"displayName": "A"}, {"displayName": "B"}, 23)
    created = log("groups/id-A", None, {"displayName": "A"}, 24)
    before, after = log("idp_groups/A", day=22), log("idp_groups/A", day=25)
    assert places([before, renamed, created, after], {"A": M, "B": M}) == [
        "idp_groups/B",
        "groups/id-B",
        "groups/id-A",
        "idp_groups/A",
    ]


def test_a_name_that_no_group_of_the_log_had_is_that_of_the_last_check_or_apply():
    roster = Roster(datetime(2026, 11, 20, tzinfo=UTC), {"id-B": RosterGroup("Old"), "id-Z": RosterGroup("Gone")})
    assert places([log("idp_groups/Old")], {"B": M}, roster) == ["idp_groups/B"]
    assert places([log("idp_groups/Gone")], {"B": M}, roster) == ["idp_groups/Gone"]
    assert places([log("idp_groups/Old")], {"B": M}) == ["idp_groups/Old"]
    assert places([log("idp_groups/Was")], {"B": M}, past=memory(ids={"Was": "id-B"}, Was=M)) == ["idp_groups/B"]


def test_a_name_that_two_groups_had_is_left_as_the_log_has_it():
    renamed = log("groups/id-B", {"displayName": "A"}, {"displayName": "B"}, 23)
    assert places([log("idp_groups/A"), renamed], {"A": M, "B": M})[0] == "idp_groups/A"


def test_a_write_of_another_section_keeps_its_address():
    assert places([log("scim"), log("domains/acme.com")], {"A": M}) == ["scim", "domains/acme.com"]


def test_a_baseline_that_stands_in_for_a_journal_releases_nothing():
    past = memory(G=M, Old=M)
    for baseline, released in ((False, ["idp_groups/Old"]), (True, [])):
        found = compare(desired(G=M), live(G=M, Old=M), replace(past, baseline=baseline), orgs.TODAY)
        assert [release.live for release in found.difference.released] == released
