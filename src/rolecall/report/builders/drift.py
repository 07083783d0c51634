"""The one walk over what a look for drift found: what is said, in reading order, before anybody styles it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rolecall.drift.compare import Drift, DriftClass
from rolecall.drift.value import Alarm, DriftReport
from rolecall.errors import Problem, Where
from rolecall.model.comparison import field_changes
from rolecall.model.kinds import BY_SECTION, KEYED, SECTIONS, split_address
from rolecall.model.settings import Value
from rolecall.report.builders.changes import Diff, scalar
from rolecall.report.builders.drift_sentences import (
    CLASSES,
    acknowledged_words,
    basis_words,
    event_words,
    headline,
    impact_lines,
    news_notes,
    people_told,
    summary_line,
    who_words,
    written_words,
)
from rolecall.report.builders.header import org_line
from rolecall.report.builders.plan import Mark, Note, Tone
from rolecall.report.builders.unmanaged import released_words, unmanaged_words
from rolecall.report.coverage import header
from rolecall.report.phrases import count, visible


class Entry(NamedTuple):
    """One address as a reader sees it. ``counts`` says whether it counts as drift."""

    row: Drift
    mark: Mark
    address: str
    diffs: tuple[Diff, ...]
    where: Where | None
    notes: tuple[Note, ...]
    counts: bool


class Part(NamedTuple):
    """Entries of one section, or those that do not count."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class DriftWalk:
    """A look in reading order. Every text is visible and safe to print, but not escaped for any markup.

    ``parts`` count as drift, ``aside`` does not. ``alarms`` are what the config forbids, ``news`` what is no drift.
    """

    found: DriftReport
    banner: str
    seen: str
    headline: str
    impact: tuple[str, ...]
    basis: str
    parts: tuple[Part, ...]
    aside: tuple[Part, ...]
    alarms: tuple[tuple[Alarm, Note], ...]
    news: tuple[Note, ...]
    inventory: tuple[Note, ...]
    warnings: tuple[Problem, ...]
    summary: str


def drift_walk(found: DriftReport) -> DriftWalk:
    """Walk a look, which shows of people what it may."""
    return DriftWalk(
        found=found,
        banner=org_line(found.org),
        seen=_seen(found),
        headline=headline(found),
        impact=tuple(impact_lines(found)),
        basis=basis_words(found),
        parts=tuple(_parts(found)),
        aside=tuple(_aside(found)),
        alarms=tuple((alarm, Note(_alarm_words(alarm), "warn")) for alarm in found.alarms),
        news=tuple(news_notes(found)),
        inventory=tuple(_inventory(found)),
        warnings=found.warnings,
        summary=summary_line(found),
    )


def _inventory(found: DriftReport) -> Iterable[Note]:
    yield from (Note(acknowledged_words(row), "dim") for row in found.acknowledged.values())
    yield from (Note(text) for text in released_words(found.released))
    yield from (Note(text, "warn" if warn else "plain") for text, warn in unmanaged_words(found.unmanaged))


def _seen(found: DriftReport) -> str:
    nouns = (*((kind.section, kind.noun, None) for kind in KEYED), ("people", "person", "people"))
    counted = [count(found.counts[key], noun, plural) for key, noun, plural in nouns if key in found.counts]
    return header(found.coverage, counted)


def _parts(found: DriftReport) -> Iterable[Part]:
    for section in SECTIONS:
        rows = [row for row in found.drifts if split_address(row.address)[0] == section]
        if rows:
            yield Part(section, tuple(_entry(found, row, counts=True) for row in rows))


_ASIDE: Mapping[DriftClass, str] = {
    "idp": "Gone from the IdP, with nobody in it",
    "differs": "Never applied, and nobody knows which side moved: as an apply would change it",
    "unapplied": "Changed in the config, not applied yet: run apply",
    "converged": "Changed in the org to what the config asks for",
    "unknown": "Not read: nothing is known of these",
}


_KNOWN = "Acknowledged drift"
_WAITING = "Waiting for the IdP, which has not pushed these groups"


def _aside(found: DriftReport) -> Iterable[Part]:
    aside = [row for row in found.rows if row.fingerprint not in found.counted]
    titles = [(_KNOWN, [row for row in aside if row.fingerprint in found.acknowledged])]
    aside = [row for row in aside if row.fingerprint not in found.acknowledged]
    titles += [
        (title, [row for row in aside if row.kind == kind and row.address not in found.waiting])
        for kind, title in _ASIDE.items()
    ]
    titles.append((_WAITING, [row for row in aside if row.address in found.waiting]))
    for title, rows in titles:
        if rows:
            yield Part(title, tuple(_entry(found, row, counts=False) for row in rows))


def _entry(found: DriftReport, row: Drift, *, counts: bool) -> Entry:
    notes = [Note(text, tone) for text, tone in _notes(found, row, counts=counts)]
    return Entry(row, _mark(row), visible(row.address), diffs(row), row.source, tuple(notes), counts)


def diffs(row: Drift) -> tuple[Diff, ...]:
    """What moved, field by field: from what was applied to what the org has, or as an apply would change it."""
    section, _ = split_address(row.address)
    if row.kind == "unknown":
        return ()
    before, after = _span(row)
    found = field_changes(section, before, after)
    spoken = [item for item in found if item.before is not None and item.after is not None]
    if before is not None and after is not None:
        spoken = list(found) if BY_SECTION[section].whole else spoken
        return tuple(Diff(item.path, scalar(item.path, item.before), scalar(item.path, item.after)) for item in spoken)
    if after is None:
        return tuple(Diff(f"was {item.path}", None, scalar(item.path, item.before)) for item in found)
    return tuple(Diff(item.path, None, scalar(item.path, item.after)) for item in found)


def _mark(row: Drift) -> Mark:
    before, after = _span(row)
    return "+" if before is None else "-" if after is None else "~"


def _span(row: Drift) -> tuple[Value | None, Value | None]:
    """What moved from where to where: in the org, or, where only an apply is due, as the apply would."""
    return (row.live, row.desired) if row.kind in ("differs", "unapplied") else (row.last, row.live)


def _notes(found: DriftReport, row: Drift, *, counts: bool) -> Iterable[tuple[str, Tone]]:
    if counts or row.event:
        yield CLASSES[row.kind] + (f" · {event_words(row.event)}" if row.event else ""), "warn" if counts else "dim"
    if row.new_admin:
        state = "it is new" if row.last is None else "it gave less when it was last applied"
        yield f"this mapping is not managed, {state}, and it gives org admin", "warn"
    if row.kind == "both":
        section, _ = split_address(row.address)
        wanted = ", ".join(
            f"{path}: {scalar(path, after)}" for path, _, after in field_changes(section, None, row.desired)
        )
        yield f"the config asks for {wanted or 'nothing here'}", "plain"
    if counts and row.address in found.written:
        yield written_words(found.written[row.address]), "dim"
    if counts:
        yield from people_told(found, row.address, managed=row.managed)
        yield f"fingerprint {row.fingerprint}", "dim"


def _alarm_words(alarm: Alarm) -> str:
    subject = f"{who_words(alarm.who)} " if alarm.who is not None else ""
    return visible(f"{alarm.name}: {subject}{alarm.message}" if alarm.kind != "watch" else f"{subject}{alarm.message}")
