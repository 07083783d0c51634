"""Trace the provisioning of one user, from the IdP's group to the org's mapping. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from rolecall.errors import Misuse, OrgError, Problem
from rolecall.jobs.access import one_person
from rolecall.jobs.plan import PlanTarget, check_pin
from rolecall.live.port import IdpTracer, People, Reader
from rolecall.model import normalise
from rolecall.model.directory import EVERYBODY, Directory, Person
from rolecall.model.live import Coverage, Live
from rolecall.model.settings import UNSET, GroupMapping
from rolecall.model.trace import NotRead, TraceStep
from rolecall.plan.explain.trace import Mappings, TraceInput, trace
from rolecall.plan.guards.named_users import near_addresses
from rolecall.plan.value import OrgRef

LOG_DAYS = 30
"""Days of the IdP's log that are read."""
SECTIONS = frozenset({"idp_groups"})
LOOK = "look up the user in WRITER's console"


class TracedOrg(Reader, People, Protocol):
    """An org that reads settings and its own users."""


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """One trace through the connection ``idp``. ``groups`` limits it to these IdP groups; ``now`` is in UTC."""

    target: PlanTarget
    org: TracedOrg
    idp: People | None
    email: str
    now: datetime
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace of a user. ``idp`` is ``okta`` or ``entra``. ``near`` are similar addresses of the org's users."""

    org: OrgRef
    email: str
    idp: str
    steps: tuple[TraceStep, ...]
    near: tuple[str, ...] = ()


async def trace_user(request: TraceRequest) -> Trace:
    """Return the trace. Raises Misuse without a connection to an IdP, SecretError without a usable credential."""
    if not isinstance(request.idp, IdpTracer):
        hint = "add `idp: {okta: …}` or `idp: {entra: …}`; see docs/people.md"
        raise Misuse(Problem("no_idp", "--trace requires a connection to the IdP", None, hint))
    org, user, mappings, observed_at = await _read_org(request)
    idp = await request.idp.trace(request.email, request.now - timedelta(days=LOG_DAYS))
    groups = tuple(dict.fromkeys(map(normalise.name, request.groups)))
    near = await _near(request) if user is None and (idp.user is None or isinstance(idp.user, NotRead)) else ()
    desired = request.target.desired
    known = TraceInput(request.email, idp, user, mappings, desired, groups, LOG_DAYS, observed_at, near)
    return Trace(org, request.email, idp.kind, trace(known), near)


async def _near(request: TraceRequest) -> tuple[str, ...]:
    """Return similar addresses of the org's users; none if these cannot be read."""
    try:
        directory = await request.org.read_people(EVERYBODY)
    except OrgError:
        return ()
    return tuple(near_addresses(normalise.email(request.email), directory.emails, _NEAR))


_NEAR = 3


class _OrgSide(NamedTuple):
    """The org, the user in it, its mappings, and when it was recorded if it is an observed org."""

    org: OrgRef
    user: Person | NotRead | None
    mappings: Mappings | NotRead
    observed_at: datetime | None = None


async def _read_org(request: TraceRequest) -> _OrgSide:
    """Return the org's side; what cannot be read, as NotRead. Raises OrgError for an org other than the configured
    one.
    """
    target = request.target
    try:
        live = await request.org.read(SECTIONS)
    except OrgError as error:
        unread = _unread(error)
        return _OrgSide(OrgRef(target.name, target.pin or "", target.url, target.env), unread, unread)
    check_pin(target, live.facts)
    org = OrgRef(target.name, live.facts.org_id, target.url, target.env, live.facts.local)
    observed_at = live.covered("idp_groups").taken_at if live.facts.observed else None
    return _OrgSide(org, await _read_user(request), _mappings(live), observed_at)


async def _read_user(request: TraceRequest) -> Person | NotRead | None:
    try:
        return _user(await request.org.read_people(one_person(request.email)), request.email)
    except OrgError as error:
        return _unread(error)


def _unread(error: OrgError) -> NotRead:
    return NotRead(error.problems[0].message, error.problems[0].hint)


def _user(directory: Directory, email: str) -> Person | NotRead | None:
    """Return the user; None only if all users in scope were read."""
    key = normalise.email(email)
    for number, known in enumerate(directory.emails):
        if normalise.email(known) == key:
            return directory.person(number)
    return None if directory.coverage.state == "complete" else _not_read(directory.coverage)


def _mappings(live: Live) -> dict[str, GroupMapping] | NotRead:
    groups, coverage = live.settings.idp_groups, live.covered("idp_groups")
    if groups is UNSET or coverage.state != "complete":
        return _not_read(coverage)
    return {**dict.fromkeys(live.facts.groups, GroupMapping()), **groups}


def _not_read(coverage: Coverage) -> NotRead:
    return NotRead(coverage.problem or "it was not recorded or not read", LOOK)
