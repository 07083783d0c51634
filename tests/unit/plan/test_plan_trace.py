"""The steps of a provisioning trace: what each answer is called, and that what was not read is never an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.errors import Where
from rolecall.model.desired import Desired
from rolecall.model.directory import Person, Traits
from rolecall.model.kinds import address
from rolecall.model.settings import BLANK, GroupMapping, Settings
from rolecall.model.trace import (
    AppAccess,
    GroupDelivery,
    IdpMembership,
    IdpTrace,
    IdpUser,
    LogEntry,
    NotRead,
    Provisioning,
    TraceStep,
)
from rolecall.plan.explain.trace import TraceInput, answered, trace

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LEGAL = GroupMapping("member", frozenset({"Legal"}))
CLOSED = NotRead("the token cannot read it", "the credential needs a scope")
OKTA = IdpTrace(
    "okta",
    IdpUser("u1", True, "ACTIVE"),
    AppAccess("through a group", "PROVISIONED", AT),
    Provisioning(),
    LogEntry(AT, "Push new user", "success"),
    (IdpMembership("g1", "Legal"), IdpMembership("g2", "Lunch")),
    {"g1": GroupDelivery(AT)},
)
ANN = Person("ann@acme.com", groups=("Legal",))
PLACE = Where("rolecall.yaml", 7, 3)
DESIRED = Desired(Settings(idp_groups={"Legal": LEGAL}), places={address("idp_groups", "Legal"): PLACE})
READ_FIRST = "First resolve why steps in Okta could not be read, then run this command again"
FULL = TraceInput("ann@acme.com", OKTA, ANN, {"Legal": LEGAL}, DESIRED)


def of_idp(known: TraceInput = FULL, **parts: Any) -> TraceInput:
    return replace(known, idp=known.idp._replace(**parts))


def states(known: TraceInput) -> dict[str, str]:
    return {step.step: step.state for step in trace(known)}


def step(known: TraceInput, name: str) -> TraceStep:
    (found,) = [each for each in trace(known) if each.step == name]
    return found


def test_a_user_who_has_arrived() -> None:
    steps = trace(FULL)
    assert {each.state for each in steps} == {"ok"}
    assert [each.step for each in steps] == [
        *("idp_user", "assignment", "provisioning", "log", "org_user"),
        *("membership", "push", "arrival", "mapping"),
    ]
    assert {each.group for each in steps[5:]} == {"Legal"}, "the org does not know Lunch"
    assert steps[-1].where == PLACE
    assert "last push 22 Nov 2026, 10:00 UTC" in step(FULL, "push").text
    assert all(each.next is None for each in steps)


FAILURES: list[tuple[str, TraceInput, str]] = [
    ("idp_user", of_idp(user=None), "no user with this address"),
    ("idp_user", of_idp(user=IdpUser("u1", False, "SUSPENDED")), "SUSPENDED"),
    ("idp_user", of_idp(user=IdpUser("u1", True, "enabled", "ann.lee@acme.com")), "as ann.lee@acme.com"),
    ("assignment", of_idp(access=None), "Not assigned"),
    ("assignment", of_idp(access=AppAccess("directly", "PROVISIONED", AT, "the push failed")), "but the push failed"),
    ("provisioning", of_idp(provisioning=Provisioning("the app is inactive")), "the app is inactive"),
    ("provisioning", of_idp(provisioning=Provisioning(error="401 Unauthorized")), "401 Unauthorized"),
    ("log", of_idp(log=LogEntry(AT, "create", "failure", "409 Conflict.")), "409 Conflict."),
    ("log", replace(of_idp(log=None), org_user=None), "No entry"),
    ("log", replace(of_idp(log=LogEntry(AT, "create", "skipped", "Out of scope")), org_user=None), "Out of scope"),
    ("org_user", replace(FULL, org_user=None), "does not have the user"),
    ("org_user", replace(FULL, org_user=ANN._replace(traits=Traits(active=False))), "R23"),
    ("org_user", replace(FULL, org_user=ANN._replace(traits=Traits(pending=True))), "R26"),
    ("membership", of_idp(groups=()), "in no group"),
    ("membership", of_idp(groups=(IdpMembership("g1", "Legal", direct=False),)), "R29"),
    ("membership", replace(FULL, only=("Sales",)), "not a member"),
    ("push", of_idp(deliveries={}), "Not pushed"),
    ("push", of_idp(deliveries={"g1": GroupDelivery(AT, "409 exists")}), "409 exists"),
    ("push", of_idp(deliveries={"g1": GroupDelivery(error="x", off=True)}), "Group push is off"),
    ("arrival", replace(FULL, org_user=ANN._replace(groups=())), "does not have the user in the group"),
    ("mapping", replace(FULL, mappings={}), "does not have the group"),
    ("mapping", replace(FULL, mappings={"Legal": BLANK}), "Unmapped"),
]


@pytest.mark.parametrize(("name", "known", "words"), FAILURES, ids=[f"{at}: {words}" for at, _, words in FAILURES])
def test_what_fails_says_so_and_names_the_next_action(name: str, known: TraceInput, words: str) -> None:
    found = step(known, name)
    assert found.state == "failed"
    assert words in found.text
    assert found.next
    assert answered(trace(known))


def test_a_user_who_is_not_in_the_idp_is_not_asked_about_further() -> None:
    assert states(of_idp(user=None)) == {"idp_user": "failed", "provisioning": "ok", "org_user": "ok"}


def test_no_log_entry_is_fine_for_a_user_whom_the_org_has() -> None:
    assert step(of_idp(log=None), "log").state == "ok"
    assert step(replace(of_idp(log=None), org_user=CLOSED), "log").state == "not_readable"


def test_a_group_that_is_unmapped_on_purpose_is_no_failure() -> None:
    desired = Desired(Settings(idp_groups={"Legal": BLANK}))
    known = replace(FULL, mappings={"Legal": BLANK}, desired=desired)
    text = "Unmapped, as in the configuration: the group gives no access (R10)."
    assert step(known, "mapping") == TraceStep("mapping", "ok", text, None, "Legal")
    assert "Apply the configuration" in (step(replace(known, desired=DESIRED), "mapping").next or "")
    assert "add idp_groups/Legal" in (step(replace(known, desired=Desired()), "mapping").next or "")


@pytest.mark.parametrize("groups", [(), (IdpMembership("g1", "Legal", direct=False),)])
def test_a_membership_that_is_missing_names_its_group(groups: tuple[IdpMembership, ...]) -> None:
    membership = step(replace(of_idp(groups=groups), only=("Legal",)), "membership")
    assert (membership.state, membership.group) == ("failed", "Legal")


def test_provisioning_that_was_not_read_is_its_own_step() -> None:
    text = "Could not read whether Okta is provisioning: the token cannot read it."
    found = step(of_idp(provisioning=CLOSED), "provisioning")
    assert found == TraceStep(
        "provisioning", "not_readable", text, "The credential needs a scope", cause=CLOSED.problem
    )


def test_one_of_two_groups_of_a_name_that_is_mapped_counts() -> None:
    ann = ANN._replace(groups=("Legal [2]",))
    known = replace(FULL, mappings={"Legal [1]": BLANK, "Legal [2]": LEGAL}, org_user=ann)
    assert states(known)["mapping"] == "ok"
    assert states(known)["arrival"] == "ok"


def test_a_group_with_the_name_alone_is_the_one_that_is_pushed() -> None:
    """A group of the legacy endpoint has an ID in its key; to be in it, or its mapping, proves nothing (R20)."""
    ann = ANN._replace(groups=("Legal [old]",))
    known = replace(FULL, mappings={"Legal": BLANK, "Legal [old]": LEGAL}, org_user=ann)
    assert (states(known)["mapping"], states(known)["arrival"]) == ("failed", "failed")


def test_a_bracket_within_a_name_is_part_of_it() -> None:
    ann = ANN._replace(groups=("Legal [EU] team",))
    known = replace(FULL, mappings={"Legal [EU] team": LEGAL}, org_user=ann)
    assert (states(known)["mapping"], states(known)["arrival"]) == ("failed", "failed")


def test_a_scope_of_everything_sends_groups_that_are_not_assigned() -> None:
    entra = OKTA._replace(kind="entra", deliveries={}, provisioning=Provisioning(everything=True))
    assert step(replace(FULL, idp=entra), "push").state == "ok"
    assert step(replace(FULL, idp=entra._replace(provisioning=CLOSED)), "push").state == "not_readable"
    assert step(replace(FULL, idp=entra._replace(provisioning=Provisioning())), "push").state == "failed"


PARTS = ("user", "access", "provisioning", "log", "groups", "deliveries")
KNOWN = st.sampled_from([FULL, *(known for _, known, _ in FAILURES if known.idp.user is not None)])


@given(KNOWN, st.sets(st.sampled_from((*PARTS, "org_user", "mappings"))))
def test_what_is_not_read_changes_no_other_answer(known: TraceInput, unread: set[str]) -> None:
    """An answer that is given is the one of a complete read; the rest is not readable. An action that depends on an
    unread step says to resolve that first."""
    full = trace(known)
    partial = of_idp(known, **dict.fromkeys(unread.intersection(PARTS), CLOSED))
    partial = replace(partial, **dict.fromkeys(unread.difference(PARTS), CLOSED))
    steps = trace(partial)
    given_answers = [each for each in steps if each.state != "not_readable"]
    actions = {each._replace(next=None): each.next for each in full}
    assert [each for each in given_answers if each._replace(next=None) not in actions] == []
    changed = {each.next for each in given_answers if each.next != actions[each._replace(next=None)]}
    assert changed <= ({READ_FIRST} if unread else set())
    assert answered(steps) or unread
    for each in steps:
        assert each.state == "ok" or each.next


def test_no_action_rests_on_a_step_that_was_not_read() -> None:
    first = READ_FIRST
    unread = replace(of_idp(access=CLOSED, deliveries=CLOSED, log=None), org_user=None, mappings={})
    assert step(unread, "org_user").next == first
    assert step(unread, "log").next == first
    assert step(unread, "mapping").next == first
    assert step(of_idp(replace(FULL, org_user=ANN._replace(groups=())), deliveries=CLOSED), "arrival").next == first
    assert step(unread, "assignment").cause == CLOSED.problem
