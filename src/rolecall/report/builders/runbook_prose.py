"""Chapters of a runbook that are written down as prose: the guides, and the upgrade to the new SCIM endpoint (R20)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.model.console import PLACE
from rolecall.model.roles import ORG_ADMIN, role_words
from rolecall.model.settings import UNSET, GroupMapping
from rolecall.package_data import package_text
from rolecall.plan.value import Plan, UpgradeImpact
from rolecall.report.document import Block, Chapter, Items, Paragraph
from rolecall.report.phrases import count, listed, visible

GUIDES = ("okta", "entra", "token")
"""The guides, by the name that `runbook` takes."""

_ENDPOINT = "https://app.writer.com/api/scim/v2"
_MOST = 20


def guide(name: str) -> tuple[str, tuple[Chapter, ...]]:
    """Return the title and the chapters of a guide, which needs no plan; ``name`` is one of ``GUIDES``."""
    prose = _read("guides.yaml")[name]
    return prose["title"], tuple(_chapter(chapter) for chapter in prose["chapters"])


def is_upgrade(plan: Plan) -> bool:
    """Return whether a plan starts or completes the upgrade."""
    return any(change.action == "upgrade" for change in plan.changes)


def upgrade_chapters(plan: Plan) -> Iterator[Chapter]:
    """Yield what to do before, between and after the two steps of the upgrade; nothing for any other plan."""
    if not is_upgrade(plan):
        return
    prose = _read("upgrade.yaml")
    yield _readiness(plan)
    required = plan.desired.policy.guards.required_org_admins
    admins = listed(required, _MOST) if required else "one person; name them in guards.required_org_admins"
    yield _chapter(prose["before"], admins=admins)
    yield _groups(plan, prose["groups"])
    yield _push(plan, prose["push"], prose["idps"])
    yield _chapter(prose["complete"])
    yield _chapter(prose["after"])


def readiness(upgrade: UpgradeImpact, admins: tuple[int, int] | None) -> str:
    """Return ``58 of 61 groups pushed · 2,988 of 3,000 keep exactly what they have · 12 change · org admins 4 → 4``."""
    parts = [
        f"{upgrade.pushed:,} of {count(upgrade.groups, 'group')} pushed",
        f"{upgrade.keep:,} of {upgrade.keep + upgrade.differ:,} keep exactly what they have",
        f"{upgrade.differ:,} change",
    ]
    if admins is not None:
        parts.append(f"org admins {admins[0]:,} → {admins[0] - len(upgrade.org_admins_lost):,}")
    return " · ".join(parts)


def _readiness(plan: Plan) -> Chapter:
    upgrade = plan.impact.upgrade
    if upgrade is None:
        why = plan.impact.problem or "Nobody was read."
        texts = [f"Not known: {why} Read the people before you start."]
    else:
        texts = [readiness(upgrade, plan.impact.org_admins)]
        if lost := [who.email or who.id for who in upgrade.org_admins_lost]:
            texts.append(
                f"NOT YET: {listed(lost, _MOST)} would no longer be org admin. Put them into a group that is mapped to "
                "org admin; until then rolecall refuses to complete."
            )
    return Chapter("Are you ready", tuple(map(Paragraph, texts)))


def _groups(plan: Plan, prose: Mapping[str, Any]) -> Chapter:
    groups = plan.desired.settings.idp_groups
    mapped = {} if groups is UNSET else {name: mapping for name, mapping in groups.items() if not mapping.blank}
    admins = sorted(name for name, mapping in mapped.items() if mapping.role == ORG_ADMIN)
    named = f"Org admins come from {listed(admins, _MOST)}." if admins else "No group gives org admin: name one."
    items = tuple(f"{visible(name)}: {_access(mapping)}" for name, mapping in sorted(mapped.items())[: 10 * _MOST])
    chapter = _chapter(prose, org_admins=named)
    return chapter._replace(blocks=(*chapter.blocks, Items("checklist", items))) if items else chapter


def _access(mapping: GroupMapping) -> str:
    role = role_words(mapping.role) if mapping.role else "the default role"
    return f"{visible(role)} on {listed(sorted(mapping.teams))}"


def _push(plan: Plan, prose: Mapping[str, Any], idps: Mapping[str, Any]) -> Chapter:
    """Return how to push the groups again from the org's IdP, or from each where it is unknown which one it is."""
    scim = plan.desired.settings.scim
    idp = scim.idp.casefold() if scim is not UNSET and isinstance(scim.idp, str) else ""
    known = [idps[idp]] if idp in idps else [*idps.values()]
    start, end = prose["items"]
    steps = [step for each in known for step in each["items"]]
    warnings = [warning for each in known for warning in each["never"]]
    return _chapter({**prose, "items": [start, *steps, end], "never": warnings})


def _chapter(prose: Mapping[str, Any], **values: str) -> Chapter:
    """Return a chapter of prose: sentences, then things to tick off in their order, then what not to do."""
    known = {"place": PLACE, "endpoint": _ENDPOINT, **values}

    def fill(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda name: known[name[1]], text)

    blocks: list[Block] = [Paragraph(fill(text)) for text in prose.get("text", ())]
    if items := prose.get("items"):
        blocks.append(Items("checklist", tuple(map(fill, items))))
    blocks += [Paragraph(fill(text), strong=True) for text in prose.get("never", ())]
    return Chapter(prose["title"], tuple(blocks))


def _read(name: str) -> Any:
    import yaml

    return yaml.safe_load(package_text(f"report/data/{name}"))
