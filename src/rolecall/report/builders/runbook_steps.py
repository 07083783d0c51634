"""Build the chapter of one manual step: where it is, what to do, the values before and after, how to check and undo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rolecall.model import console
from rolecall.model.change import Action, Change
from rolecall.model.fields import Field
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.live import Coverage
from rolecall.model.roles import role_words
from rolecall.model.settings import UNSET, Address, Defaults, GroupMapping, Scim, Settings, Sso, Value
from rolecall.plan.dates import day
from rolecall.plan.value import Plan
from rolecall.report.builders.changes import REASONS, scalar
from rolecall.report.builders.prose import filled, joined, phrase, plain, read_prose
from rolecall.report.builders.runbook_idp import IDPS, group_values, idp_choice, idp_names, idp_of, idp_part, idp_prose
from rolecall.report.builders.runbook_variants import passwords_go_off_later, step_variant
from rolecall.report.document import Block, Chapter, Entry, Grid, GridRow, Items, Paragraph, Phrase, Piece
from rolecall.report.phrases import count, visible

Affected = Mapping[tuple[Address, Action], Entry]
"""The entry of each change in the report of a plan."""
_NOTHING: Affected = {}

_PASSWORDS = "allow_passwords"
_GROUPS = BY_SECTION["idp_groups"]


class StepContext(NamedTuple):
    """The facts that texts of steps need: the desired settings, the live endpoint, and who read each section.

    ``parts`` are those of the IdP's side that steps name, by their names in ``idps.yaml``. ``whole`` if a table has all
    desired values, not just those that change, of an org that was not read. ``pushes`` if the runbook has a chapter
    that pushes groups by name. ``not_ready`` is why the upgrade must not be made.
    """

    settings: Settings
    endpoint: str = "new"
    coverage: Mapping[str, Coverage] = {}
    metadata_file: str = ""
    parts: tuple[str, ...] = ("sso", "scim", "people")
    whole: bool = False
    pushes: bool = False
    not_ready: str = ""


def context_of(plan: Plan, not_ready: str = "") -> StepContext:
    """Return the facts that the texts of a plan's steps need."""
    endpoint = str(plan.switches.get("endpoint", ""))
    return StepContext(plan.desired.settings, endpoint, plan.coverage, pushes=bool(plan.waiting), not_ready=not_ready)


class ManualStep(NamedTuple):
    """A step of a runbook: its number, and its changes in the order of its items.

    ``reported`` says who reported each change done, empty for one that is not; ``run`` is the run that recorded them.
    """

    number: int
    changes: tuple[Change, ...]
    reported: tuple[str, ...] = ()
    run: int | None = None

    @property
    def of_groups(self) -> bool:
        """Return whether the step maps groups."""
        first = self.changes[0]
        return first.address.startswith("idp_groups/") and first.via_reason != "not_in_plan"

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the numbers of its changes: ``3.1``, ``3.2``, or ``3`` for the only one."""
        if len(self.changes) == 1:
            return (str(self.number),)
        return tuple(f"{self.number}.{item}" for item in range(1, len(self.changes) + 1))

    @property
    def heading(self) -> str:
        return f"Run {self.run} · step {self.number}" if self.run else f"Step {self.number}"

    @property
    def done(self) -> str:
        """Return who reported the step done, empty unless all of it is."""
        return max(self.reported) if self.reported and all(self.reported) else ""


def step_chapter(
    step: ManualStep,
    context: StepContext,
    affected: Affected = _NOTHING,
    split: tuple[int, int] | None = None,
    *,
    last: bool = False,
) -> Chapter:
    """Return the chapter of a step. ``split`` has an earlier step that maps groups, and the one that comes between.

    ``last`` if no other step comes between it and its last part.
    """
    change = step.changes[0]
    variant = step_variant(change, context.endpoint)
    prose, values = read_prose("steps.yaml")[variant], _values(change, context)
    without = (_PASSWORDS,) if passwords_go_off_later(change) else ()
    blocks: list[Block] = []
    if split is not None:
        blocks.append(Paragraph(phrase(read_prose("steps.yaml")["split"], _numbers(*split))))
    if "page" in prose:
        older = f" (in older consoles: {prose['older']})" if "older" in prose else ""
        blocks.append(Paragraph(phrase(f"**{prose['page']}**{older}", values), "Page"))
    first, after_table = _actions(prose, variant, step, context, values)
    blocks += first
    if variant != "not_in_plan":
        blocks += _table(step, without, whole=context.whole)
        blocks += _read_by(change, context)
    else:
        blocks.append(Paragraph(phrase(prose["possible"])))
        blocks.append(Items("bullets", tuple(_excluded(step, context))))
    blocks += after_table
    upgrading = variant == "idp_groups_upgrading"
    notes = (phrase(read_prose("steps.yaml")["no_access_yet"]),) if upgrading else tuple(_notes(step, affected))
    blocks += [Items("bullets", notes)] if notes else []
    blocks.append(Paragraph(phrase(prose["check"], values), "Check"))
    blocks.append(Paragraph(phrase(_undo(prose, variant, change, context), values), "Undo"))
    if not without:
        blocks += _record(step)
    elif not last:
        blocks.append(Paragraph(phrase(read_prose("steps.yaml")["later"], _numbers(step.number)), "Then"))
    return Chapter(f"{step.heading} · {_title(step, variant, values)}", tuple(blocks), step=True, done=step.done)


def last_passwords(step: ManualStep, context: StepContext) -> Chapter:
    """Return the end of a step that sets up SSO: signing in by password goes off after everything else."""
    change = step.changes[0]
    prose, values = read_prose("steps.yaml")["sso_passwords"], _values(change, context)
    skipped = tuple(field.name for field in BY_SECTION["sso"].fields if field.name != _PASSWORDS)
    blocks: list[Block] = [
        Paragraph(phrase(f"**{prose['page']}**", values), "Page"),
        Items("numbered", tuple(phrase(item, values) for item in prose["items"])),
        *_table(step, skipped),
        *(Paragraph(phrase(prose[name], values), name.capitalize()) for name in ("check", "undo")),
        *_record(step),
    ]
    return Chapter(f"{step.heading}, last part · {prose['title']}", tuple(blocks), step=True, done=step.done)


def _values(change: Change, context: StepContext) -> dict[str, str]:
    """Return the placeholders of the texts about a change."""
    section, key = split_address(change.address)
    settings = context.settings
    idp, sso = idp_of(settings, section) or idp_of(settings) or "other", settings.sso
    name = sso.name if isinstance(sso, Sso) and isinstance(sso.name, str) and sso.name else idp_choice(idp)
    return {
        "key": visible(key or ""),
        "claim": console.CLAIM_DOMAIN,
        "remove": console.REMOVE_DOMAIN,
        "set_up_sso": console.SET_UP_SSO,
        "choice": idp_choice(idp),
        "name": visible(name),
        "metadata": _metadata(change.after, context),
        "metadata_file": visible(context.metadata_file),
        "idp": idp_prose(idp)["name"],
        "guide": idp if idp in IDPS else "other",
        "app": idp_prose(idp)["sso"]["title"],
        "not_ready": context.not_ready,
        **_defaults(settings),
        "role": _GROUPS.field("role").label,
        "teams": _GROUPS.field("teams").label,
    }


def _defaults(settings: Settings) -> dict[str, str]:
    """Return the role and the teams of the default access, nothing where the configuration does not have both."""
    default = settings.defaults
    if not isinstance(default, Defaults) or not isinstance(default.role, str) or default.teams is UNSET:
        return {}
    return {
        "default_role": visible(role_words(default.role)),
        "default_teams": visible(", ".join(sorted(default.teams))),
    }


def _undo(prose: Mapping[str, Any], variant: str, change: Change, context: StepContext) -> str:
    """Return how to undo a step, which needs the previous metadata file or values that were not read."""
    undo: str = prose["undo"]
    if context.whole and change.action != "create" and "column Before" in undo:
        undo = read_prose("steps.yaml")["unread_undo"]
    elif variant == "sso" and _metadata(change.after, context):
        undo = read_prose("steps.yaml")["metadata_undo"]
    return undo


def _stop(change: Change, settings: Settings) -> str:
    """Return how to stop provisioning in the IdP that the org has before a change."""
    before = idp_of(Settings(scim=change.before)) if isinstance(change.before, Scim) else None
    stop: str = idp_prose(before or idp_of(settings, "scim") or idp_of(settings) or "other")["stop"]
    return stop


def _items(
    texts: Sequence[str | Mapping[str, str]], step: ManualStep, context: StepContext, values: Mapping[str, str]
) -> tuple[Phrase, ...]:
    """Return the actions of a step, without those that do not apply."""
    unmapped = [change for change in step.changes if not isinstance(change.after, GroupMapping) or change.after.blank]
    applies = {
        "unmap": unmapped,
        "default": "default_role" in values,
        "file": context.metadata_file,
        "not_ready": context.not_ready,
    }
    stop = _stop(step.changes[0], context.settings)
    listed = [{"": text} if isinstance(text, str) else text for text in texts]
    chosen = [text for item in listed for name, text in item.items() if not name or applies[name]]
    return tuple(phrase(text.replace("{stop}", stop), values) for text in chosen)


def _metadata(value: Value | None, context: StepContext) -> str:
    """Return which metadata it is, as far as it is known: `` (okta.xml) of http://www.okta.com/… (certificate …)``."""
    if context.metadata_file:
        return f" ({visible(context.metadata_file)} of the configuration)"
    if isinstance(value, Sso) and isinstance(value.metadata, str) and value.metadata:
        return f" of {scalar('metadata', value.metadata)}"
    return ""


def _numbers(first: int, between: int = 0) -> dict[str, str]:
    return {"first": str(first), "between": str(between)}


def _actions(
    prose: Mapping[str, Any], variant: str, step: ManualStep, context: StepContext, values: Mapping[str, str]
) -> tuple[list[Block], list[Block]]:
    """Return what to do before the table of values, and what after it.

    Setup is in WRITER, in the IdP, and in WRITER again; then the remaining steps in the IdP.
    """
    change = step.changes[0]
    items = list(_items(prose["items"], step, context, values))
    if variant in ("sso", "sso_passwords") and _metadata(change.after, context):
        items.insert(0, phrase(read_prose("steps.yaml")["metadata"], values))
    first: list[Block] = [Items("numbered", tuple(items))]
    last: list[Block] = []
    section, _ = split_address(change.address)
    parts = [part for part in _PARTS.get(variant, ()) if part in context.parts]
    named = idp_of(context.settings, section)
    pushes, groups = variant == "scim_idp" or not context.pushes, _groups_to_push(variant, context.settings)
    for place, part in enumerate(parts):
        blocks = first if place == 0 else last
        for idp in (named,) if named else idp_names(context.settings):
            blocks += _in_idp(
                idp_part(idp, part, groups, pushes=pushes, checks=pushes), {**values, **group_values(groups)}
            )
        if place == 0:
            blocks.append(Paragraph(plain("Back in WRITER"), strong=True))
            blocks.append(Items("numbered", _items(prose["after"], step, context, values)))
    return first, last


def _groups_to_push(variant: str, settings: Settings) -> list[str]:
    """Return every group of the configuration where another IdP takes over all of them."""
    if variant != "scim_idp" or settings.idp_groups is UNSET:
        return []
    return sorted(settings.idp_groups, key=str.casefold)


_PARTS: Mapping[str, tuple[str, ...]] = {
    "sso_set_up": ("sso",),
    "sso_idp": ("sso",),
    "scim_set_up": ("scim", "people"),
    "scim_idp": ("scim", "people"),
}
"""The parts of the IdP's side of a step; only the first one comes before the values are set in WRITER."""


def _in_idp(texts: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Block]:
    yield Paragraph(plain(texts["title"]), strong=True)
    yield from (Paragraph(phrase(text, values)) for text in texts.get("text", ()))
    yield Items("numbered", tuple(phrase(item, values) for item in texts["items"]))
    yield from (Paragraph(phrase(text, values), strong=True) for text in texts.get("never", ()))


def _table(step: ManualStep, without: tuple[str, ...], *, whole: bool = False) -> Iterator[Grid]:
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
    section, _ = split_address(change.address)
    for field in BY_SECTION[section].fields:
        before, after = _value(change.before, field), _value(change.after, field)
        listed = before != after or (whole and after is not None and field.updated)
        if listed and field.name not in without and field.written:
            yield GridRow((plain(field.label), plain("–" if whole else before or "–"), plain(after or "–")))


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


def _excluded(step: ManualStep, context: StepContext) -> Iterator[Phrase]:
    """Yield what each change of a step would be if the org's plan tier included it."""
    for change, label in zip(step.changes, step.labels, strict=True):
        possible = replace(change, via_reason=None)
        title = _title(
            ManualStep(step.number, (possible,)), step_variant(possible, context.endpoint), _values(change, context)
        )
        yield plain(f"{label}: {title}")


def _read_by(change: Change, context: StepContext) -> Iterator[Paragraph]:
    """Yield who read the values before, and when, for an org that is read by an admin."""
    section = context.coverage.get(split_address(change.address)[0])
    if section is not None and section.taken_by and section.taken_at:
        text = f"The column Before was read by {visible(section.taken_by)} on {day(section.taken_at)}."
        yield Paragraph(plain(text))


def _notes(step: ManualStep, affected: Affected) -> Iterator[Phrase]:
    """Yield which users the changes affect, and what the configuration says about them.

    Why a change is a manual step is left out, and which other changes have the same effect: a reader cannot act on it.
    """
    for change, label in zip(step.changes, step.labels, strict=True):
        entry = affected.get((change.address, change.action))
        for note in entry.notes if entry else ():
            if note.tone not in ("detail", "dim") and note.text not in REASONS.values():
                yield plain(note.text if len(step.changes) == 1 else f"{label}: {note.text}")


def _record(step: ManualStep) -> Iterator[Paragraph]:
    """Yield how to report the step as done, or who did."""
    if step.done:
        yield Paragraph(plain(f"{step.done}."), "Status")
    elif step.run:
        numbers = {"run": str(step.run), "step": str(step.number), "item": step.labels[0]}
        texts = read_prose("steps.yaml")["record"]
        yield Paragraph(phrase(texts["items" if len(step.changes) > 1 else "step"], numbers), "Report it done")


def _title(step: ManualStep, variant: str, values: Mapping[str, str]) -> str:
    if variant == "not_in_plan":
        return filled(read_prose("steps.yaml")[variant]["title"], values)
    section, key = split_address(step.changes[0].address)
    verbs = dict(BY_SECTION[section].verbs)
    if not verbs:
        return filled(read_prose("steps.yaml")[variant]["title"], values)
    if len(step.changes) == 1:
        return f"{verbs[step.changes[0].action]} {visible(key or '')}"
    counts = {action: sum(change.action == action for change in step.changes) for action in verbs}
    named = [f"{verb} {count(counts[action], 'group')}" for action, verb in _SHORT.items() if counts.get(action)]
    text = ", ".join(named)
    return f"{text[0].upper()}{text[1:]}"


_SHORT: Mapping[str, str] = {"create": "map", "update": "change the mapping of", "delete": "unmap"}
