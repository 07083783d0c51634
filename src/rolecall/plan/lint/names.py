"""Find names that match nothing: addresses of flags and of the policy, and groups of access tests."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from rolecall.errors import Problem, did_you_mean
from rolecall.model.desired import Applied, Desired
from rolecall.model.kinds import KINDS, address
from rolecall.model.live import Live
from rolecall.model.policy import AccessTest
from rolecall.model.settings import UNSET, Settings
from rolecall.plan.headline import enumerate_words
from rolecall.plan.resolve import covers

NEAREST = 3
_CLOSE = 0.65
_LIKE = "an address is `idp_groups/NAME`, `domains/NAME` or a section such as `sso`"
_NOTHING = "nothing in the configuration, the org or the last apply"
_WILD = "*?["


class Known(NamedTuple):
    """The known addresses. ``unsure`` are sections of the org that were not read completely, which may have more."""

    addresses: frozenset[str]
    unsure: frozenset[str] = frozenset()

    def has(self, pattern: str) -> bool:
        """Return whether an address or glob matches one of them."""
        return pattern in self.addresses or any(covers((pattern,), at) for at in self.addresses)


def known_addresses(desired: Desired, live: Live, applied: Applied) -> Known:
    """Return every address of the configuration, the org and the last apply, under each of its names."""
    known: set[str] = {kind.section for kind in KINDS if not kind.keyed}
    for settings in (desired.settings, live.settings, applied.settings):
        known.update(_keyed(settings))
    known.update(address("idp_groups", key) for key in (*live.facts.groups, *applied.group_ids))
    known.update(applied.ids)
    known.update(address("idp_groups", old) for intent in desired.intents.values() for old in intent.previously)
    known.update(desired.intents)
    unsure = frozenset(kind.section for kind in KINDS if kind.keyed and live.covered(kind.section).state != "complete")
    return Known(frozenset(known), unsure)


def _keyed(settings: Settings) -> Iterator[str]:
    for kind in KINDS:
        entries = getattr(settings, kind.section)
        if kind.keyed and entries is not UNSET:
            yield from (address(kind.section, key) for key in entries)


def flag_problems(flag: str, patterns: Iterable[str], known: Known, *, globs: bool) -> Iterator[Problem]:
    """Yield a problem for each address of a flag that matches nothing: an error, for a glob only if ``globs``.

    ``flag`` is its name as typed, such as ``--target``. Where its section was not read completely it is a warning.
    """
    for pattern in patterns:
        if not known.has(pattern):
            message = f"`{flag} {pattern}` matches {_NOTHING}"
            problem = Problem("no_such_address", message, None, near_words(pattern, known.addresses))
            strict = (globs or not _is_glob(pattern)) and pattern.partition("/")[0] not in known.unsure
            yield problem if strict else problem._replace(severity="warning")


def unmatched_names(desired: Desired, live: Live, applied: Applied, as_of: date) -> list[Problem]:
    """Return a warning for each address of ``ignore`` and ``allow``, and each group of an access test, that matches
    nothing. Entries that have ended are left out."""
    named = desired.policy.ignore or desired.policy.allow
    addresses = _addresses(desired, known_addresses(desired, live, applied), as_of) if named else ()
    return [*addresses, *_groups(desired, live, applied)]


def _addresses(desired: Desired, known: Known, as_of: date) -> Iterator[Problem]:
    policy = desired.policy
    entries = [("ignore", entry.address, entry.until, entry.source) for entry in policy.ignore]
    entries += [("allow", entry.target, entry.until, entry.source) for entry in policy.allow if entry.target]
    for section, pattern, until, source in entries:
        if until is not None and until < as_of:
            continue
        if not known.has(pattern) and pattern.partition("/")[0] not in known.unsure:
            message = f"`{pattern}` in `{section}` matches {_NOTHING}"
            yield Problem("no_such_address", message, source, near_words(pattern, known.addresses), "warning")


def _groups(desired: Desired, live: Live, applied: Applied) -> Iterator[Problem]:
    """Yield a warning for each unknown group of an access test; nothing where groups were not read."""
    groups = desired.settings.idp_groups
    known = {*live.facts.groups, *live.facts.homonyms, *(live.facts.legacy_links or ())}
    known.update(() if groups is UNSET else groups)
    known.update(applied.group_ids)
    known.update(at.partition("/")[2] for at in applied.ids)
    if live.covered("idp_groups").state != "complete":
        return
    for test in desired.policy.access_tests:
        yield from test_groups(test, known)


def test_groups(test: AccessTest, known: Collection[str]) -> Iterator[Problem]:
    """Yield a warning for each group of an access test that is unknown."""
    for group in dict.fromkeys((*(test.groups or ()), *(test.granted_by_only or ()))):
        if group not in known:
            message = f"access test `{test.name}`: no group `{group}` in the configuration or the org"
            hint = did_you_mean(group, known) or "check the name; an unknown group gives no access"
            yield Problem("no_such_group", message, test.source, hint, "warning")


def _is_glob(pattern: str) -> bool:
    return any(mark in pattern for mark in _WILD)


def near_words(pattern: str, known: Collection[str]) -> str:
    """Return a hint with the most similar addresses; a section stands for all its entries, a key for its address."""
    if any(kind.keyed and kind.section == pattern.rstrip("/") for kind in KINDS):
        return f"for all entries, use `{pattern.rstrip('/')}/*`"
    section, slash, key = pattern.partition("/")
    entries = [at for at in sorted(known) if slash and at.startswith(f"{section}/")] or sorted(known)
    keys = {(at.partition("/")[2] or at).casefold(): at for at in entries}
    wrong = (key or section).casefold()
    near_addresses = [keys[wrong]] if wrong in keys else []
    near_addresses += [keys[name] for name in difflib.get_close_matches(wrong, keys, NEAREST, _CLOSE)]
    near = [f"`{at}`" for at in dict.fromkeys(near_addresses)][:NEAREST]
    return f"did you mean {enumerate_words(near, NEAREST).replace(' and ', ' or ')}?" if near else _LIKE
