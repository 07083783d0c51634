"""The one planner: `plan` renders what it makes, `apply` carries the same thing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.desired import NOTHING_APPLIED, Applied, Desired
from rolecall.model.directory import Directory
from rolecall.model.kinds import value_at
from rolecall.model.live import Live
from rolecall.model.policy import Allow
from rolecall.model.settings import UNSET, GroupMapping
from rolecall.plan.diff import Difference, diff
from rolecall.plan.notes import managed_coverage, notes
from rolecall.plan.order import order
from rolecall.plan.resolve import covers
from rolecall.plan.value import OrgRef, Plan, Released, Requests, Unmanaged

LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a plan is made from. ``created_at`` and ``as_of`` are inputs, in UTC.

    ``targets`` and ``excludes`` are addresses or globs; ``only_expired`` keeps just the mappings that lapsed.
    ``directory`` is None when people were not read. ``lifts`` are the allowances given for this run alone.
    """

    desired: Desired
    live: Live
    org: OrgRef
    created_at: datetime
    as_of: date
    config_digest: str = ""
    applied: Applied = NOTHING_APPLIED
    directory: Directory | None = None
    lifts: tuple[Allow, ...] = ()
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    only_expired: bool = False
    warnings: tuple[Problem, ...] = ()


def make(question: Question) -> Plan:
    """The plan for a question. Equal questions give equal plans."""
    desired, live = question.desired, question.live
    found = diff(desired, live, question.as_of, question.applied)
    changes = order(_selected(question, found.changes), live.settings)
    return Plan(
        org=question.org,
        created_at=question.created_at,
        expires_at=_lapses(question),
        as_of=question.as_of,
        config_digest=question.config_digest,
        desired=desired,
        changes=changes,
        coverage=managed_coverage(desired, live),
        counts=_counts(live),
        switches=_switches(live),
        lifts=(*desired.policy.allow, *question.lifts),
        released=tuple(Released(at) for at in found.released),
        unmanaged=_inventory(found, live, question.applied),
        warnings=(*question.warnings, *found.problems, *notes(desired, live, question.as_of)),
        requests=Requests(live.requests, sum(change.via == "api" for change in changes)),
        partial=bool(question.targets or question.excludes or question.only_expired),
        errored=any(problem.severity == "error" for problem in found.problems),
    )


def _selected(question: Question, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(
        change
        for change in changes
        if (not question.targets or covers(question.targets, change.address))
        and not covers(question.excludes, change.address)
        and (not question.only_expired or change.reason == "expired")
    )


def _lapses(question: Question) -> datetime:
    """Seven days on, or when the next entry expires, whichever comes first."""
    ends = (intent.expires for intent in question.desired.intents.values() if intent.expires)
    midnights = (datetime.combine(end, time(), UTC) + timedelta(days=1) for end in ends if end >= question.as_of)
    return min((question.created_at + LIFETIME, *midnights))


def _counts(live: Live) -> dict[str, int]:
    counted = {
        section: len(held)
        for section in ("domains", "idp_groups")
        if (held := getattr(live.settings, section)) is not UNSET
    }
    people = {"people": live.facts.people, "active_people": live.facts.active_people}
    return counted | {name: count for name, count in people.items() if count is not None}


def _switches(live: Live) -> dict[str, bool | str]:
    """What an apply must find as it was: SCIM on or off, the endpoint, the manual-editing toggle."""
    scim = live.settings.scim
    if scim is UNSET:
        return {}
    said = {name: getattr(scim, name) for name in ("enabled", "endpoint", "manual_editing")}
    return {name: value for name, value in said.items() if value is not UNSET}


def _inventory(found: Difference, live: Live, applied: Applied) -> tuple[Unmanaged, ...]:
    rows = []
    for at in found.unmanaged:
        mapping = value_at(live.settings, at)
        if isinstance(mapping, GroupMapping):
            new = applied.unmanaged is not None and at not in applied.unmanaged
            rows.append(Unmanaged(at, mapping.role, tuple(sorted(mapping.teams)), new=new))
    return tuple(rows)
