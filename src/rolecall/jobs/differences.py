"""What differs between two plans, in words: one that was approved, and the same made again or edited.

Keys decide what a plan holds; DeepDiff explains to a person where two such documents differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rolecall.errors import Problem

MOST = 20
_SECTION = {"lifts": "the allowances", "policy": "the policy", "env": "the environment", "org": "the org"}


def differences(approved: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Problem, ...]:
    """A problem for each difference between two documents of ``plan.digest.document``, 20 at most; none when equal."""
    from deepdiff import DeepDiff

    how: dict[str, Any] = {"ignore_order": True, "view": "tree", "verbose_level": 2, "threshold_to_diff_deeper": 0}
    found = DeepDiff(_by_name(approved), _by_name(now), **how)
    rows = sorted(
        {(_where(level.path(output_format="list")), *_sides(level)) for each in found.values() for level in each}
    )
    told = [_told(*row) for row in rows]
    if len(told) > MOST:
        told[MOST:] = [f"and {len(told) - MOST:,} more differences"]
    return tuple(Problem("plan_differs", line) for line in told)


def _by_name(said: Mapping[str, Any]) -> dict[str, Any]:
    """Changes and people under their names, so that one that is gone does not shift the others."""
    changes = {f"{action} {at}": _change(*row) for at, action, *row in said["changes"]}
    people = {who: [f"{role} on {team}" for team, role in gains] for who, gains in said["escalated"]}
    return {**said, "changes": changes, "escalated": people}


def _change(before: Any, after: Any, *known: str) -> dict[str, Any]:
    """A change of a document; plans of 0.1.0 know no ids."""
    return {"before": before, "after": after, **({"id": known[0]} if known else {})}


def _where(path: list[Any]) -> str:
    return "/".join(str(part) for part in path if not isinstance(part, int))


def _sides(level: Any) -> tuple[str, str]:
    return _words(level.t1), _words(level.t2)


def _words(value: Any) -> str:
    """A value as JSON, empty where there is none. DeepDiff has an object of its own for that."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except TypeError:
        return ""


def _told(where: str, before: str, now: str) -> str:
    part, _, rest = where.partition("/")
    if part == "changes" and rest.count(" ") and not (before and now) and not rest.endswith(("/before", "/after")):
        return f"{rest} was {'approved and is not due now' if before else 'not approved and would be made now'}"
    if part == "escalated":
        who, gains = rest, before or now
        return f"{who} would {'no longer gain' if before else 'now gain, which nobody approved,'} {gains}"
    name = rest if part == "changes" else "/".join(filter(None, (_SECTION.get(part, part), rest)))
    return f"{name}: {before or 'nothing'} was approved, {now or 'nothing'} it is now"
