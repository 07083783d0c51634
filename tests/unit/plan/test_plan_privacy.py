"""Test how a plan shows users: names, masks, counts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, NamedTuple, get_args, get_type_hints

import pytest
import saml

from rolecall.drift.value import DriftReport, Violation
from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.directory import PeopleScope
from rolecall.model.policy import TeamRole
from rolecall.model.record import PUBLIC, UserName
from rolecall.model.settings import Address, GroupMapping, Sso
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.saved.privacy import Veil, mask, redact
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
SCIM = Address("scim")
SALES = Address("idp_groups/sales@acme.com")
BRAND = TeamRole("Brand", "member")
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
            escalations=(Escalation(ANN, (TeamRole("IT", "org_admin"),), (SALES,)),),
            transients=(Transient(BO, "lacks", BRAND, 1, 2),),
            at_risk=(BO,),
            apart=(Apart("human", (SALES,), sentences=("cy@acme.com gains Brand member.",)),),
            upgrade=UpgradeImpact("start", 1, 2, 3, 1, (ANN,), (Move((BRAND,), (), "lose", (SCIM,), 1, (CY,)),)),
            notes=("ann@acme.com becomes org admin",),
            problem="read only cy@acme.com",
            remaining_admins=(CY,),
        ),
        guards=(
            GuardResult(
                "escalations",
                "review",
                "review",
                "ann@acme.com",
                "2 users gain: ann@acme.com, bo@acme.com. idp_groups/sales@acme.com gives it",
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
    assert KEY.decode() not in text
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
    assert shown.impact.headline == "40 users move."
    assert shown.impact.notes == ("1 user becomes org admin",)
    assert shown.guards[0].message == "2 users gain. idp_groups/sales@acme.com gives it"
    assert shown.guards[0].actual == "1 user"


def test_a_mask_is_the_same_everywhere_and_follows_the_person_without_case():
    shown = redact(a_plan(), "masked", KEY)
    label = mask(KEY, "ANN@acme.com")
    assert label in [who.email for who in shown.impact.moves[0].people]
    assert shown.impact.escalations[0].who.email == label
    assert shown.impact.notes == (f"{label} becomes org admin",)


def test_a_mask_says_nothing_without_its_key():
    assert mask(KEY, "ann@acme.com") != mask(b"another", "ann@acme.com")
    assert mask(KEY, "ann@acme.com") != mask(KEY, "bo@acme.com")


def told(message, mode="masked", **more):
    plan = a_plan()._replace(guards=(GuardResult("x", "review", message=message),), **more)
    return redact(plan, mode, KEY).guards[0].message


ODD = ("o'brien@acme.com", "jdoe", "a b@acme.com", "smith, john@acme.com", '"q"@acme.com', "x(y)@acme.com")


@pytest.mark.parametrize("odd", ODD)
def test_a_name_unlike_an_e_mail_is_hidden_whole(odd):
    impact = a_plan().impact._replace(moves=(Move((), (BRAND,), "gain", (SALES,), 1, (Who("u-odd", odd),)),))
    said = f"2 users gain Brand member: {odd}, zoe@acme.com, because of idp_groups/x; it is {odd} (manual)."
    masked = told(said, impact=impact)
    both = ", ".join(sorted((mask(KEY, odd), mask(KEY, "zoe@acme.com"))))
    assert masked == (f"2 users gain Brand member: {both}, because of idp_groups/x; it is {mask(KEY, odd)} (manual).")
    counted = told(said, "counts", impact=impact)
    assert counted == "2 users gain Brand member, because of idp_groups/x; it is 1 user (manual)."


def test_masks_tell_no_order():
    people = [Who(f"u-{n:02}", f"p{n:02}@acme.com") for n in range(30)]
    plan = a_plan()
    gains = (TeamRole("IT", "org_admin"),)
    impact = plan.impact._replace(
        moves=(
            Move((), (BRAND,), "gain", (SALES,), 20, tuple(people[:20])),
            *(Move((), (BRAND,), "gain", (SALES,), 1, (who,)) for who in people[20:]),
        ),
        escalations=tuple(Escalation(who, gains, (SALES,)) for who in people),
        transients=tuple(Transient(who, "lacks", BRAND, 1, 2) for who in people),
        at_risk=tuple(people),
        upgrade=UpgradeImpact("complete", 1, 2, 3, 1, tuple(people)),
    )
    shown = redact(plan._replace(impact=impact), "masked", KEY).impact
    by_mask = [mask(KEY, who.email or "") for who in people]
    assert [who.email for who in shown.moves[0].people] == sorted(by_mask[:20])
    assert [move.people[0].email for move in shown.moves[1:]] == sorted(by_mask[20:])
    counted = redact(plan._replace(impact=impact), "counts", KEY).impact
    for one in (shown, counted):
        assert [row.who.id for row in one.escalations] == sorted(who.id for who in people)
        assert [who.id for who in one.at_risk] == sorted(who.id for who in people)
    assert len(set(by_mask)) == 30


def test_where_only_the_first_of_the_alphabet_are_named_nobody_is():
    said = "45 users lose something they have: ann@acme.com, bo@acme.com and 43 more; block above 3"
    assert told(said) == "45 users lose something they have; block above 3"
    assert told("ann@acme.com, bo@acme.com and 38 more move.") == "40 users move."
    first, second = sorted(mask(KEY, name) for name in ("zed@acme.com", "ann@acme.com"))
    assert told("It is zed@acme.com, ann@acme.com.") == f"It is {first}, {second}."


@pytest.mark.parametrize(("mode", "left"), [("masked", frozenset({mask(KEY, "me@acme.com")})), ("counts", frozenset())])
def test_whom_a_plan_had_to_read_is_nobodys_business(mode, left):
    plan = a_plan()._replace(scope=PeopleScope(groups=frozenset({"A"}), emails=frozenset({"me@acme.com"})))
    assert redact(plan, mode, KEY).scope == PeopleScope(groups=frozenset({"A"}), emails=left)


def test_a_hint_names_nobody():
    plan = a_plan()._replace(warnings=(Problem("x", "m", None, "did you mean `ann@acme.com`?"), Problem("y", "m")))
    first, second = redact(plan, "counts", KEY).warnings
    assert (first.hint, second.hint) == ("did you mean `1 user`?", None)


class Note(NamedTuple):
    """A record as somebody may add one: nothing says how it is shown."""

    text: str
    about: Who | None = None
    by: UserName | None = None
    seen: Mapping[str, tuple[Who, ...]] = {}
    team: Annotated[str, PUBLIC] = ""


Wider = NamedTuple("Wider", [*get_type_hints(Plan, include_extras=True).items(), ("notes", tuple[Note, ...])])
"""A plan with a field more."""


NOTE = Note("bo@acme.com asked for it", ANN, "cy@acme.com", {"brand": (ANN, BO)}, "crew@acme.com")


@pytest.mark.parametrize("mode", ["masked", "counts"])
def test_a_field_that_is_added_to_a_record_is_masked_unless_it_says_that_it_need_not_be(mode):
    plan = a_plan()
    wider = Wider(*plan, (NOTE,))
    shown = redact(wider, mode, KEY).notes[0]
    assert not {who.email for who in (ANN, BO, CY)} & set(re.findall(r"[a-z]+@acme.com", repr(shown)))
    assert "u-" not in repr(shown)
    assert shown.team == "crew@acme.com"


def test_users_of_a_new_field_do_not_stand_in_their_order():
    people = tuple(Who(f"u-{number}", f"{number:02}@acme.com") for number in range(20))
    shown = Veil("masked", KEY).redacted(Note("", seen={"all": people})).seen["all"]
    assert list(shown) == sorted(shown)
    assert [who.email for who in shown] != [mask(KEY, who.email) for who in people]


def test_a_part_of_a_report_is_shown_as_it_is_on_purpose_alone():
    """Whoever marks a field as public adds it here."""
    assert public(Plan) == {
        *("org", "config_digest", "desired", "changes", "switches", "lifts", "released", "unmanaged"),
        *("policy_changes", "selection", "group_ids", "idp", "metadata_file", "command"),
    }
    assert public(DriftReport) == {
        *("org", "basis", "entries", "counted", "written", "released", "unmanaged", "groups", "acknowledged"),
        *("coverage", "findings", "ignored", "writes"),
    }
    assert public(Impact) == set()
    assert public(GuardResult) == {"name", "limit"}
    assert public(AccessTestResult) == {"name"}
    assert public(Violation) == {"name", "fingerprint"}


def public(record: type) -> set[str]:
    hints = get_type_hints(record, include_extras=True).items()
    return {name for name, hint in hints if PUBLIC in get_args(hint)}


@pytest.mark.parametrize("mode", ["masked", "counts"])
def test_numbers_and_what_is_not_there_stay_as_they_are(mode):
    results = (GuardResult("x", "pass", 3, 7), GuardResult("y", "pass", "review above 3", None))
    plan = a_plan()._replace(guards=results, impact=a_plan().impact._replace(problem=None))
    shown = redact(plan, mode, KEY)
    assert shown.guards == results
    assert shown.impact.problem is None


def test_the_users_who_were_asked_for_are_not_named_and_in_counts_not_even_counted():
    scope = PeopleScope(emails=frozenset({"ann@acme.com", "bo@acme.com"}), groups=frozenset({"A"}))
    masked, counts = (redact(a_plan()._replace(scope=scope), mode, KEY).scope for mode in ("masked", "counts"))
    assert masked.emails == {mask(KEY, "ann@acme.com"), mask(KEY, "bo@acme.com")}
    assert counts.emails == frozenset()
    assert (masked.groups, counts.groups) == (scope.groups, scope.groups)


@pytest.mark.parametrize(("url", "local"), [("local:org.db", True), ("https://org.example", False)])
def test_a_plan_of_a_local_org_is_known_again(url, local):
    org = OrgRef("acme", "org_1", url, "prod", local)
    assert decode_plan(encode_plan(a_plan()._replace(org=org))).org == org


@pytest.mark.parametrize(("certificate", "ends"), [("VALID", "2049"), ("none at all", None)])
def test_what_a_plan_says_of_the_metadata_that_it_writes(certificate, ends):
    text = saml.metadata(saml.OKTA, getattr(saml, certificate, "MIIB"))
    plan = a_plan()._replace(changes=(Change("sso", "update", Sso(), Sso(metadata=text)),))
    found = encode_plan(plan)["sso_metadata"]
    assert found["entity_id"] == saml.OKTA
    assert (found["ends"] or "").startswith(ends or "")
    assert (found["ends"] is None) is (ends is None)
    assert "sso_metadata" not in encode_plan(a_plan())
