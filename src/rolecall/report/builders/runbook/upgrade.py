"""Build the upgrade to the new SCIM endpoint as chapters of a runbook (R20), in the order of WRITER's article."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.model import console
from rolecall.model.change import Change
from rolecall.model.roles import ORG_ADMIN, role_words
from rolecall.model.settings import UNSET, GroupMapping
from rolecall.plan.value import Plan, UpgradeImpact
from rolecall.report.builders.prose import chapter, plain, read_prose
from rolecall.report.builders.runbook.idp import idp_names, idp_prose, org_settings
from rolecall.report.builders.users import ways
from rolecall.report.document import Chapter, Items, Note, Paragraph
from rolecall.report.phrases import count, listed, visible

_MOST = 20


def is_upgrade(plan: Plan) -> bool:
    """Return whether a plan starts or completes the upgrade."""
    return any(change.action == "upgrade" for change in plan.changes)


def completes_upgrade(plan: Plan) -> bool:
    """Return whether a plan completes an upgrade that was started before."""
    return is_upgrade(plan) and plan.switches.get("endpoint") == "upgrading"


def before_upgrade(plan: Plan) -> Iterator[Chapter]:
    """Yield what to know and to do before the steps; nothing for a plan without a step of the upgrade."""
    if not is_upgrade(plan):
        return
    prose = read_prose("upgrade.yaml")
    yield _readiness(plan)
    required = plan.desired.policy.guards.required_org_admins
    admins = listed(required, _MOST) if required else "choose one, and add them to guards.required_org_admins"
    yield _before(plan, prose, admins)
    yield _groups(plan, prose["groups"])
    if completes_upgrade(plan):
        yield chapter(prose["complete"])


def after_upgrade(plan: Plan) -> Iterator[Chapter]:
    """Yield what to do after the steps: push every group again, or check what the completed upgrade did."""
    if not is_upgrade(plan):
        return
    prose = read_prose("upgrade.yaml")
    yield chapter(prose["after"]) if completes_upgrade(plan) else _push(plan, prose["push"])


def readiness(upgrade: UpgradeImpact, admins: tuple[int, int] | None) -> str:
    """Return ``58 of 61 groups pushed · 2,988 of 3,000 users keep exactly their access · 12 change · …``."""
    parts = [
        f"{upgrade.pushed:,} of {count(upgrade.groups, 'group')} pushed",
        f"{upgrade.keep:,} of {count(upgrade.keep + upgrade.differ, 'user')} keep exactly their access",
        f"{upgrade.differ:,} change",
    ]
    if admins is not None:
        parts.append(f"org admins who stay: {admins[0] - len(upgrade.org_admins_lost):,} of {admins[0]:,}")
    return " · ".join(parts)


def _readiness(plan: Plan) -> Chapter:
    upgrade = plan.impact.upgrade
    if upgrade is None:
        why = plan.impact.problem or "The users of the org were not read."
        texts = [f"Unknown: {why} Read the users before you start."]
    else:
        texts = ["When the upgrade is completed with the mappings of this configuration:"]
        texts.append(readiness(upgrade, plan.impact.org_admins))
    paragraphs = [Paragraph(plain(text)) for text in texts]
    if reason := not_ready(plan):
        button = console.COMPLETE_UPGRADE if completes_upgrade(plan) else console.UPGRADE
        paragraphs.append(Paragraph(plain(f"Not ready: do not select {button}."), strong=True))
        paragraphs.append(Paragraph(plain(reason)))
    return Chapter("Are you ready", tuple(paragraphs))


def not_ready(plan: Plan) -> str:
    """Return who would lose org admin by the upgrade and what to do about it, empty if there is no one."""
    upgrade = plan.impact.upgrade
    if upgrade is None or not upgrade.org_admins_lost:
        return ""
    lost = listed([who.email or who.id for who in upgrade.org_admins_lost], _MOST)
    if admins := _admin_groups(plan):
        return f"{lost} would lose org admin. In the IdP, add {lost} to {admins[0]}, then plan again."
    return f"{lost} would lose org admin. Map a group to org admin and add {lost} to it, then plan again."


def upgrade_notes(plan: Plan, change: Change) -> tuple[Note, ...]:
    """Return whose access changes when a change completes the upgrade; nothing for any other change."""
    if change.action != "upgrade" or not completes_upgrade(plan):
        return ()
    return tuple(ways(plan.impact.moves))


def _before(plan: Plan, prose: Mapping[str, Any], admins: str) -> Chapter:
    """Return what the break-glass admin does, and before the start whose access will change."""
    if completes_upgrade(plan):
        return chapter(prose["again"], {"admins": admins})
    opened = chapter(prose["before"], {"admins": admins})
    moves = plan.impact.upgrade.moves if plan.impact.upgrade else ()
    notes = tuple(plain(note.text) for note in ways(moves))
    return opened._replace(blocks=(*opened.blocks, Items("bullets", notes))) if notes else opened


def _admin_groups(plan: Plan) -> list[str]:
    groups = plan.desired.settings.idp_groups
    mapped = {} if groups is UNSET else groups
    return sorted(name for name, mapping in mapped.items() if mapping.role == ORG_ADMIN and not mapping.blank)


def _groups(plan: Plan, prose: Mapping[str, Any]) -> Chapter:
    groups = plan.desired.settings.idp_groups
    mapped = {} if groups is UNSET else {name: mapping for name, mapping in groups.items() if not mapping.blank}
    admins = _admin_groups(plan)
    named = f"Org admins come from {listed(admins, _MOST)}." if admins else "No group gives org admin: map one."
    items = tuple(
        plain(f"{visible(name)}: {_access(mapping)}") for name, mapping in sorted(mapped.items())[: 10 * _MOST]
    )
    opened = chapter(prose, {"org_admins": named})
    return opened._replace(blocks=(*opened.blocks, Items("bullets", items))) if items else opened


def _access(mapping: GroupMapping) -> str:
    role = role_words(mapping.role) if mapping.role else "the default role"
    return f"{visible(role)} on {listed(sorted(mapping.teams))}"


def _push(plan: Plan, prose: Mapping[str, Any]) -> Chapter:
    """Return how to push the groups again from the org's IdP, or from each IdP if it is unknown which one it is."""
    known = [idp_prose(name)["again"] for name in idp_names(org_settings(plan))]
    steps = [step for each in known for step in each["items"]]
    warnings = [warning for each in known for warning in each["never"]]
    return chapter({**prose, "items": [*prose["first"], *steps, *prose["last"]], "never": warnings})
