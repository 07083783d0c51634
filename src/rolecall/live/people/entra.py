"""Reads users from Entra: the groups and users assigned to the WRITER app, and the groups' direct members.

Entra sends what is assigned to the enterprise application, and only the direct members of a group (R29). Requests are
those of Microsoft Graph v1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from rolecall.errors import OrgError, Problem, SecretError
from rolecall.live.http import refusals
from rolecall.live.http.exchange import Exchange, together
from rolecall.live.http.refusals import EndpointMessages
from rolecall.live.people.entra_address import ASSUMED, Addresses, NotEvaluable, read_addresses, user_mappings
from rolecall.live.people.entra_app import NO_JOB, read_parts, role_sources, sends_everything, stopped
from rolecall.live.people.entra_secrets import EntraSecrets
from rolecall.live.people.entra_trace import trace_user
from rolecall.live.people.full_names import full_name
from rolecall.live.people.idp_client import Idp, IdpClient, IdpRefused
from rolecall.live.people.idp_requests import GRAPH_REQUESTS, GRAPH_WRITES
from rolecall.live.people.sign_in import SignIn, request_token
from rolecall.model import normalise
from rolecall.model.directory import Directory, IdpFacts, PeopleScope
from rolecall.model.idp_app import IdpApp
from rolecall.model.live import COMPLETE, Coverage
from rolecall.model.trace import IdpTrace

Json = Any
ENTRA = Idp(
    refusals.GRAPH,
    lambda body: str(body["error"].get("message") or body["error"].get("code") or ""),
    GRAPH_REQUESTS,
)
NAMELESS = "users without an email address are left out ({})"
RAW_ROLES = "appRoleAssignments"
SINGLE = "SingleAppRoleAssignment"
ADMIN = "admin"
_NAMES = ("givenName", "surname", "displayName")


class _Job(NamedTuple):
    """The provisioning job: whether its scope is all users, why it does not run, the attribute mapped to WRITER's role
    attribute, how it builds addresses, and why any of that is unknown.
    """

    everybody: bool | None = None
    stopped: str | None = None
    roles: tuple[str, ...] = ()
    unread: str | None = None
    addresses: Addresses = ASSUMED


class _App(NamedTuple):
    """The app in Entra: assigned groups by id with their names, users assigned directly, the app role values of each,
    and the job.
    """

    groups: Mapping[str, str]
    people: frozenset[str]
    values: Mapping[str, frozenset[str]]
    job: _Job


class EntraPeople:
    """The users of an enterprise application, see ``port.People``. ``app`` is its object id.

    ``config_groups`` are groups of the configuration; unassigned ones are read too, so that a plan can show the effect
    of mapping them. With ``attribute``, the role attribute of the legacy endpoint (R18) is read, which is the app role.
    Users with several app roles may be sent with any of them, and count as admins if one of them is an admin role.
    With ``full_names``, the names of users are read as well.
    """

    def __init__(
        self,
        exchange: Exchange,
        base: str,
        app: str,
        config_groups: Iterable[str] = (),
        *,
        attribute: bool = False,
        messages: EndpointMessages = refusals.GRAPH,
        tenant: str = "",
        full_names: bool = False,
    ) -> None:
        self._full_names = full_names
        self._tenant = tenant
        self._client = IdpClient(exchange, ENTRA._replace(messages=messages), base)
        self._path = f"/servicePrincipals/{quote(app, safe='')}"
        self._config_groups = tuple(config_groups)
        self._attribute = attribute
        self._app: _App | None = None

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Read every user in the app's groups, whatever the scope.

        The directory is unread, with the reason, if not all can be read; partial if a user in scope is assigned
        directly, because Graph returns users only as group members. Raises NoAnswer.
        """
        if scope == PeopleScope():
            return Directory()
        return await self._client.people(self._read(scope))

    async def read_idp(self) -> IdpFacts:
        """Read the configuration of the app. Raises OrgError when it cannot be read."""
        app = await self._client.whole(self._read_app())
        names = frozenset(app.groups.values())
        return IdpFacts(
            "entra",
            names,
            names,
            everybody=app.job.everybody,
            role_sent=bool(app.job.roles),
            roles_raw=any(RAW_ROLES in source and SINGLE not in source for source in app.job.roles),
            stopped=app.job.stopped,
            unread=app.job.unread or self._client.cut,
        )

    async def read_app(self) -> IdpApp:
        """Return the app, part by part."""
        return await read_parts(self._client, self._path, self._tenant)

    async def trace(self, email: str, since: datetime) -> IdpTrace:
        """Return what Entra knows about the provisioning of a user; the provisioning log is read from ``since``."""
        return await trace_user(self._client, self._path, email, since)

    def secrets(self, exchange: Exchange, base: str, messages: EndpointMessages) -> EntraSecrets:
        """Return the writer of the connection's token, which writes through ``exchange`` and reads through this
        connection."""
        only_writes = ENTRA._replace(messages=messages, allowed=frozenset(), writes=GRAPH_WRITES)
        return EntraSecrets(self._client, IdpClient(exchange, only_writes, base), self._path, messages)

    async def close(self) -> None:
        """Release all connections."""
        await self._client.close()

    async def _read(self, scope: PeopleScope) -> Directory:
        app = await self._read_app()
        waiting = await self._client.by_name(
            {*self._config_groups, *scope.groups} - set(app.groups.values()), self._search, self._config_groups
        )
        groups = {**app.groups, **waiting}
        addresses = app.job.addresses
        if addresses.problem:
            hint = "map userName to mail or to userPrincipalName"
            raise OrgError(Problem("idp_address", addresses.problem, None, hint))
        properties = (*addresses.properties, *(_NAMES if self._full_names else ()))
        members = await together(self._members(group, dict.fromkeys(properties)) for group in groups)
        people: dict[str, Json] = {}
        groups_by_user: dict[str, list[str]] = {}
        sent: set[str] = set(app.people)
        for group, group_members in zip(groups, members, strict=True):
            for member in group_members:
                people[member["id"]] = member
                groups_by_user.setdefault(member["id"], []).append(group)
                sent.update((member["id"],) if group in app.groups else ())
        unknown: list[str] = []
        roles = {user: _role(app, user, groups) for user, groups in groups_by_user.items() if user in sent}
        known = (
            self._named(people[user], _user_record(people[user], groups_by_user[user], role, addresses, unknown))
            for user, role in roles.items()
        )
        group_members = [member for member in known if member != {}]
        coverage = _with_unknown(_coverage(app, scope, app.people - people.keys()), unknown, addresses)
        return self._client.directory(group_members, groups, NAMELESS, coverage)

    def _named(self, user: Json, record: Json) -> Json:
        """Return a user's record with the full name, if Graph returned it."""
        name = full_name(user) if self._full_names and record else None
        return record if name is None else {**record, "name": name}

    async def _read_app(self) -> _App:
        if self._app is None:
            assigned = await self._client.values(f"{self._path}/appRoleAssignedTo", ("$top", "999"))
            groups = {
                assignment["principalId"]: normalise.name(assignment["principalDisplayName"])
                for assignment in assigned
                if assignment["principalType"] == "Group"
            }
            people = frozenset(
                assignment["principalId"] for assignment in assigned if assignment["principalType"] == "User"
            )
            job = await self._job()
            self._app = _App(groups, people, await self._values(job, assigned), job)
        return self._app

    async def _values(self, job: _Job, assigned: Iterable[Json]) -> dict[str, frozenset[str]]:
        """Return the app role values of each principal, if they are, or may be, sent."""
        if not (self._attribute and (job.unread or any(RAW_ROLES in source for source in job.roles))):
            return {}
        app = await self._client.read_object(self._path, ("$select", "id,appRoles"))
        values = {role["id"]: role["value"] for role in app.get("appRoles") or () if role.get("value")}
        values_by_principal: dict[str, set[str]] = {}
        for assignment in assigned:
            if assignment.get("appRoleId") in values:
                values_by_principal.setdefault(assignment["principalId"], set()).add(values[assignment["appRoleId"]])
        return {principal: frozenset(role_values) for principal, role_values in values_by_principal.items()}

    async def _job(self) -> _Job:
        try:
            jobs = await self._client.values(f"{self._path}/synchronization/jobs")
        except IdpRefused as error:
            why = error.problems[0].message
            return _Job(unread=why, addresses=ASSUMED._replace(unread=why))
        if not jobs:
            return _Job(stopped=NO_JOB)
        job = jobs[0]
        schema = await self._client.read_object(f"{self._path}/synchronization/jobs/{quote(job['id'], safe='')}/schema")
        addresses = read_addresses(user_mappings(schema))
        return _Job(sends_everything(job), stopped(job), tuple(role_sources(schema)), addresses=addresses)

    async def _search(self, name: str) -> Iterable[tuple[str, str]]:
        quoted = name.replace("'", "''")
        query = (("$filter", f"displayName eq '{quoted}'"), ("$select", "id,displayName"))
        return [(group["id"], group["displayName"]) for group in await self._client.values("/groups", *query)]

    async def _members(self, group: str, properties: Iterable[str]) -> list[Json]:
        """Return the direct members who are users."""
        select = ("$select", ",".join(properties))
        members = await self._client.values(f"/groups/{quote(group, safe='')}/members", select, ("$top", "999"))
        return [
            member
            for member in members
            if member.get("@odata.type", "#microsoft.graph.user") == "#microsoft.graph.user"
        ]


def _user_record(user: Json, groups: list[str], role: str | None, addresses: Addresses, unknown: list[str]) -> Json:
    """Return a user with the address that provisioning sends; a disabled account is deactivated (R23).

    None for a user without an address, ``{}`` if the address cannot be determined; the reason is added to ``unknown``.
    """
    try:
        email = addresses.of(user)
    except NotEvaluable as error:
        unknown.append(str(error))
        return {}
    record = {"email": email, "active": user.get("accountEnabled") is not False, "groups": groups}
    return email and ({**record, "role_attribute": role} if role else record)


def _with_unknown(coverage: Coverage, unknown: list[str], addresses: Addresses) -> Coverage:
    """Return the coverage of a read in which some addresses, or the mapping that makes them, are unknown."""
    if addresses.unread:
        problem = f"the mapping of userName could not be read, so userPrincipalName is assumed: {addresses.unread}"
        return coverage._replace(state="partial", problem=problem)
    if not unknown:
        return coverage
    problem = f"the addresses of {len(unknown)} users could not be determined: {unknown[0]}"
    return coverage._replace(state="partial", total=(coverage.total or 0) + len(unknown), problem=problem)


def _role(app: _App, person: str, groups: Iterable[str]) -> str | None:
    values = frozenset[str]().union(*(app.values.get(principal, ()) for principal in (person, *groups)))
    return ADMIN if ADMIN in values else min(values, default=None)


def _coverage(app: _App, scope: PeopleScope, unnamed: frozenset[str]) -> Coverage:
    """Return the coverage, with what is known to be missing.

    Users who are assigned directly and are in no group have only default access (R7), so a plan that affects only group
    members misses nothing.
    """
    if elsewhere := [item for item in app.job.roles if RAW_ROLES not in item]:
        attribute = f"Entra sends a role attribute from `{elsewhere[0][:80]}`"
        hint = "remove it from the app's mappings once roles come from groups"
        return Coverage("partial", problem=f"{attribute}, which cannot be evaluated, so org admins are unknown; {hint}")
    if not unnamed:
        return COMPLETE
    are = "user is" if len(unnamed) == 1 else "users are"
    problem = (
        f"{len(unnamed)} {are} assigned to the app directly and in none of its groups, so their addresses are unknown"
        " and they have only default access (R7); to include them, assign them through a group, mapped or not"
    )
    admins = (scope.org_admins or scope.attribute_admins) and any(ADMIN in app.values.get(item, ()) for item in unnamed)
    missed = scope.everybody or scope.unmapped or admins
    return Coverage("partial" if missed else "complete", total=len(unnamed), problem=problem)


def client_token(
    login: str,
    tenant: str,
    client_id: str,
    secret: Callable[[], str] | None,
    graph: str,
    allow_http: bool = False,
    section: str = "people",
) -> Callable[[], str]:
    """Return the function that gets the token. It raises SecretError with the sign-in service's message, without the
    secret. ``section`` is the part of the configuration that messages name.
    """
    from rolecall.live.http.httpx_transport import base_url

    base = base_url(login, allow_http=allow_http)

    def fetch() -> str:
        """Sign in with the client secret and return the access token. Raises SecretError."""
        if secret is None or not client_id:
            hint = "add `client_id` and `client_secret`, or `token`"
            raise SecretError(Problem("entra_token", "Entra requires a token or client credentials", None, hint))
        form = {
            "client_id": client_id,
            "client_secret": secret(),
            "grant_type": "client_credentials",
            "scope": f"{graph.rstrip('/')}/.default",
        }
        url = f"{base.text}/{quote(tenant, safe='')}/oauth2/v2.0/token"
        response = request_token(url, form, "client_secret", base.loopback)
        if isinstance(response, SignIn):
            return response.token
        if response.unreached:
            hint = f"check the network and the proxy, and `{section}.login_url` if it is set"
            raise response.lost("entra_unreachable", "Entra's sign-in service", base.text, hint)
        hint = f"check `{section}.client_id`, `{section}.client_secret` and the tenant"
        message = f"Entra's sign-in service returned no token: {response.reason}"
        raise SecretError(Problem("entra_token", message, None, hint))

    return fetch
