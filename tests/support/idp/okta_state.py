"""The state of a stand-in Okta: users, groups, and the WRITER app with its assignments and pushed groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from idp.ids import oid, ticks

Json = Any
APP = "0oa1"
PROVISIONING = ("GROUP_PUSH", "PUSH_NEW_USERS", "PUSH_PROFILE_UPDATES", "PUSH_USER_DEACTIVATION", "REACTIVATE_USERS")
"""The features of an app whose provisioning is set up."""

ACTIVE, INACTIVE, ERROR = "ACTIVE", "INACTIVE", "ERROR"


@dataclass
class OktaUser:
    """A user. ``user_name`` is that in the app, the login unless set; ``app_status`` the state there, if it is not that
    of an assigned user; ``app_profile`` are the app's own attributes, which exist as long as its schema has them."""

    id: str
    login: str
    status: str = ACTIVE
    email: str | None = None
    user_name: str | None = None
    app_status: str | None = None
    app_profile: dict[str, Json] | None = field(default_factory=dict)

    @property
    def sent_as(self) -> str:
        """The username in the app."""
        return self.user_name or self.login


@dataclass
class OktaGroup:
    """A group. One of the type `APP_GROUP` is a group of the app that ``source`` names; ``scim_id`` is its id there."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    type: str = "OKTA_GROUP"
    source: str | None = None
    scim_id: str | None = None


@dataclass
class Mapping:
    """A pushed group. ``fresh``: the next push is the initial one, which writes all members; ``pushed`` are the SCIM
    ids of the members that were pushed last."""

    id: str
    source: str
    target: str
    status: str
    created: str
    updated: str
    last_push: str | None = None
    error: str = ""
    fresh: bool = True
    pushed: frozenset[str] = frozenset()


@dataclass
class Sync:
    """What the app knows of a user: the id there, whether it is active, what was sent last, and the last error."""

    scim_id: str | None = None
    active: bool = False
    sent: Json = None
    at: str | None = None
    error: str | None = None


@dataclass
class OktaState:
    """Users, groups and one app. Names may be used wherever an id is needed; KeyError if there is no such object."""

    app: str = APP
    label: str = "WRITER"
    status: str = ACTIVE
    urls: tuple[str, ...] = ("https://app.writer.com/saml",)
    features: tuple[str, ...] = PROVISIONING
    users: dict[str, OktaUser] = field(default_factory=dict)
    groups: dict[str, OktaGroup] = field(default_factory=dict)
    assigned: dict[str, int] = field(default_factory=dict)
    direct: list[str] = field(default_factory=list)
    mappings: dict[str, Mapping] = field(default_factory=dict)
    custom: dict[str, Json] = field(default_factory=dict)
    synced: dict[str, Sync] = field(default_factory=dict)
    doomed: list[OktaGroup] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    clock: Iterator[str] = field(default_factory=ticks)

    def now(self) -> str:
        """Return the time, which passes with each look at it."""
        return next(self.clock)

    # What an Okta admin does; tests call these, and the API's writes do too.

    def add_user(self, login: str, status: str = ACTIVE, **more: Any) -> OktaUser:
        """Add a user whose login is an address."""
        user = OktaUser(oid(login), login, status, **more)
        self.users[user.id] = user
        return user

    def add_group(self, name: str, members: Iterable[str] = (), group_id: str | None = None) -> OktaGroup:
        """Add a group; members are logins. With an id, a second group of the same name."""
        group = OktaGroup(group_id or oid(name), name, [self.user(login).id for login in members])
        self.groups[group.id] = group
        return group

    def assign(self, name: str) -> None:
        """Assign a group to the app; a user: `direct`."""
        group = self.group(name).id
        self.assigned.setdefault(group, max(self.assigned.values(), default=-1) + 1)

    def unassign(self, name: str) -> None:
        """Undo an assignment."""
        self.assigned.pop(self.group(name).id, None)

    def push(self, name: str, target: str | None = None, status: str = ACTIVE) -> Mapping:
        """Push a group to a new group of the app, or link it to the existing one with the id ``target``."""
        source, at = self.group(name), self.now()
        mapping_id = oid(f"{source.id} {at}", "gPm")
        target = target or self.add_app_group(source.name).id
        self.mappings[mapping_id] = Mapping(mapping_id, source.id, target, status, at, at)
        return self.mappings[mapping_id]

    def unpush(self, name: str, *, delete_target: bool = False) -> None:
        """End the push of a group; the group in the app stays, unless it is deleted too."""
        mapping = self.mapping(name)
        del self.mappings[mapping.id]
        if delete_target:
            self.doomed.append(self.groups.pop(mapping.target))

    def add_app_group(self, name: str, scim_id: str | None = None) -> OktaGroup:
        """Add a group that the app has, as an import from it does."""
        group_id = oid(f"{self.app} {name} {len(self.groups)}")
        self.groups[group_id] = OktaGroup(group_id, name, [], "APP_GROUP", self.app, scim_id)
        return self.groups[group_id]

    def log(self, event: str, targets: Iterable[Json], result: str = "SUCCESS", reason: str | None = None) -> None:
        """Add an event to the system log."""
        app = {"id": self.app, "type": "AppInstance", "alternateId": self.label, "displayName": self.label}
        entry = {
            "uuid": oid(f"event {len(self.events)}", "ev"),
            "published": self.now(),
            "eventType": event,
            "displayMessage": event.rpartition(".")[2].replace("_", " "),
            "severity": "INFO" if result == "SUCCESS" else "WARN",
            "outcome": {"result": result, "reason": reason},
            "target": [*targets, app],
        }
        self.events.append(entry)

    # Look-ups.

    def user(self, name: str) -> OktaUser:
        """Return a user by id, or else by login."""
        return self.users[name if name in self.users else oid(name)]

    def group(self, name: str) -> OktaGroup:
        """Return a group by id, or else the one of Okta's own groups with this name."""
        if name in self.groups:
            return self.groups[name]
        own = (group for group in self.groups.values() if group.name == name and group.type != "APP_GROUP")
        return _only(own, name)

    def app_group(self, name: str) -> OktaGroup:
        """Return the app's group with this name."""
        return _only((group for group in self.groups.values() if group.name == name and group.source), name)

    def mapping(self, name: str) -> Mapping:
        """Return a pushed group by its id, or by its source group."""
        if name in self.mappings:
            return self.mappings[name]
        source = self.group(name).id
        return _only((mapping for mapping in self.mappings.values() if mapping.source == source), name)

    def members(self, group: str) -> list[OktaUser]:
        """Return the users in a group."""
        return [self.users[user] for user in self.groups[group].members if user in self.users]

    def groups_of(self, user: str) -> list[OktaGroup]:
        """Return the groups that a user is in; Okta has no groups in groups."""
        return [group for group in self.groups.values() if user in group.members]

    def app_users(self) -> dict[str, str]:
        """Return the users of the app by id, each with the scope of the assignment: the user, or a group."""
        scopes = dict.fromkeys(self.direct, "USER")
        for group in self.assigned:
            for user in self.groups[group].members:
                scopes.setdefault(user, "GROUP")
        present = {user.id for user in self.users.values() if user.status != "DEPROVISIONED"}
        return {user: scope for user, scope in scopes.items() if user in present}


def _only(matches: Iterable[Any], name: str) -> Any:
    """Return the only match. Raises KeyError otherwise."""
    listed = list(matches)
    if len(listed) != 1:
        raise KeyError(f"{len(listed)} objects are named {name}")
    return listed[0]
