"""A runbook for every kind of human step, safe for any name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_plans import CLAIM, LAPSED, METADATA, REBRAND, change, mapping, plan_of

from rolecall.model.change import Change
from rolecall.model.settings import Domain, Scim
from rolecall.report.builders.runbook import runbook_document
from rolecall.report.document import Chapter, Document, Items, Paragraph
from rolecall.report.renderers.html import html
from rolecall.report.renderers.runbook import runbook_markdown

UPGRADE = change("scim", "upgrade", Scim(endpoint="legacy"), Scim(endpoint="new"))
LEAVE = change("domains/acme.old", "delete", Domain(True, "approval"), None)
ADMINS = change("idp_groups/Admins", "update", mapping("org_admin", "IT"), mapping("member", "IT"))


def book(*changes: Change) -> Document:
    human = [replace(change, via="human", via_reason="no_api") for change in changes]
    return runbook_document(plan_of(*human))


def step_of(document: Document) -> Chapter:
    """The chapter of the only step."""
    (step,) = (chapter for chapter in document.chapters if chapter.title.startswith("Step "))
    return step


def labelled(step: Chapter, label: str) -> str:
    return next(block.text for block in step.blocks if isinstance(block, Paragraph) and block.label == label)


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
    step = step_of(book(one))
    assert step.blocks[0] == Paragraph(title, strong=True)
    assert labelled(step, "Where") == f"Admin > Access & provisioning > {tab}"
    assert any(isinstance(block, Items) and block.kind == "numbered" and block.texts for block in step.blocks)
    assert labelled(step, "Check")
    assert labelled(step, "Undo")


def before(*changes: Change) -> str:
    first = book(*changes).chapters[0]
    assert first.title == "Before step 1"
    return " ".join(text for block in first.blocks if isinstance(block, Items) for text in block.texts)


def test_lockout_is_warned_of_before_step_one() -> None:
    told = before(ADMINS, METADATA, LAPSED)
    assert "takes org admin from a group" in told
    assert "Stay signed in in a second browser" in told
    assert "Blank is not no access" in told
    assert "takes org admin" not in before(REBRAND)


def test_an_upgrade_has_no_undo() -> None:
    assert labelled(step_of(book(UPGRADE)), "Undo") == "There is none."


def test_metadata_is_not_spelt_out() -> None:
    assert "<a><a>" not in runbook_markdown(book(METADATA)) + html(book(METADATA))


def test_no_name_becomes_markup() -> None:
    evil = change("idp_groups/<img src=x>|`*", "create", None, mapping("member", "<script>"))
    assert "<img" not in html(book(evil))
    assert "<script" not in html(book(evil))
    assert "<img" not in runbook_markdown(book(evil))


def test_what_rolecall_writes_itself_is_no_step() -> None:
    assert runbook_document(plan_of(REBRAND)).chapters == ()


def test_a_page_allows_its_own_style_and_nothing_else() -> None:
    page = html(book(REBRAND))
    assert "default-src &#39;none&#39;; style-src &#39;sha256-" in page
    assert "script-src" not in page
    assert "unsafe-inline" not in page
