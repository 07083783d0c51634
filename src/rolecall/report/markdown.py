"""A plan as Markdown for a pull request or a job's summary: headline, verdicts and risks first, the rest folded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rolecall.plan.digest import short
from rolecall.plan.value import Verdict
from rolecall.report.findings import of_problems
from rolecall.report.phrases import count, place
from rolecall.report.verdicts import guard_words, passed_words
from rolecall.report.walk import Entry, Note, Part, Walk

COMMENT = 65_535
"""The characters that a comment on GitHub may have; a job's summary may have a MiB."""

_SIGNS: dict[Verdict, str] = {"block": "⛔", "not judged": "⛔", "review": "🔶", "allowed": "✅", "pass": "✅"}
_RESERVE = 400
_FOLDED = 12


def markdown(walked: Walk, limit: int = COMMENT) -> str:
    """At most ``limit`` characters. What does not fit is left out from the end, and counted.

    The first line is a marker by which a comment is found again; it names the org and its environment alone.
    """
    out = _Budget(limit - _RESERVE)
    for block in (*_head(walked), *_verdicts(walked), *_risks(walked)):
        out.add(block)
    for part in walked.parts:
        _part(out, part)
    for block in _remain(walked):
        out.add(block)
    return "".join((*out.blocks, out.cut_words(), _foot(walked)))


def marker(walked: Walk) -> str:
    """The comment that a pipeline looks for to update its own."""
    org = walked.plan.org
    return f"<!-- rolecall:plan:{_plain_id(org.id)}:{_plain_id(org.env or '')} -->"


def md(text: str) -> str:
    """Text as Markdown that shows it as it is: no markup, no link, nobody mentioned, no issue referred to."""
    shown = _MARKUP.sub(r"\\\g<0>", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _EMOJI.sub("&#58;", _REFERENCE.sub(r"\g<0><!-- -->", shown))


def code(text: str) -> str:
    """Text in a fixed font, as it is."""
    return f"<code>{md(text)}</code>"


_MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)")
_REFERENCE = re.compile(r"(?<![\w&])[@#](?=\w)|:(?=//)|www(?=\.)")
_EMOJI = re.compile(r":(?=[\w+-]+:)")


class _Budget:
    """Blocks of text up to a number of characters; counts what no longer fits."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.blocks: list[str] = []
        self.cut = 0

    def add(self, block: str) -> bool:
        if len(block) > self.room:
            self.cut += 1
            return False
        self.room -= len(block)
        self.blocks.append(block)
        return True

    def cut_words(self) -> str:
        if not self.cut:
            return ""
        return (
            f"\n_{count(self.cut, 'entry')} left out here for want of room; the HTML and JSON reports have them all._\n"
        )


def _head(walked: Walk) -> Iterator[str]:
    yield f"{marker(walked)}\n"
    sign = _SIGNS[walked.plan.verdict]
    yield f"### {sign} {md(walked.banner)}\n\n"
    if walked.headline:
        yield f"**{md(walked.headline)}**\n\n"
    yield f"{md(walked.summary)} {md(walked.seen)}.\n\n"


def _verdicts(walked: Walk) -> Iterator[str]:
    for verdict, guards in walked.verdicts:
        if verdict == "pass":
            yield f"- {_SIGNS[verdict]} {md(passed_words(guards))}\n"
            continue
        for guard in guards:
            ways = "".join(f"\n  - {md(way)}" for way in guard.ways)
            yield f"- {_SIGNS[verdict]} **{verdict.upper()}** {md(guard_words(guard))}{ways}\n"
    for test in walked.plan.access_tests:
        if not test.passed:
            yield f"- ⛔ **FAILED** {md(test.name)}: {md(test.message)} {_where(place(test.source))}\n"


def _risks(walked: Walk) -> Iterator[str]:
    told = [*walked.people, *(note for note in walked.remain if note.tone == "warn")]
    yield from (f"- {_sign(note)}{md(note.text)}\n" for note in told)
    for finding in of_problems(walked.warnings):
        yield f"- {'⛔' if finding.level == 'error' else '⚠️'} {md(finding.message)} {_where(place(finding.where))}\n"


def _sign(note: Note) -> str:
    return "🔶 " if note.tone == "risk" else "⚠️ " if note.tone == "warn" else ""


def _part(out: _Budget, part: Part) -> None:
    """A part in its fold. Either its frame fits, with as many entries as there is room for, or none of it does."""
    fold = "" if part.total > _FOLDED else " open"
    start = f"\n<details{fold}><summary><b>{md(part.title)}</b> · {part.total:,}</summary>\n\n"
    start += "| | address | change | where |\n|---|---|---|---|\n"
    end = "\n</details>\n"
    if not out.add(start + end):
        out.cut += part.total - 1
        return
    out.blocks.pop()
    out.blocks.append(start)
    for entry in part.entries:
        out.add(_row(entry))
    out.cut += part.hidden
    out.blocks.append("".join(f"\n{md(note.text)}\n" for note in part.notes) + end)
    out.room -= sum(len(md(note.text)) + 2 for note in part.notes)


def _row(entry: Entry) -> str:
    told = [_diff(str(diff)) for diff in entry.diffs]
    told += [f"{'🔶 ' if note.tone == 'risk' else ''}{md(note.text)}" for note in entry.notes]
    return f"| {code(entry.mark)} | {code(entry.address)} | {'<br>'.join(told)} | {_where(place(entry.where))} |\n"


def _diff(text: str) -> str:
    path, _, values = text.partition(": ")
    return f"{md(path)}: {code(values)}"


def _where(text: str) -> str:
    return code(text) if text else ""


def _remain(walked: Walk) -> Iterable[str]:
    plain = [note for note in walked.remain if note.tone != "warn"]
    return (f"\n{md(note.text)}\n" for note in plain)


def _foot(walked: Walk) -> str:
    plan = walked.plan
    env = f" -e {plan.org.env}" if plan.org.env else ""
    lines = []
    if walked.digest and plan.writes and plan.verdict != "block" and not plan.errored:
        lines.append(f"\nApprove: merge, then <code>rolecall apply{md(env)} --approve {short(walked.digest)}</code>\n")
    if walked.counted:
        lines.append(f"\nPeople are not named here. To see who: <code>rolecall plan{md(env)} --people names</code>\n")
    lines.append(
        f"\n<sub>made {plan.created_at:%Y-%m-%d %H:%M} UTC for {plan.as_of}, "
        f"good until {plan.expires_at:%Y-%m-%d %H:%M} UTC</sub>\n"
    )
    return "".join(lines)


def _plain_id(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "", text)
