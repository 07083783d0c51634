"""A runbook: the manual steps of a plan, for an admin who has never seen rolecall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rolecall.model.change import Action, Change
from rolecall.model.console import PLACE
from rolecall.model.fields import Field
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.roles import ORG_ADMIN, role_words
from rolecall.model.settings import UNSET, Address, GroupMapping, Scim, Sso, Value
from rolecall.plan.value import Plan
from rolecall.report.builders.changes import BLANK_IS, REASONS, VIA_REASONS, scalar
from rolecall.report.builders.plan import entries, plan_document
from rolecall.report.builders.runbook_prose import guide, is_upgrade, upgrade_chapters
from rolecall.report.document import (
    Block,
    Chapter,
    Document,
    Entry,
    Items,
    Paragraph,
    SettingChange,
    SettingTable,
)
from rolecall.report.findings import findings
from rolecall.report.phrases import count, listed, visible


def guide_document(name: str) -> Document:
    """Return a checklist that needs no plan; ``name`` is one of ``GUIDES``."""
    title, chapters = guide(name)
    return Document("runbook", title=title, chapters=chapters)


def runbook_document(
    plan: Plan, run: int | None = None, numbers: Mapping[tuple[Address, Action], str] | None = None
) -> Document:
    """Return the manual steps of a plan, without a chapter where there is none.

    ``run`` is the run that has recorded the plan. ``numbers`` are those of its steps by address and action; other
    changes are left out.
    """
    changes = [change for change in plan.human if numbers is None or _key(change) in numbers]
    report = plan_document(plan)
    by_change = {_key(change): entry for change, entry in entries(plan)}
    chapters = [
        *upgrade_chapters(plan),
        *(
            _step(change, numbers[_key(change)] if numbers else str(position), run, by_change.get(_key(change)))
            for position, change in enumerate(changes, 1)
        ),
    ]
    if chapters:
        before = Chapter("Before step 1", (Items("bullets", tuple(_before(report, changes))),))
        after = Chapter("When all is done", (Items("bullets", tuple(_after(run))),))
        chapters = [before, *chapters, after]
    what = "the upgrade to the new SCIM endpoint" if is_upgrade(plan) else count(len(changes), "step")
    title = f"Run {run}: {what}" if run else f"{what[0].upper()}{what[1:]}"
    return Document(
        "runbook",
        title=f"{title} on {visible(plan.org.name)}",
        banner=report.banner,
        chapters=tuple(chapters),
    )


def _key(change: Change) -> tuple[Address, Action]:
    return change.address, change.action


def _before(report: Document, changes: Sequence[Change]) -> Iterator[str]:
    """Yield what to know before step 1."""
    yield "You need to be signed in as an org admin. Have a second org admin at hand until the last step is checked."
    sections = {split_address(change.address)[0] for change in changes}
    if sections & {"sso", "scim"}:
        yield "Stay signed in in a second browser until sign-in has been checked: these steps touch how people get in."
    if any(_takes_org_admin(change) for change in changes):
        yield "A step takes org admin from a group: make sure somebody else has it, and that it is not your own way in."
    if any(change.action == "delete" and change.address.startswith("idp_groups/") for change in changes):
        yield BLANK_IS
    yield "Take the steps in this order: what gives access comes before what takes it."
    if report.headline:
        yield report.headline
    yield from (finding.message for finding in findings(report) if finding.level == "error")
    yield from (f"{visible(problem.message)}." for problem in report.problems if problem.code == "observed")


def _takes_org_admin(change: Change) -> bool:
    return _gives_org_admin(change.before) and not _gives_org_admin(change.after)


def _gives_org_admin(value: Value | None) -> bool:
    return isinstance(value, GroupMapping) and value.role == ORG_ADMIN


def _step(change: Change, number: str, run: int | None, entry: Entry | None) -> Chapter:
    section, key = split_address(change.address)
    name = visible(key or "")
    settings = tuple(_settings(change))
    notes = tuple(note.text for note in entry.notes if not _only_reasons(note.text)) if entry else ()
    blocks: list[Block] = [
        Paragraph(f"{_verb(change, section)} {visible(key or section)}", strong=True),
        Paragraph(f"{PLACE} > {BY_SECTION[section].tab}", "Where"),
        Items("numbered", tuple(_actions(change, section, name))),
    ]
    blocks += [SettingTable(settings)] if settings else []
    blocks += [Items("bullets", notes)] if notes else []
    blocks += [Paragraph(_check(change, section, name), "Check"), Paragraph(_undo(change, settings), "Undo")]
    if run:
        blocks.append(Paragraph("", "Then", code=f"rolecall done {run} {number} --by YOUR-EMAIL"))
    heading = f"Run {run} · step {number}" if run else f"Step {number}"
    return Chapter(f"{heading} · {visible(change.address)}", tuple(blocks))


def _only_reasons(note: str) -> bool:
    """Return whether a note only says why a step is a manual one, which whoever reads a runbook knows."""
    return set(note.split(" · ")) <= {*REASONS.values(), *VIA_REASONS.values()}


def _verb(change: Change, section: str) -> str:
    verbs = dict(BY_SECTION[section].verbs)
    return verbs.get(change.action, "Upgrade" if change.action == "upgrade" else "Change")


def _actions(change: Change, section: str, key: str) -> Iterator[str]:
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


def _settings(change: Change) -> Iterator[SettingChange]:
    section, _ = split_address(change.address)
    for field in BY_SECTION[section].fields:
        before, after = _value(change.before, field), _value(change.after, field)
        if before != after:
            yield SettingChange(field.label, before, after)


def _value(settings: Value | None, field: Field) -> str | None:
    value = None if settings is None else getattr(settings, field.name)
    if value is None or value is UNSET:
        return None
    text = scalar(field.name, value)
    if field.type == "role":
        return role_words(text)
    return {"true": "on", "false": "off"}.get(text, text) if isinstance(value, bool) else field.shown(text)


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


def _undo(change: Change, settings: Sequence[SettingChange]) -> str:
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
