"""Test a runbook for every kind of manual step, with any name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from report_plans import CLAIM, LAPSED, METADATA, REBRAND, UNPUSHED, change, mapping, plan_of

from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.live import ChangedSince, Coverage, Reported
from rolecall.model.policy import Guards, Policy, TeamRole
from rolecall.model.run import Run, Step
from rolecall.model.settings import Address, Defaults, Domain, Scim, Settings, Sso
from rolecall.plan.moves import Attribution
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.value import GuardResult, Impact, Move, Plan, Who
from rolecall.report.builders import prose
from rolecall.report.builders.runbook import steps
from rolecall.report.builders.runbook.document import runbook_document
from rolecall.report.document import Chapter, Document, Grid, Items, Paragraph, Phrase
from rolecall.report.renderers.html import html
from rolecall.report.renderers.runbook import runbook_markdown

START = change("scim", "upgrade", Scim(endpoint="legacy"), Scim(endpoint="upgrading"))
UPGRADE = change("scim", "upgrade", Scim(endpoint="upgrading"), Scim(endpoint="new"))
LEAVE = change("domains/acme.old", "delete", Domain(True, "approval"), None)
ADMINS = change("idp_groups/Admins", "update", mapping("org_admin", "IT"), mapping("member", "IT"))
DEFAULT = change("defaults", "update", Defaults("member"), Defaults("team_admin"))
SSO_ON = change("sso", "update", Sso(False, allow_passwords=True), Sso(True, "Okta", "okta", allow_passwords=False))
SSO_OFF = change("sso", "update", Sso(True), Sso(False))
PASSWORDS = change("sso", "update", Sso(allow_passwords=True), Sso(allow_passwords=False))
SCIM_ON = change("scim", "update", Scim(False, "other"), Scim(True, "okta"))
SCIM_OFF = change("scim", "update", Scim(True), Scim(False))
EDITING = change("scim", "update", Scim(manual_editing=False), Scim(manual_editing=True))


def by_hand(*changes: Change, idp: str = "okta", **more: Any) -> Plan:
    human = [each._replace(via="human", via_reason=each.via_reason or "no_api") for each in changes if each != UNPUSHED]
    pending = [each for each in changes if each == UNPUSHED]
    desired = Desired(Settings(scim=Scim(idp=idp), sso=Sso(idp=idp)))
    return plan_of(*human, *pending, **more)._replace(desired=desired)


def book(*changes: Change, **more: Any) -> Document:
    return runbook_document(by_hand(*changes, **more))


def step_of(document: Document) -> Chapter:
    """The chapter of the only step."""
    (step,) = (chapter for chapter in document.chapters if chapter.title.startswith("Step "))
    return step


def text_of(phrase: Phrase) -> str:
    return "".join(piece.text for piece in phrase)


def labeled(step: Chapter, label: str) -> str:
    return next(text_of(block.text) for block in step.blocks if isinstance(block, Paragraph) and block.label == label)


def actions(step: Chapter) -> str:
    return "\n".join(text_of(text) for block in step.blocks if isinstance(block, Items) for text in block.texts)


def rows(step: Chapter) -> list[list[str]]:
    grids = [block for block in step.blocks if isinstance(block, Grid)]
    return [list(filter(None, (row.number, *map(text_of, row.cells)))) for grid in grids for row in grid.rows]


@pytest.mark.parametrize(
    ("one", "title", "tab"),
    [
        (REBRAND, "Change the mapping of Writer-Marketing", "IdP groups"),
        (LAPSED, "Unmap the group Contractors", "IdP groups"),
        (CLAIM, "Claim the domain acme.co.uk", "Access"),
        (LEAVE, "Give up the domain acme.old", "Access"),
        (DEFAULT, "Set the default user permissions", "Access"),
        (METADATA, "Change single sign-on", "SSO"),
        (SSO_ON, "Set up single sign-on", "SSO"),
        (SSO_OFF, "Remove single sign-on", "SSO"),
        (PASSWORDS, "Switch sign-in by password off", "SSO"),
        (SCIM_ON, "Set up SCIM", "SCIM"),
        (SCIM_OFF, "Remove SCIM", "SCIM"),
        (EDITING, "Change SCIM", "SCIM"),
        (START, "Start the upgrade of the SCIM endpoint", "SCIM"),
        (UPGRADE, "Complete the upgrade of the SCIM endpoint", "SCIM, in the upgrade flow"),
    ],
)
def test_each_kind_of_step_has_page_actions_check_and_undo(one: Change, title: str, tab: str) -> None:
    document = book(one)
    step = next(chapter for chapter in document.chapters if chapter.title.startswith("Step "))
    assert step.title == f"Step 1 · {title}"
    assert labeled(step, "Page").partition(" (in older consoles")[0] == f"Admin > Access & provisioning > {tab}"
    assert actions(step)
    assert labeled(step, "Check")
    assert labeled(step, "Undo")
    assert "{" not in runbook_markdown(document)


def test_a_singleton_without_texts_of_its_own_has_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {name: text for name, text in prose.read_prose("steps.yaml").items() if name != "defaults"}
    monkeypatch.setattr(steps, "read_prose", lambda name: texts)

    step = step_of(book(DEFAULT))

    assert step.title == "Step 1 · Change Default user permissions"
    assert labeled(step, "Page") == "Admin > Access & provisioning > Access"
    assert rows(step) == [["Default role", "Member", "Team admin"]]
    assert labeled(step, "Undo") == "Set the values in the column Before, and save."


def test_mappings_are_one_visit_with_a_row_for_each_group() -> None:
    step = step_of(book(REBRAND, LAPSED))
    assert step.title == "Step 1 · Change the mapping of 1 group, unmap 1 group"
    assert rows(step) == [
        ["1.1", "Contractors", "Member on Sales", "no role, no team"],
        ["1.2", "Writer-Marketing", "Member on Marketing", "Member on Brand"],
    ]
    texts = actions(step).splitlines()
    assert (texts[0].startswith("Select Edit."), texts[3]) == (True, "Select Save.")
    assert texts[2] == "Where After is “no role, no team”, clear Role and Team."
    assert "no role" not in actions(step_of(book(REBRAND)))


def test_a_visit_is_split_where_the_order_matters_and_says_why() -> None:
    first, between, last = (
        chapter for chapter in book(REBRAND, DEFAULT, LAPSED).chapters if chapter.title.startswith("Step ")
    )
    assert "default" in between.title
    assert "This is not part of step 1, because step 2 comes between" in runbook_text(last)
    assert "not part of" not in runbook_text(first)


def runbook_text(*chapters: Chapter) -> str:
    return runbook_markdown(Document("runbook", chapters=chapters))


def test_the_steps_of_a_run_have_its_numbers_and_who_reported_them() -> None:
    plan = by_hand(REBRAND, LAPSED)
    at = datetime(2026, 11, 29, tzinfo=UTC)

    def step(one: Change, item: int, state: Any, by: str | None) -> Step:
        values = (one.address, one.action, "human", one.before, one.after)
        return Step(7, 3000 + item, *values, state, by=by, at=at, visit=3, item=item)  # type: ignore[arg-type]

    steps = (step(LAPSED, 1, "attested", "bo@acme.com"), step(REBRAND, 2, "human", None))
    run = Run(7, "acme", "apply", at, at, "done", steps=steps)
    text = runbook_markdown(runbook_document(plan, run))
    assert "## Run 7 · step 3 · " in text
    assert "| ☑ 3.1 | Contractors |" in text
    assert "| ☐ 3.2 | Writer-Marketing |" in text
    assert "`rolecall done 7 3 --by YOUR-EMAIL`, or a single item: `rolecall done 7 3.1 --by YOUR-EMAIL`" in text
    whole = replace(run, steps=tuple(replace(each, state="attested", by="bo@acme.com") for each in steps))
    document = runbook_document(plan, whole)
    assert "Status: Reported done by bo@acme.com on 29 Nov 2026." in runbook_markdown(document)
    assert "- [x] Select **Edit**" in runbook_markdown(document)
    assert html(document).count('type="checkbox" checked') == 7


def test_a_run_of_0_1_0_keeps_a_step_for_each_group() -> None:
    at = datetime(2026, 11, 29, tzinfo=UTC)
    steps = tuple(
        Step(7, number, one.address, one.action, "human", one.before, one.after, "human")
        for number, one in ((4, REBRAND), (9, LAPSED))
    )
    text = runbook_markdown(
        runbook_document(by_hand(REBRAND, LAPSED), Run(7, "acme", "apply", at, at, "done", steps=steps))
    )
    assert "## Run 7 · step 4 · Change the mapping of Writer-Marketing" in text
    assert "## Run 7 · step 9 · Unmap the group Contractors" in text


def test_scim_is_set_up_with_the_three_values_and_the_idp() -> None:
    step = step_of(book(SCIM_ON))
    texts = actions(step)
    for part in ("Select Set up SCIM", "Select Okta as the identity provider", "Unique identifier", "Bearer token"):
        assert part in texts
    order = ["Bearer token", "Test Connector Configuration", "set the values in the column After", "Assign to Groups"]
    assert [texts.index(part) for part in order] == sorted(texts.index(part) for part in order)
    assert "Other IdP" in actions(step_of(book(SCIM_ON, idp="pingone")))


def test_sso_is_set_up_with_the_sp_values_and_the_metadata() -> None:
    step = next(chapter for chapter in book(SSO_ON).chapters if chapter.title.startswith("Step "))
    texts = actions(step)
    order = [
        "SP SSO URL (https://app.writer.com/api/access/saml)",
        "View IdP metadata",
        "upload the IdP's metadata XML",
    ]
    assert [texts.index(part) for part in order] == sorted(texts.index(part) for part in order)
    assert "private window" in texts


def test_passwords_go_off_last_when_sso_is_set_up() -> None:
    titles = [chapter.title for chapter in book(SSO_ON, REBRAND, SCIM_OFF).chapters]
    assert titles[-2:] == ["Step 1, last part · Switch sign-in by password off", "When all steps are done"]
    text = runbook_markdown(book(SSO_ON, REBRAND))
    passwords = "| Allow team members to create passwords and sign in without SSO | on | off |"
    assert text.count(passwords) == 1
    assert text.index(passwords) > text.index("Writer-Marketing")
    assert "Do not report step 1 done yet" in text


def test_passwords_stay_on_until_pending_groups_are_mapped() -> None:
    document = book(SSO_ON, UNPUSHED)
    assert [chapter.title for chapter in document.chapters if "password" in chapter.title] == []
    text = runbook_markdown(document)
    assert "Then: Sign-in by password stays on for now: the next plan switches it off" in text
    assert "sign in without SSO | on | off |" not in text


def test_an_org_admin_stays_out_of_the_app_until_the_groups_are_mapped() -> None:
    assert "default access replaces their role and teams" in before(SCIM_ON)
    assert "default access replaces" not in before(EDITING, SSO_ON)


def test_metadata_that_a_step_uploads_is_not_missing() -> None:
    coverage = {"sso.metadata": Coverage("unread")}
    assert "could not be read" not in runbook_markdown(book(SSO_ON, coverage=coverage))
    assert "sso.metadata could not be read" in runbook_markdown(book(PASSWORDS, coverage=coverage))


def test_a_pending_group_is_pushed_before_the_groups_are_mapped() -> None:
    chapters = book(REBRAND, UNPUSHED).chapters
    push, mapped = (next(at for at, c in enumerate(chapters) if part in c.title) for part in ("push 1 group", "Step 1"))
    assert push < mapped
    first, group = actions(chapters[push]).splitlines()
    assert "For each group below: button Push Groups > Find groups by name, enter the name, select Save." in first
    assert "If Okta finds a group of that name in WRITER, select Link Group" in first
    assert group == "New"
    assert "Leave the group in the target app" in labeled(chapters[push], "Undo")
    assert "The next plan has a step that maps them" in labeled(chapters[push], "Check")
    assert "The next plan maps the groups that were pushed" in runbook_markdown(book(UNPUSHED))
    assert actions(book(UNPUSHED, idp="entra").chapters[1]).endswith("select the groups below, Select, Assign.\nNew")


def test_only_writer_can_change_the_plan_of_an_org() -> None:
    step = step_of(book(SCIM_ON._replace(via_reason="not_in_plan")))
    assert "Ask your CSM (customer success manager at WRITER)" in actions(step)
    assert "support@writer.com" in actions(step)
    assert "Select Set up SCIM" not in actions(step)
    tier = [each._replace(via_reason="not_in_plan") for each in (SCIM_ON, REBRAND)]
    assert "1.1: Set up SCIM\n1.2: Change the mapping of Writer-Marketing" in actions(step_of(book(*tier)))


def test_without_scim_no_group_is_pushed_and_no_idp_is_needed() -> None:
    document = book(SCIM_ON._replace(via_reason="not_in_plan"), UNPUSHED)
    text = runbook_markdown(document)
    assert "push 1 group" not in text
    assert "Some steps are in Okta" not in text
    assert "groups that were pushed" not in text
    assert "Page: " not in text


def test_groups_that_have_a_chapter_of_their_own_are_not_pushed_twice() -> None:
    document = book(SCIM_ON, UNPUSHED)
    assert "push each group" not in actions(step_of(document))
    assert "push each group" in actions(step_of(book(SCIM_ON)))
    assert runbook_markdown(document).count("Find groups by name") == 1


def test_the_values_to_set_come_before_what_is_left_in_the_idp() -> None:
    text = runbook_markdown(book(SCIM_ON))
    assert text.index("Back in WRITER") < text.index("| SCIM provisioning | off | on |") < text.index("assign users")


def test_other_changes_of_sso_are_tested_before_passwords_go_off() -> None:
    both = change("sso", "update", Sso(idp="okta", allow_passwords=True), Sso(idp="entra", allow_passwords=False))
    titles = [chapter.title for chapter in book(both).chapters if chapter.title.startswith("Step ")]
    assert titles == ["Step 1 · Connect single sign-on to Okta", "Step 1, last part · Switch sign-in by password off"]
    assert runbook_markdown(book(both)).count("sign in without SSO | on | off |") == 1
    assert "Do not report step 1 done yet" not in runbook_markdown(book(both))


def test_another_idp_is_connected_and_the_previous_one_stopped_first() -> None:
    moved = change("scim", "update", Scim(True, "okta"), Scim(True, "entra"))
    step = step_of(book(moved, idp="entra"))
    assert step.title == "Step 1 · Connect SCIM to Entra"
    texts = actions(step)
    order = [
        "In Okta, the WRITER app",
        "rolecall runbook entra",
        "Create token",
        "as Tenant URL",
        "column After",
        "Scope",
    ]
    assert [texts.index(part) for part in order] == sorted(texts.index(part) for part in order)
    assert "Some steps are in Entra" in before(moved, idp="entra")
    sso = change("sso", "update", Sso(True, idp="okta"), Sso(True, idp="entra"))
    texts = actions(step_of(book(sso, idp="entra")))
    assert texts.index("Federation Metadata XML") < texts.index("assign to the app everyone who signs in with SSO")


def test_another_idp_gets_every_group_of_the_configuration() -> None:
    moved = change("scim", "update", Scim(True, "okta"), Scim(True, "entra"))
    plan = by_hand(moved, UNPUSHED, idp="entra")
    groups = {"Legal": mapping("member", "Legal"), "New": mapping("member", "Legal")}
    settings = replace(plan.desired.settings, idp_groups=groups)
    text = runbook_markdown(runbook_document(plan._replace(desired=plan.desired._replace(settings=settings))))
    assert "- [ ] `Legal`\n- [ ] `New`\n" in text.partition("Connect SCIM to Entra")[2].partition("assign 1 group")[0]


def test_a_new_name_of_the_same_idp_changes_nothing_in_the_idp() -> None:
    only_name = change("sso", "update", Sso(True, "Okta", "okta"), Sso(True, "Login", "OKTA"))
    assert step_of(book(only_name)).title == "Step 1 · Change single sign-on"


def test_the_undo_of_new_metadata_is_the_previous_file() -> None:
    assert "git show HEAD~1:FILE" in labeled(step_of(book(METADATA)), "Undo")
    assert "In a private window, a user signs in with SSO" in labeled(step_of(book(METADATA)), "Check")


def test_the_scim_tab_is_looked_at_before_scim_is_set_up() -> None:
    assert "If the tab is missing or locked, stop" in before(SCIM_ON)
    assert "missing or locked" not in before(EDITING)


def test_an_effect_of_several_steps_is_in_the_last_one_and_one_of_each_in_the_first() -> None:
    brand, sales = TeamRole("Brand", "member"), TeamRole("Sales", "member")
    both = (DEFAULT.address, LAPSED.address)
    falls = (Attribution((sales,), (), (LAPSED.address,)), Attribution((), (brand,), both, each=True))
    di = Move((sales,), (brand,), "change", both, 1, (Who("1", "di@acme.com"),))
    impact = Impact(people=3, moves=(di._replace(causes=falls),))
    _, first, second, _ = book(DEFAULT, LAPSED, impact=impact).chapters
    assert "di@acme.com" not in runbook_text(first)
    assert "- di@acme.com " in runbook_text(second)
    alone = (Attribution((sales,), (), both),)
    impact = Impact(people=3, moves=(di._replace(after=(), kind="lose", causes=alone),))
    _, first, second, _ = book(DEFAULT, LAPSED, impact=impact).chapters
    assert "di@acme.com loses" in runbook_text(first)
    assert "di@acme.com" not in runbook_text(second)


def test_who_loses_org_admin_and_how_many_remain_is_known_before_the_first_step() -> None:
    admin, member = TeamRole("IT", "org_admin"), TeamRole("IT", "member")
    move = Move((admin,), (member,), "change", (ADMINS.address,), 1, (Who("1", "ann@acme.com"),))
    plan = by_hand(ADMINS, impact=Impact(people=3, moves=(move,), org_admins=(3, 2)))
    text = actions(runbook_document(plan).chapters[0])
    assert "Step 1 removes org admin from ann@acme.com. 2 org admins remain: do the step as one of them." in text
    assert "must stay org admin" not in text
    remaining = (Who("2", "bo@acme.com"), Who("3", "cy@acme.com"))
    policy = Policy(guards=Guards(required_org_admins=("bo@acme.com",)))
    plan = plan._replace(impact=plan.impact._replace(remaining_admins=remaining), desired=Desired(policy=policy))
    text = actions(runbook_document(decode_plan(encode_plan(plan))).chapters[0])
    assert "2 org admins remain (bo@acme.com, cy@acme.com): do the step as one of them." in text
    assert "These users must stay org admin: bo@acme.com." in text
    more = plan._replace(impact=plan.impact._replace(org_admins=(9, 8)))
    assert "8 org admins remain (among them bo@acme.com, cy@acme.com)" in actions(runbook_document(more).chapters[0])
    alone = plan._replace(impact=plan.impact._replace(org_admins=(2, 1), remaining_admins=remaining[:1]))
    assert "1 org admin remains (bo@acme.com): do" in actions(runbook_document(alone).chapters[0])


def test_the_runbook_of_a_plan_says_first_how_to_report_steps() -> None:
    first = runbook_markdown(book(REBRAND)).partition("Step 1")[0]
    assert "`rolecall apply`. Then follow `rolecall runbook RUN`" in first
    assert "Then follow" not in runbook_markdown(book(REBRAND, guards=(GuardResult("x", "block"),)))


def test_only_steps_in_the_idp_need_its_admin_and_only_sso_a_second_browser() -> None:
    assert "Some steps are in Okta" not in before(EDITING)
    assert "Some steps are in Okta" in before(SCIM_OFF)
    assert "second browser" not in before(SCIM_OFF, EDITING)


def test_who_can_no_longer_sign_in_is_named_before_the_first_step() -> None:
    finding = GuardResult("sign_in", "review", message="1 user can no longer sign in: bo@acme.com")
    text = runbook_markdown(book(PASSWORDS, guards=(finding,)))
    assert text.index("1 user can no longer sign in: bo@acme.com") < text.index("Step 1")


def test_a_foreign_domain_and_a_given_up_one_name_support_or_how_to_claim() -> None:
    assert "write to support@writer.com" in actions(step_of(book(CLAIM)))
    assert "If no org admin has an address at acme.co.uk: write to" in actions(step_of(book(CLAIM)))
    assert "only WRITER can release the domain then" in labeled(step_of(book(CLAIM)), "Undo")
    assert "Claim acme.old again" in labeled(step_of(book(LEAVE)), "Undo")


def test_scim_off_is_checked_by_what_must_fail() -> None:
    step = step_of(book(SCIM_OFF))
    assert "must fail now" in labeled(step, "Check")
    assert actions(step).startswith("In Okta, the WRITER app > Provisioning > Integration > Edit: clear Enable API")


def test_who_read_the_values_before_is_named_for_each_section() -> None:
    read = {
        "idp_groups": Coverage(taken_by="ann@acme.com", taken_at=datetime(2026, 11, 22, tzinfo=UTC)),
        "domains": Coverage(taken_by="bo@acme.com", taken_at=datetime(2026, 11, 20, tzinfo=UTC)),
    }
    plan = by_hand(REBRAND, LEAVE, coverage=read)
    assert decode_plan(encode_plan(plan)).coverage == read
    assert "readings" not in encode_plan(by_hand(REBRAND, LEAVE))
    text = runbook_markdown(runbook_document(plan))
    assert "The column Before was read by ann@acme.com on 22 Nov 2026." in text
    assert "The column Before was read by bo@acme.com on 20 Nov 2026." in text


def test_values_that_were_reported_done_since_are_named() -> None:
    at = datetime(2026, 11, 29, tzinfo=UTC)
    whole = Coverage(taken_by="ann@acme.com", taken_at=datetime(2026, 11, 22, tzinfo=UTC))
    done = [Reported(address, "bo@acme.com", at) for address in (REBRAND.address, LAPSED.address, "idp_groups/X")]

    def text(*reported: Reported) -> str:
        plan = by_hand(REBRAND, LAPSED, coverage={"idp_groups": whole._replace(reported=reported)})
        assert decode_plan(encode_plan(plan)).coverage == plan.coverage
        return runbook_markdown(runbook_document(plan))

    assert "Except Writer-Marketing: reported done by bo@acme.com on 29 Nov 2026." in text(done[0], done[2])
    assert "was read by ann@acme.com on 22 Nov 2026." in text(done[0])
    assert "The column Before was reported done by bo@acme.com on 29 Nov 2026." in text(*done)
    assert "was read by" not in text(*done)
    two = text(done[0], done[1]._replace(by="cy@acme.com"))
    assert "\nContractors: reported done by cy@acme.com on 29 Nov 2026." in two
    assert "\nWriter-Marketing: reported done by bo@acme.com on 29 Nov 2026." in two


def test_a_page_that_was_changed_since_is_checked_first() -> None:
    at, later = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)
    read = Coverage(taken_by="ann@acme.com", taken_at=at, changed_since=ChangedSince(later, "bo@acme.com"))
    text = runbook_markdown(book(REBRAND, coverage={"idp_groups": read}))
    changed = "IdP groups were changed by bo@acme.com on 25 Nov 2026, 00:00 UTC, after they were last read."
    assert f"{changed} Check the column Before first." in text


def test_a_field_that_was_reported_done_is_named_by_its_label() -> None:
    at = datetime(2026, 11, 29, tzinfo=UTC)
    moved = change("scim", "update", Scim(idp="okta", manual_editing=False), Scim(idp="entra", manual_editing=True))
    reported = (Reported("scim.manual_editing", "bo@acme.com", at), Reported("scim.enabled", "cy@acme.com", at))
    coverage = {"scim": Coverage(taken_by="ann@acme.com", taken_at=at, reported=reported)}
    text = runbook_markdown(book(moved, idp="entra", coverage=coverage))
    assert "Except Editing users manually: reported done by bo@acme.com on 29 Nov 2026." in text
    assert "cy@acme.com" not in text


def test_the_idp_is_that_of_the_org_where_the_configuration_names_none() -> None:
    plan = by_hand(REBRAND, UNPUSHED)._replace(desired=Desired())
    assert {"In Okta: push 1 group", "In Entra: assign 1 group"} <= {c.title for c in runbook_document(plan).chapters}
    known = decode_plan(encode_plan(plan._replace(idp="Entra")))
    titles = [chapter.title for chapter in runbook_document(known).chapters]
    assert "In Entra: assign 1 group" in titles
    assert "In Okta: push 1 group" not in titles
    other = runbook_markdown(runbook_document(plan._replace(idp="onelogin")))
    assert "## In your IdP: push 1 group" in other
    assert "In Okta" not in other
    start = by_hand(START)._replace(desired=Desired(), idp="okta")
    text = runbook_markdown(runbook_document(start))
    assert "In Okta, the WRITER app > **Push Groups**" in text
    assert "Restart provisioning" not in text


def test_groups_are_pushed_from_the_idp_of_scim_and_not_from_that_of_sso() -> None:
    plan = by_hand(REBRAND, UNPUSHED)._replace(desired=Desired(Settings(sso=Sso(idp="entra"))), idp="okta")
    on = plan._replace(switches={"enabled": True})
    assert "In Okta: push 1 group" in [chapter.title for chapter in runbook_document(on).chapters]
    assert "In Entra: assign 1 group" in [chapter.title for chapter in runbook_document(plan).chapters]


def test_metadata_is_uploaded_only_where_it_changes_and_its_file_is_named() -> None:
    was = Sso(idp="okta", name="Okta", metadata="<a>")
    renamed = change("sso", "update", was, replace(was, name="Login"))
    assert "metadata" not in runbook_text(step_of(book(renamed, metadata_file="okta.xml")))
    changed = change("sso", "update", was, replace(was, metadata="<b>"))
    step = step_of(book(changed, metadata_file="my files/okta.xml"))
    assert actions(step).startswith("Upload the IdP's new metadata XML (my files/okta.xml of the configuration), ")
    assert "git show 'HEAD~1:./my files/okta.xml', in the directory of the configuration." in labeled(step, "Undo")
    first = step_of(book(SSO_ON._replace(after=replace(SSO_ON.before, enabled=True)), metadata_file="okta.xml"))
    assert "upload the IdP's metadata XML (okta.xml of the configuration). WRITER reads" in actions(first)
    assert "Save the file as" not in actions(first)


def before(*changes: Change, idp: str = "okta") -> str:
    first = book(*changes, idp=idp).chapters[0]
    assert first.title == "Before you begin"
    return actions(first)


def test_lockout_is_warned_of_before_step_one() -> None:
    text = before(ADMINS, METADATA, LAPSED)
    assert "removes org admin from a group" in text
    assert "Keep a second browser signed in" in text
    assert "Users of an unmapped group keep access" in text
    assert "removes org admin" not in before(REBRAND)


def test_an_upgrade_has_no_undo() -> None:
    assert labeled(step_of(book(UPGRADE)), "Undo").startswith("None.")


def test_metadata_is_not_spelled_out() -> None:
    assert "<a><a>" not in runbook_markdown(book(METADATA)) + html(book(METADATA))


def test_no_name_becomes_markup_and_no_backslash_is_added() -> None:
    evil = change("idp_groups/<img src=x>|`*", "create", None, mapping("member", "<script>", "**x**", "{place}"))
    document = book(evil, UNPUSHED._replace(address=evil.address, via="waiting"))
    for text in (html(document), runbook_markdown(document)):
        assert "<img" not in text
        assert "<script" not in text
    assert "\\" not in runbook_markdown(document)
    assert "**&#42;&#42;x&#42;&#42;**" in runbook_markdown(document)
    assert "**{place}**" in runbook_markdown(document)


def test_what_rolecall_writes_itself_is_no_step() -> None:
    document = runbook_document(plan_of(REBRAND))
    assert document.chapters == ()
    assert "There are no manual steps." in runbook_markdown(document)
    assert "There are no manual steps." in html(document)


def test_a_long_step_may_go_on_on_the_next_page() -> None:
    groups = [REBRAND._replace(address=Address(f"idp_groups/{number}")) for number in range(30)]
    assert '<section class="step long">' in html(book(*groups))
    assert '<section class="step">' in html(book(*groups[:3]))


def test_a_page_has_boxes_and_fields_and_allows_its_own_style_and_nothing_else() -> None:
    page = html(book(REBRAND, LAPSED))
    assert page.count('type="checkbox"') == 7
    assert "Done by <input" in page
    assert "default-src &#39;none&#39;; style-src &#39;sha256-" in page
    assert "script-src" not in page
    assert "unsafe-inline" not in page
