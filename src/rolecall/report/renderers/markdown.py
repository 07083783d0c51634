"""A plan as Markdown for a pull request or a job's summary: headline, verdicts and risks first, the rest folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.plan.value import GuardResult, Plan, Verdict
from rolecall.report.builders.checks import guard_place, guard_words, passed_words
from rolecall.report.builders.next_steps import naming, next_step
from rolecall.report.builders.plan import Note, Part, Walk
from rolecall.report.findings import of_problems
from rolecall.report.phrases import count, place
from rolecall.report.renderers.markdown_text import COMMENT, RESERVE, Budget, code, marker, md, row, told
from rolecall.report.renderers.text import MOST_WARNINGS

_SIGNS: dict[Verdict, str] = {"block": "⛔", "not judged": "⛔", "review": "🔶", "allowed": "✅", "pass": "✅"}


def markdown(walked: Walk, limit: int = COMMENT) -> str:
    """At most ``limit`` characters. What does not fit is left out from the end, and counted.

    The first line is a marker by which a comment is found again; it names the org and its environment alone.
    """
    foot = _foot(walked, limit // 8)
    out = Budget(limit - RESERVE - len(foot))
    for block in (*_head(walked), *_verdicts(walked), *_risks(walked)):
        out.add(block)
    for part in walked.parts:
        _part(out, part)
    for block in _remain(walked):
        out.add(block)
    return "".join((*out.blocks, out.cut_words(), foot))


def _head(walked: Walk) -> Iterator[str]:
    org = walked.plan.org
    yield f"{marker('plan', org.id, org.env)}\n"
    yield f"### {_sign_of(walked.plan)} {md(walked.banner)}\n\n"
    if walked.headline:
        yield f"**{md(walked.headline)}**\n\n"
    yield f"{md(walked.summary)} {md(walked.seen[:1].upper() + walked.seen[1:])}.\n\n"


def _sign_of(plan: Plan) -> str:
    return "⚠️" if plan.unread and plan.verdict == "pass" else _SIGNS[plan.verdict]


def _verdicts(walked: Walk) -> Iterator[str]:
    for verdict, guards in walked.verdicts:
        if verdict == "pass":
            yield f"- {_SIGNS[verdict]} {md(passed_words(guards))}\n"
        else:
            yield from (_verdict(verdict, guard) for guard in guards)
    for test in walked.plan.access_tests:
        if not test.passed:
            sign = f"{'⛔' if test.refuses else '⏳'} **{test.label}**"
            yield f"- {sign} {md(test.name)}: {told(test.message)} {code(place(test.source))}\n"


def _verdict(verdict: Verdict, guard: GuardResult) -> str:
    ways = "".join(f"\n  - {told(way)}" for way in guard.ways)
    where = f" {code(guard_place(guard))}" if guard_place(guard) else ""
    return f"- {_SIGNS[verdict]} **{verdict.upper()}** {told(guard_words(guard))}{where}{ways}\n"


def _risks(walked: Walk) -> Iterator[str]:
    notes = [*walked.people, *walked.policy, *(note for note in walked.remain if note.tone == "warn")]
    yield from (f"- {_sign(note)}{told(note.text)}\n" for note in notes)
    warnings, more = walked.worst(MOST_WARNINGS)
    for finding in of_problems(warnings):
        yield f"- {'⛔' if finding.level == 'error' else '⚠️'} {told(finding.message)} {code(place(finding.where))}\n"
    if more:
        yield f"- and {count(more, 'warning')} more; the JSON report has them all\n"


def _sign(note: Note) -> str:
    return "🔶 " if note.tone == "risk" else "⚠️ " if note.tone == "warn" else ""


def _part(out: Budget, part: Part) -> None:
    rows = (row(entry.mark, entry.address, entry.diffs, entry.notes, place(entry.where)) for entry in part.entries)
    out.fold(part.title, part.total, "change", rows, "".join(f"\n{md(note.text)}\n" for note in part.notes))


def _remain(walked: Walk) -> Iterable[str]:
    plain = [note for note in walked.remain if note.tone != "warn"]
    return (f"\n{md(note.text)}\n" for note in plain)


def _foot(walked: Walk, limit: int) -> str:
    """What to do next, as far as it is short enough to be typed, and when the plan was made."""
    plan = walked.plan
    lines = []
    if step := next_step(plan, walked.digest):
        lines.append(f"\n{step.label}: {md(step.words)} {code(step.command)}\n")
        lines += [f"\n{step.aside_label}: {code(step.aside)}\n"] if step.aside else []
    if walked.counted:
        lines.append(f"\nPeople are not named here. To see who: {code(naming(plan))}\n")
    said = "".join(lines)
    return (said if len(said) <= limit else "") + (
        f"\n<sub>made {plan.created_at:%Y-%m-%d %H:%M} UTC for {plan.as_of}, "
        f"good until {plan.expires_at:%Y-%m-%d %H:%M} UTC</sub>\n"
    )
