"""Reads what Okta knows about the provisioning of one user, one answer for each question.

A request that fails leaves only its own question open. Nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from rolecall.codec.snapshot import moment_text
from rolecall.errors import OrgError, Problem
from rolecall.live.people.idp_client import IdpClient, IdpRefused, known_moment, moment, one_line
from rolecall.live.people.okta_records import (
    APPS,
    GROUPS,
    LOGS,
    SENT,
    USERS,
    address_of,
    part,
    stopped,
)
from rolecall.model import normalise
from rolecall.model.trace import (
    AppAccess,
    GroupDelivery,
    IdpMembership,
    IdpTrace,
    IdpUser,
    LogEntry,
    NotRead,
    Provisioning,
)

Json = Any
ENABLED = frozenset({"ACTIVE", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT"})
"""States of an Okta user whose account exists and is not suspended."""

EVENTS = "application.provision.user"
"""The start of the event types of provisioning in the system log."""
LOG_ROWS = 100


async def trace_user(client: IdpClient, app: str, email: str, since: datetime) -> IdpTrace:
    """Return what Okta knows about a user of an app; ``app`` is its id, already quoted."""
    reader = _Reader(client, app, normalise.email(email))
    provisioning = await client.answered(reader.provisioning(), APPS)
    deliveries = await client.answered(reader.deliveries(), f"{APPS} and {GROUPS}")
    app_user = await client.answered(reader.app_user(), APPS)
    user = await client.answered(reader.user(app_user), USERS)
    if app_user is None and isinstance(user, IdpUser):
        app_user = await client.answered(reader.app_user_of(user.id), APPS)
        sent_as = app_user.address if isinstance(app_user, _AppUser) and app_user.access else None
        user = user._replace(sent_as=sent_as)
    access = app_user.access if isinstance(app_user, _AppUser) else app_user
    trace = IdpTrace("okta", user, access, provisioning, None, (), deliveries)
    if isinstance(app_user, _AppUser):
        user_id = app_user.id
    elif isinstance(user, IdpUser):
        user_id = user.id
    else:
        return trace if user is None else trace._replace(log=user, groups=user)
    groups = await client.answered(reader.groups(user_id), USERS)
    log = await client.answered(reader.log(user_id, since), LOGS)
    return trace._replace(log=log, groups=groups)


class _AppUser(NamedTuple):
    """A user of the app, how they have it (None if Okta no longer sends them), and the address that Okta sends, empty
    for none.
    """

    id: str
    access: AppAccess | None
    address: str


class _Reader(NamedTuple):
    """The requests for one user. ``email`` is normalized."""

    client: IdpClient
    app: str
    email: str

    async def provisioning(self) -> Provisioning:
        app = await self.client.read_object(f"/api/v1/apps/{self.app}")
        return Provisioning(stopped({**app, "status": app["status"]}))

    async def deliveries(self) -> Mapping[str, GroupDelivery]:
        path = f"/api/v1/apps/{self.app}/group-push/mappings"
        mappings = self.client.uncut(path, await self.client.read_linked(path, ("limit", "100")))
        return {mapping["sourceGroupId"]: _delivery(mapping) for mapping in mappings}

    async def app_user(self) -> _AppUser | None:
        """Return the app user with this address, or None; of several, one that Okta sends."""
        path = f"/api/v1/apps/{self.app}/users"
        users = self.client.uncut(path, await self.client.read_linked(path, ("q", self.email), ("limit", "500")))
        own = (user for user in map(_app_user, users) if user.address == self.email)
        return max(own, key=lambda user: user.access is not None, default=None)

    async def app_user_of(self, user_id: str) -> _AppUser | None:
        """Return the app user of an Okta user, whatever its address; None if Okta says that there is none."""
        try:
            app_user = await self.client.read_object(f"/api/v1/apps/{self.app}/users/{quote(user_id, safe='')}")
        except IdpRefused as error:
            if error.status == 404:
                return None
            raise
        return _app_user(app_user)

    async def user(self, app_user: _AppUser | NotRead | None) -> IdpUser | None:
        """Return the Okta user behind an app user, or else the one whose login or email is the address."""
        address = json.dumps(self.email, ensure_ascii=False)
        by_name = f"profile.login eq {address} or profile.email eq {address}"
        query = f"id eq {json.dumps(app_user.id)}" if isinstance(app_user, _AppUser) else by_name
        path = "/api/v1/users"
        users = self.client.uncut(path, await self.client.read_linked(path, ("filter", query), ("limit", "200")))
        if len(users) > 1:
            users = [user for user in users if self._is_sent_as(part(user, "profile", "login"))] or users
        if not users and isinstance(app_user, NotRead):
            raise OrgError(
                Problem("idp_unknown", "the app's users could not be read, so the address may be in the app")
            )
        if len(users) > 1:
            raise OrgError(Problem("idp_two_users", f"{len(users)} users in Okta have the address {self.email}"))
        return next((IdpUser(user["id"], user["status"] in ENABLED, one_line(user["status"])) for user in users), None)

    async def groups(self, user_id: str) -> tuple[IdpMembership, ...]:
        path = f"/api/v1/users/{quote(user_id, safe='')}/groups"
        groups = self.client.uncut(path, await self.client.read_linked(path))
        return tuple(IdpMembership(group["id"], normalise.name(group["profile"]["name"])) for group in groups)

    async def log(self, user_id: str, since: datetime) -> LogEntry | None:
        """Return the newest event of provisioning this user to the app."""
        name = json.dumps(self.email, ensure_ascii=False)
        about = f"(target.id eq {json.dumps(user_id)} or target.alternateId eq {name})"
        events = await self.client.read_page(
            "/api/v1/logs",
            ("filter", f'eventType sw "{EVENTS}" and {about}'),
            ("since", moment_text(since)),
            ("sortOrder", "DESCENDING"),
            ("limit", str(LOG_ROWS)),
        )
        own = [event for event in events if any(target["id"] == self.app for target in event["target"])]
        if not own and len(events) >= LOG_ROWS:
            raise OrgError(Problem("idp_log", f"the newest {LOG_ROWS} events of the user are of other apps"))
        return _event(own[0]) if own else None

    def _is_sent_as(self, address: Json) -> bool:
        return isinstance(address, str) and normalise.email(address) == self.email


def _app_user(user: Json) -> _AppUser:
    return _AppUser(user["id"], _access(user), normalise.email(address_of(user) or ""))


def _access(app_user: Json) -> AppAccess | None:
    """Return how the user has the app; None if Okta does not send them."""
    if (status := app_user["status"]) not in SENT:
        return None
    through = "through a group" if app_user.get("scope") == "GROUP" else "directly"
    failed = app_user.get("syncState") == "ERROR"
    error = "the last synchronization of the user failed" if failed else None
    return AppAccess(through, status, moment(app_user.get("lastSync")), error)


def _delivery(mapping: Json) -> GroupDelivery:
    status = mapping["status"]
    pushed_at = moment(mapping.get("lastPush"))
    if status == "ACTIVE":
        return GroupDelivery(pushed_at)
    reason = one_line(str(mapping.get("errorSummary") or ""))
    return GroupDelivery(pushed_at, reason or f"its status is {one_line(str(status))}", off=status == "INACTIVE")


def _event(event: Json) -> LogEntry:
    outcome = event["outcome"]
    action = str(event.get("displayMessage") or event["eventType"])
    reason = one_line(str(outcome.get("reason") or "")) or None
    return LogEntry(known_moment(event["published"]), one_line(action), str(outcome["result"]).lower(), reason)
