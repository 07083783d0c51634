"""Reads what Entra knows about the provisioning of one user, one answer for each question.

A request that fails leaves only its own question open. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from rolecall.errors import OrgError, Problem
from rolecall.live.people.entra_address import (
    ASSUMED,
    Addresses,
    NotEvaluable,
    attributes,
    read_addresses,
    user_mappings,
)
from rolecall.live.people.entra_app import APPS, JOBS, NO_JOB, sends_everything, stopped
from rolecall.live.people.idp_client import IdpClient, known_moment, moment, one_line
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
USERS, MEMBERS = "User.Read.All", "GroupMember.Read.All"
LOGS = "AuditLog.Read.All and Directory.Read.All"
SEARCHABLE = frozenset({"userPrincipalName", "originalUserPrincipalName", "mail"})
"""Attributes by which a user can be found if the address that the job sends is made of them."""

GROUP = "#microsoft.graph.group"
RUNNING = frozenset({"NotRun", "Active"})
"""Codes of a job that runs, or is about to run for the first time."""


async def trace_user(client: IdpClient, path: str, email: str, since: datetime) -> IdpTrace:
    """Return what Entra knows about a user of an enterprise application; ``path`` is the path of the application."""
    reader = _Reader(client, path, normalise.email(email))
    job = await client.answered(reader.job(), JOBS)
    addresses = await client.answered(reader.addresses(job), JOBS)
    assigned = await client.answered(reader.assigned(), APPS)
    user = await client.answered(reader.user(addresses), USERS)
    provisioning = job if isinstance(job, NotRead) else job.provisioning
    deliveries = assigned if isinstance(assigned, NotRead) else assigned.deliveries
    trace = IdpTrace("entra", user, None, provisioning, None, (), deliveries)
    if user is None:
        return trace
    if isinstance(user, NotRead):
        return trace._replace(access=user, log=user, groups=user)
    groups = await client.answered(reader.groups(user.id), MEMBERS)
    access = _access(user.id, provisioning, assigned, groups)
    log = job if isinstance(job, NotRead) else await client.answered(reader.log(job, user.id, since), LOGS)
    return trace._replace(access=access, log=log, groups=groups)


class _Job(NamedTuple):
    """The provisioning job. ``id`` is empty if the app has none."""

    id: str
    provisioning: Provisioning


class _Assigned(NamedTuple):
    """The app's assignments: groups by id, and the ids of users who are assigned directly."""

    deliveries: Mapping[str, GroupDelivery]
    users: frozenset[str]


class _Reader(NamedTuple):
    """The requests for one user. ``email`` is normalized."""

    client: IdpClient
    path: str
    email: str

    async def job(self) -> _Job:
        path = f"{self.path}/synchronization/jobs"
        jobs = self.client.uncut(path, await self.client.values(path))
        return _Job(jobs[0]["id"], _provisioning(jobs[0])) if jobs else _Job("", Provisioning(NO_JOB))

    async def addresses(self, job: _Job | NotRead) -> Addresses:
        """Return how the job builds addresses; without a job, as Entra's template would."""
        if isinstance(job, NotRead):
            raise OrgError(Problem("idp_unread", job.problem, None, job.hint))
        if not job.id:
            return ASSUMED
        schema = await self.client.read_object(f"{self.path}/synchronization/jobs/{quote(job.id, safe='')}/schema")
        return read_addresses(user_mappings(schema))

    async def assigned(self) -> _Assigned:
        """Return the groups and the IDs of users that are assigned to the app."""
        path = f"{self.path}/appRoleAssignedTo"
        assignments = self.client.uncut(path, await self.client.values(path, ("$top", "999")))
        ids = {
            kind: [assignment["principalId"] for assignment in assignments if assignment["principalType"] == kind]
            for kind in ("Group", "User")
        }
        return _Assigned({group: GroupDelivery() for group in ids["Group"]}, frozenset(ids["User"]))

    async def user(self, addresses: Addresses | NotRead) -> IdpUser | None:
        """Return the user with this address as user principal name or mail; None only if there can be no other."""
        lost = addresses if isinstance(addresses, NotRead) else None
        mapping = ASSUMED if isinstance(addresses, NotRead) else addresses
        lost = lost or (NotRead(mapping.unread) if mapping.unread else None)
        quoted = self.email.replace("'", "''")
        names = sorted({*mapping.properties, "mail"})
        query = (
            ("$filter", f"userPrincipalName eq '{quoted}' or mail eq '{quoted}'"),
            ("$select", ",".join(names)),
        )
        entries = self.client.uncut("/users", await self.client.values("/users", *query))
        users = [_user(entry, mapping, lost) for entry in entries]
        own = [user for user in users if user.sent_as == self.email or isinstance(user.sent_as, NotRead)] or users
        if len(own) > 1:
            raise OrgError(Problem("idp_two_users", f"{len(own)} users in Entra have the address {self.email}"))
        if not own and lost is not None:
            raise OrgError(Problem("idp_address", lost.problem, None, lost.hint))
        if not own and (why := _unsearchable(mapping)):
            raise OrgError(Problem("idp_address", why))
        return own[0] if own else None

    async def groups(self, user_id: str) -> tuple[IdpMembership, ...]:
        """Return the groups of a user, direct ones and those that contain them."""
        base, query = f"/users/{quote(user_id, safe='')}", (("$select", "id,displayName"), ("$top", "999"))
        direct, every = f"{base}/memberOf", f"{base}/transitiveMemberOf"
        direct_groups = self.client.uncut(direct, await self.client.values(direct, *query))
        all_groups = self.client.uncut(every, await self.client.values(every, *query))
        direct_ids = {group["id"] for group in direct_groups}
        names = {
            group["id"]: normalise.name(group["displayName"])
            for group in (*direct_groups, *all_groups)
            if group.get("@odata.type", GROUP) == GROUP
        }
        return tuple(IdpMembership(group_id, name, group_id in direct_ids) for group_id, name in names.items())

    async def log(self, job: _Job, user_id: str, since: datetime) -> LogEntry | None:
        """Return the newest entry of the provisioning log about this user and this job."""
        if not job.id:
            return None
        path = "/auditLogs/provisioning"
        about = " and ".join(
            f"{name} eq '{value.replace(chr(39), chr(39) * 2)}'"
            for name, value in (("jobId", job.id), ("sourceIdentity/id", user_id))
        )
        entries = self.client.uncut(path, await self.client.values(path, ("$filter", about)))
        recent = [entry for entry in map(_entry, entries) if entry.at >= since]
        return max(recent, key=lambda entry: entry.at, default=None)


def _provisioning(job: Json) -> Provisioning:
    """Return the state of a job. A job whose state is unknown does not count as running."""
    status = job["status"]
    code, last = status["code"], status.get("lastExecution") or {}
    why = stopped(job) or (None if code in RUNNING else f"the provisioning job is {one_line(str(code)).lower()}")
    failed = str(last.get("state") or "") == "Failed"
    message = one_line(str((last.get("error") or {}).get("message") or "")) or "no reason given"
    error = message if failed else None
    return Provisioning(why, moment(last.get("timeEnded")), error, everything=sends_everything(job) is True)


def _user(user: Json, addresses: Addresses, lost: NotRead | None) -> IdpUser:
    """Return the user of a row; ``lost`` is why it is unknown how addresses are built."""
    enabled = user["accountEnabled"]
    sent_as: str | NotRead
    try:
        sent_as = lost or normalise.email(addresses.of(user) or "")
    except NotEvaluable as error:
        sent_as = NotRead(str(error))
    return IdpUser(user["id"], enabled is True, "enabled" if enabled is True else "disabled", sent_as)


def _unsearchable(addresses: Addresses) -> str | None:
    """Return why a user may exist although none has the address as user principal name or mail, or None."""
    if addresses.problem:
        return addresses.problem
    used = frozenset[str]().union(*(attributes(source.expression) for source in addresses.sources))
    if used <= SEARCHABLE:
        return None
    return f"Entra builds addresses from {', '.join(sorted(used - SEARCHABLE))}, by which users cannot be searched"


def _access(
    user_id: str,
    provisioning: Provisioning | NotRead,
    assigned: _Assigned | NotRead,
    groups: tuple[IdpMembership, ...] | NotRead,
) -> AppAccess | NotRead | None:
    """Return by which assignment the user has the app; only direct members of an assigned group have it (R29)."""
    if isinstance(provisioning, Provisioning) and provisioning.everything:
        return AppAccess("because the scope is all users and groups")
    if isinstance(assigned, NotRead):
        return assigned
    if user_id in assigned.users:
        return AppAccess("directly")
    if isinstance(groups, NotRead):
        return groups
    name = next((group.name for group in groups if group.direct and group.id in assigned.deliveries), None)
    if name is None and isinstance(provisioning, NotRead):
        return provisioning
    return None if name is None else AppAccess(f"through {name}")


def _entry(entry: Json) -> LogEntry:
    info = entry["provisioningStatusInfo"]
    error = info.get("errorInformation") or {}
    reason = one_line(str(error.get("reason") or error.get("errorCode") or "")) or None
    action, result = one_line(str(entry["provisioningAction"])), one_line(str(info["status"])).lower()
    return LogEntry(known_moment(entry["activityDateTime"]), action, result, reason)
