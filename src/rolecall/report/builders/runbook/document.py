"""Build a runbook: the manual steps of a plan, for an admin who does not know rolecall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rolecall.model.change import Change
from rolecall.model.evidence import NO_FINDINGS, Finding, Findings
from rolecall.model.kinds import BY_SECTION, field_address, split_address
from rolecall.model.live import Coverage
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.run import Run, Step
from rolecall.model.settings import Address, GroupMapping, Scim, Value
from rolecall.plan.dates import day
from rolecall.plan.moves import Attribution
from rolecall.plan.order.visits import sets_up_scim, sets_up_sso, visits
from rolecall.plan.value import Impact, Move, Plan
from rolecall.report.builders.changes import UNMAPPED
from rolecall.report.builders.confirmations import finding_words
from rolecall.report.builders.header import plan_banner, planned_sentence
from rolecall.report.builders.plan import entries
from rolecall.report.builders.prose import phrase, plain, read_prose, roles_of
from rolecall.report.builders.runbook.idp import idp_names, idp_prose, org_settings, push_chapters
from rolecall.report.builders.runbook.manual_step import ManualStep, context_of
from rolecall.report.builders.runbook.steps import last_passwords, step_chapter
from rolecall.report.builders.runbook.upgrade import (
    after_upgrade,
    before_upgrade,
    completes_upgrade,
    is_upgrade,
    not_ready,
    upgrade_notes,
)
from rolecall.report.builders.runbook.variants import changes_idp, passwords_go_off_later
from rolecall.report.document import Chapter, Document, Items, Phrase
from rolecall.report.phrases import count, listed, visible, with_full_stop


def runbook_document(plan: Plan, run: Run | None = None, findings: Findings = NO_FINDINGS) -> Document:
    """Return the manual steps of a plan, without a chapter if there are none.

    ``run`` is the run that recorded the plan: its steps have the numbers that it stored, and those reported done are
    marked, with what the audit log shows of them. Changes that the run does not have are left out.
    """
    steps = tuple(_of_run(plan, run, findings) if run else _of_plan(plan))
    chapters = [*before_upgrade(plan), *_steps(plan, steps), *after_upgrade(plan)]
    if chapters:
        before = Chapter("Before you begin", (Items("bullets", tuple(_before(plan, steps, run))),))
        after = Chapter("When all steps are done", (Items("bullets", tuple(_after(plan, run, steps))),))
        chapters = [before, *chapters, after]
    elif incomplete := planned_sentence(plan.coverage):
        texts = (plain(visible(incomplete)), plain("There are no manual steps for the settings that were read."))
        chapters = [Chapter("Incomplete read", (Items("bullets", texts),))]
    return Document("runbook", title=_title(plan, steps, run), banner=plan_banner(plan), chapters=tuple(chapters))


def _of_plan(plan: Plan) -> Iterator[ManualStep]:
    """Yield the steps as a run of the plan would number them."""
    for number, changes in enumerate(visits(plan.changes), len(plan.writes) + 1):
        yield ManualStep(number, changes)


def _of_run(plan: Plan, run: Run, findings: Findings) -> Iterator[ManualStep]:
    changes = {(change.address, change.action): change for change in plan.human}
    manual = [step for step in run.steps if step.via == "human" and (step.address, step.action) in changes]
    for number, items in groupby(manual, lambda step: step.place[0]):
        listed = list(items)
        chosen = tuple(changes[step.address, step.action] for step in listed)
        reported = tuple(_reported(step, findings.get((run.id, step.number))) for step in listed)
        yield ManualStep(number, chosen, reported, run.id)


def _reported(step: Step, finding: Finding | None) -> str:
    if step.state != "attested":
        return ""
    at = f" on {day(step.at)}" if step.at else ""
    shown = "" if finding is None else f"; {finding_words(finding, step.at)}"
    return f"Reported done by {visible(step.by or 'an unknown user')}{at}{shown}"


def _title(plan: Plan, steps: Sequence[ManualStep], run: Run | None) -> str:
    upgrade = is_upgrade(plan)
    subject = "the upgrade to the new SCIM endpoint" if upgrade else count(len(steps), "manual step")
    title = f"Run {run.id}: {subject}" if run else f"{subject[0].upper()}{subject[1:]}"
    return f"{title} on {visible(plan.org.name)}"


def _steps(plan: Plan, steps: Sequence[ManualStep]) -> Iterator[Chapter]:
    """Yield a chapter for each step; groups are pushed before the first step that maps groups, else at the end.

    Where SSO is set up and groups are pending, sign-in by password goes off with a later plan, which has mapped them.
    """
    affected = {
        (change.address, change.action): entry._replace(notes=upgrade_notes(plan, change) or entry.notes)
        for change, entry in entries(_by_step(plan, [step.changes for step in steps]))
    }
    context = context_of(plan, not_ready(plan))
    pushes = [] if is_upgrade(plan) else push_chapters(plan)
    postponed = _is_postponed(plan)
    mapped: ManualStep | None = None
    for place, step in enumerate(steps):
        between = None
        if step.of_groups:
            yield from pushes
            pushes = []
            between = steps[place - 1].number if mapped else None
        split = (mapped.number, between) if mapped and between else None
        later = "postponed" if postponed else "" if place == len(steps) - 1 else "later"
        yield step_chapter(step, context, affected, split, later=later)
        mapped = step if step.of_groups else mapped
    yield from pushes
    if not postponed:
        yield from (last_passwords(step, context) for step in steps if passwords_go_off_later(step.changes[0]))


def _is_postponed(plan: Plan) -> bool:
    """Return whether sign-in by password stays on until the next plan, which maps the groups that are pushed first."""
    return not is_upgrade(plan) and bool(push_chapters(plan))


def _before(plan: Plan, steps: Sequence[ManualStep], run: Run | None) -> Iterator[Phrase]:
    """Yield what to know before the first step."""
    changes = [change for step in steps for change in step.changes]
    sections = sorted({split_address(change.address)[0] for change in changes})
    idps = " or ".join(idp_prose(name)["name"] for name in idp_names(org_settings(plan)))
    applies = {
        "blocked": run is None and (plan.errored or plan.verdict == "block"),
        "approval": run is None and not plan.errored and plan.verdict in ("review", "not judged"),
        "plan": run is None and not plan.errored and plan.verdict != "block",
        "menu": bool(steps),
        "admin": True,
        "roles": len({roles_of(section) for section in sections}) > 1,
        "sign_in": any(change.address == "sso" for change in changes),
        "tier": any(map(sets_up_scim, changes)),
        "provisioned": any(map(sets_up_scim, changes)),
        "order": len(steps) > 1,
        "idp": bool(push_chapters(plan)) or any(map(_needs_idp, changes)),
    }
    texts = read_prose("steps.yaml")["before"]
    if incomplete := planned_sentence(_missing(plan, changes)):
        yield plain(visible(incomplete))
    values = {"idps": idps, "roles": _able(sections)}
    yield from (phrase(texts[name], values) for name, needed in applies.items() if needed)
    yield from _org_admins(plan, steps)
    if any(change.action == "delete" and change.address.startswith("idp_groups/") for change in changes):
        yield plain(UNMAPPED)
    locked_out = [guard.message for guard in plan.guards if guard.name == "sign_in" and guard.verdict != "pass"]
    first = "Until the upgrade is completed: " if is_upgrade(plan) and not completes_upgrade(plan) else ""
    headline = f"{first}{plan.impact.headline}" if plan.impact.headline else ""
    yield from (plain(with_full_stop(visible(text))) for text in (headline, plan.impact.problem, *locked_out) if text)


def _able(sections: Sequence[str]) -> str:
    """Return the roles that may change all these sections, as ``an org admin or IT admin``."""
    roles = roles_of(*sections)
    return f"an {roles[0].lower()}{roles[1:]}"


def _missing(plan: Plan, changes: Sequence[Change]) -> Mapping[str, Coverage]:
    """Return how much was read, without metadata that a step uploads in any case."""
    uploaded = {field_address("sso", "metadata")} if any(map(sets_up_sso, changes)) else set()
    return {name: part for name, part in plan.coverage.items() if name not in uploaded}


def _needs_idp(change: Change) -> bool:
    if change.via_reason == "not_in_plan":
        return False
    if BY_SECTION[split_address(change.address)[0]].side == "idp":
        return True
    goes_off = isinstance(change.after, Scim) and change.after.enabled is False
    return sets_up_sso(change) or sets_up_scim(change) or changes_idp(change) or change.action == "upgrade" or goes_off


def _org_admins(plan: Plan, steps: Sequence[ManualStep]) -> Iterator[Phrase]:
    """Yield which steps remove org admin, the users who lose it if they are known, and who remains org admin."""
    texts, impact = read_prose("steps.yaml")["before"], plan.impact
    lost = sorted({who.email for move in impact.moves if _loses_org_admin(move) for who in move.people if who.email})
    numbers = [str(step.number) for step in steps if any(map(_takes_org_admin, step.changes))]
    if len(numbers) == 1 and lost and impact.org_admins:
        values = {"step": numbers[0], "lost": listed(lost, _NAMED), "left": _remaining(impact.org_admins[1], impact)}
        yield phrase(texts["org_admins"], values)
    else:
        yield from (phrase(texts["org_admin"], {"step": number}) for number in numbers)
    if numbers and (required := plan.desired.policy.guards.required_org_admins):
        yield phrase(texts["required"], {"required": listed(required, _NAMED)})


def _remaining(number: int, impact: Impact) -> str:
    """Return ``2 org admins remain (ann@acme.com, bo@acme.com)``, without names that are unknown."""
    names = [user.email for user in impact.remaining_admins if user.email]
    some = "" if len(names) >= number else "among them "
    verb = "remains" if number == 1 else "remain"
    return f"{count(number, 'org admin')} {verb}{f' ({some}{listed(names, _NAMED)})' if names else ''}"


_NAMED = 10
"""The most users that are named."""


def _loses_org_admin(move: Move) -> bool:
    before, after = ({item.role for item in access} for access in (move.before, move.after))
    return ORG_ADMIN in before - after


def _takes_org_admin(change: Change) -> bool:
    return _gives_org_admin(change.before) and not _gives_org_admin(change.after)


def _gives_org_admin(value: Value | None) -> bool:
    return isinstance(value, GroupMapping) and value.role == ORG_ADMIN


def _after(plan: Plan, run: Run | None, steps: Sequence[ManualStep]) -> Iterator[Phrase]:
    """Yield what to do after the last step."""
    postponed = _is_postponed(plan) and any(passwords_go_off_later(step.changes[0]) for step in steps)
    applies = {
        "run": run is not None and not all(step.done for step in steps) and not postponed,
        "waiting": bool(push_chapters(plan)),
        "left": True,
    }
    texts, values = read_prose("steps.yaml")["after"], {"run": str(run.id) if run else ""}
    yield from (phrase(texts[name], values) for name, needed in applies.items() if needed)


def _by_step(plan: Plan, steps: Sequence[Sequence[Change]]) -> Plan:
    """Return a plan in which each effect has one cause, the change with which it happens in this order of the steps.

    What needs several changes happens with the last one, what each of several changes causes alone with the first.
    Changes that rolecall writes come before all steps.
    """
    places = {change.address: place for place, changes in enumerate(steps, 1) for change in changes}
    moves = tuple(_at_steps(move, places) for move in plan.impact.moves)
    before, after = ({at for move in listed for at in move.because} for listed in (plan.impact.moves, moves))
    tallies = {at: tally for at, tally in plan.impact.tallies.items() if at in after or at not in before}
    return plan._replace(impact=plan.impact._replace(moves=moves, tallies=tallies))


def _at_steps(move: Move, places: Mapping[Address, int]) -> Move:
    if not move.causes:
        return move
    causes = tuple(_at_step(cause, places) for cause in move.causes)
    because = tuple(sorted({at for cause in causes for at in cause.because}))
    return move._replace(because=because, causes=causes if len(because) > 1 else ())


def _at_step(cause: Attribution, places: Mapping[Address, int]) -> Attribution:
    ordered = sorted(cause.because, key=lambda at: places.get(at, 0))
    return cause._replace(because=(ordered[-1] if cause.each else ordered[0],), each=False)
