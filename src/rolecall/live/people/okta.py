"""Reads users from Okta: those assigned to the WRITER app, and the members of the groups that it pushes.

Okta sends a user who is assigned to the app, and the members of a group that is pushed; a member who is not assigned is
not sent (R30). Requests are those of Okta's management API.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from rolecall.live.http.exchange import Exchange, together
from rolecall.live.http.refusals import EndpointMessages
from rolecall.live.people.full_names import full_name
from rolecall.live.people.idp_client import IdpClient, IdpRefused
from rolecall.live.people.idp_requests import OKTA_WRITES
from rolecall.live.people.okta_app import read_parts
from rolecall.live.people.okta_records import OKTA, SENT, address_of, part, sends_role, source_app, stopped
from rolecall.live.people.okta_side import read_app_users, read_members, read_side, read_target_names
from rolecall.live.people.okta_trace import trace_user
from rolecall.live.people.okta_writes import CAN, OktaWriter
from rolecall.model import normalise
from rolecall.model.directory import Directory, IdpFacts, PeopleScope
from rolecall.model.idp_app import IdpApp
from rolecall.model.live import AppUsers, IdpQuestion, Live
from rolecall.model.trace import IdpTrace, NotRead

Json = Any
NAMELESS = "users of the app whose user name is not an email address are left out ({})"


class _App(NamedTuple):
    """The app in Okta: groups by id with their names, and the assigned users."""

    pushed: Mapping[str, str]
    assigned: frozenset[str]
    names: Mapping[str, str]
    failing: tuple[tuple[str, str], ...]
    role_sent: bool
    stopped: str | None
    unread: str | None


class OktaPeople:
    """The users of an Okta app, see ``port.People``. ``app`` is its id.

    ``config_groups`` are groups of the configuration; those that are not pushed yet are read too, so that a plan can
    show the effect of mapping them. ``role_attribute`` is the attribute that the legacy endpoint reads (R18).
    With ``full_names``, the names of users are read as well. ``writable``: there is a credential to write with, which
    this connection does not have; see ``writer``.
    """

    def __init__(
        self,
        exchange: Exchange,
        base: str,
        app: str,
        config_groups: Iterable[str] = (),
        role_attribute: str | None = None,
        messages: EndpointMessages = OKTA.messages,
        *,
        full_names: bool = False,
        writable: bool = False,
    ) -> None:
        self._can = CAN if writable else frozenset()
        self._client = IdpClient(exchange, OKTA._replace(messages=messages), base)
        self._path = f"/api/v1/apps/{quote(app, safe='')}"
        self._host = base.partition("://")[2] or base
        self._config_groups = tuple(config_groups)
        self._attribute = role_attribute
        self._full_names = full_names
        self._app: _App | None = None
        self._unreached: frozenset[str] | None = None

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Read every user of the app, whatever the scope, with all their groups. Unread, with the reason, if not all
        can be read. Raises NoAnswer.
        """
        if scope == PeopleScope():
            return Directory()
        return await self._client.people(self._read(scope))

    async def read_idp(self) -> IdpFacts:
        """Read the configuration of the app. Raises OrgError when it cannot be read."""
        app = await self._client.whole(self._read_app())
        return IdpFacts(
            "okta",
            frozenset(app.pushed.values()),
            frozenset(app.names[group] for group in app.assigned),
            self._unreached,
            app.failing,
            role_sent=app.role_sent,
            stopped=app.stopped,
            unread=app.unread or self._client.cut,
        )

    async def read_app(self) -> IdpApp:
        """Return the app, part by part."""
        return await read_parts(self._client, self._path.rpartition("/")[2], self._host)

    async def trace(self, email: str, since: datetime) -> IdpTrace:
        """Return what Okta knows about the provisioning of a user; the system log is read from ``since``."""
        return await trace_user(self._client, self._path.rpartition("/")[2], email, since)

    async def read_side(self, question: IdpQuestion) -> Live:
        """Return the groups that are assigned and pushed, and the groups of the configuration."""
        app = self._path.rpartition("/")[2]
        return await read_side(self._client, app, f"Okta, {self._host}, app {app}", question, self._can)

    def writer(self, exchange: Exchange, base: str, messages: EndpointMessages) -> OktaWriter:
        """Return the writer that sends its writes through ``exchange`` and its reads through this connection."""
        only_writes = OKTA._replace(messages=messages, allowed=frozenset(), writes=OKTA_WRITES)
        app = self._path.rpartition("/")[2]
        return OktaWriter(self._client, IdpClient(exchange, only_writes, base), app, messages)

    async def read_members(
        self, groups: Collection[str], addresses: Mapping[str, str]
    ) -> Mapping[str, frozenset[str] | NotRead]:
        """Return the addresses of the members of groups, by their IDs."""
        return await read_members(self._client, groups, addresses)

    async def read_target_names(self, targets: Collection[str]) -> Mapping[str, str]:
        """Return the names of groups of the app, by their IDs."""
        return await read_target_names(self._client, self._path.rpartition("/")[2], targets)

    async def read_app_users(self) -> AppUsers | NotRead:
        """Return the addresses of the users of the app."""
        return await read_app_users(self._client, self._path.rpartition("/")[2])

    async def close(self) -> None:
        """Release all connections."""
        await self._client.close()

    async def _read(self, scope: PeopleScope) -> Directory:
        self._app = None  # `apply` reads users more than once, before and after it pushes groups
        app = await self._read_app()
        waiting = await self._client.by_name(
            {*self._config_groups, *scope.groups} - set(app.pushed.values()), self._search, self._config_groups
        )
        groups: dict[str, str] = {**app.pushed, **waiting}
        users = await self._client.read_linked(f"{self._path}/users", ("limit", "500"))
        members = await together(self._members(group) for group in groups)
        groups_by_user: dict[str, list[str]] = {}
        for group, people in zip(groups, members, strict=True):
            for person in people:
                groups_by_user.setdefault(person, []).append(group)
        sent = [user for user in users if user.get("status", "ACTIVE") in SENT]
        sent_ids = {user["id"] for user in sent}
        self._unreached = frozenset(
            name
            for (group, name), people in zip(groups.items(), members, strict=True)
            if group in app.pushed and people and not sent_ids.intersection(people)
        )
        return self._client.directory(
            (self._user_record(user, groups_by_user.get(user["id"], ())) for user in sent), groups, NAMELESS
        )

    def _user_record(self, user: Json, groups: Sequence[str]) -> Json:
        email = address_of(user)
        if email is None:
            return None
        role = part(user, "profile", self._attribute) if self._attribute else None
        record = {"email": email, "groups": list(groups)}
        if self._full_names and (name := full_name(user.get("profile"))):
            record["name"] = name
        return {**record, "role_attribute": role} if isinstance(role, str) and role else record

    async def _read_app(self) -> _App:
        if self._app is None:
            app = await self._client.read_object(self._path)
            role_sent, unread = await self._role_sent()
            mappings, assigned = await together(
                (
                    self._client.read_linked(f"{self._path}/group-push/mappings", ("limit", "100")),
                    self._client.read_linked(f"{self._path}/groups", ("limit", "200")),
                )
            )
            sources = [entry["sourceGroupId"] for entry in mappings if entry.get("status") != "INACTIVE"]
            ids = frozenset(entry["id"] for entry in assigned)
            names = await self._names({*sources, *ids})
            failing = tuple(
                (names[entry["sourceGroupId"]], str(entry.get("errorSummary") or "no reason given"))
                for entry in mappings
                if entry.get("status") == "ERROR"
            )
            pushed = {group: names[group] for group in sources}
            self._app = _App(pushed, ids, names, failing, role_sent, stopped(app), unread)
        return self._app

    async def _names(self, groups: Collection[str]) -> dict[str, str]:
        objects = await together(
            self._client.read_object(f"/api/v1/groups/{quote(group, safe='')}") for group in sorted(groups)
        )
        return {group["id"]: normalise.name(group["profile"]["name"]) for group in objects}

    async def _search(self, name: str) -> Iterable[tuple[str, str]]:
        """Return the groups with a name, except those of the app itself, which can only be the targets of pushes."""
        own = self._path.rpartition("/")[2]
        query = (("search", f"profile.name eq {json.dumps(name, ensure_ascii=False)}"), ("limit", "200"))
        return [
            (group["id"], group["profile"]["name"])
            for group in await self._client.read_linked("/api/v1/groups", *query)
            if source_app(group) != own
        ]

    async def _members(self, group: str) -> list[str]:
        members = await self._client.read_linked(f"/api/v1/groups/{quote(group, safe='')}/users", ("limit", "200"))
        return [member["id"] for member in members]

    async def _role_sent(self) -> tuple[bool, str | None]:
        """Return whether an attribute of the app is mapped into WRITER's extension, and why that is unknown."""
        path = f"/api/v1/meta/schemas/apps/{self._path.rpartition('/')[2]}/default"
        try:
            schema = await self._client.read_object(path)
        except IdpRefused as error:
            return False, error.problems[0].message
        return sends_role(schema), None
