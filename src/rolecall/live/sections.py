"""Reads the sections of an org concurrently; a section that cannot be read completely is unread, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from rolecall.codec import api
from rolecall.codec.api import Item
from rolecall.codec.capabilities import AUDIT
from rolecall.errors import OrgError, Problem
from rolecall.live.http import refusals
from rolecall.live.http.exchange import Exchange, together
from rolecall.live.http.lists import page_size, read_list
from rolecall.live.http.refusals import NOT_IN_PLAN, ReadRefused, accepted, contract, decoded
from rolecall.live.http.transport import NoAnswer, Request
from rolecall.model import normalise
from rolecall.model.kinds import BY_SECTION, ORG_SECTIONS, address
from rolecall.model.live import UNREAD, Coverage, Facts, Group, Live
from rolecall.model.roles import BUILT_IN
from rolecall.model.settings import Address, GroupMapping, Scim, Section, Settings, Value

ORG = Request("GET", "/v1/org")
LISTS = {"teams": Request("GET", "/v1/teams"), "roles": Request("GET", "/v1/roles")}
WHOLE = frozenset({*ORG_SECTIONS, *LISTS})
"""Sections and lists that a read without names includes; ``teams`` and ``roles`` can be named too."""


class SectionRead(NamedTuple):
    """One section that was read. ``value`` is None if it could not be read completely."""

    value: Any
    coverage: Coverage
    items: Sequence[Item] = ()
    error: OrgError | None = None
    in_plan: bool = True
    groups: Mapping[str, Group] = MappingProxyType({})
    homonyms: frozenset[str] = frozenset()
    scim: api.ScimFacts = api.NO_SCIM_FACTS


async def read_org(exchange: Exchange) -> Facts:
    """Read the org's identity, the caller, and the caller's permissions. Raises OrgError, with specific messages for
    401 and 403 (R34). A caller who may read the audit log may read all settings.
    """
    answer = await exchange.read(ORG)
    if answer.status == 404:
        raise contract(ORG, "status 404")
    facts = decoded(ORG, lambda: api.decode_org(accepted(ORG, answer)))
    if not facts.caller.org_admin and AUDIT not in facts.can:
        who = facts.caller.email or "a service account"
        message = f"the token belongs to {who}, which is not an org admin"
        raise OrgError(Problem("org_forbidden", message, None, refusals.ORG.rights))
    exchange.pace.limit(facts.limits.get("per_minute"))
    return facts


class SectionsRead(NamedTuple):
    """The result of a read. ``legacy`` names the groups of the legacy endpoint by id while an upgrade is in
    progress.
    """

    live: Live
    legacy: Mapping[str, str]


async def read_sections(exchange: Exchange, facts: Facts, names: frozenset[str]) -> SectionsRead:
    """Read the named sections and lists concurrently. Raises OrgError if the org responds to none of the requests."""
    requested = sorted(names & WHOLE)
    read = dict(zip(requested, await together(_read(exchange, facts, name) for name in requested), strict=True))
    _check_not_silent(list(read.values()))
    settings = {
        name: section.value for name, section in read.items() if name in ORG_SECTIONS and section.value is not None
    }
    coverage = {name: section.coverage for name, section in read.items() if name != "roles"}
    facts_read = _facts(facts, read)
    legacy = read["scim"].scim.legacy if "scim" in read else None
    live = Live(Settings(**settings), coverage, facts_read, _versions(read))
    return SectionsRead(live, legacy_names(legacy or (), facts_read))


async def _read(exchange: Exchange, facts: Facts, name: str) -> SectionRead:
    try:
        if name in LISTS:
            return await _read_names(exchange, facts, name)
        if not BY_SECTION[name].keyed:
            return await _read_singleton(exchange, name)
        return await _read_keyed(exchange, facts, name)
    except ReadRefused as error:
        if error.code == NOT_IN_PLAN and name in ORG_SECTIONS and BY_SECTION[name].feature:
            return _without_scim(name)
        return _unread(error)
    except OrgError as error:
        return _unread(error)


async def _read_singleton(exchange: Exchange, section: Section) -> SectionRead:
    request = Request("GET", BY_SECTION[section].api_path)
    body = accepted(request, await exchange.read(request))
    item = decoded(request, lambda: api.decode_item(section, body))
    scim_facts = decoded(request, lambda: api.decode_scim_facts(body)) if section == "scim" else api.NO_SCIM_FACTS
    return SectionRead(item.value, Coverage(), (item,), scim=scim_facts)


async def _read_keyed(exchange: Exchange, facts: Facts, section: Section) -> SectionRead:
    request = Request("GET", BY_SECTION[section].api_path)
    listing = await read_list(exchange, request, page_size(facts))
    items = decoded(request, lambda: [api.decode_item(section, body) for body in listing.items])
    coverage = Coverage(read=len(items), total=listing.total)
    if section == "idp_groups":
        return _grouped(request, items, coverage)
    values = {cast(str, item.key): item.value for item in items}
    if len(values) != len(items):
        raise contract(request, "two entries have the same name")
    return SectionRead(values, coverage, items)


def _grouped(request: Request, items: Sequence[Item], coverage: Coverage) -> SectionRead:
    """Return groups by their key in settings: the name, or ``name [id]`` for each of several with one name."""
    times = Counter(item.key for item in items)
    homonyms = frozenset(name for name, count in times.items() if count > 1 and name is not None)
    keyed = [item._replace(key=f"{item.key} [{_id(item)}]") if item.key in homonyms else item for item in items]
    mappings = {cast(str, item.key): cast(GroupMapping, item.value) for item in keyed}
    if len(mappings) != len(items):
        raise contract(request, "two groups have the same name and ID")
    groups = {cast(str, item.key): cast(Group, item.group) for item in keyed}
    return SectionRead(mappings, coverage, keyed, groups=groups, homonyms=homonyms)


def _id(item: Item) -> str:
    return item.group.id if item.group else ""


async def _read_names(exchange: Exchange, facts: Facts, name: str) -> SectionRead:
    request = LISTS[name]
    listing = await read_list(exchange, request, page_size(facts))
    coverage = Coverage(read=len(listing.items), total=listing.total)
    if name == "roles":
        roles = decoded(request, lambda: [api.decode_role(body) for body in listing.items])
        return SectionRead({**BUILT_IN, **{role.id: role for role in roles if role.id not in BUILT_IN}}, coverage)
    return SectionRead(
        decoded(request, lambda: frozenset(normalise.name(body["name"]) for body in listing.items)), coverage
    )


def _without_scim(name: str) -> SectionRead:
    """Return what a plan tier without SCIM has (R34): SCIM is off, and no group was ever pushed."""
    value: Value | Mapping[str, GroupMapping] = Scim(enabled=False) if name == "scim" else {}
    return SectionRead(value, Coverage(), in_plan=False)


def _unread(error: OrgError) -> SectionRead:
    problem = error.problems[0]
    why = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return SectionRead(None, UNREAD._replace(problem=why), error=error)


def _check_not_silent(sections: Sequence[SectionRead]) -> None:
    lost = [section.error for section in sections if isinstance(section.error, NoAnswer)]
    if lost and len(lost) == len(sections):
        raise lost[0]


def _facts(facts: Facts, read: Mapping[str, SectionRead]) -> Facts:
    """Return the org's facts, completed from the lists and sections."""
    nothing = SectionRead(None, UNREAD)
    roles, groups, scim = (read.get(name, nothing) for name in ("roles", "idp_groups", "scim"))
    facts_read = facts._replace(teams=read.get("teams", nothing).value, groups=groups.groups, homonyms=groups.homonyms)
    in_plan = all(section.in_plan for section in read.values())
    return facts_read._replace(
        roles=facts.roles if roles.value is None else roles.value,
        kept=scim.scim.kept,
        legacy_links=_links(scim.scim, facts_read),
        features=facts.features if in_plan else facts.features - {"scim"},
    )


def legacy_names(legacy: Sequence[api.LegacyGroup], facts: Facts) -> dict[str, str]:
    """Return the key of each legacy group by its id: the name, or ``name [id]`` if another group has the same name."""
    times = Counter(group.name for group in legacy)
    taken = facts.groups.keys() | facts.homonyms | {name for name, count in times.items() if count > 1}
    return {group.id: f"{group.name} [{group.id}]" if group.name in taken else group.name for group in legacy}


def _links(scim: api.ScimFacts, facts: Facts) -> dict[str, frozenset[str]] | None:
    if scim.legacy is None:
        return None
    names = legacy_names(scim.legacy, facts)
    return {names[group.id]: group.teams for group in scim.legacy}


def _versions(read: Mapping[str, SectionRead]) -> dict[Address, str]:
    return {
        address(section, item.key): item.etag for section, section_read in read.items() for item in section_read.items
    }
