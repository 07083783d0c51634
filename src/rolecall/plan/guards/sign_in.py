"""Who has a way in, by SSO or by password, before the plan and after it (R1, R27)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rolecall.access.signin import fewer_ways_in, ways_in
from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.directory import Directory, Traits
from rolecall.model.kinds import split_address
from rolecall.model.settings import UNSET, Settings
from rolecall.plan.guards.case import PASS, Case, Finding, Item, at
from rolecall.plan.headline import people
from rolecall.plan.people import name_some

_ACCESS = frozenset({"sso", "domains"})


class _Shut(NamedTuple):
    """The people who lose their last way in: those who must not, and all."""

    needed: frozenset[int]
    everybody: frozenset[int]


def sign_in(case: Case) -> Finding:
    """Block when a required org admin or the caller has no way in left, review when anybody has not."""
    changes = [change for change in case.made if split_address(change.address)[0] in _ACCESS]
    first, last = case.reckoning.outlook.first.settings, case.reckoning.outlook.last.settings
    if not changes or not fewer_ways_in(first, last):
        return PASS
    directory = case.reckoning.outlook.directory
    source = changes[0].intent.source
    if directory is None or directory.coverage.state == "unread":
        return Finding("not judged", "There would be fewer ways to sign in, and users were not read.", source=source)
    shut = _shut_out(case, directory, first, last)
    if shut.everybody:
        return _refusal(shut, directory, changes[0].address, source)
    if not case.question.everybody:
        seen = f"none of the {len(directory):,} people read is shut out"
        said = f"Ways in become fewer; {seen}, but not everybody was read."
        return Finding("review", said, items=(Item(1, (changes[0].address,)),), source=source)
    return PASS._replace(actual=0)


def _refusal(shut: _Shut, directory: Directory, address: str, source: Where | None) -> Finding:
    worst = shut.needed or shut.everybody
    has = people(len(worst), "has", "have")
    needed = " who must keep one (required org admins, or whoever runs this)" if shut.needed else ""
    return Finding(
        "block" if shut.needed else "review",
        f"{has} no way in left{needed}: {name_some(directory, worst)}. Cause: {address}{at(source)}."
        + (f" In all {people(len(shut.everybody), 'is', 'are')} shut out." if len(shut.everybody) > len(worst) else ""),
        actual=len(shut.everybody),
        items=(Item(len(shut.everybody)),),
        source=source,
        fixes=("Keep `sso.allow_passwords: true`, or bring these people in by the IdP first.",),
    )


def _shut_out(case: Case, directory: Directory, first: Settings, last: Settings) -> _Shut:
    found = frozenset(_closed(directory, first, last))
    required = {email for guards in case.policies for email in guards.required_org_admins}
    caller = case.question.live.facts.caller.email
    kept = set(map(normalise.email, (*required, caller) if caller else required))
    return _Shut(frozenset(n for n in found if normalise.email(directory.emails[n]) in kept), found)


def _closed(directory: Directory, first: Settings, last: Settings) -> Iterator[int]:
    known: dict[tuple[Traits, str], bool] = {}
    for number in range(len(directory)):
        traits = directory.traits(number)
        key = (
            traits._replace(manual=(), role_attribute=None),
            normalise.domain_of(directory.emails[number]),
        )
        shut = known.get(key)
        if shut is None:
            shut = known[key] = _open(first, *key) and not _open(last, *key)
        if shut:
            yield number


def _open(settings: Settings, traits: Traits, domain: str) -> bool:
    """By password, or by SSO for people whom the IdP has shown and whose domain is claimed."""
    ways = ways_in(settings, traits)
    if "password" in ways:
        return True
    claimed = settings.domains is UNSET or domain in settings.domains
    return "sso" in ways and claimed and traits.origin in ("scim", "saml")
