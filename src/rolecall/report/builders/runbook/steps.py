"""Build the chapter of one manual step: where it is, what to do, the values before and after, how to check and undo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rolecall.model import console
from rolecall.model.change import Action, Change
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.paste import shell_word
from rolecall.model.roles import role_words
from rolecall.model.settings import UNSET, Address, Defaults, GroupMapping, Scim, Settings, Sso, Value
from rolecall.report.builders.changes import REASONS, scalar
from rolecall.report.builders.prose import filled, phrase, plain, read_prose, roles_of
from rolecall.report.builders.runbook.idp import IDPS, group_values, idp_choice, idp_names, idp_of, idp_part, idp_prose
from rolecall.report.builders.runbook.manual_step import ManualStep, StepContext
from rolecall.report.builders.runbook.tables import table
from rolecall.report.builders.runbook.variants import new_metadata, passwords_go_off_later, step_variant
from rolecall.report.document import Block, Chapter, Entry, Items, Paragraph, Phrase
from rolecall.report.phrases import count, visible

Affected = Mapping[tuple[Address, Action], Entry]
"""The entry of each change in the report of a plan."""
_NOTHING: Affected = {}

_PASSWORDS = "allow_passwords"
_GROUPS = BY_SECTION["idp_groups"]


def step_chapter(
    step: ManualStep,
    context: StepContext,
    affected: Affected = _NOTHING,
    split: tuple[int, int] | None = None,
    *,
    later: str = "",
) -> Chapter:
    """Return the chapter of a step. ``split`` has an earlier step that maps groups, and the one that comes between.

    ``later`` is the text about the last part of a step that sets up SSO, empty where that part follows at once.
    """
    change = step.changes[0]
    variant = step_variant(change, context.endpoint)
    prose, values = _texts(variant), _values(change, context)
    without = (_PASSWORDS,) if passwords_go_off_later(change) else ()
    blocks: list[Block] = []
    if split is not None:
        blocks.append(Paragraph(phrase(read_prose("steps.yaml")["split"], _numbers(*split))))
    if "page" in prose:
        older = f" (in older consoles: {prose['older']})" if "older" in prose else ""
        blocks.append(Paragraph(phrase(f"**{prose['page']}**{older}", values), "Page"))
        blocks.append(Paragraph(plain(roles_of(split_address(change.address)[0])), "Role"))
    first, after_table = _actions(prose, variant, step, context, values)
    blocks += first
    if variant != "not_in_plan":
        blocks += table(step, context, without)
    else:
        blocks.append(Paragraph(phrase(prose["possible"])))
        blocks.append(Items("bullets", tuple(_excluded(step, context))))
    blocks += after_table
    upgrading = variant == "idp_groups_upgrading"
    notes = (phrase(read_prose("steps.yaml")["no_access_yet"]),) if upgrading else tuple(_notes(step, affected))
    blocks += [Items("bullets", notes)] if notes else []
    blocks.append(Paragraph(phrase(prose["check"], values), "Check"))
    blocks.append(Paragraph(phrase(_undo(prose, change, context), values), "Undo"))
    if not without:
        blocks += _record(step)
    elif later:
        blocks.append(Paragraph(phrase(read_prose("steps.yaml")[later], _numbers(step.number)), "Then"))
    return Chapter(f"{step.heading} · {_title(step, variant, values)}", tuple(blocks), step=True, done=step.done)


def last_passwords(step: ManualStep, context: StepContext) -> Chapter:
    """Return the end of a step that sets up SSO: signing in by password goes off after everything else."""
    change = step.changes[0]
    prose, values = read_prose("steps.yaml")["sso_passwords"], _values(change, context)
    skipped = tuple(field.name for field in BY_SECTION["sso"].fields if field.name != _PASSWORDS)
    blocks: list[Block] = [
        Paragraph(phrase(f"**{prose['page']}**", values), "Page"),
        Paragraph(plain(roles_of("sso")), "Role"),
        Items("numbered", tuple(phrase(item, values) for item in prose["items"])),
        *table(step, context._replace(whole=False), skipped),
        *(Paragraph(phrase(prose[name], values), name.capitalize()) for name in ("check", "undo")),
        *_record(step),
    ]
    return Chapter(f"{step.heading}, last part · {prose['title']}", tuple(blocks), step=True, done=step.done)


def _texts(variant: str) -> Mapping[str, Any]:
    """Return the texts about a kind of change; those for any singleton where it has none of its own."""
    texts = read_prose("steps.yaml")
    own: Mapping[str, Any] = texts.get(variant, texts["singleton"])
    return own


def _values(change: Change, context: StepContext) -> dict[str, str]:
    """Return the placeholders of the texts about a change."""
    section, key = split_address(change.address)
    settings = context.settings
    idp, sso = idp_of(settings, section) or idp_of(settings) or "other", settings.sso
    name = sso.name if isinstance(sso, Sso) and isinstance(sso.name, str) and sso.name else idp_choice(idp)
    return {
        "label": BY_SECTION[section].label,
        "tab": BY_SECTION[section].tab,
        "key": visible(key or ""),
        "claim": console.CLAIM_DOMAIN,
        "remove": console.REMOVE_DOMAIN,
        "set_up_sso": console.SET_UP_SSO,
        "choice": idp_choice(idp),
        "name": visible(name),
        "metadata": _metadata(change.after, context),
        "metadata_file": visible(context.metadata_file),
        "previous": shell_word(f"HEAD~1:./{context.metadata_file}") if context.metadata_file else "HEAD~1:FILE",
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


def _undo(prose: Mapping[str, Any], change: Change, context: StepContext) -> str:
    """Return how to undo a step, which needs the previous metadata file or values that were not read."""
    undo: str = prose["undo"]
    if context.whole and change.action != "create" and "column Before" in undo:
        undo = read_prose("steps.yaml")["unread_undo"]
    elif "metadata" in prose and new_metadata(change):
        undo = prose["metadata"]["undo_of_file" if context.metadata_file else "undo"]
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
        "file": context.whole and context.metadata_file,
        "not_ready": context.not_ready,
    }
    stop = _stop(step.changes[0], context.settings)
    listed = [{"": text} if isinstance(text, str) else text for text in texts]
    chosen = [text for item in listed for name, text in item.items() if not name or applies[name]]
    return tuple(phrase(text.replace("{stop}", stop), values) for text in chosen)


def _metadata(value: Value | None, context: StepContext) -> str:
    """Return which metadata it is, as far as it is known: `` (okta.xml of the configuration), http://www.okta.com/…``."""
    file = f" ({visible(context.metadata_file)} of the configuration)" if context.metadata_file else ""
    if not isinstance(value, Sso) or not isinstance(value.metadata, str) or not value.metadata:
        return file
    return f"{file}{',' if file else ' of'} {scalar('metadata', value.metadata)}"


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
    if "metadata" in prose and new_metadata(change):
        items.insert(0, phrase(prose["metadata"]["file" if context.metadata_file else "item"], values))
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


def _excluded(step: ManualStep, context: StepContext) -> Iterator[Phrase]:
    """Yield what each change of a step would be if the org's plan tier included it."""
    for change, label in zip(step.changes, step.labels, strict=True):
        possible = change._replace(via_reason=None)
        title = _title(
            ManualStep(step.number, (possible,)), step_variant(possible, context.endpoint), _values(change, context)
        )
        yield plain(f"{label}: {title}")


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
    section, key = split_address(step.changes[0].address)
    verbs = dict(BY_SECTION[section].verbs)
    if variant == "not_in_plan" or not verbs:
        return filled(_texts(variant)["title"], values)
    if len(step.changes) == 1:
        return f"{verbs[step.changes[0].action]} {visible(key or '')}"
    counts = {action: sum(change.action == action for change in step.changes) for action in verbs}
    named = [f"{verb} {count(counts[action], 'group')}" for action, verb in _SHORT.items() if counts.get(action)]
    text = ", ".join(named)
    return f"{text[0].upper()}{text[1:]}"


_SHORT: Mapping[str, str] = {"create": "map", "update": "change the mapping of", "delete": "unmap"}
