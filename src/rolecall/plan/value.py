"""The plan as a value: its changes, the affected users, the verdicts of the guards, and its input."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from rolecall.errors import Problem, Where
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.directory import PeopleScope
from rolecall.model.live import Coverage
from rolecall.model.policy import Allow, TeamRole
from rolecall.model.record import FLAT, IDENTIFIED, OMIT, PUBLIC, Code, Key, UserName, With
from rolecall.model.settings import Address, Value
from rolecall.model.usage import Usage
from rolecall.plan.moves import Escalation as Escalation
from rolecall.plan.moves import Move as Move
from rolecall.plan.moves import MoveKind as MoveKind
from rolecall.plan.moves import Tally as Tally
from rolecall.plan.moves import TeamTally as TeamTally
from rolecall.plan.moves import Who as Who

FORMAT_VERSION = "1.0"
CLASSES_VERSION = "1.1"
"""The format of plans that have users by class only, as they affect more than 10,000."""

Verdict = Literal["pass", "review", "block", "allowed", "not judged"]
ApartKind = Literal["waiting", "expired", "expiring", "expiry", "human", "released", "sign_up"]


class OrgRef(NamedTuple):
    """The org of a plan. ``env`` is the name of the overlay; ``local``: it is a rehearsal."""

    name: str
    id: str
    url: str
    env: str | None = None
    local: bool = False


class Apart(NamedTuple):
    """The users of changes that a plan reports separately.

    ``waiting``: affected once the IdP pushes the group; empty unless the source of users can forecast them.
    ``expired`` and ``human`` are also in the impact's own counts, the others are not: ``expiring`` expires within 14
    days, ``expiry`` has another `expires` than at the last apply, ``sign_up`` decides who can join without an
    invitation, ``released`` keeps its access although it is no longer managed.
    """

    kind: ApartKind
    addresses: tuple[Address, ...]
    people: Tally = Tally()
    to_default: int = 0
    sentences: tuple[str, ...] = ()


class IdpGroupFacts(NamedTuple):
    """A group of the IdP that is assigned or pushed for the first time. ``members`` is None if they were not read."""

    id: Annotated[str, PUBLIC]
    type: Annotated[str, PUBLIC] = ""
    members: int | None = None


class AppUserCounts(NamedTuple):
    """The numbers of users who get the app by a change in the IdP, of those who were in the org without it until then,
    such as invited ones (R12), and of those who lose it."""

    gain: int = 0
    taken_over: int = 0
    lose: int = 0


class IdpPart(NamedTuple):
    """The IdP's side of a plan. ``where`` names the app: ``Okta, acme.okta.com, app 0oa1b2c3``.

    ``groups`` has, by address, each group that the plan assigns or pushes, ``users`` the users of each assignment that
    begins or ends, where they were read.
    """

    where: Annotated[str, PUBLIC]
    groups: Mapping[Address, IdpGroupFacts] = {}
    users: Mapping[Address, AppUserCounts] = {}


class Released(NamedTuple):
    """An address that was applied once and is no longer managed, and what the org has there now.

    ``people`` is None when not counted. ``fields`` are the fields removed from config, empty where the whole
    address was. ``value`` is the live value of what is no longer managed, None where it was not read. ``unmanaged``:
    its section is unmanaged by ``manage``, whether or not the config has the entry.
    """

    address: Address
    people: int | None = None
    fields: tuple[str, ...] = ()
    value: Value | None = None
    id: str | None = None
    unmanaged: bool = False


class Unmanaged(NamedTuple):
    """A mapping that the config does not manage.

    ``new``: it was not there at the last apply. ``released``: the last apply still managed it.
    """

    address: Address
    role: str | None
    teams: tuple[str, ...]
    people: int | None = None
    new: bool = False
    released: bool = False
    id: str | None = None


class UpgradeImpact(NamedTuple):
    """The effect of the endpoint upgrade (R20), counted as if it were complete.

    ``keep`` users have the same access as before, ``differ`` do not. Of ``groups`` that were linked or are configured,
    ``pushed`` have been pushed to the new endpoint. ``org_admins_lost`` are those who would no longer be org admin.
    ``moves`` has those who differ when it is only started, for then they are in no move of the plan itself.
    """

    stage: Literal["start", "complete"]
    keep: int
    differ: int
    groups: int
    pushed: int
    org_admins_lost: tuple[Annotated[Who, IDENTIFIED], ...] = ()
    moves: tuple[Move, ...] = ()


class Transient(NamedTuple):
    """A user who lacks, or has, a team role between two steps, but neither before nor after. Steps count from 1."""

    who: Annotated[Who, FLAT, IDENTIFIED]
    kind: Literal["lacks", "has"]
    team_role: TeamRole
    from_step: int
    to_step: int


class Impact(NamedTuple):
    """The effect of a plan on users. ``people`` is None where they were not read: ``problem`` says why, counts are 0.

    ``losing`` counts users who lose something. ``tallies`` has a row per change that affects users. ``org_admins`` are
    counts before and after; where some lose it, ``remaining_admins`` has up to 10 of those who keep it. The order of
    steps matters to ``at_risk``; ``transients`` are their temporary access
    changes, ``order_limited`` if the search for an order was cut short. ``members`` has, where users were not read, the
    members that the org counts in each group whose mapping changes. ``org_roles`` counts the users whose access changes
    and who have a role at org level, which no plan changes (R36), by that role. ``lite_seats`` counts the
    users with Lite seats who gain a role that these cannot hold (R35). ``missing`` are the
    settings that access depends on and that were not read.
    """

    people: int | None = None
    problem: str | None = None
    gain: int = 0
    lose: int = 0
    change: int = 0
    losing: int = 0
    to_default: int = 0
    to_nothing: int = 0
    org_admins: tuple[int, int] | None = None
    headline: str = ""
    escalations: tuple[Escalation, ...] = ()
    moves: Annotated[tuple[Move, ...], Key("groups")] = ()
    transients: tuple[Transient, ...] = ()
    at_risk: tuple[Annotated[Who, IDENTIFIED], ...] = ()
    order_limited: Annotated[bool, OMIT] = False
    teams: tuple[TeamTally, ...] = ()
    apart: tuple[Apart, ...] = ()
    upgrade: UpgradeImpact | None = None
    tallies: Mapping[Address, Tally] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    members: Mapping[Address, int] = MappingProxyType({})
    remaining_admins: Annotated[tuple[Who, ...], OMIT] = ()
    org_roles: Annotated[Mapping[Code, int], OMIT] = MappingProxyType({})
    lite_seats: Annotated[int, OMIT] = 0
    missing: Annotated[tuple[Code, ...], OMIT] = ()

    @property
    def changed(self) -> int:
        return self.gain + self.lose + self.change


class Detail(NamedTuple):
    """A line below the message of a guard, such as a cause or an override, with its place in the config."""

    text: str
    source: Where | None = None


class GuardResult(NamedTuple):
    """The verdict of one guard: ``message`` says what it is about, each of ``details`` one cause or override.

    ``source`` is the place of the first cause, ``set_at`` where the config sets the guard. ``limit`` and ``actual``
    are words or numbers for a reader; ``found`` is the number that an override must reach; ``target`` is the address
    that an override may be narrowed to. ``ways`` are what to do, one action each.
    """

    name: Code
    verdict: Verdict
    limit: Annotated[str | int | None, PUBLIC] = None
    actual: str | int | None = None
    message: str = ""
    source: Where | None = None
    found: int = 0
    target: Address | None = None
    ways: tuple[str, ...] = ()
    set_at: Where | None = None
    details: tuple[Detail, ...] = ()


def _in_brackets(where: Where | None) -> str:
    return f" ({where.file}:{where.line})" if where else ""


class AccessTestResult(NamedTuple):
    """The result of one access test. ``later``: it fails before the plan too, gets no worse, and passes once excluded
    and pending changes are made. ``evaluated`` is False where it needs users who were not
    read; it has not passed then. ``details`` are causes with the users of each, and the place of the mapping."""

    name: Code
    passed: bool
    message: str = ""
    source: Where | None = None
    later: bool = False
    evaluated: bool = True
    details: Annotated[tuple[Detail, ...], OMIT] = ()

    @property
    def text(self) -> str:
        """Return the message with the details and their places, in one line."""
        return "; ".join((self.message, *(f"{text}{_in_brackets(where)}" for text, where in self.details)))

    @property
    def refuses(self) -> bool:
        """Return whether the plan must not be applied because of it."""
        return not self.passed and not self.later

    @property
    def label(self) -> Literal["ok", "FAILED", "LATER", "UNKNOWN"]:
        """Return the result as a report shows it; UNKNOWN where it could not be evaluated."""
        if self.passed or not self.refuses:
            return "ok" if self.passed else "LATER"
        return "FAILED" if self.evaluated else "UNKNOWN"


class PolicyChange(NamedTuple):
    """A setting of the policy, such as a guard or an override, that differs from the policy last applied."""

    path: str
    before: Any
    after: Any
    loosens: bool


class Requests(NamedTuple):
    """The number of requests for reading, and for writing."""

    read: int = 0
    write: int = 0


class Selection(NamedTuple):
    """The limits of a plan: addresses or globs, or expired mappings only."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    only_expired: bool = False


class MembershipChange(NamedTuple):
    """A user who is supposed to join a group, or to leave it. ``group`` is the group's name in the org."""

    email: UserName
    group: Annotated[str, PUBLIC]
    joins: bool = True


class Plan(NamedTuple):
    """Everything a reviewer sees and an apply needs. ``changes`` are in the order in which they are made.

    ``coverage`` has a row per section it needed and per managed field not read, ``scope`` the users it needed.
    ``switches`` are the SCIM settings that all access depends on, as read. ``errored`` is true where it could not be
    computed completely and must not be applied. ``group_ids`` has the id of each group that ``desired`` has by key.
    ``idp`` is the IdP that the org has, empty where it was not read or there is none; ``metadata_file`` is the file
    that the config names for `sso.metadata`, empty without one. ``command`` makes the plan again, empty for
    `rolecall plan`. ``usage`` is what WRITER's usage data shows of users who lose access, None where it was not asked.
    ``open_run`` is the run that has the plan's manual steps, None if none has. ``idp_side`` is None if the config
    manages nothing in the IdP, or nothing of it was read. ``what_if`` has the changes of memberships that the plan only
    supposes; a plan with some is an answer, never applied.
    """

    org: Annotated[OrgRef, PUBLIC]
    created_at: datetime
    expires_at: datetime
    as_of: date
    config_digest: Code
    desired: Annotated[Desired, PUBLIC]
    changes: Annotated[tuple[Change, ...], PUBLIC] = ()
    coverage: Mapping[str, Coverage] = MappingProxyType({})
    scope: PeopleScope = PeopleScope()
    counts: Mapping[str, int] = MappingProxyType({})
    switches: Annotated[Mapping[str, bool | str], PUBLIC] = MappingProxyType({})
    lifts: Annotated[tuple[Annotated[Allow, With(("source",))], ...], PUBLIC] = ()
    released: Annotated[tuple[Released, ...], PUBLIC] = ()
    unmanaged: Annotated[tuple[Unmanaged, ...], PUBLIC] = ()
    impact: Impact = Impact()
    guards: tuple[GuardResult, ...] = ()
    access_tests: tuple[AccessTestResult, ...] = ()
    policy_changes: Annotated[tuple[PolicyChange, ...], PUBLIC] = ()
    warnings: tuple[Problem, ...] = ()
    requests: Requests = Requests()
    selection: Annotated[Selection, PUBLIC] = Selection()
    errored: bool = False
    group_ids: Annotated[Mapping[str, str], PUBLIC] = MappingProxyType({})
    idp: Annotated[Code, OMIT] = ""
    metadata_file: Annotated[Code, OMIT] = ""
    command: Annotated[Code, OMIT] = ""
    usage: Annotated[Usage | None, OMIT] = None
    open_run: Annotated[int | None, OMIT] = None
    idp_side: Annotated[IdpPart | None, OMIT] = None
    what_if: Annotated[tuple[MembershipChange, ...], OMIT] = ()

    @property
    def partial(self) -> bool:
        """Return whether the plan is limited, so that there may be other changes."""
        return self.selection != Selection()

    @property
    def writes(self) -> tuple[Change, ...]:
        """Return the changes that an apply sends to the org."""
        return tuple(change for change in self.changes if change.via == "api")

    @property
    def human(self) -> tuple[Change, ...]:
        """Return the changes that are manual steps."""
        return tuple(change for change in self.changes if change.via == "human")

    @property
    def waiting(self) -> tuple[Change, ...]:
        """Return the changes that are pending until the IdP pushes a group."""
        return tuple(change for change in self.changes if change.via == "waiting")

    @property
    def verdict(self) -> Verdict:
        """Return the worst verdict of the guards; ``pass`` where there is no other."""
        verdicts = {result.verdict for result in self.guards}
        return next((worst for worst in ("block", "not judged", "review", "allowed") if worst in verdicts), "pass")

    @property
    def unread(self) -> tuple[str, ...]:
        """Return the managed sections that were not read completely, and the managed fields that were not read."""
        return tuple(section for section, part in self.coverage.items() if part.state != "complete")

    @property
    def outdated(self) -> tuple[str, ...]:
        """Return the sections, and ``people``, that were changed after they were read."""
        return tuple(section for section, part in self.coverage.items() if part.changed_since is not None)
