"""Test malicious names in every format: none becomes markup, a command, a formula, a mention or an escape."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt
from report_plans import ORG, REVIEW, change, full_plan, mapping, source

from rolecall.cli.options import InRepository
from rolecall.cli.output import render_plan
from rolecall.cli.report_options import FORMATS
from rolecall.errors import Problem, Where
from rolecall.model.policy import TeamRole
from rolecall.model.settings import Address
from rolecall.plan.value import AccessTestResult, Impact, Move, Plan, PolicyChange, Released, Unmanaged, Who

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</details></table><h1>x",
    "a|b",
    "`b` ``` **c** _d_ ~~e~~",
    "[x](http://evil.example)",
    "https://evil.example/x",
    "www.evil.example",
    "@acme/admins",
    "#1 org/repo#2",
    ":tada:",
    "--><!-- rolecall:plan:x:y -->",
    "\x1b[31mred\x1b[0m\x07",
    "ad\u202enim\u2066x",
    "two\nlines\r\n::error::three",
    "\ud800 lone",
    "%0A::error::x,y:z",
    "]]></failure>",
    "{{ 7 * 7 }}{% raw %}",
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "＠SUM(1)",
    "\u2028line",
    "L" * 1_000,
)
DIGEST = "9f3c1a7720bd4e55" + "0" * 48


def hostile(bad: str) -> Plan:
    """A plan with one name in every place that a name can stand."""
    at = Address(f"idp_groups/{bad}")
    intent = source(bad, 3, owner=bad, reason=bad, ticket=bad)
    changes = (
        change(at, "update", mapping("member", bad), mapping(bad, "Brand", bad), intent=intent),
        change(f"idp_groups/{bad}2", "delete", mapping("member", bad), None, intent=intent),
        change(f"domains/{bad}", "create", None, None, via="human", via_reason="not_claimable"),
    )
    who = Who("u1", bad)
    move = Move((TeamRole(bad, "member"),), (TeamRole("Brand", bad),), "change", (at,), 1, (who,))
    whole = full_plan()
    return whole._replace(
        org=ORG._replace(name=bad, id=bad, env=bad, url=f"https://{bad}"),
        changes=(*whole.changes, *changes[:2]),
        impact=Impact(2, change=1, losing=1, headline=bad, moves=(move,)),
        guards=(REVIEW._replace(message=bad, source=Where(bad, 4), ways=(bad, f"`{bad}`"), target=at),),
        access_tests=(AccessTestResult(bad, False, bad, Where(bad, 2)),),
        policy_changes=(PolicyChange(bad, {bad: bad}, bad, True),),
        released=(Released(at, 1),),
        unmanaged=(Unmanaged(at, "org_admin", (bad,), 1),),
        warnings=(Problem("x", bad, Where(bad, 1, 1), bad, "warning"),),
    )


def rendered(form: str, bad: str) -> str:
    return render_plan(hostile(bad), form, InRepository("conf/"), DIGEST)


READABLE = tuple(bad for bad in HOSTILE if "\ud800" not in bad)
"""Half of a character is refused wherever settings are read, and no JSON could hold it."""


@pytest.mark.parametrize("bad", HOSTILE)
@pytest.mark.parametrize("form", [form for form in FORMATS if form != "json"])
def test_nothing_unseen_comes_out(form: str, bad: str) -> None:
    told = rendered(form, bad)
    told.encode("utf-8")
    unseen = {char for char in told if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert unseen <= ({"\n", "\r"} if form == "csv" else {"\n"})


class _Tags(HTMLParser):
    """The elements of a page, the text between them, comments, and every attribute."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.comments: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data.strip())


_MARKDOWN_TAGS = {
    *("h3", "h4", "blockquote", "p", "strong", "ul", "li", "details", "summary", "b", "code", "br", "sub"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


@pytest.mark.parametrize("bad", HOSTILE)
def test_markdown_stays_what_it_is(bad: str) -> None:
    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(rendered("markdown", bad))
    shown = _Tags(page)
    assert shown.tags <= _MARKDOWN_TAGS
    assert {name for name, _ in shown.attributes} <= {"open", "style"}
    assert sum(comment.startswith("rolecall:plan:") for comment in shown.comments) == 1
    assert not any(re.search(r"(?<![\w.])@\w|(?<!\w)#\d|https?://|www\.|:tada:", text) for text in shown.words)
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    assert {row.count("<td") + row.count("<th") for row in rows} == {4}


def test_markdown_shows_the_name_itself() -> None:
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(rendered("markdown", "a|b `c` <i>@x</i>"))
    assert "idp_groups/a|b `c` <i>@x</i>" in "".join(_Tags(page).words)


@pytest.mark.parametrize("bad", HOSTILE)
def test_html_has_no_element_that_is_not_its_own(bad: str) -> None:
    page = rendered("html", bad)
    harmless = _Tags(rendered("html", "name"))
    shown = _Tags(page)
    assert shown.tags == harmless.tags
    assert {name for name, _ in shown.attributes} == {name for name, _ in harmless.attributes}
    assert page.count("<script") == harmless_count("<script")
    assert shown.comments == []


def harmless_count(what: str) -> int:
    return rendered("html", "name").count(what)


@pytest.mark.parametrize("bad", HOSTILE)
def test_annotations_are_one_line_each(bad: str) -> None:
    *lines, rest = rendered("github", bad).splitlines()
    assert (len(lines), rest) == (10, "and 2 more")
    for row in lines:
        properties, _, message = row.removeprefix("::").partition("::")
        assert row.startswith(("::error title=", "::warning title=", "::notice title="))
        fields = [part.partition("=")[0] for part in properties.partition(" ")[2].split(",")]
        assert fields == ["title", "file", "line", "col"][: len(fields)] or fields == ["title", "file", "line"]
        assert re.sub(r"%(25|0A|0D)", "", message).count("%") == 0


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_spreadsheet_finds_no_formula(bad: str) -> None:
    rows = list(csv.reader(io.StringIO(rendered("csv", bad), newline="")))
    assert {len(row) for row in rows} == {7}
    assert not [
        cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t"))
    ]


@pytest.mark.parametrize("bad", HOSTILE)
def test_junit_keeps_its_shape(bad: str) -> None:
    root = ElementTree.fromstring(rendered("junit", bad))
    assert {element.tag for element in root.iter()} <= {"testsuites", "testsuite", "testcase", "failure", "system-out"}


@pytest.mark.parametrize("bad", READABLE)
def test_json_is_plain_ascii_and_keeps_every_name(bad: str) -> None:
    told = rendered("json", bad)
    assert told.isascii()
    assert not set(told) & set("\x1b\r\x07")
    assert f"idp_groups/{bad}" in [change["address"] for change in json.loads(told)["changes"]]
