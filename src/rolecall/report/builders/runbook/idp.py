"""Build what an admin does in the IdP: the checklists that need no plan, and the push of pending groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rolecall.model.kinds import BY_SECTION, address, split_address
from rolecall.model.settings import UNSET, Scim, Settings, Sso
from rolecall.plan.saved.summary import renames_as_one
from rolecall.plan.value import Plan
from rolecall.report.builders.prose import chapter, read_prose
from rolecall.report.document import Chapter, Document
from rolecall.report.phrases import count, visible

IDPS = tuple(dict(BY_SECTION["scim"].field("idp").words))
"""The IdPs that the console has a name for, the last one for any other: each has a checklist."""
GUIDES = (*IDPS, "token")
"""The checklists that need no plan, by the name that `runbook` takes."""
ROLE_ATTRIBUTE = "role"
"""The name of the role attribute of the legacy endpoint (R18) if the configuration does not name one."""


def guide_document(name: str) -> Document:
    """Return a checklist that needs no plan; ``name`` is one of ``GUIDES``."""
    guides = read_prose("guides.yaml")
    if name == "token":
        prose = guides["token"]
        return Document("runbook", title=prose["title"], chapters=tuple(map(chapter, prose["chapters"])))
    prose, idp = guides["idp"], idp_prose(name)
    values = {"idp": idp["name"], "choice": idp_choice(name), "role_attribute": ROLE_ATTRIBUTE}
    parts = (
        prose["first"], idp["sso"], prose["writer"], idp["scim"], idp_part(name, "people"), prose["last"], idp["legacy"]
    )  # fmt: skip
    title = prose["title"].replace("{idp}", idp["name"])
    return Document("runbook", title=title, chapters=tuple(chapter(part, values) for part in parts))


def idp_prose(name: str) -> Mapping[str, Any]:
    """Return the texts about one IdP, those about any other one if it has none of its own."""
    idps = read_prose("idps.yaml")
    texts: Mapping[str, Any] = idps.get(name, idps["other"])
    return texts


def idp_part(
    name: str, part: str, groups: Sequence[str] = (), *, pushes: bool = True, checks: bool = True
) -> Mapping[str, Any]:
    """Return the texts about one part of the work in an IdP, with an item for each of the groups if they are known.

    These items have placeholders for the groups, see ``group_values``. Without ``pushes`` they are left out, without
    ``checks`` what to check after them.
    """
    texts = idp_prose(name)[part]
    items: list[str] = []
    for item in texts["items"]:
        if isinstance(item, str):
            items.append(item)
        elif "pushed" in item:
            items += [item["pushed"]] if checks else []
        elif pushes:
            items += pushed_items(name, groups) or [item["push"]]
    return {**texts, "items": items}


def group_values(groups: Sequence[str]) -> dict[str, str]:
    """Return the names of groups as placeholders."""
    return {f"group_{number}": visible(group) for number, group in enumerate(groups)}


def pushed_items(name: str, groups: Sequence[str]) -> list[str]:
    """Return how to push groups in an IdP, then each group to tick off; nothing without a group."""
    each: str = idp_prose(name)["push"]["each"]
    return [each, *(f"`{{group_{number}}}`" for number in range(len(groups)))] if groups else []


def idp_choice(idp: str) -> str:
    """Return what the console calls an IdP where one is selected."""
    field = BY_SECTION["scim"].field("idp")
    return field.shown(idp if idp in IDPS else "other")


def idp_of(settings: Settings, *kinds: str) -> str | None:
    """Return the IdP that a configuration names: okta, entra or other; None if it names none."""
    for kind in kinds or ("scim", "sso"):
        value = getattr(settings, kind)
        if isinstance(value, Scim | Sso) and value.idp is not UNSET:
            name = value.idp.casefold()
            return name if name in IDPS else "other"
    return None


def idp_names(settings: Settings) -> Sequence[str]:
    """Return the IdP of a configuration, or all of them if it names none."""
    idp = idp_of(settings)
    return (idp,) if idp else IDPS


def org_settings(plan: Plan) -> Settings:
    """Return the settings that a plan wants, with the org's IdP where the configuration does not name that of SCIM."""
    settings = plan.desired.settings
    scim = settings.scim if isinstance(settings.scim, Scim) else Scim()
    known = isinstance(scim.idp, str) or (idp_of(settings) and not plan.switches.get("enabled"))
    return settings if known or not plan.idp else replace(settings, scim=replace(scim, idp=plan.idp))


def push_chapters(plan: Plan) -> list[Chapter]:
    """Return how to push the groups that are pending, in the org's IdP; nothing if none is, or the org has no SCIM."""
    if any(change.via_reason == "not_in_plan" for change in plan.human):
        return []
    steps = {change.address for change in plan.human if change.action == "create"}
    keys = [split_address(change.address)[1] or "" for change in renames_as_one(plan.waiting)]
    groups = [key for key in keys if address("idp_pushes", key) not in steps]
    return [push_chapter(idp, groups) for idp in idp_names(org_settings(plan))] if groups else []


def push_chapter(idp: str, groups: Sequence[str], texts: Mapping[str, Any] = {}) -> Chapter:
    """Return how to push these groups in one IdP; ``texts`` replace those about the next plan."""
    ordered = sorted(groups, key=str.casefold)
    title = idp_prose(idp)["push"]["title"].replace("{groups}", count(len(ordered), "group"))
    pushed, push = read_prose("idps.yaml")["pushed"], idp_prose(idp)["push"]
    text = [*push.get("text", ()), *pushed["text"]]
    prose = {**pushed, "title": title, "text": text, "items": pushed_items(idp, ordered), "undo": push["undo"]}
    return chapter({**prose, **texts}, group_values(ordered))._replace(step=True)
