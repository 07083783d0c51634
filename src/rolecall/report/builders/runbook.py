"""A runbook: the steps that a person must take, for an admin who has never seen rolecall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rolecall.model.change import Action, Change
from rolecall.model.fields import Field
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.roles import ORG_ADMIN, role_words
from rolecall.model.settings import UNSET, Address, GroupMapping, Scim, Sso, Value
from rolecall.plan.value import Plan
from rolecall.report.builders.changes import BLANK_IS, REASONS, VIA_REASONS, scalar
from rolecall.report.builders.plan import entries, plan_document
from rolecall.report.builders.runbook_chapters import GUIDES, PLACE, Chapter
from rolecall.report.builders.runbook_upgrade import is_upgrade, upgrade_chapters
from rolecall.report.document import Document, Entry
from rolecall.report.findings import findings
from rolecall.report.phrases import count, listed, visible


class Setting(NamedTuple):
    """One field of a step, in the console's words. A side is None where the entry is not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RunbookStep:
    """One thing to do. ``number`` is the step's in its run, or counts the steps of a plan from 1."""

    number: int
    address: str
    title: str
    where: str
    do: tuple[str, ...]
    settings: tuple[Setting, ...]
    told: tuple[str, ...]
    check: str
    undo: str
    done: str | None


@dataclass(frozen=True, slots=True)
class Runbook:
    """A whole runbook, in reading order. ``run`` is None for a plan that no run has recorded.

    ``chapters`` come between the warnings and the steps: what cannot be told as the change of a setting.
    """

    title: str
    org: str
    run: int | None
    warnings: tuple[str, ...]
    steps: tuple[RunbookStep, ...]
    after: tuple[str, ...]
    chapters: tuple[Chapter, ...] = ()


def guide(name: str) -> Runbook:
    """A checklist that needs no plan; ``name`` is one of ``GUIDES``."""
    title, chapters = GUIDES[name]
    return Runbook(title, "", None, (), (), (), chapters)


def runbook(plan: Plan, run: int | None = None, numbers: Mapping[tuple[Address, Action], int] | None = None) -> Runbook:
    """The human steps of a plan. ``numbers`` are those of the run's steps by address and action; other changes are left
    out."""
    changes = [change for change in plan.human if numbers is None or _key(change) in numbers]
    document = plan_document(plan)
    by_change = {_key(change): entry for change, entry in entries(plan)}
    steps = tuple(
        _step(change, numbers[_key(change)] if numbers else position, run, by_change.get(_key(change)))
        for position, change in enumerate(changes, 1)
    )
    name = visible(plan.org.name)
    what = "the upgrade to the new SCIM endpoint" if is_upgrade(plan) else count(len(steps), "step")
    return Runbook(
        f"Run {run}: {what} on {name}" if run else f"{what[0].upper()}{what[1:]} on {name}",
        document.banner.text,
        run,
        tuple(_warnings(document, changes)),
        steps,
        tuple(_after(run)),
        upgrade_chapters(plan),
    )


def _key(change: Change) -> tuple[Address, Action]:
    return change.address, change.action


def _warnings(document: Document, changes: list[Change]) -> Iterator[str]:
    """What to know before step 1."""
    yield "You need to be signed in as an org admin. Have a second org admin at hand until the last step is checked."
    sections = {split_address(change.address)[0] for change in changes}
    if sections & {"sso", "scim"}:
        yield "Stay signed in in a second browser until sign-in has been checked: these steps touch how people get in."
    if any(_takes_org_admin(change) for change in changes):
        yield "A step takes org admin from a group: make sure somebody else has it, and that it is not your own way in."
    if any(change.action == "delete" and change.address.startswith("idp_groups/") for change in changes):
        yield BLANK_IS
    yield "Take the steps in this order: what gives access comes before what takes it."
    if document.headline:
        yield document.headline
    yield from (finding.message for finding in findings(document) if finding.level == "error")
    yield from (f"{visible(problem.message)}." for problem in document.problems if problem.code == "observed")


def _takes_org_admin(change: Change) -> bool:
    before, after = change.before, change.after
    held = isinstance(before, GroupMapping) and before.role == ORG_ADMIN
    return held and not (isinstance(after, GroupMapping) and after.role == ORG_ADMIN)


def _step(change: Change, number: int, run: int | None, entry: Entry | None) -> RunbookStep:
    section, key = split_address(change.address)
    shown = visible(change.address)
    settings = tuple(_settings(change))
    return RunbookStep(
        number=number,
        address=shown,
        title=f"{_verb(change)} {visible(key or section)}",
        where=f"{PLACE} > {BY_SECTION[section].tab}",
        do=tuple(_do(change, section, visible(key or ""))),
        settings=settings,
        told=tuple(filter(_tells, (note.text for note in entry.notes))) if entry else (),
        check=_check(change, section, visible(key or "")),
        undo=_undo(change, settings),
        done=f"rolecall done {run} {number} --by YOUR-EMAIL" if run else None,
    )


def _tells(note: str) -> bool:
    """Whether a note says more than why a person has to do it, which whoever reads a runbook knows."""
    return not set(note.split(" · ")) <= {*REASONS.values(), *VIA_REASONS.values()}


def _verb(change: Change) -> str:
    section, _ = split_address(change.address)
    verbs = dict(BY_SECTION[section].verbs)
    return verbs.get(change.action, "Upgrade" if change.action == "upgrade" else "Change")


def _do(change: Change, section: str, key: str) -> Iterator[str]:
    if section == "idp_groups":
        yield f"Find the row “{key}”, and choose Edit."
        yield "Clear its role and its teams, and save." if change.after is None else "Set its role and teams, and save."
    elif section == "domains":
        if change.action == "create":
            yield f"Claim {key}. An admin can claim only the domain of the address they are signed in with."
            yield "If it is not yours, ask WRITER's support to claim it for this org."
        elif change.action == "delete":
            yield f"Give up the claim of {key}; this may take WRITER's support."
        else:
            yield f"Open {key}, and set what is named below."
    elif change.action == "upgrade":
        completes = isinstance(change.after, Scim) and change.after.endpoint == "new"
        yield "Choose Complete upgrade." if completes else "Choose Upgrade. The list of IdP groups is then empty."
        yield "There is no way back from it."
    else:
        yield "Set what is named below, leave everything else as it is, and save."
        if isinstance(change.after, Sso) and isinstance(change.after.metadata, str):
            yield "Upload the metadata file that `sso.metadata` in the configuration names."


def _settings(change: Change) -> Iterator[Setting]:
    section, _ = split_address(change.address)
    for field in BY_SECTION[section].fields:
        before, after = _said(change.before, field), _said(change.after, field)
        if before != after:
            yield Setting(field.label, before, after)


def _said(value: Value | None, field: Field) -> str | None:
    held = None if value is None else getattr(value, field.name)
    if held is None or held is UNSET:
        return None
    text = scalar(field.name, held)
    if field.type == "role":
        return role_words(text)
    return {"true": "on", "false": "off"}.get(text, text) if isinstance(held, bool) else text


def _check(change: Change, section: str, key: str) -> str:
    if section == "idp_groups":
        if change.after is None:
            return f"Open the tab again: the row “{key}” shows neither role nor teams."
        mapping = change.after
        teams = listed(sorted(mapping.teams)) if isinstance(mapping, GroupMapping) else ""
        return f"Open the tab again: the row “{key}” shows the role and {teams}."
    if section == "sso":
        return "Sign in with SSO in a private window."
    if section == "scim":
        return "Open the tab again; then let the IdP test its connection."
    return "Open the tab again, and compare it with the table above."


def _undo(change: Change, settings: tuple[Setting, ...]) -> str:
    if change.action == "upgrade":
        return "There is none."
    if change.action == "create":
        return "Clear what was set, and save."
    back = "; ".join(f"{item.name}: {item.before or 'nothing'}" for item in settings)
    return f"Set it back: {back}."


def _after(run: int | None) -> Iterator[str]:
    if run:
        yield f"rolecall history {run} shows what is still open."
    yield "rolecall plan shows what is left."
