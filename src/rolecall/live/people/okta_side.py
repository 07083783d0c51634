"""Reads Okta's side of a plan: the groups that are assigned to the WRITER app, and those that Okta pushes.

Each section has its own coverage: one that cannot be read to its end is unread, with the reason, and the other is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from rolecall.live.http.exchange import together
from rolecall.live.people.idp_client import IdpClient
from rolecall.live.people.okta_app import app_hosts
from rolecall.live.people.okta_groups import OktaGroups, names_of
from rolecall.live.people.okta_items import LISTS, OktaItem, item_of
from rolecall.live.people.okta_records import APPS, GROUPS, SENT, address_of
from rolecall.model import normalise
from rolecall.model.kinds import IDP_KINDS, address
from rolecall.model.live import UNREAD, AppUsers, Coverage, Facts, IdpGroup, IdpQuestion, IdpSide, Live
from rolecall.model.settings import Section, Settings
from rolecall.model.trace import NotRead

Json = Any
GONE = frozenset({"DEPROVISIONED"})
"""States of an Okta user who is not provisioned."""


async def read_side(
    client: IdpClient, app: str, where: str, question: IdpQuestion, can: frozenset[str] = frozenset()
) -> Live:
    """Return the sections of a question as settings with coverage; ``app`` is the app's id, already quoted.

    ``where`` names the app; ``can`` is what may be written there. Raises SecretError without a usable credential.
    """
    before = client.exchange.reads
    app_read = await client.answered(client.read_object(f"/api/v1/apps/{app}"), APPS)
    reader, okta_groups = _Reader(client, app), OktaGroups(client, app)
    sections = [section for section in LISTS if section in question.names]
    lists = dict(zip(sections, [await reader.listed(section) for section in sections], strict=True))
    named = await okta_groups.named({name for names in question.names.values() for name in names})
    ids = {group for listed in lists.values() if not isinstance(listed, NotRead) for group in listed}
    ids |= {group for pins in question.ids.values() for group in pins}
    groups = {group.id: group for matches in named.values() if not isinstance(matches, NotRead) for group in matches}
    groups_by_id: dict[str, IdpGroup | NotRead | None] = {**await okta_groups.by_id(ids - groups.keys()), **groups}
    target_names, linked = await _linked(okta_groups, reader.targets, named, question, groups_by_id)
    named |= linked
    read = {section: _section(section, lists[section], groups_by_id, named, question) for section in sections}
    side = IdpSide(
        "Okta",
        where,
        {known: group for known, group in groups_by_id.items() if not isinstance(group, NotRead)},
        {
            name: tuple(sorted(group.id for group in matches))
            for name, matches in named.items()
            if not isinstance(matches, NotRead)
        },
        can,
        hosts=None if isinstance(app_read, NotRead) else frozenset(app_hosts(app_read)),
        off=frozenset(reader.off),
        targets=reader.targets,
        target_names=target_names,
    )
    settings: dict[str, Any] = {section: entries for section, (entries, _) in read.items() if entries is not None}
    return Live(
        Settings(**settings),
        {section: coverage for section, (_, coverage) in read.items()},
        Facts(idp=side),
        {
            address(section, key): items[value.id].version
            for section, entries in settings.items()
            if not isinstance(items := lists[section], NotRead)
            for key, value in entries.items()
        },
        requests=client.exchange.reads - before,
    )


async def _linked(
    okta_groups: OktaGroups,
    targets: Mapping[str, str],
    named: Mapping[str, Sequence[IdpGroup] | NotRead],
    question: IdpQuestion,
    groups: Mapping[str, IdpGroup | NotRead | None],
) -> tuple[dict[str, str], dict[str, Sequence[IdpGroup] | NotRead]]:
    """Return the names of the targets of pushes, if Okta has no group of its own with some name that is to be pushed,
    and the group that is pushed under each such name: Okta links it to a group of another name.
    """
    absent = {name for name in question.names.get("idp_pushes", ()) if named[name] == []}
    if not absent or not targets:
        return {}, {}
    read = await okta_groups.of_app(frozenset(targets.values()))
    if unread := next((answer for answer in read.values() if isinstance(answer, NotRead)), None):
        return names_of(read), dict.fromkeys(absent, unread)
    names = names_of(read)
    by_name = {names.get(target): groups.get(source) for source, target in targets.items()}
    linked = {name: group for name in absent if isinstance(group := by_name.get(name), IdpGroup)}
    return names, {name: [group] for name, group in linked.items()}


async def read_members(
    client: IdpClient, groups: Collection[str], addresses: Mapping[str, str]
) -> dict[str, frozenset[str] | NotRead]:
    """Return the addresses of the members of groups, by the groups' ids.

    A user of the app has the address there, from ``addresses``; any other user the one that the app would have.
    """

    async def members(group: str) -> frozenset[str]:
        path = f"/api/v1/groups/{quote(group, safe='')}/users"
        users = client.uncut(path, await client.read_linked(path, ("limit", "200")))
        present = [user for user in users if user.get("status") not in GONE]
        emails = (addresses.get(user["id"]) or address_of(_as_app_user(user)) for user in present)
        return frozenset(normalise.email(email) for email in emails if email)

    listed = sorted(groups)
    answers = await together(client.answered(members(group), GROUPS) for group in listed)
    return dict(zip(listed, answers, strict=True))


async def read_target_names(client: IdpClient, app: str, targets: Collection[str]) -> dict[str, str]:
    """Return the names of groups of the app, by ID; without those that could not be read."""
    return names_of(await OktaGroups(client, app).of_app(frozenset(targets)))


async def read_app_users(client: IdpClient, app: str) -> AppUsers | NotRead:
    """Return the addresses of the users of the app; those who are assigned without a group as far as Okta sends
    them."""

    async def read() -> AppUsers:
        path = f"/api/v1/apps/{app}/users"
        users = client.uncut(path, await client.read_linked(path, ("limit", "500")))
        addresses = {str(user["id"]): normalise.email(email) for user in users if (email := address_of(user))}
        alone = (user for user in users if user.get("scope") != "GROUP" and user.get("status", "ACTIVE") in SENT)
        return AppUsers(addresses, frozenset(addresses[user["id"]] for user in alone if user["id"] in addresses))

    return await client.answered(read(), APPS)


def _as_app_user(user: Json) -> Json:
    """Return a user of Okta as a user of the app has the address: the login unless the profile has another one."""
    profile = user["profile"]
    return {"credentials": {"userName": profile.get("login")}, "profile": profile}


class _Section(NamedTuple):
    """A section as it was read; ``entries`` are None if it was not."""

    entries: Mapping[str, Any] | None
    coverage: Coverage


def _section(
    section: Section,
    listed: Mapping[str, OktaItem] | NotRead,
    groups: Mapping[str, IdpGroup | NotRead | None],
    named: Mapping[str, Sequence[IdpGroup] | NotRead],
    question: IdpQuestion,
) -> _Section:
    """Return a section by the keys of its groups: the name, or ``name [id]`` for each of several with one name."""
    if isinstance(listed, NotRead):
        return _unread(listed)
    for part in (*map(named.get, question.names[section]), *map(groups.get, (*question.ids[section], *listed))):
        if isinstance(part, NotRead):
            return _unread(part)
    value = next(kind.type for kind in IDP_KINDS if kind.section == section)
    known = {group: groups[group] for group in listed}
    names = {group: entry.name if isinstance(entry, IdpGroup) else group for group, entry in known.items()}
    times = Counter(names.values())
    keys = {group: f"{name} [{group}]" if times[name] > 1 else name for group, name in names.items()}
    return _Section({key: value(group) for group, key in keys.items()}, Coverage(read=len(keys), total=len(keys)))


def _unread(why: NotRead) -> _Section:
    problem = f"{why.problem}; {why.hint}" if why.hint else why.problem
    return _Section(None, UNREAD._replace(problem=problem))


class _Reader:
    """Reads lists, one answer for each; a request that fails leaves only its own answer open."""

    def __init__(self, client: IdpClient, app: str) -> None:
        self._client = client
        self._app = f"/api/v1/apps/{app}"
        self.off: set[str] = set()
        self.targets: dict[str, str] = {}

    async def listed(self, section: Section) -> Mapping[str, OktaItem] | NotRead:
        """Return the items of a section by the ids of their groups, without mappings that are off."""
        name, size = LISTS[section]
        path = f"{self._app}/{name}"

        async def read() -> Mapping[str, OktaItem]:
            entries = self._client.uncut(path, await self._client.read_linked(path, ("limit", size)))
            items = [item_of(section, entry) for entry in entries]
            on = {item.group: item for item in reversed(items) if not item.off}
            self.off |= {item.group for item in items if item.group not in on}
            self.targets |= {group: item.target for group, item in on.items() if item.target}
            return {item.group: item for item in items if on.get(item.group) is item}

        return await self._client.answered(read(), APPS if section == "idp_assignments" else f"{APPS} and {GROUPS}")
