"""What a plan shows of people: names, masks, counts."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.policy import Combo
from rolecall.model.settings import Address, GroupMapping
from rolecall.plan.decode import decode_plan
from rolecall.plan.digest import digest
from rolecall.plan.encode import encode_plan
from rolecall.plan.privacy import mask, redact
from rolecall.plan.value import (
    AccessTestResult,
    Apart,
    Escalation,
    GuardResult,
    Impact,
    Move,
    OrgRef,
    Plan,
    Transient,
    UpgradeImpact,
    Who,
)

KEY = b"kept out of the report"
SALES = Address("idp_groups/sales@acme.com")
BRAND = Combo("Brand", "member")
ANN, BO, CY = (Who(f"u-{name}", f"{name}@acme.com") for name in ("ann", "bo", "cy"))


def a_plan() -> Plan:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Plan(
        OrgRef("acme", "org_1", "local:x"),
        at,
        at,
        date(2026, 11, 22),
        "cfg",
        Desired(),
        (Change(SALES, "update", GroupMapping("member", frozenset({"A"})), GroupMapping("member", frozenset({"B"}))),),
        impact=Impact(
            3,
            change=3,
            headline="ann@acme.com, bo@acme.com and 38 more move.",
            moves=(Move((), (BRAND,), "gain", (SALES,), 3, (ANN, BO, CY)),),
            escalations=(Escalation(ANN, (Combo("IT", "org_admin"),), (SALES,)),),
            transients=(Transient(BO, "lacks", BRAND, 1, 2),),
            at_risk=(BO,),
            apart=(Apart("human", (SALES,), sentences=("cy@acme.com gains Brand member.",)),),
            upgrade=UpgradeImpact("start", 1, 2, 3, 1, (ANN,)),
            notes=("ann@acme.com becomes org admin",),
            problem="read only cy@acme.com",
        ),
        guards=(
            GuardResult(
                "escalations",
                "review",
                "review",
                "ann@acme.com",
                "2 people gain: ann@acme.com, bo@acme.com. idp_groups/sales@acme.com gives it",
                ways=("take ann@acme.com out of `sales@acme.com`",),
            ),
        ),
        access_tests=(AccessTestResult("a test", False, "ann@acme.com has Brand member"),),
        warnings=(Problem("x", "bo@acme.com is no longer a person"),),
    )


def test_names_is_the_plan_itself():
    plan = a_plan()
    assert redact(plan, "names", KEY) is plan


@pytest.mark.parametrize("mode", ["masked", "counts"])
def test_no_address_of_a_person_is_left_anywhere(mode):
    text = json.dumps(encode_plan(redact(a_plan(), mode, KEY)))
    for who in (ANN, BO, CY):
        assert who.email not in text
    assert "kept out" not in text
    assert "u-cy" not in text


@pytest.mark.parametrize("mode", ["masked", "counts"])
def test_a_group_called_like_an_address_keeps_its_name(mode):
    shown = redact(a_plan(), mode, KEY)
    assert shown.changes[0].address == SALES
    assert "idp_groups/sales@acme.com gives it" in shown.guards[0].message
    assert "`sales@acme.com`" in shown.guards[0].ways[0]


@pytest.mark.parametrize("mode", ["masked", "counts"])
def test_ids_of_escalated_and_at_risk_people_stay_and_so_does_the_digest(mode):
    plan = a_plan()
    shown = redact(plan, mode, KEY)
    assert shown.impact.escalations[0].who.id == "u-ann"
    assert shown.impact.transients[0].who.id == "u-bo"
    assert shown.impact.at_risk[0].id == "u-bo"
    assert digest(shown) == digest(plan)


@pytest.mark.parametrize("mode", ["names", "masked", "counts"])
def test_what_is_shown_survives_its_json(mode):
    shown = redact(a_plan(), mode, KEY)
    assert encode_plan(decode_plan(encode_plan(shown))) == encode_plan(shown)


def test_counts_keep_sizes_and_no_people():
    move = redact(a_plan(), "counts", KEY).impact.moves[0]
    assert (move.size, move.people) == (3, ())


def test_counts_put_numbers_where_names_stood():
    shown = redact(a_plan(), "counts", KEY)
    assert shown.impact.headline == "40 people move."
    assert shown.impact.notes == ("1 person becomes org admin",)
    assert shown.guards[0].message == "2 people gain. idp_groups/sales@acme.com gives it"
    assert shown.guards[0].actual == "1 person"


def test_a_mask_is_the_same_everywhere_and_follows_the_person_without_case():
    shown = redact(a_plan(), "masked", KEY)
    label = mask(KEY, "ANN@acme.com")
    assert shown.impact.moves[0].people[0].email == label
    assert shown.impact.escalations[0].who.email == label
    assert shown.impact.notes == (f"{label} becomes org admin",)


def test_a_mask_says_nothing_without_its_key():
    assert mask(KEY, "ann@acme.com") != mask(b"another", "ann@acme.com")
    assert mask(KEY, "ann@acme.com") != mask(KEY, "bo@acme.com")
