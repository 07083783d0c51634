"""Compare the policy of the config with the one last applied, and find what makes it less strict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rolecall.codec.policy import encode_allow, encode_guards, encode_limit, encode_test
from rolecall.model.desired import Applied, Desired
from rolecall.model.lineage import LogCheck
from rolecall.model.policy import BANDS, AccessTest, Allow, Ignore, Limit, Policy
from rolecall.plan.value import PolicyChange

_STRICTNESS: Mapping[str, tuple[Any, ...]] = {
    "require_self": (False, True),
    "approval": ("none", "recorded", "other_person"),
    "escalations": ("allow", "review", "deny"),
    "manage": ("unmanaged", "additive", "authoritative"),
}


def policy_changes(desired: Desired, applied: Applied) -> tuple[PolicyChange, ...]:
    """Return every difference from the policy last applied, by path; nothing where none was applied yet."""
    before, after = applied.policy, desired.policy
    if before is None:
        return ()
    changes = [
        *_guards(before, after),
        *_allow(before, after),
        *_manage(before, after),
        *_ignore(before, after),
        *_watch(before, after),
        *_tests(before, after),
        *_protect(desired, applied),
    ]
    return tuple(sorted(changes, key=lambda change: change.path))


def journal_changes(log: LogCheck | None, *, recorded: bool) -> tuple[PolicyChange, ...]:
    """Return the change to a journal that lacks the last apply to the org: the rules of that apply do not count.

    ``recorded`` says whether the journal has a record of any.
    """
    if log is None or log.unknown is None:
        return ()
    after = f"a journal without {'its run ' + log.unknown.run if recorded else 'a record of an apply to this org'}"
    return (PolicyChange("journal", log.unknown.journal, after, True),)


def _guards(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    was, now = encode_guards(before.guards), encode_guards(after.guards)
    for name in was:
        if name not in ("escalations", *BANDS) and was[name] != now[name]:
            yield PolicyChange(f"guards.{name}", was[name], now[name], _looser(name, was[name], now[name]))
    for kind in sorted(was["escalations"].keys() | now["escalations"].keys()):
        b, a = was["escalations"].get(kind, "review"), now["escalations"].get(kind, "review")
        if b != a:
            yield PolicyChange(f"guards.escalations.{kind}", b, a, _less_strict("escalations", a, b))
    for name in BANDS:
        for side in ("review", "block"):
            old, new = (getattr(getattr(policy.guards, name), side) for policy in (before, after))
            b, a = (
                guards[name][side] if name in guards else encode_limit(limit)
                for guards, limit in ((was, old), (now, new))
            )
            if b != a:
                yield PolicyChange(f"guards.{name}.{side}", b, a, _wider(old, new))


def _looser(name: str, before: Any, after: Any) -> bool:
    if name == "min_org_admins":
        return bool(after < before)
    if name == "required_org_admins":
        return bool(set(before) - set(after))
    return _less_strict(name, after, before)


def _less_strict(name: str, before: Any, after: Any) -> bool:
    order = _STRICTNESS[name]
    return order.index(before) < order.index(after)


def _wider(before: Limit | None, after: Limit | None) -> bool:
    """Return whether a limit was removed, is higher, or in another unit, which cannot be compared."""
    if before is None:
        return False
    return after is None or after.percent != before.percent or after.amount > before.amount


def _allow(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    yield from _entries("allow", before.allow, after.allow, _allow_key, encode_allow, _more_allowed)


def _allow_key(entry: Allow) -> str:
    return f"{entry.guard} for {entry.target}" if entry.target else entry.guard


def _more_allowed(before: Allow | None, after: Allow | None) -> bool:
    if before is None or after is None:
        return after is not None
    longer = after.until is None or (before.until is not None and after.until > before.until)
    return after.up_to > before.up_to or (longer and after.until != before.until)


def _ignore(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    yield from _entries("ignore", before.ignore, after.ignore, lambda entry: entry.address, _ignored, _more_ignored)


def _ignored(entry: Ignore) -> dict[str, Any]:
    return {
        "address": entry.address,
        "reason": entry.reason,
        "until": entry.until.isoformat() if entry.until else None,
    }


def _more_ignored(before: Ignore | None, after: Ignore | None) -> bool:
    if before is None or after is None:
        return after is not None
    return before.until is not None and (after.until is None or after.until > before.until)


def _tests(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    yield from _entries(
        "access_tests",
        before.access_tests,
        after.access_tests,
        lambda test: test.name,
        _test,
        lambda was, now: was is not None and (now is None or _test(was) != _test(now)),
    )


def _test(test: AccessTest) -> Any:
    return encode_test(test)


def _manage(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    for section in sorted(before.manage.keys() | after.manage.keys()):
        b, a = before.managing(section), after.managing(section)
        if b != a:
            yield PolicyChange(f"manage.{section}", b, a, _less_strict("manage", a, b))


def _watch(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    b, a = sorted(before.watch_roles), sorted(after.watch_roles)
    if b != a:
        yield PolicyChange("watch.roles", b, a, bool(set(b) - set(a)))


def _protect(desired: Desired, applied: Applied) -> Iterator[PolicyChange]:
    now = {address for address, intent in desired.intents.items() if intent.protect}
    for address in sorted(applied.protected - now):
        yield PolicyChange(f"protect.{address}", True, False, True)


def _entries(
    path: str,
    before: Any,
    after: Any,
    key: Callable[[Any], str],
    encode: Callable[[Any], Any],
    loosens: Callable[[Any, Any], bool],
) -> Iterator[PolicyChange]:
    """Yield the differences between entries of two lists, by key; of duplicates the last counts."""
    was, now = ({key(entry): entry for entry in entries} for entries in (before, after))
    for name in sorted(was.keys() | now.keys()):
        b, a = was.get(name), now.get(name)
        told_b, told_a = (None if entry is None else encode(entry) for entry in (b, a))
        if told_b != told_a:
            yield PolicyChange(f"{path}.{name}", told_b, told_a, loosens(b, a))
