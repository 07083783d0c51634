"""Defines the org as it was read: settings, the coverage of the read, and facts that only an org knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from rolecall.model.kinds import SECTIONS, address, split_address, value_at
from rolecall.model.record import OMIT, PUBLIC, USER
from rolecall.model.roles import BUILT_IN, Role
from rolecall.model.settings import UNSET, Address, Settings, Value

State = Literal["complete", "partial", "unread"]


class ChangedSince(NamedTuple):
    """The last change of a section after it was read. ``by`` is None if the audit log does not have the user."""

    at: datetime
    by: Annotated[str | None, USER] = None


class Reported(NamedTuple):
    """A value that an admin reported done after its section was read: its address, or that of a field of it."""

    address: Annotated[str, PUBLIC]
    by: Annotated[str, PUBLIC]
    at: datetime


class Coverage(NamedTuple):
    """The extent of a read. ``problem`` is why it is not complete, as a sentence.

    ``changed_since``: the section was read, and changed in the console afterwards, so that it is out of date.
    ``reported`` are the values that were not read but reported done.
    """

    state: State = "complete"
    read: int | None = None
    total: int | None = None
    taken_at: datetime | None = None
    taken_by: Annotated[str | None, PUBLIC] = None
    problem: Annotated[str | None, PUBLIC] = None
    changed_since: Annotated[ChangedSince | None, OMIT] = None
    reported: tuple[Reported, ...] = ()


COMPLETE = Coverage()
UNREAD = Coverage("unread")


class Group(NamedTuple):
    """An IdP group in the org: its ids, and the number of members that the org reports."""

    id: str
    external_id: str | None = None
    members: int | None = None


def base_name(key: str) -> str:
    """Return the name of a group that is keyed ``name [id]``, as groups that share a name are; any other key as is."""
    return (key.rpartition(" [")[0] or key) if key.endswith("]") else key


class IdpGroup(NamedTuple):
    """A group in the IdP. ``type`` is the IdP's word; ``members`` are addresses, None if they were not read."""

    id: str
    name: str
    type: str = ""
    members: frozenset[str] | None = None


class IdpSide(NamedTuple):
    """Facts about the WRITER app in the IdP, as they were read.

    ``where`` names the app: ``Okta, acme.okta.com, app 0oa1b2c3``. ``groups`` are the groups by ID, None for an ID that
    the IdP does not have; ``names`` are the IDs of the groups with each name that was looked up. ``can`` has what
    rolecall may do there, such as ``idp_pushes.create``. ``assigned`` and ``pushed`` are the IDs of all such groups,
    ``direct`` the addresses of users who have the app without a group, ``hosts`` those of the app's URLs; None if they
    were not read. ``off`` are the IDs of groups whose mapping pushes nothing. ``targets`` are the IDs of the groups of
    the app to which groups are pushed, by the ID of the group; ``target_names`` are the names of those that were read.
    """

    idp: str
    where: str
    groups: Mapping[str, IdpGroup | None] = MappingProxyType({})
    names: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    can: frozenset[str] = frozenset()
    pushed: frozenset[str] | None = None
    direct: frozenset[str] | None = None
    hosts: frozenset[str] | None = None
    off: frozenset[str] = frozenset()
    assigned: frozenset[str] | None = None
    targets: Mapping[str, str] = MappingProxyType({})
    target_names: Mapping[str, str] = MappingProxyType({})

    def org_name(self, group: str) -> str | None:
        """Return the name in the org of a group that is pushed, which may be linked to one of another name; None if it
        was not read. A group that is not pushed has its own name there once it is.
        """
        if group in self.targets:
            return self.target_names.get(self.targets[group])
        known = self.groups.get(group)
        return None if known is None else known.name


class AppUsers(NamedTuple):
    """The users of the app in the IdP: the address that the app has for each by the user's ID in the IdP, and the
    addresses of those who are assigned without a group."""

    addresses: Mapping[str, str]
    direct: frozenset[str]


class IdpQuestion(NamedTuple):
    """The sections to read of the IdP, with the names and the IDs of groups in the configuration."""

    names: Mapping[str, frozenset[str]]
    ids: Mapping[str, frozenset[str]]

    @classmethod
    def of_lists(cls, sections: Iterable[str]) -> IdpQuestion:
        """Return the question for the lists alone, whatever groups the configuration names."""
        nothing: dict[str, frozenset[str]] = dict.fromkeys(sections, frozenset())
        return cls(nothing, nothing)


class Caller(NamedTuple):
    """The caller, as the org reports it. ``email`` is None for a service, ``role`` is the role at org level of a caller
    who is not org admin, empty without one."""

    email: str | None = None
    org_admin: bool = True
    role: str = ""


class Facts(NamedTuple):
    """Facts of an org other than its settings.

    ``teams`` is None when teams could not be read. ``homonyms`` are names that several groups share; the live settings
    then key each of them as ``name [id]``. ``can`` has the actions that this caller may take through the API, such as
    ``domains.create``, ``scim.upgrade``, ``idp_groups.update``; it is empty without an API. ``limits`` are the org's
    own (``page``, ``per_minute``).

    ``legacy_links`` matters while the endpoint is ``upgrading`` (R20): the teams that each group of the legacy endpoint
    was linked to, keyed like users' ``groups``. Users keep their legacy groups next to the pushed ones; a legacy group
    with the name of a pushed group is keyed ``name [id]`` on both sides, like a homonym. None when not read. In a
    legacy org, the links are in the live ``idp_groups`` and this is None. ``partial`` are the sections of which only a
    part was read, so that no conclusion relies on them. ``kept`` matters while SCIM is off (R33): the settings in
    effect when it was turned off, which SCIM users keep. None: the current settings. ``idp`` is None if nothing was
    read of the IdP.
    """

    org_id: str = ""
    org_name: str = ""
    plan: str = ""
    local: bool = False
    observed: bool = False
    teams: frozenset[str] | None = None
    roles: Mapping[str, Role] = BUILT_IN
    groups: Mapping[str, Group] = MappingProxyType({})
    homonyms: frozenset[str] = frozenset()
    caller: Caller = Caller()
    can: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset({"scim"})
    people: int | None = None
    active_people: int | None = None
    limits: Mapping[str, int] = MappingProxyType({})
    legacy_links: Mapping[str, frozenset[str]] | None = None
    kept: Settings | None = None
    partial: frozenset[str] = frozenset()
    idp: IdpSide | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """One read of the org. A section missing from ``coverage`` is complete if its settings exist, else unread.

    The coverage of a field is its value: a reader sets what the response had and leaves the rest UNSET, which means not
    read. ``versions`` maps an address to the ETag of its value. ``requests`` counts the requests of the read.
    """

    settings: Settings = Settings()
    coverage: Mapping[str, Coverage] = field(default_factory=dict)
    facts: Facts = Facts()
    versions: Mapping[Address, str] = field(default_factory=dict)
    requests: int = 0

    def __repr__(self) -> str:
        """Return a short text: asyncio logs a task's result when it ends, and this may be a whole org."""
        return f"Live({self.facts.org_id!r}, {len(self.facts.groups)} groups)"

    def address_now(self, at: Address, group_id: str | None) -> Address | None:
        """Return the current address of an address's group, under its present name; None if the org no longer has it.

        Without an id, the name is the identity.
        """
        section, key = split_address(at)
        if section != "idp_groups" or key is None or group_id is None:
            return at
        groups = self.facts.groups
        if key in groups and groups[key].id == group_id:
            return at
        return next((address(section, name) for name, group in groups.items() if group.id == group_id), None)

    def value_now(self, at: Address, group_id: str | None) -> Value | None:
        """Return the value of an address, for a group under its present name; None for a group that no longer
        exists.
        """
        now = self.address_now(at, group_id)
        return None if now is None else value_at(self.settings, now)

    def with_unread(self, sections: Iterable[str], problem: str) -> Live:
        """Return the same read with sections marked as unread, and why; their settings stay."""
        unread = UNREAD._replace(problem=problem)
        return replace(self, coverage={**self.coverage, **dict.fromkeys(sections, unread)})

    def covered(self, section: str) -> Coverage:
        """Return the coverage of a section; ``people`` is a section here too."""
        absent = getattr(self.settings, section, None) is UNSET
        if (coverage := self.coverage.get(section)) is None:
            return UNREAD if absent or section not in SECTIONS else COMPLETE
        return coverage._replace(state="unread") if absent and coverage.state != "unread" else coverage
