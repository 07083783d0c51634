"""The one walk over a plan that every sink shares: what is said, in reading order, before anybody styles it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rolecall.errors import Problem, Where
from rolecall.model.change import Change
from rolecall.model.kinds import SECTIONS, split_address
from rolecall.model.settings import Address
from rolecall.plan.saved.summary import renames_as_one, summary
from rolecall.plan.value import GuardResult, Move, Plan, Verdict
from rolecall.report.builders.changes import BLANK_IS, REASONS, VIA_REASONS, Diff, diffs
from rolecall.report.builders.checks import verdict_rows
from rolecall.report.builders.header import banner, seen
from rolecall.report.builders.unmanaged import left_words, released_words, unmanaged_words
from rolecall.report.builders.users import Told, change_told, left_on_default, moves_by_address, plan_told
from rolecall.report.coverage import planned_sentence, users_sentence
from rolecall.report.phrases import count, inline_yaml, visible

Mark = Literal["+", "~", "-", "↑"]
Tone = Literal["dim", "plain", "risk", "warn"]
"""How much a sentence matters: by the way, plainly, somebody loses something, look at this."""

MARKS: Mapping[str, Mark] = {"create": "+", "update": "~", "delete": "-", "upgrade": "↑"}


class Note(NamedTuple):
    """A sentence and how much it matters."""

    text: str
    tone: Tone = "plain"


class Entry(NamedTuple):
    """One change as a reader sees it; a rename, which is two changes, is one entry.

    ``notes`` tell the people it touches, why it is planned, and what the config says about it.
    """

    change: Change
    mark: Mark
    address: str
    diffs: tuple[Diff, ...]
    where: Where | None
    notes: tuple[Note, ...] = ()


class Part(NamedTuple):
    """Entries that belong together. ``total`` counts those that a limit left out, too."""

    key: str
    title: str
    entries: tuple[Entry, ...]
    total: int
    notes: tuple[Note, ...] = ()

    @property
    def hidden(self) -> int:
        return self.total - len(self.entries)


@dataclass(frozen=True, slots=True)
class Walk:
    """A plan in reading order. Every text in it is visible and safe to print, but not escaped for any markup."""

    plan: Plan
    banner: str
    seen: str
    headline: str
    parts: tuple[Part, ...]
    people: tuple[Note, ...]
    policy: tuple[Note, ...]
    remain: tuple[Note, ...]
    verdicts: tuple[tuple[Verdict, tuple[GuardResult, ...]], ...]
    warnings: tuple[Problem, ...]
    summary: str
    digest: str | None

    def worst(self, most: int) -> tuple[Sequence[Problem], int]:
        """The first warnings, errors before them, and how many more there are."""
        found = sorted(self.warnings, key=lambda problem: problem.severity != "error")
        return found[:most], max(len(found) - most, 0)

    @property
    def counted(self) -> bool:
        """Whether people move whom this plan does not name: a reviewer is then told how to see who."""
        return any(
            move.size and not any(who.email and "@" in who.email for who in move.people)
            for move in self.plan.impact.moves
        )


def walk(plan: Plan, digest: str | None = None, limit: int | None = None) -> Walk:
    """Walk a plan, which shows of people what it may. ``limit`` is the most entries that a part may show.

    ``digest`` is the plan's; without one no approval is offered.
    """
    return Walk(
        plan=plan,
        banner=banner(plan),
        seen=seen(plan),
        headline=_headline(plan),
        parts=tuple(_parts(plan, limit)),
        people=tuple(_note(told) for told in plan_told(plan)),
        policy=tuple(_policy(plan)),
        remain=tuple(_remain(plan)),
        verdicts=verdict_rows(plan.guards),
        warnings=plan.warnings,
        summary=summary_line(plan),
        digest=digest,
    )


def summary_line(plan: Plan) -> str:
    """``Plan: 4 to create, 2 to update; 3 of them wait for the IdP, 1 of them by hand.``"""
    counts = summary(plan)
    doing = [
        f"{counts[action]:,} to {action}" for action in ("create", "update", "delete", "upgrade") if counts[action]
    ]
    doing += [count(counts["rename"], "rename")] if counts["rename"] else []
    aside = [
        text
        for key, text in (
            ("waiting", f"{counts['waiting']:,} of them {'waits' if counts['waiting'] == 1 else 'wait'} for the IdP"),
            ("human", f"{counts['human']:,} of them by hand"),
            ("released", f"{counts['released']:,} no longer managed"),
        )
        if counts[key]
    ]
    if not doing:
        nothing = "No changes found, but not everything was read" if plan.unread else "No changes"
        return f"{nothing}{'; ' + ', '.join(aside) if aside else ''}."
    return f"Plan: {', '.join(doing)}{'; ' + ', '.join(aside) if aside else ''}."


def _headline(plan: Plan) -> str:
    if plan.errored:
        return "This plan could not be computed whole and must not be applied."
    said = [visible(plan.impact.headline)] if plan.impact.headline else []
    if plan.impact.problem:
        said.append(visible(plan.impact.problem))
    elif users := users_sentence(plan.coverage):
        said.append(users)
    if unread := planned_sentence(plan.coverage):
        said.append(unread)
    elif not plan.changes:
        said.append("The org is as the config wants it." if not plan.partial else "Nothing to do within the targets.")
    elif not plan.writes:
        said.append("Nothing to write: what is left waits for the IdP or for a person.")
    return " ".join(said)


def _parts(plan: Plan, limit: int | None) -> Iterable[Part]:
    moves = moves_by_address(plan.impact)
    grouped: defaultdict[str, list[Change]] = defaultdict(list)
    for change in renames_as_one(plan.changes):
        grouped[change.via if change.via != "api" else split_address(change.address)[0]].append(change)
    for key, title in (*((section, section) for section in SECTIONS), *ASIDE.items()):
        changes = grouped.get(key, [])
        if changes:
            entries = tuple(_entry(change, plan, moves) for change in changes[:limit])
            yield Part(key, title, entries, len(changes), tuple(_part_notes(changes)))


ASIDE: Mapping[str, str] = {
    "waiting": "Waiting for the IdP: planned, not written until it pushes the group",
    "human": "By hand: steps that a person must take",
}
"""Parts that stand apart from the sections, by key, with their titles."""


def _part_notes(changes: list[Change]) -> Iterable[Note]:
    if any(change.action == "delete" and change.address.startswith("idp_groups/") for change in changes):
        yield Note(BLANK_IS)


def _entry(change: Change, plan: Plan, moves: Mapping[Address, tuple[Move, ...]]) -> Entry:
    section, _ = split_address(change.address)
    own = moves.get(change.address, ())
    return Entry(
        change,
        "~" if change.moved else MARKS[change.action],
        visible(change.address),
        diffs(section, change),
        change.intent.source,
        (*map(_note, change_told(plan, change.address, own)), *_why_notes(change, left_on_default(own))),
    )


def _note(told: Told) -> Note:
    return Note(told.text, "risk" if told.grave else "plain")


def _why_notes(change: Change, default: str) -> Iterable[Note]:
    intent = change.intent
    said = [default] if default else []
    if change.moved:
        said.append(f"renamed from {visible(split_address(change.moved.before)[1] or change.moved.before)}")
    elif change.reason == "expired" and intent.expires:
        said.append(f"expired after {intent.expires}")
    elif REASONS[change.reason]:
        said.append(REASONS[change.reason])
    if change.via_reason:
        said.append(VIA_REASONS[change.via_reason])
    said += [f"owner {visible(intent.owner)}"] if intent.owner else []
    said += [visible(text) for text in (intent.reason, intent.ticket) if text]
    said += ["protected"] if intent.protect else []
    if said:
        yield Note(" · ".join(said), "dim")


def _policy(plan: Plan) -> Iterable[Note]:
    """The rules that change: each is a change of its own, and holds from the next plan on where it loosens."""
    for row in plan.policy_changes:
        before, after = (visible(inline_yaml(value)) for value in (row.before, row.after))
        looser = "; looser, so it holds from the next plan on" if row.loosens else ""
        yield Note(f"Policy: {visible(row.path)}: {before} → {after}{looser}", "warn" if row.loosens else "plain")


def _remain(plan: Plan) -> Iterable[Note]:
    yield from (Note(text) for text in released_words(plan.released))
    for text, warn in unmanaged_words(plan.unmanaged):
        yield Note(text, "warn" if warn else "plain")
    if plan.desired.policy.managing("idp_groups") == "additive":
        yield from (Note(text, "dim") for text in left_words(plan.unmanaged))
    if plan.partial:
        yield Note("Cut to targets: other differences are not shown, and not applied.", "warn")
