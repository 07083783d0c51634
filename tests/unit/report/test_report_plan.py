"""Test that the document of a plan has everything once, in reading order."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
import saml
from report_plans import (
    CLAIM,
    FORTY,
    LAPSED,
    LOCAL,
    MARKETING,
    METADATA,
    REBRAND,
    RENAMED,
    UNLISTED,
    UNPUSHED,
    change,
    full_plan,
    mapping,
    people,
    plan_of,
)

from rolecall.errors import Problem
from rolecall.model.live import UNREAD, Coverage
from rolecall.model.policy import TeamRole
from rolecall.model.settings import Address, Sso
from rolecall.plan.saved.privacy import redact
from rolecall.plan.value import (
    Apart,
    Escalation,
    Impact,
    Move,
    Plan,
    Released,
    Selection,
    Tally,
    Transient,
    Unmanaged,
    UpgradeImpact,
)
from rolecall.report.builders.plan import plan_document, summary_line
from rolecall.report.builders.users import default_access_note
from rolecall.report.document import Entry


def only(plan: Plan) -> Entry:
    (table,) = plan_document(plan).changes
    (entry,) = table.entries
    return entry


def said(entry: Entry) -> list[str]:
    return [note.text for note in entry.notes]


def test_tables_are_the_sections_in_their_order_then_manual_steps_then_what_is_pending() -> None:
    assert [table.key for table in plan_document(full_plan()).changes] == ["sso", "idp_groups", "human", "waiting"]


def test_the_first_line_names_org_env_id_and_host() -> None:
    assert plan_document(plan_of()).banner.text == "acme · prod · org_8817 at rolecall.acme.net"


def test_a_password_in_the_address_is_not_shown() -> None:
    org = LOCAL._replace(url="https://me:secret@host:8443/x", local=False)
    assert plan_document(plan_of(org=org)).banner.text == "acme · org_1 at host:8443"


@pytest.mark.parametrize("org", [LOCAL, LOCAL._replace(local=False)])
def test_a_local_org_says_so_first(org: object) -> None:
    assert plan_document(plan_of(org=org)).banner.text.startswith("LOCAL REHEARSAL, not WRITER · acme")


def test_what_was_read_is_counted() -> None:
    assert plan_document(full_plan()).banner.read == "all read: 61 groups, 20,104 users"


def test_what_was_not_read_is_never_called_no_change() -> None:
    document = plan_document(plan_of(coverage={"idp_groups": UNREAD, "sso": Coverage()}))
    assert document.banner.read == "NOT READ: idp_groups"
    assert "Incomplete read: idp_groups could not be read" in document.headline
    assert "matches the configuration" not in document.headline


def test_nothing_to_do_is_said() -> None:
    assert plan_document(plan_of()).headline == "No changes. The org matches the configuration."
    assert plan_document(plan_of()).summary == ""


def test_what_only_waits_is_not_called_done() -> None:
    pending = plan_document(plan_of(UNPUSHED)).headline
    assert pending == "rolecall writes nothing to this org: 1 change is pending in the IdP."
    both = plan_document(plan_of(UNPUSHED, CLAIM)).headline
    assert both == "rolecall writes nothing to this org: 1 change is pending in the IdP, 1 is a manual step."


def test_an_update_shows_only_the_fields_that_differ() -> None:
    assert [str(diff) for diff in only(plan_of(REBRAND)).diffs] == ["teams: Marketing → Brand"]


def test_metadata_is_shortened() -> None:
    (diff,) = only(plan_of(METADATA)).diffs
    assert str(diff).startswith("metadata: 1,200 characters that are not SAML metadata (")
    assert "<a>" not in str(diff)


def test_metadata_is_told_by_its_entity_id_and_its_certificates() -> None:
    after = saml.metadata("http://www.okta.com/exk2", saml.EXPIRED, saml.VALID)
    made = change("sso", "update", Sso(metadata=None), Sso(metadata=after))
    (diff,) = only(plan_of(made)).diffs
    told = re.sub("[0-9a-f]{16}", "…", str(diff))
    assert told == (
        "metadata: (none) → http://www.okta.com/exk2 "
        "(certificates …, valid until 30 Jun 2025; …, valid until 31 Dec 2049)"
    )
    bare = change("sso", "update", Sso(metadata=None), Sso(metadata=saml.metadata("http://www.okta.com/exk2", "TWFu")))
    assert str(only(plan_of(bare)).diffs[0]).endswith("exk2 (no certificate that can be read)")


def test_large_sets_show_what_comes_and_goes() -> None:
    before, after = mapping("member", "A", "B", "C", "D"), mapping("member", "B", "C", "D", "E")
    (diff,) = only(plan_of(change("idp_groups/G", "update", before, after))).diffs
    assert str(diff) == "teams: −A, +E, 3 unchanged"


def test_a_rename_is_one_entry() -> None:
    entry = only(plan_of(*RENAMED))
    assert (entry.mark, entry.address) == ("~", "idp_groups/Writer-Mktg")
    assert said(entry) == ["Renamed from Mktg."]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (LAPSED, "Expired after 1 Nov 2026."),
        (UNLISTED, "Not in the config; the section is authoritative."),
        (REBRAND, "Ticket: CHG-4411 · Owner: it-lead@acme.com"),
    ],
)
def test_the_reason_and_the_intent_are_told(one: object, words: str) -> None:
    assert said(only(plan_of(one))) == [words]


def test_why_a_change_is_not_written_is_the_title_of_its_table() -> None:
    titles = [table.title for table in plan_document(plan_of(UNPUSHED, CLAIM)).changes]
    assert titles == [
        "Manual steps (rolecall's account cannot claim these domains)",
        "Pending (the IdP has not pushed these groups yet)",
    ]


def test_a_reason_that_changes_share_is_told_once() -> None:
    other = UNLISTED._replace(address=Address("idp_groups/Older"))
    (table,) = plan_document(plan_of(UNLISTED, other)).changes
    assert [said(entry) for entry in table.entries] == [[], []]
    assert table.notes[0].text == "All changes: Not in the config; the section is authoritative."
    (table,) = plan_document(plan_of(UNLISTED, other, REBRAND)).changes
    assert table.notes[0].text.startswith("All deletions: ")
    (table,) = plan_document(plan_of(UNLISTED, LAPSED)).changes
    assert len(table.notes) == 1


def test_where_a_mapping_goes_blank_is_not_no_access() -> None:
    (table,) = plan_document(plan_of(LAPSED)).changes
    assert "Users of an unmapped group keep access" in table.notes[0].text
    (other,) = plan_document(plan_of(REBRAND)).changes
    assert other.notes == ()


def test_people_are_told_below_their_change() -> None:
    impact = Impact(100, change=40, losing=40, moves=(FORTY,))
    assert said(only(plan_of(REBRAND, impact=impact)))[0] == "40 users move from Marketing to Brand, as members."


def sales_left(number: int) -> Plan:
    move = Move((TeamRole("Sales", "member"),), (), "lose", (Address(LAPSED.address),), number, people(number))
    return plan_of(LAPSED, impact=Impact(9, lose=number, moves=(move,)))


def test_a_few_people_are_named() -> None:
    told = "lose Sales member and have no access left."
    assert said(only(sales_left(2)))[0] == f"2 users (p0@acme.com, p1@acme.com) {told}"
    assert said(only(sales_left(1)))[0] == "p0@acme.com loses Sales member and has no access left."


@pytest.mark.parametrize(
    ("moves", "told"),
    [
        ((FORTY,), "No one falls back to default access."),
        ((FORTY, FORTY._replace(to_default=True, on_default=True)), ""),
        ((FORTY, FORTY._replace(size=30, on_default=True)), "30 users have default access only, as before."),
        ((FORTY._replace(size=1, on_default=True),), "1 user has default access only, as before."),
        ((FORTY._replace(after=()),), ""),
        ((FORTY._replace(kind="gain"),), ""),
        ((), ""),
    ],
)
def test_a_loss_that_drops_nobody_says_so(moves: tuple[Move, ...], told: str) -> None:
    assert [note.text for note in default_access_note(moves, complete=True)] == ([told] if told else [])


def test_nothing_is_said_of_the_default_access_of_users_who_were_not_read() -> None:
    assert list(default_access_note((FORTY,), complete=False)) == []


@pytest.mark.parametrize("plan", [sales_left(4), redact(sales_left(2), "counts")])
def test_many_people_and_people_who_may_not_be_shown_are_counted(plan: Plan) -> None:
    assert "@" not in said(only(plan))[0]


def test_a_masked_plan_shows_masks() -> None:
    told = said(only(redact(sales_left(2), "masked", b"key")))[0]
    assert told.count("person-") == 2
    assert "@" not in told


def test_a_change_that_moves_people_with_others_says_so() -> None:
    move = FORTY._replace(because=(MARKETING, Address("idp_groups/A"), Address("idp_groups/B")))
    assert said(only(plan_of(REBRAND, impact=Impact(9, moves=(move,)))))[1] == "Together with idp_groups/A and 1 more."


def test_escalations_are_told_by_what_is_gained_with_their_place() -> None:
    (told,) = plan_document(full_plan()).escalations
    assert told.text == "1 user gains org admin (org-wide, team IT): bo@acme.com"
    assert (told.org_admin, told.causes, told.where) == (True, (MARKETING,), REBRAND.intent.source)
    (counted,) = plan_document(redact(full_plan(), "counts")).escalations
    assert counted.text == "1 user gains org admin (org-wide, team IT)"


def test_new_org_admins_come_before_every_other_escalation() -> None:
    lead, top = ((TeamRole("Legal", "team_admin"),), (TeamRole("IT", "org_admin"),))
    gains = [Escalation(who, lead, (MARKETING,)) for who in people(3)] + [Escalation(people(4)[3], top, (MARKETING,))]
    listed = plan_document(plan_of(REBRAND, impact=Impact(9, escalations=tuple(gains)))).escalations
    assert [escalation.org_admin for escalation in listed] == [True, False]


def test_the_upgrade_says_who_keeps_and_who_differs() -> None:
    lost = UpgradeImpact("complete", 90, 10, 5, 4, people(1))
    first, second, third = plan_document(plan_of(impact=Impact(100, upgrade=lost))).users
    assert first.text == "Completing the upgrade changes the access of 10 users; 90 users keep theirs."
    assert second.text == "4 of 5 groups pushed to the new endpoint."
    assert third == ("1 user loses org admin: p0@acme.com.", "risk")


def test_what_the_order_cannot_spare_is_told_with_the_way_out() -> None:
    rows = tuple(Transient(who, "lacks", TeamRole("Brand", "member"), 2, 5) for who in people(14))
    first, last = plan_document(plan_of(impact=Impact(20, transients=rows))).users
    assert first.text.startswith("14 users temporarily lose Brand member from step 2 to step 5: p0@acme.com, ")
    assert last.text.endswith("first add access, then remove access.")
    assert first.tone == last.tone == "risk"


def test_people_told_apart_keep_their_sentences() -> None:
    apart = Apart("waiting", (Address("idp_groups/New"),), sentences=("3 people would gain Legal member.",))
    assert plan_document(plan_of(impact=Impact(9, apart=(apart,)))).users[0].text == (
        "Once the IdP pushes the pending groups: 3 people would gain Legal member."
    )


def test_many_ways_are_cut_with_a_count() -> None:
    moves = tuple(
        Move((TeamRole(f"T{n}", "member"),), (), "lose", (MARKETING,), 50 - n, people(50 - n)) for n in range(6)
    )
    notes = said(only(plan_of(REBRAND, impact=Impact(900, lose=285, moves=moves))))
    assert notes[3] == "And 138 users change access in 3 other ways."


def test_a_tally_alone_is_told_in_numbers() -> None:
    impact = Impact(900, tallies={MARKETING: Tally(1, 2, 3)})
    assert said(only(plan_of(REBRAND, impact=impact)))[0] == "Access: 2 lose, 3 change and 1 gains."


def test_names_that_would_mislead_are_shown_escaped() -> None:
    entry = only(plan_of(change("idp_groups/a\u202eb\x1b[0m", "create", None, mapping("member", "T\u200b"))))
    assert entry.address == "idp_groups/a\\u202eb\\x1b[0m"
    assert str(entry.diffs[1]) == "teams: T\\u200b"


def test_unmanaged_org_admins_are_warnings() -> None:
    left = plan_document(full_plan()).left
    assert [note.tone for note in left] == ["plain", "plain", "warn", "dim"]
    assert (
        left[1].text
        == "Unmanaged: 2 mapped groups, 1 of them gives org admin. To list them: rolecall access --unmanaged"
    )
    assert (
        left[2].text
        == "idp_groups/Legacy-Admins is new and unmanaged and gives org admin (org-wide, team IT) to 3 users"
    )


def test_long_inventories_are_cut_with_a_count() -> None:
    admins = tuple(Unmanaged(Address(f"idp_groups/A{n}"), "org_admin", ("IT",)) for n in range(9))
    gone = tuple(Released(Address(f"idp_groups/R{n}")) for n in range(9))
    texts = [note.text for note in plan_document(plan_of(unmanaged=admins, released=gone)).left]
    assert "No longer managed: 4 more" in texts
    assert "and 4 more that give org admin" in texts


def test_the_summary_counts_by_action() -> None:
    assert summary_line(full_plan()) == (
        "Plan: 2 to create, 2 to update, 2 to delete, 1 to rename (1 pending, 1 manual step). "
        "1 setting no longer managed."
    )


def test_a_partial_plan_says_so() -> None:
    document = plan_document(plan_of(selection=Selection(("sso",))))
    assert document.headline == "No changes. The targets match the configuration."
    assert document.left[-1].text.startswith("Limited by --target")


def test_an_errored_plan_says_so_first() -> None:
    assert plan_document(plan_of(REBRAND, errored=True)).headline.startswith(
        "This plan could not be computed completely"
    )


def test_what_is_the_whole_plan_is_not_told_apart_from_it() -> None:
    apart = Apart("expired", (LAPSED.address,), sentences=("3 users lose Sales member.",))
    assert plan_document(plan_of(LAPSED, impact=Impact(9, apart=(apart,)))).users == ()
    both = plan_document(plan_of(LAPSED, CLAIM, impact=Impact(9, apart=(apart,)))).users
    assert [note.text for note in both] == ["Because a mapping expired: 3 users lose Sales member."]


def test_of_many_warnings_the_worst_are_told_and_the_rest_is_counted() -> None:
    many = [Problem("x", f"warning {n}", None, None, "warning") for n in range(30)]
    found, more = plan_document(plan_of(warnings=(*many, Problem("y", "error")))).worst(20)
    assert ([problem.message for problem in found[:2]], len(found), more) == (["error", "warning 0"], 20, 11)
    assert plan_document(plan_of(warnings=tuple(many[:3]))).worst(20) == (many[:3], 0)


def test_when_a_plan_was_made_is_in_words_and_its_day_only_if_it_is_another() -> None:
    made = plan_of()._replace(
        created_at=datetime(2026, 11, 30, 21, 6, tzinfo=UTC),
        expires_at=datetime(2026, 12, 7, 21, 6, tzinfo=UTC),
        as_of=date(2026, 11, 30),
    )
    assert plan_document(made, None).validity == "made 30 Nov 2026, 21:06 UTC; valid until 7 Dec 2026, 21:06 UTC"
    later = made._replace(as_of=date(2027, 1, 31))
    assert plan_document(later, None).validity == (
        "made 30 Nov 2026, 21:06 UTC for 31 Jan 2027; valid until 7 Dec 2026, 21:06 UTC"
    )
