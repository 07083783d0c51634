"""The state of a stand-in Entra: users, groups in groups, and the enterprise application with its job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from idp.ids import ticks, uid

Json = Any
NO_ROLE = "00000000-0000-0000-0000-000000000000"
USER_ROLE = uid("the app role User")
WRITER_ROLE = "urn:custom:params:scim:schemas:extension:writer:2.0:User:role"
SOFT_DELETED = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'
"""Entra's default for `active`: whether the account is enabled and in scope."""


@dataclass
class EntraUser:
    """A user; ``properties`` are those of Graph besides the ones with a field."""

    id: str
    upn: str
    enabled: bool = True
    properties: dict[str, Json] = field(default_factory=dict)

    def values(self) -> dict[str, Json]:
        """Return the user's properties in Graph."""
        nickname = self.upn.partition("@")[0]
        names = {"userPrincipalName": self.upn, "mail": self.upn, "mailNickname": nickname, "displayName": nickname}
        return {"id": self.id, **names, "accountEnabled": self.enabled, "userType": "Member", **self.properties}


@dataclass
class EntraGroup:
    """A group with the ids of the users and groups that are directly in it."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)


@dataclass
class Assignment:
    """An assignment of a user or a group, with an app role, to the app."""

    id: str
    principal: str
    role: str
    created: str


@dataclass
class Sync:
    """What the job knows of a user or group that it sent: the id there, what was sent last, and the members."""

    scim_id: str
    sent: dict[str, Json]
    members: dict[str, str] = field(default_factory=dict)


@dataclass
class Job:
    """A provisioning job. ``full``: the next cycle processes all users and groups, not only those that changed.
    ``force_deletes`` allows it more deletions than the threshold, once."""

    id: str
    schema: Json
    template: str = "scim"
    state: str = "Disabled"
    full: bool = True
    force_deletes: bool = False
    quarantine: Json = None
    last: Json = None
    users: dict[str, Sync] = field(default_factory=dict)
    groups: dict[str, Sync] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    @property
    def rules(self) -> list[Json]:
        """The rules of the schema."""
        return self.schema["synchronizationRules"]

    def mappings(self, name: str) -> list[Json]:
        """Return the enabled attribute mappings of `User` or `Group`."""
        return [
            mapping
            for rule in self.rules
            for objects in rule["objectMappings"]
            if objects.get("enabled", True) and objects.get("sourceObjectName") == name
            for mapping in objects["attributeMappings"]
        ]


@dataclass
class EntraState:
    """Users, groups and one app. Names may be used wherever an id is needed; KeyError if there is no such object."""

    app: str = uid("app")
    label: str = "WRITER"
    users: dict[str, EntraUser] = field(default_factory=dict)
    groups: dict[str, EntraGroup] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=lambda: {USER_ROLE: "User"})
    secrets: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    entries: list[Json] = field(default_factory=list)
    clock: Iterator[str] = field(default_factory=ticks)

    def now(self) -> str:
        """Return the time, which passes with each look at it."""
        return next(self.clock)

    def add_user(self, upn: str, enabled: bool = True, **properties: Json) -> EntraUser:
        """Add a user whose user principal name is an address."""
        user = EntraUser(uid(upn), upn, enabled, properties)
        self.users[user.id] = user
        return user

    def add_group(self, name: str, members: Iterable[str] = (), group_id: str | None = None) -> EntraGroup:
        """Add a group; members are user principal names. With an id, a second group of the same name."""
        group = EntraGroup(group_id or uid(name), name, [self.user(upn).id for upn in members])
        self.groups[group.id] = group
        return group

    def assign(self, name: str, role: str = "") -> Assignment:
        """Assign a group or a user to the app, with the app role of a value."""
        principal = self.principal(name)
        role_id = next((role_id for role_id, value in self.roles.items() if value == role), USER_ROLE)
        assignment = Assignment(f"as-{uid(f'{principal} {role_id}')}", principal, role_id, self.now())
        self.assignments[assignment.id] = assignment
        return assignment

    def unassign(self, name: str) -> None:
        """Undo all assignments of a group or a user."""
        principal = self.principal(name)
        for assignment in [*self.assignments.values()]:
            if assignment.principal == principal:
                del self.assignments[assignment.id]

    def add_job(self, state: str = "Active") -> Job:
        """Create the provisioning job from the template `scim`."""
        job = Job(f"scim.{uid('job').replace('-', '')}", default_schema(), state=state)
        self.jobs[job.id] = job
        return job

    @property
    def job(self) -> Job:
        """The only job."""
        (job,) = self.jobs.values()
        return job

    def user(self, name: str) -> EntraUser:
        """Return a user by id, or else by user principal name."""
        return self.users[name if name in self.users else uid(name)]

    def group(self, name: str) -> EntraGroup:
        """Return a group by id, or else by name."""
        return self.groups[name if name in self.groups else uid(name)]

    def principal(self, name: str) -> str:
        """Return the id of a group or a user."""
        known = {**self.users, **self.groups}
        return known[name if name in known else uid(name)].id

    def groups_of(self, member: str, *, nested: bool) -> list[EntraGroup]:
        """Return the groups that a user is directly in, or with ``nested`` through other groups too."""
        found = [group for group in self.groups.values() if member in group.members]
        for group in found if nested else ():
            found += [outer for outer in self.groups.values() if group.id in outer.inner and outer not in found]
        return found

    def everything(self) -> bool:
        """Return whether the scope is all users and groups, not only those that are assigned."""
        return self.secrets.get("SyncAll", "").lower() == "true"

    def in_scope(self) -> tuple[dict[str, EntraUser], dict[str, EntraGroup]]:
        """Return the users and groups that the job sends: of an assigned group, only the direct members (R29)."""
        if self.everything():
            return dict(self.users), dict(self.groups)
        principals = {assignment.principal for assignment in self.assignments.values()}
        groups = {group: self.groups[group] for group in principals if group in self.groups}
        direct = {user for user in principals if user in self.users}
        members = {user for group in groups.values() for user in group.members}
        return {user: self.users[user] for user in self.users if user in direct | members}, groups


def default_schema() -> Json:
    """Return the schema of a new job, as far as it matters to rolecall."""
    user = [
        _mapped("userName", "userPrincipalName", priority=1),
        _mapped("active", SOFT_DELETED, kind="Function"),
        _mapped("displayName", "displayName"),
        _mapped('emails[type eq "work"].value', "mail"),
        _mapped("externalId", "objectId"),
    ]
    group = [
        _mapped("displayName", "displayName", priority=1),
        _mapped("externalId", "objectId"),
        _mapped("members", "members"),
    ]
    objects = [_objects("User", user), _objects("Group", group)]
    rule = {
        "id": uid("rule"),
        "name": "USER_OUTBOUND_USER",
        "priority": 1,
        "editable": True,
        "sourceDirectoryName": "Azure Active Directory",
        "targetDirectoryName": "customappsso",
        "objectMappings": objects,
    }
    return {"id": uid("schema"), "version": "1", "synchronizationRules": [rule], "directories": []}


def _objects(name: str, mappings: list[Json]) -> Json:
    return {
        "name": f"Provision Azure Active Directory {name}s",
        "sourceObjectName": name,
        "targetObjectName": name,
        "enabled": True,
        "flowTypes": "Add, Update, Delete",
        "attributeMappings": mappings,
    }


def _mapped(target: str, source: str, *, priority: int = 0, kind: str = "Attribute") -> Json:
    expression = source if kind == "Function" else f"[{source}]"
    name = source.partition("(")[0]
    return {
        "targetAttributeName": target,
        "matchingPriority": priority,
        "flowType": "Always",
        "flowBehavior": "FlowWhenChanged",
        "source": {"type": kind, "name": name, "expression": expression, "parameters": []},
    }
