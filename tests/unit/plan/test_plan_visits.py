"""Test how manual steps are grouped by pages of the console, and how they are numbered."""

from __future__ import annotations

from typing import Any

from rolecall.model.change import Change
from rolecall.model.settings import Address, Defaults, Domain, GroupMapping, Scim, Sso, Value
from rolecall.plan.order.visits import step_numbers, visits


def change(at: str, before: Value | None = None, after: Value | None = None, **more: Any) -> Change:
    return Change(Address(at), more.pop("action", "update"), before, after, **{"via": "human", **more})


def group(name: str) -> Change:
    return change(f"idp_groups/{name}", None, GroupMapping("member", frozenset({"IT"})))


DEFAULT = change("defaults", Defaults("member"), Defaults("team_admin"))
CLAIM = change("domains/acme.com", None, Domain(True, "approval"), action="create")
SSO_ON = change("sso", Sso(enabled=False), Sso(enabled=True, allow_passwords=False))
SCIM_ON = change("scim", Scim(enabled=False), Scim(enabled=True))
PASSWORDS = change("sso", Sso(enabled=True, allow_passwords=True), Sso(enabled=True, allow_passwords=False))
LEAVE = change("domains/acme.old", Domain(True, "approval"), None, action="delete")
API = change("idp_groups/Written", via="api")
PENDING = change("idp_groups/Pending", via="waiting")


def addresses(*changes: Change) -> list[list[str]]:
    return [[change.address.partition("/")[2] or change.address for change in visit] for visit in visits(changes)]


def test_mappings_that_follow_each_other_are_one_visit_in_the_order_of_the_page() -> None:
    assert addresses(CLAIM, group("b"), group("C"), group("a"), LEAVE) == [["acme.com"], ["a", "b", "C"], ["acme.old"]]


def test_a_change_of_another_page_splits_a_visit_if_it_belongs_between() -> None:
    assert addresses(group("a"), DEFAULT, group("b")) == [["a"], ["defaults"], ["b"]]


def test_the_default_access_comes_before_scim_is_switched_on() -> None:
    assert addresses(CLAIM, SCIM_ON, group("a"), DEFAULT, group("b")) == [
        ["acme.com"],
        ["defaults"],
        ["scim"],
        ["a", "b"],
    ]


def test_scim_that_was_on_keeps_its_place() -> None:
    renamed = change("scim", Scim(enabled=True), Scim(enabled=True, role_attribute="title"))
    assert addresses(renamed, group("a"), DEFAULT) == [["scim"], ["a"], ["defaults"]]


def test_passwords_go_off_last_but_sso_is_set_up_first() -> None:
    assert addresses(PASSWORDS, group("a"), LEAVE) == [["a"], ["acme.old"], ["sso"]]
    assert addresses(SSO_ON, group("a")) == [["sso"], ["a"]]


def test_sso_that_goes_off_with_passwords_keeps_its_place() -> None:
    off = change("sso", Sso(enabled=True), Sso(enabled=False, allow_passwords=False))
    assert addresses(off, LEAVE) == [["sso"], ["acme.old"]]


def test_what_is_written_or_pending_is_no_visit() -> None:
    assert addresses(API, PENDING) == []


def test_what_the_tier_does_not_include_is_one_step_before_all_others() -> None:
    scim, legal = (each._replace(via_reason="not_in_plan") for each in (SCIM_ON, group("Legal")))
    assert addresses(CLAIM, scim, legal) == [["scim", "Legal"], ["acme.com"]]


def test_numbers_follow_those_of_the_writes_and_are_never_ambiguous() -> None:
    changes = (API, CLAIM, group("b"), group("a"), DEFAULT)
    numbered = [(change.address, *number) for change, number in step_numbers(changes)]
    assert numbered == [
        ("idp_groups/Written", 1, None, None),
        ("domains/acme.com", 2, 2, None),
        ("idp_groups/a", 3001, 3, 1),
        ("idp_groups/b", 3002, 3, 2),
        ("defaults", 4, 4, None),
    ]


def test_a_number_is_one_of_the_run_or_of_the_runbook_never_both() -> None:
    many = [change(f"domains/{n}.com", None, Domain(True, "approval")) for n in range(5000)]
    numbered = [number for _, number in step_numbers([group("a"), group("b"), *many])]
    assert len({number.number for number in numbered}) == len(numbered)
    assert {number.number for number in numbered if number.item}.isdisjoint(number.visit for number in numbered)
