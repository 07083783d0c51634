"""Find users who can sign in before the plan, by SSO or by password, and not after it (R1, R27)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rolecall.access.signin import fewer_ways_in, ways_in
from rolecall.model import normalise
from rolecall.model.directory import Directory, Traits
from rolecall.model.kinds import DECIDING_SIGN_IN, address, split_address
from rolecall.model.settings import UNSET, Address, Settings
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, read_settings, read_users
from rolecall.plan.headline import count_users, enumerate_words
from rolecall.plan.moves import name_some
from rolecall.plan.value import Detail

_MOST = 3


class _Shut(NamedTuple):
    """The users who can no longer sign in, by the change that causes it, and those of them who must be able to."""

    by_cause: Mapping[Address, frozenset[int]]
    needed: frozenset[int]

    @property
    def users(self) -> frozenset[int]:
        return frozenset().union(*self.by_cause.values())


def sign_in(guard_input: GuardInput) -> Finding:
    """Block where a required org admin or the caller can no longer sign in; require approval for any other user.

    It needs ``sso`` and ``domains`` of the org, managed or not, and all users. Where these were not read completely, it
    is not evaluated, unless the block is certain.
    """
    changes = [change for change in guard_input.effective if split_address(change.address)[0] in DECIDING_SIGN_IN]
    first, last = guard_input.impact_result.forecast.first.settings, guard_input.impact_result.forecast.last.settings
    if not changes or not fewer_ways_in(first, last):
        return PASS
    source = changes[0].intent.source
    unread = _unread(first, last)
    if unread:
        message = f"Not read: {enumerate_words(unread)}, so it is unknown which users can still sign in"
        settings = read_settings(guard_input, unread)
        return Finding("not judged", message, source=source, fixes=settings, unread_settings=True)
    directory, fixes = guard_input.impact_result.forecast.directory, (read_users(guard_input),)
    if directory is None or directory.coverage.state == "unread":
        return Finding(
            "not judged", "There are fewer ways to sign in, and users were not read", source=source, fixes=fixes
        )
    shut = _shut_out(guard_input, directory, first, last)
    if shut.needed or (shut.by_cause and guard_input.plan_input.everybody):
        return _refusal(guard_input, shut, directory)
    if not guard_input.plan_input.everybody:
        counted = f"{len(shut.users):,} of {count_users(len(directory))} read can no longer sign in"
        return Finding("not judged", f"{counted}; not all users were read", source=source, fixes=fixes)
    return PASS._replace(actual=0)


def _unread(first: Settings, last: Settings) -> list[str]:
    """Return the settings that decide who can sign in and were not read."""
    unread = ["sso" for s in (first, last) if s.sso is UNSET]
    unread += ["sso.enabled" for s in (first, last) if s.sso is not UNSET and s.sso.enabled is UNSET]
    on = any(s.sso is not UNSET and s.sso.enabled is True for s in (first, last))
    unread += ["domains" for s in (first, last) if on and s.domains is UNSET]
    return list(dict.fromkeys(unread))


def _refusal(guard_input: GuardInput, shut: _Shut, directory: Directory) -> Finding:
    worst = shut.needed or shut.users
    needed = " but must be able to (required org admins, or the user who runs this plan)" if shut.needed else ""
    places = {change.address: change.intent.source for change in guard_input.changes}
    causes = sorted(cause for cause, users in shut.by_cause.items() if users & worst)
    details = [Detail(f"Cause: {cause}", places.get(cause)) for cause in causes[:_MOST]]
    if len(causes) > _MOST:
        details.append(Detail(f"Cause: {len(causes) - _MOST:,} more"))
    if len(shut.users) > len(worst):
        details.append(Detail(f"In total, {count_users(len(shut.users))} can no longer sign in."))
    if not guard_input.plan_input.everybody:
        details.append(Detail("Not all users were read."))
    return Finding(
        "block" if shut.needed else "review",
        f"{count_users(len(worst))} can no longer sign in{needed}: {name_some(directory, worst)}",
        actual=len(shut.users),
        items=tuple(Item(len(users), (cause,)) for cause, users in sorted(shut.by_cause.items())),
        source=places.get(causes[0]),
        target=causes[0] if len(shut.by_cause) == 1 else None,
        fixes=(
            "To keep them able to sign in, keep `sso.allow_passwords: true` or their domain.",
            "Or provision these users through the IdP first.",
        ),
        details=tuple(details),
    )


def _shut_out(guard_input: GuardInput, directory: Directory, first: Settings, last: Settings) -> _Shut:
    by_cause: dict[Address, set[int]] = {}
    for number, cause in _closed(directory, first, last):
        by_cause.setdefault(cause, set()).add(number)
    required = {email for guards in guard_input.policies for email in guards.required_org_admins}
    caller = guard_input.plan_input.live.facts.caller.email
    must = set(map(normalise.email, (*required, caller) if caller else required))
    users = [number for numbers in by_cause.values() for number in numbers]
    needed = frozenset(number for number in users if normalise.email(directory.emails[number]) in must)
    return _Shut({cause: frozenset(numbers) for cause, numbers in by_cause.items()}, needed)


def _closed(directory: Directory, first: Settings, last: Settings) -> Iterator[tuple[int, Address]]:
    """Yield each user who can sign in before the plan and not after it, with the change that causes it."""
    known: dict[tuple[Traits, str], bool] = {}
    for number, email in enumerate(directory.emails):
        traits = directory.traits(number)._replace(manual=(), role_attribute=None)
        domain = normalise.domain_of(email)
        shut = known.get((traits, domain))
        if shut is None:
            shut = known[traits, domain] = _open(first, traits, domain) and not _open(last, traits, domain)
        if shut:
            by_password = "password" in ways_in(first, traits)
            yield number, address("sso") if by_password else address("domains", domain)


def _open(settings: Settings, traits: Traits, domain: str) -> bool:
    """Return whether a user can sign in: by password, or by SSO if they came by the IdP and their domain is claimed."""
    ways = ways_in(settings, traits)
    if "password" in ways:
        return True
    claimed = settings.domains is UNSET or domain in settings.domains
    return "sso" in ways and claimed and traits.origin in ("scim", "saml")
