"""A runbook for every kind of human step, safe for any name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_plans import CLAIM, LAPSED, METADATA, REBRAND, change, mapping, plan_of

from rolecall.model.change import Change
from rolecall.model.settings import Domain, Scim
from rolecall.report.builders.runbook import Runbook, runbook
from rolecall.report.renderers.runbook_text import runbook_html, runbook_markdown

UPGRADE = change("scim", "upgrade", Scim(endpoint="legacy"), Scim(endpoint="new"))
LEAVE = change("domains/acme.old", "delete", Domain(True, "approval"), None)
ADMINS = change("idp_groups/Admins", "update", mapping("org_admin", "IT"), mapping("member", "IT"))


def book(*changes: Change) -> Runbook:
    human = [replace(change, via="human", via_reason="no_api") for change in changes]
    return runbook(plan_of(*human))


@pytest.mark.parametrize(
    ("one", "title", "tab"),
    [
        (REBRAND, "Change the mapping of Writer-Marketing", "IdP groups"),
        (LAPSED, "Unmap the group Contractors", "IdP groups"),
        (CLAIM, "Claim the domain acme.co.uk", "Access"),
        (LEAVE, "Give up the domain acme.old", "Access"),
        (METADATA, "Change sso", "SSO"),
        (UPGRADE, "Upgrade scim", "SCIM"),
    ],
)
def test_each_kind_of_step_says_what_and_where(one: Change, title: str, tab: str) -> None:
    (step,) = book(one).steps
    assert (step.title, step.where) == (title, f"Admin > Access & provisioning > {tab}")
    assert step.do
    assert step.check
    assert step.undo


def test_lockout_is_warned_of_before_step_one() -> None:
    told = " ".join(book(ADMINS, METADATA, LAPSED).warnings)
    assert "takes org admin from a group" in told
    assert "Stay signed in in a second browser" in told
    assert "Blank is not no access" in told
    assert "takes org admin" not in " ".join(book(REBRAND).warnings)


def test_an_upgrade_has_no_undo() -> None:
    assert book(UPGRADE).steps[0].undo == "There is none."


def test_metadata_is_not_spelt_out() -> None:
    assert "<a><a>" not in runbook_markdown(book(METADATA)) + runbook_html(book(METADATA))


def test_no_name_becomes_markup() -> None:
    evil = change("idp_groups/<img src=x>|`*", "create", None, mapping("member", "<script>"))
    assert "<img" not in runbook_html(book(evil))
    assert "<script" not in runbook_html(book(evil))
    assert "<img" not in runbook_markdown(book(evil))


def test_what_rolecall_writes_itself_is_no_step() -> None:
    assert runbook(plan_of(REBRAND)).steps == ()
