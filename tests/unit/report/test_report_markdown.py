"""Test Markdown for a pull request: order, size limit, and names that could become markup."""

from __future__ import annotations

import json

import pytest
from report_plans import FORTY, LOCAL, PASSES, REBRAND, REVIEW, change, full_plan, mapping, people, plan_of

from rolecall.model.policy import TeamRole
from rolecall.model.settings import Address
from rolecall.plan.saved.privacy import redact
from rolecall.plan.value import Impact, Move, Plan
from rolecall.report.builders.plan import plan_document
from rolecall.report.builders.users import COLUMNS
from rolecall.report.renderers.csv import csv
from rolecall.report.renderers.gitlab import gitlab
from rolecall.report.renderers.markdown import COMMENT, markdown, md

DIGEST = "9f3c1a7720bd4e55" + "0" * 48


def told(plan: Plan, limit: int = COMMENT) -> str:
    return markdown(plan_document(plan, DIGEST), limit)


def huge() -> Plan:
    changes = [change(f"idp_groups/Group-{n:05}", "create", None, mapping("member", f"Team {n}")) for n in range(5_000)]
    return plan_of(*changes, guards=(*PASSES, REVIEW))


def test_it_starts_with_a_marker_then_escalations_and_the_parts_in_order() -> None:
    rows = told(full_plan()).splitlines()
    assert rows[0] == "<!-- rolecall:plan:org_8817:prod -->"
    assert rows[1] == "### 🔶 acme · prod · org_8817 at rolecall.acme.net"
    assert rows[3] == (
        "> 🔶 **1 user gains org admin (org-wide, team IT): bo@acme.com** <code>idp_groups/marketing.yaml:14</code>"
    )
    first = next(row for row in rows if row.startswith("- "))
    assert first == "- 🔻 40 users move from Marketing to Brand, as members."
    titles = [row.removeprefix("#### ") for row in rows if row.startswith("#### ")]
    assert titles == ["Changes", "Not changed", "Guards", "Warnings", "Next"]
    assert any(row.startswith("- 🔶 **REVIEW** <code>max_people_losing_access</code> 40 users") for row in rows)


def test_the_marker_is_the_same_for_every_plan_of_an_org_and_cannot_be_broken_out_of() -> None:
    first, second = (markdown(plan_document(plan)).splitlines()[0] for plan in (full_plan(), plan_of()))
    assert first == second == "<!-- rolecall:plan:org_8817:prod -->"
    evil = plan_of()
    evil = plan_of(org=evil.org._replace(id="a --> <script>", env="b"))
    assert markdown(plan_document(evil)).splitlines()[0] == "<!-- rolecall:plan:ascript:b -->"


def test_it_tells_changes_people_reasons_and_places() -> None:
    shown = told(full_plan())
    for text in (
        "<code>idp_groups/Writer-Marketing</code>",
        "<code>Marketing → Brand</code>",
        "CHG-4411",
        "<code>idp_groups/marketing.yaml:14</code>",
        "Users of an unmapped group keep access",
        "gives org admin (org-wide, team IT)",
        "Pending (the IdP has not pushed these groups yet)",
        "<code>rolecall apply -e prod --approve 9f3c-1a77-20bd-4e55</code>",
    ):
        assert text in shown


@pytest.mark.parametrize("limit", [2_000, 10_000, COMMENT, 1 << 20])
def test_it_keeps_within_its_limit_and_counts_what_it_leaves_out(limit: int) -> None:
    plan = huge()
    shown = told(plan, limit)
    assert len(shown) <= limit
    rows = shown.count("<code>idp_groups/Group-")
    left = 5_000 - rows
    assert (f"{left:,} entries omitted to stay within the size limit" in shown) == bool(left)
    assert shown.count("<details") == shown.count("</details>")
    assert "REVIEW" in shown
    assert "--approve" in shown


def test_long_parts_are_folded() -> None:
    assert "<details><summary><b>idp_groups</b> · 5,000</summary>" in told(huge())
    assert "<details open><summary><b>sso</b>" in told(full_plan())


def test_where_people_are_not_named_it_says_how_to_see_them() -> None:
    hint = "<code>rolecall plan -e prod --people names</code>"
    assert hint not in told(full_plan())
    counted = told(redact(full_plan(), "counts"))
    assert hint in counted
    assert "p0@acme.com" not in counted


def test_what_to_do_next_has_no_gap_where_there_is_nothing_to_merge() -> None:
    assert "- To apply it: <code>rolecall apply --approve 9f3c-1a77-20bd-4e55</code>\n" in told(
        plan_of(REBRAND, org=LOCAL)
    )


def test_a_blocked_plan_offers_no_approval() -> None:
    shown = told(plan_of(REBRAND, guards=(REVIEW._replace(verdict="block"),)))
    assert "--approve" not in shown
    assert shown.splitlines()[1].startswith("### ⛔")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Writer_Admins", "Writer_Admins"),
        ("_a_ *b* `c`", r"\_a\_ \*b\* \`c\`"),
        ("[x](y)", r"\[x\](y)"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("a|b", r"a\|b"),
        ("@everyone", "@<!-- -->everyone"),
        ("ann@acme.com", "ann@acme.com"),
        ("see #12", "see #<!-- -->12"),
        ("https://evil.example", "https:<!-- -->//evil.example"),
        ("www.evil.example", "www<!-- -->.evil.example"),
        (":warning: $x$", r":<!-- -->warning: \$x\$"),
        ("~~gone~~", r"\~\~gone\~\~"),
        ("a&lt;b", "a&amp;lt;b"),
    ],
)
def test_names_show_as_they_are(text: str, shown: str) -> None:
    assert md(text) == shown


def test_the_counts_for_gitlab() -> None:
    assert json.loads(gitlab(plan_document(full_plan()))) == {"create": 2, "update": 3, "delete": 2}


def table_of(plan: Plan) -> str:
    return csv(plan_document(plan))


def moves(*rows: Move) -> Plan:
    return plan_of(REBRAND, impact=Impact(99, moves=rows))


def test_csv_has_a_line_for_each_person() -> None:
    rows = table_of(moves(FORTY)).split("\r\n")
    assert rows[0] == ",".join(COLUMNS)
    assert rows[1] == "p0@acme.com,1,change,Marketing member,Brand member,no,idp_groups/Writer-Marketing"
    assert len(rows) == 1 + 40 + 1


def test_csv_counts_whom_the_plan_does_not_name() -> None:
    rows = table_of(redact(moves(FORTY), "counts")).split("\r\n")
    assert rows[1].startswith(",40,change,")


def test_csv_holds_no_formula() -> None:
    evil = Move((), (TeamRole("=cmd|x", "member"),), "gain", (Address("@x"),), 1, people(1, "=1+"), False)
    (row,) = table_of(moves(evil)).split("\r\n")[1:-1]
    assert row == "'=1+0@acme.com,1,gain,,'=cmd|x member,no,'@x"
