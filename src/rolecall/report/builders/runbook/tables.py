"""Build the table of a manual step: the values before and after, and where the values before come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rolecall.model.change import Change
from rolecall.model.fields import Field
from rolecall.model.kinds import BY_SECTION, field_address, split_address
from rolecall.model.roles import role_words
from rolecall.model.settings import UNSET, GroupMapping, Value
from rolecall.plan.coverage import changed_sentence
from rolecall.plan.dates import day
from rolecall.report.builders.changes import scalar
from rolecall.report.builders.prose import joined, plain
from rolecall.report.builders.runbook.idp import IDPS
from rolecall.report.builders.runbook.manual_step import ManualStep, StepContext
from rolecall.report.document import Block, Grid, GridRow, Paragraph, Phrase, Piece
from rolecall.report.phrases import listed, visible


def table(step: ManualStep, context: StepContext, without: tuple[str, ...] = ()) -> Iterator[Block]:
    """Yield the values of a step before and after, and where those before come from; nothing for a step without values.

    ``without`` are fields that are left out.
    """
    yield from _grid(step, without, whole=context.whole)
    yield from _sources(step, context, without)


def _grid(step: ManualStep, without: tuple[str, ...], *, whole: bool) -> Iterator[Grid]:
    if step.of_groups:
        yield Grid(("Step", "Group", "Before", "After"), tuple(_group_rows(step)))
    elif rows := tuple(_setting_rows(step.changes[0], without, whole=whole)):
        yield Grid(("Setting", "Before", "After"), rows)


def _group_rows(step: ManualStep) -> Iterator[GridRow]:
    reported = step.reported or ("",) * len(step.changes)
    for change, label, done in zip(step.changes, step.labels, reported, strict=True):
        _, key = split_address(change.address)
        cells = (plain(visible(key or "")), _mapping(change.before), _mapping(change.after))
        yield GridRow(cells, label, bool(done))


def _mapping(value: Value | None) -> Phrase:
    """Return ``**Member** on **Brand**, **Legal**``."""
    if not isinstance(value, GroupMapping) or value.blank:
        return plain("no role, no team")
    role = (Piece(visible(role_words(value.role)), "label"),) if value.role else plain("no role")
    teams = joined(((Piece(visible(team), "label"),) for team in sorted(value.teams)), ", ")
    return (*role, Piece(" on "), *(teams or plain("no team")))


def _setting_rows(change: Change, without: tuple[str, ...], *, whole: bool) -> Iterator[GridRow]:
    for field, before, after in _fields(change, without, whole=whole):
        yield GridRow((plain(field.label), plain("–" if whole else before or "–"), plain(after or "–")))


def _fields(change: Change, without: tuple[str, ...], *, whole: bool) -> Iterator[tuple[Field, str | None, str | None]]:
    """Yield the fields of a change that are listed, each with its values before and after."""
    section, _ = split_address(change.address)
    for field in BY_SECTION[section].fields:
        before, after = _value(change.before, field), _value(change.after, field)
        differs = before != after or (whole and after is not None and field.updated)
        if differs and field.name not in without and field.written:
            yield field, before, after


def _value(settings: Value | None, field: Field) -> str | None:
    """Return a value of a field as the console shows it; None if the entry does not have it."""
    value = None if settings is None else getattr(settings, field.name)
    if value is None or value is UNSET:
        return None
    if isinstance(value, bool):
        return "on" if value else "off"
    text = scalar(field.name, value)
    if field.type == "role":
        return role_words(text)
    if field.name == "idp" and text.casefold() not in IDPS:
        return f"{field.shown('other')} ({text})"
    return field.shown(text.casefold() if field.name == "idp" else text)


def _sources(step: ManualStep, context: StepContext, without: tuple[str, ...]) -> Iterator[Paragraph]:
    """Yield who read the values before, and when, or who reported them done since, for an org that an admin reads."""
    section = context.coverage.get(split_address(step.changes[0].address)[0])
    if section is None:
        return
    names = dict(_names(step, without))
    reported: defaultdict[str, list[str]] = defaultdict(list)
    for report in section.reported:
        if report.address in names:
            reported[f"{visible(report.by)} on {day(report.at)}"].append(names[report.address])
    every = bool(reported) and sum(map(len, reported.values())) == len(names)
    read = f"{visible(section.taken_by)} on {day(section.taken_at)}" if section.taken_by and section.taken_at else ""
    if read and not every:
        yield Paragraph(plain(f"The column Before was read by {read}."))
    for who, labels in reported.items():
        first = "Except " if read and not every else ""
        values = "The column Before was" if every and len(reported) == 1 else f"{first}{listed(labels, _NAMED)}:"
        yield Paragraph(plain(f"{values} reported done by {who}."))
    if change := section.changed_since:
        text = visible(changed_sentence(split_address(step.changes[0].address)[0], change))
        yield Paragraph(plain(f"{text} Check the column Before first."), strong=True)


def _names(step: ManualStep, without: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the address of each value in the column Before, with its name in the table."""
    for change in step.changes if step.of_groups else ():
        yield change.address, split_address(change.address)[1] or ""
    for field, before, _ in () if step.of_groups else _fields(step.changes[0], without, whole=False):
        if before is not None:
            yield field_address(step.changes[0].address, field.name), field.label


_NAMED = 10
"""The most values that are named."""
