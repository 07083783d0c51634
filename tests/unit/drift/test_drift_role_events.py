"""New holders of watched roles from records of role changes: who is named, who is not, and what is unclear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.codec.audit import decode_record
from rolecall.drift.role_events import RoleLog, new_holders, unclear_roles
from rolecall.drift.value import Violation
from rolecall.model.audit import AuditLog
from rolecall.model.live import Coverage
from rolecall.model.roles import BUILT_IN, Role

SINCE = datetime(2026, 11, 12, 9, tzinfo=UTC)
ROLES = {**BUILT_IN, "r-17": Role("r-17", "Brand lead")}
WATCHED = ("org_admin", "r-17")


def change(minute: int = 5, role: Any = "Org admin", **more: Any) -> dict[str, Any]:
    at = (SINCE + timedelta(minutes=minute)).isoformat()
    raw = {"createdAt": at, "user": {"email": "ann@acme.com", "role": "org_admin"}, "area": "User", "result": "SUCCESS"}
    return {**raw, "action": "Role changed", "object": "Bo@acme.com", "newRole": role, **more}


def role_log(*records: Any, skew: timedelta = timedelta()) -> RoleLog:
    return RoleLog(AuditLog(tuple(map(decode_record, records)), Coverage(), None, skew), SINCE)


def found(*records: Any, before: Any = (), **more: Any) -> list[Violation]:
    return list(new_holders(role_log(*records, **more), WATCHED, ROLES, before))


def test_a_new_holder_is_named_with_who_gave_the_role_and_when() -> None:
    (violation,) = found(change())
    assert (violation.kind, violation.name) == ("watch", "org_admin")
    assert violation.message == "is now org admin, by ann@acme.com, 12 Nov 2026, 09:05 UTC (audit log)"
    assert violation.who is not None
    assert violation.who.email == "bo@acme.com"
    assert unclear_roles(role_log(change())) is None


@pytest.mark.parametrize(
    "role",
    [
        {"newRole": "ORG_ADMIN"},
        {"newRole": {"name": "Org admin"}},
        {"newRole": None, "details": {"role": "org_admin"}},
        {"newRole": None, "changes": {"role": {"from": "member", "to": "Org Admin"}}},
        {"newRole": None, "change": {"old": {"role": "member"}, "new": {"role": "org-admin"}}},
        {"area": "", "action": "user.role.updated"},
        {"action": "Invited"},
    ],
)
def test_forms_of_a_stated_role(role: dict[str, Any]) -> None:
    assert [violation.name for violation in found(change(**role))] == ["org_admin"]


def test_a_role_of_the_org_is_found_by_id_and_by_name() -> None:
    assert [found(change(role=role))[0].name for role in ("r-17", "brand lead")] == ["r-17", "r-17"]


@pytest.mark.parametrize(
    "more",
    [
        {"result": "FAILURE"},
        {"result": None},
        {"createdAt": None},
        {"createdAt": (SINCE - timedelta(minutes=1)).isoformat()},
        {"newRole": "member"},
        {"newRole": None},
        {"newRole": ["org_admin", "member"]},
        {"newRole": None, "role": "org_admin"},
        {"newRole": None, "context": {"role": "org_admin"}},
        {"newRole": None, "details": {"oldRole": "org_admin"}},
        {"newRole": None, "changes": {"role": {"from": "org_admin", "to": "member"}}},
        {"object": "Marketing"},
        {"action": "Custom role changed"},
        {"area": "Billing", "action": "Role changed"},
    ],
)
def test_nothing_is_guessed(more: dict[str, Any]) -> None:
    assert found(change(**more)) == []


@pytest.mark.parametrize(
    ("later", "still"),
    [
        ([change(6, "member")], False),
        ([change(6, action="Removed", newRole=None)], False),
        ([change(6, "member"), change(7)], True),
        ([change(6, "member", result="FAILURE")], True),
        ([change(6, "member", area="Team")], True),
        ([change(6, "member", object="cy@acme.com")], True),
        ([change(4, "member")], True),
    ],
)
def test_a_holder_who_lost_the_role_again_is_not_named(later: list[Any], still: bool) -> None:
    for records in ([change(), *later], [*later, change()]):
        assert bool(found(*records)) == still


def test_a_later_change_that_states_no_role_is_added() -> None:
    (violation,) = found(change(), change(9, None))
    assert violation.message.endswith("(audit log); the role was changed again, 12 Nov 2026, 09:09 UTC")


def test_known_holders_are_not_new() -> None:
    assert found(change(), before={("org_admin", "bo@acme.com")}) == []


def test_a_new_grant_is_a_new_finding() -> None:
    first, again = found(change()), found(change(), change(6, "member"), change(7))
    assert first[0].fingerprint != again[0].fingerprint
    assert first[0].fingerprint == found(change(), change(6, None))[0].fingerprint


def test_a_clock_that_differs_is_corrected() -> None:
    assert found(change(-60), skew=timedelta(hours=-2))
    assert not found(change(60), skew=timedelta(hours=2))


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([change(newRole=None)], "1 role change in the audit log could not be evaluated (the user, "),
        ([change(object="Bo"), change(6, result=None)], "2 role changes in the audit log could not be evaluated"),
        ([change(action="Custom role changed")], "1 role change"),
        ([change(createdAt=None)], "1 role change"),
        ([change(result="FAILURE", newRole=None)], ""),
        ([change(action="Removed", newRole=None)], ""),
    ],
)
def test_unclear_role_changes_are_counted(records: list[Any], message: str) -> None:
    problem = unclear_roles(role_log(*records))
    assert (problem.message if problem else "").startswith(message)
    assert (problem is None) == (message == "")


@given(
    st.lists(
        st.builds(
            lambda minute, role, result, action: change(minute, role, result=result, action=action),
            st.integers(-5, 5),
            st.sampled_from(["org_admin", "member", "r-17", None]),
            st.sampled_from(["SUCCESS", "SUCCESS", "FAILURE", None]),
            st.sampled_from(["Role changed", "Role updated", "Removed", "Invited", "Custom role changed"]),
        ),
        max_size=6,
        unique_by=lambda raw: raw["createdAt"],
    )
)
def test_a_named_holder_was_given_the_role_last_by_a_success(raws: list[Any]) -> None:
    counted = [
        raw
        for raw in sorted(raws, key=lambda raw: raw["createdAt"])
        if raw["result"] == "SUCCESS"
        and datetime.fromisoformat(raw["createdAt"]) > SINCE
        and raw["action"] != "Custom role changed"
        and (raw["newRole"] or raw["action"] == "Removed")
    ]
    last = counted[-1] if counted and counted[-1]["action"] != "Removed" else {"newRole": None}
    expected = [last["newRole"]] if last["newRole"] in WATCHED else []
    assert [violation.name for violation in found(*raws)] == expected
