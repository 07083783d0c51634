"""People from Entra, read-only: the groups and people assigned to the WRITER app, and the groups' direct members.

Entra sends what is assigned to the enterprise application, and of a group its direct members alone (R29). Requests are
those of Microsoft Graph v1.0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rolecall.codec.people import DirectoryBuilder
from rolecall.errors import OrgError, Problem
from rolecall.live.exchange import Exchange, together
from rolecall.live.idp_client import Idp, IdpClient, IdpRefused
from rolecall.live.people_scim import EXTENSION
from rolecall.live.transport import NoAnswer
from rolecall.model import normalise
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.idp import IdpFacts
from rolecall.model.live import UNREAD, Coverage

Json = Any
RIGHTS = "grant the app registration Application.Read.All, GroupMember.Read.All and Synchronization.Read.All"
ENTRA = Idp(
    "Microsoft Graph", lambda body: str(body["error"].get("message") or body["error"].get("code") or ""), RIGHTS
)
MEMBER = "id,userPrincipalName,mail,accountEnabled"
SYNC_ALL = "SyncAll"
RAW_ROLES = "appRoleAssignments"
SINGLE = "SingleAppRoleAssignment"


class _App(NamedTuple):
    """The app as Entra has it: assigned groups by id with their names, people assigned directly, and its job."""

    groups: Mapping[str, str]
    people: frozenset[str]
    everybody: bool | None
    stopped: str | None
    roles: Sequence[str]


class EntraPeople:
    """The people of an enterprise application, see ``port.People``. ``app`` is its object id.

    ``wanted`` are groups of the config; those that are not assigned yet are read too, so that a plan can tell what
    mapping them will do.
    """

    def __init__(self, exchange: Exchange, base: str, app: str, wanted: Iterable[str] = ()) -> None:
        self._client = IdpClient(exchange, ENTRA, base)
        self._path = f"/servicePrincipals/{app}"
        self._wanted = tuple(wanted)
        self._app: _App | None = None

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Everybody whom the app's groups bring, whatever the scope. Unread, with the reason, when not all can be had;
        partial when people are assigned directly, whose addresses the groups do not tell. Raises NoAnswer."""
        if scope == PeopleScope():
            return Directory()
        try:
            return await self._client.whole(self._read(scope))
        except NoAnswer:
            raise
        except OrgError as error:
            return Directory(coverage=UNREAD._replace(problem=error.problems[0].message))

    async def read_idp(self) -> IdpFacts:
        """The app's set-up. Raises OrgError when it cannot be read."""
        app = await self._client.whole(self._read_app())
        names = frozenset(app.groups.values())
        return IdpFacts(
            "entra",
            names,
            names,
            everybody=app.everybody,
            role_sent=bool(app.roles),
            roles_raw=any(RAW_ROLES in one and SINGLE not in one for one in app.roles),
            stopped=app.stopped,
        )

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def _read(self, scope: PeopleScope) -> Directory:
        app = await self._read_app()
        waiting = await self._waiting({*self._wanted, *scope.groups} - set(app.groups.values()))
        groups = {**app.groups, **waiting}
        members = await together(self._members(group) for group in groups)
        people: dict[str, Json] = {}
        held: dict[str, list[str]] = {}
        sent: set[str] = set(app.people)
        for group, rows in zip(groups, members, strict=True):
            for row in rows:
                people[row["id"]] = row
                held.setdefault(row["id"], []).append(group)
                sent.update((row["id"],) if group in app.groups else ())
        return _directory([people[one] for one in people if one in sent], held, groups, len(app.people - people.keys()))

    async def _read_app(self) -> _App:
        if self._app is None:
            assigned = await self._client.values(f"{self._path}/appRoleAssignedTo", ("$top", "999"))
            groups = {
                row["principalId"]: normalise.name(row["principalDisplayName"])
                for row in assigned
                if row["principalType"] == "Group"
            }
            people = frozenset(row["principalId"] for row in assigned if row["principalType"] == "User")
            self._app = _App(groups, people, *await self._job())
        return self._app

    async def _job(self) -> tuple[bool | None, str | None, Sequence[str]]:
        """The provisioning job: whether its scope is everybody, why it does not run, and what it maps to roles."""
        try:
            jobs = await self._client.values(f"{self._path}/synchronization/jobs")
        except IdpRefused:
            return None, None, ()
        if not jobs:
            return None, "there is no provisioning job", ()
        job = jobs[0]
        settings = {row.get("name"): row.get("value") for row in job.get("synchronizationJobSettings") or ()}
        said = settings.get(SYNC_ALL)
        schema = await self._client.one(f"{self._path}/synchronization/jobs/{job['id']}/schema")
        return None if said is None else str(said).casefold() == "true", _stopped(job), tuple(_roles(schema))

    async def _waiting(self, names: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in sorted(names):
            quoted = name.replace("'", "''")
            query = (("$filter", f"displayName eq '{quoted}'"), ("$select", "id,displayName"))
            rows = await self._client.values("/groups", *query)
            exact = [row["id"] for row in rows if normalise.name(row["displayName"]) == name]
            if len(exact) == 1:
                found[exact[0]] = name
        return found

    async def _members(self, group: str) -> list[Json]:
        """The direct members who are people."""
        rows = await self._client.values(f"/groups/{group}/members", ("$select", MEMBER), ("$top", "999"))
        return [row for row in rows if row.get("@odata.type", "#microsoft.graph.user") == "#microsoft.graph.user"]


def _directory(
    people: Sequence[Json], held: Mapping[str, Sequence[str]], groups: Mapping[str, str], direct: int
) -> Directory:
    builder = DirectoryBuilder(groups.values(), names=groups)
    rows = [_row(row, held[row["id"]]) for row in people]
    faults = builder.add(row for row in rows if row is not None)
    if faults or (twice := builder.repeated()):
        why = faults[0].message if faults else f"{len(twice)} e-mail addresses came twice"
        raise OrgError(Problem("idp_people", f"Entra's users cannot be taken as people: {why}"))
    read = len(builder)
    if direct:
        problem = f"{direct} people are assigned to the app directly; assign them by a group, so that they can be read"
        return builder.build(Coverage("partial", read, read + direct, problem=problem))
    nameless = sum(row is None for row in rows)
    left = f"{nameless} users have no e-mail address, and are left out" if nameless else None
    return builder.build(Coverage(read=read, total=read, problem=left))


def _row(user: Json, groups: Sequence[str]) -> Json:
    """The address that SCIM sends as the user's name; a disabled account is deactivated (R23)."""
    email = next((said for said in (user.get("userPrincipalName"), user.get("mail")) if said and "@" in said), None)
    return email and {"email": email, "active": user.get("accountEnabled") is not False, "groups": list(groups)}


def _stopped(job: Json) -> str | None:
    schedule, status = job.get("schedule") or {}, job.get("status") or {}
    quarantine = status.get("quarantine") or {}
    if quarantine or status.get("code") == "Quarantine":
        return f"the provisioning job is in quarantine ({quarantine.get('reason') or 'no reason given'})"
    state = schedule.get("state")
    return None if state in (None, "Active") else f"the provisioning job is {str(state).lower()}"


def _roles(schema: Json) -> Iterator[str]:
    """The sources of everything that is mapped into WRITER's extension."""
    for rule in schema.get("synchronizationRules") or ():
        for mapping in rule.get("objectMappings") or ():
            for one in mapping.get("attributeMappings") or () if mapping.get("enabled", True) else ():
                if str(one.get("targetAttributeName") or "").startswith(EXTENSION):
                    source = one.get("source") or {}
                    yield str(source.get("expression") or source.get("name") or "")
