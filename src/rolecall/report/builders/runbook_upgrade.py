"""The upgrade to the new SCIM endpoint (R20) as chapters of a runbook: readiness first, no undo last."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.model.roles import ORG_ADMIN, role_words
from rolecall.model.settings import UNSET, GroupMapping
from rolecall.plan.value import Plan, UpgradeImpact
from rolecall.report.builders.runbook_chapters import PLACE, Chapter
from rolecall.report.phrases import count, listed, visible

_MOST = 20


def is_upgrade(plan: Plan) -> bool:
    """Whether a plan starts or completes the upgrade."""
    return any(change.action == "upgrade" for change in plan.changes)


def upgrade_chapters(plan: Plan) -> tuple[Chapter, ...]:
    """What to do before, between and after the two steps of the upgrade; nothing for any other plan."""
    if not is_upgrade(plan):
        return ()
    return (_readiness(plan), _before(plan), _groups(plan), _push(plan), _complete(), _after())


def readiness(row: UpgradeImpact, admins: tuple[int, int] | None) -> str:
    """``58 of 61 groups pushed · 2,988 of 3,000 keep exactly what they have · 12 change · org admins 4 → 4``."""
    people = row.keep + row.differ
    parts = [
        f"{row.pushed:,} of {count(row.groups, 'group')} pushed",
        f"{row.keep:,} of {people:,} keep exactly what they have",
        f"{row.differ:,} change",
    ]
    if admins is not None:
        parts.append(f"org admins {admins[0]:,} → {admins[0] - len(row.org_admins_lost):,}")
    return " · ".join(parts)


def _readiness(plan: Plan) -> Chapter:
    row = plan.impact.upgrade
    if row is None:
        why = plan.impact.problem or "Nobody was read."
        return Chapter("Are you ready", (f"Not known: {why} Read the people before you start.",))
    lost = [who.email or who.id for who in row.org_admins_lost]
    text = [readiness(row, plan.impact.org_admins)]
    if lost:
        text.append(
            f"NOT YET: {listed(lost, _MOST)} would no longer be org admin. Put them into a group that is mapped to org "
            "admin; until then rolecall refuses to complete."
        )
    return Chapter("Are you ready", tuple(text))


def _before(plan: Plan) -> Chapter:
    required = plan.desired.policy.guards.required_org_admins
    who = listed(required, _MOST) if required else "one person; name them in guards.required_org_admins"
    return Chapter(
        "First, a break-glass admin",
        ("If the groups do not come back as you expect, org admins by attribute are members when all is complete.",),
        (
            f"An org admin whose role does not come from the attribute, and who can sign in: {who}.",
            "They sign in now, in a private window, and open Admin.",
            "Keep what there is: rolecall snapshot --out before-upgrade.yaml --record.",
            "Tell people: what they can open may differ for an hour after it is completed.",
        ),
    )


def _groups(plan: Plan) -> Chapter:
    groups = plan.desired.settings.idp_groups
    held = {} if groups is UNSET else {name: one for name, one in groups.items() if not one.blank}
    admins = [name for name, one in held.items() if one.role == ORG_ADMIN]
    items = [f"{visible(name)}: {_gives(one)}" for name, one in sorted(held.items())[: 10 * _MOST]]
    said = f"Org admins come from {listed(sorted(admins), _MOST)}." if admins else "No group gives org admin: name one."
    return Chapter(
        "The groups that shall give access",
        ("Under the new endpoint roles come from groups alone; who is in none that is mapped gets the default.", said),
        tuple(items),
    )


def _push(plan: Plan) -> Chapter:
    scim = plan.desired.settings.scim
    idp = scim.idp if scim is not UNSET and isinstance(scim.idp, str) else ""
    return Chapter(
        "Start, and push every group again",
        (
            "Starting empties the list of IdP groups. Until it is completed everybody keeps what they have, so there "
            "is no hurry between the two steps.",
        ),
        (f"{PLACE} > SCIM > Upgrade.", *_idp_steps(idp.casefold()), f"{PLACE} > IdP groups shows each of them again."),
        _never(idp.casefold()),
    )


def _idp_steps(idp: str) -> Iterator[str]:
    if idp != "entra":
        yield (
            "In Okta: the WRITER app > Push Groups. For each group: the status menu > Push now. Where it stays in "
            "error: Unlink pushed group, leaving the group in the target app, and push it again by name."
        )
    if idp != "okta":
        yield "In Entra: the WRITER app > Provisioning > Restart provisioning; the next cycle sends every group."


def _never(idp: str) -> tuple[str, ...]:
    okta = (
        "Never choose Delete the group in the target app when unlinking: that takes the group and its mapping away.",
        "Never unassign people or groups from the app to force a push: that deactivates them (R23).",
    )
    entra = (
        "Never delete the app, or its provisioning, to start over: that deactivates people (R23).",
        "Never change the scope to all users and groups: every account of the directory would come.",
    )
    return {"okta": okta, "entra": entra}.get(idp, okta + entra)


def _complete() -> Chapter:
    return Chapter(
        "Map, then complete",
        ("rolecall plan waits with completing as long as a group that it manages has not been pushed.",),
        (
            "rolecall plan: no change waits for the IdP any more, and the readiness above is what you want.",
            "Take the steps of the plan that map groups, if a person has to.",
            f"{PLACE} > SCIM > Complete upgrade. Everybody switches at once.",
        ),
        ("There is no undo, and no way back to the legacy endpoint (R20).",),
    )


def _after() -> Chapter:
    return Chapter(
        "Afterwards",
        (),
        (
            "The break-glass admin and one org admin by a group sign in, and open Admin.",
            "rolecall plan says that nothing is left; rolecall drift compares people with before.",
            "Take the role attribute out of the IdP's mappings: the new endpoint ignores it (R19).",
        ),
    )


def _gives(mapping: GroupMapping) -> str:
    role = role_words(mapping.role) if mapping.role else "the default role"
    return f"{visible(role)} on {listed(sorted(mapping.teams))}"
