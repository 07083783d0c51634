"""Plans in files: written whole or not at all, read back with suspicion, and compared with another plan in words.

Keys decide what a plan holds; DeepDiff explains to a person where two such documents differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rolecall.codec.forms import Misfit
from rolecall.errors import ConfigError, Problem, RolecallError, Stale, Where
from rolecall.plan.saved.digest import canonical, digest, document, parts_of, short
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.value import FORMAT_VERSION, Plan
from rolecall.source.files import read_file

LARGEST = 256 * 2**20


def plan_json(plan: Plan) -> str:
    """The plan's JSON text, with a short hash of each part: whoever edits the file by hand is found out.

    The hashes are no signature. What protects a plan from malice is the digest that a person approved, and that
    every apply plans again.
    """
    content = encode_plan(plan)
    return json.dumps({**content, "parts": parts_of(content)}, indent=1) + "\n"


def read_plan(path: Path) -> Plan:
    """A saved plan. Raises ConfigError when it is none, Stale when it was edited or is of a format not known."""
    where = Where(str(path))
    content = _json(_bytes(path), where)
    _check_format(content, where)
    _check_parts(content, where)
    return _plan(content, where)


def as_edited(path: Path) -> Plan | None:
    """Return what an edited plan says, to report what was edited, never to be applied; None if it cannot be read.

    A plan whose parts have other types than a plan's cannot be compared either.
    """
    try:
        plan = decode_plan(_json(_bytes(path), Where(str(path))))
        canonical(document(plan))
    except (RolecallError, *_MISSHAPEN):
        return None
    return plan


def plan_of_text(text: str, name: str) -> Plan:
    """A plan out of the journal's text; ``name`` is what messages call it. Raises as read_plan does."""
    where = Where(name)
    content = _json(text.encode(), where)
    _check_format(content, where)
    return _plan(content, where)


def _plan(content: dict[str, Any], where: Where) -> Plan:
    _check_schema(content, where)
    try:
        plan = decode_plan(content)
        actual = digest(plan)
    except Misfit as error:
        problems = (
            Problem("plan_schema", f"holds what no plan says: {fault}", where, _AGAIN) for fault in error.faults
        )
        raise ConfigError(*problems) from error
    except _MISSHAPEN as error:
        raise ConfigError(Problem("plan_schema", "holds what no plan says", where, _AGAIN)) from error
    if actual != content["digest"]:
        message = f"its digest says {short(str(content['digest']))}, but what it holds is {short(actual)}"
        raise Stale(Problem("edited", f"the plan was edited: {message}", where, _AGAIN))
    return plan


def _check_parts(content: dict[str, Any], where: Where) -> None:
    recorded = content.get("parts")
    try:
        actual = parts_of(content)
    except (ValueError, RecursionError) as error:
        raise ConfigError(Problem("plan_file", "is not a saved plan", where, _A_PLAN)) from error
    if recorded == actual:
        return
    if recorded is None:
        _check_schema(content, where)
    known = recorded if isinstance(recorded, dict) else {}
    edited = sorted(name for name in actual.keys() | known.keys() if actual.get(name) != known.get(name))
    which = ", ".join(f"`{name}`" for name in edited) if known else "the hashes of its parts are gone"
    raise Stale(Problem("edited", f"the plan was edited after it was made: {which}", where, _AGAIN))


_AGAIN = "make it again with `rolecall plan --out`"
_A_PLAN = "a plan is what `rolecall plan --out FILE` writes"
_MISSHAPEN = (ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What decoding ends in where a value has another shape than a plan's: its schema leaves settings and policy open."""


def _bytes(path: Path) -> bytes:
    try:
        return read_file(path, limit=LARGEST)
    except ConfigError as error:
        raise ConfigError(*(item._replace(code="plan_file", hint=_A_PLAN) for item in error.problems)) from error


def _json(data: bytes, where: Where) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigError(Problem("plan_file", "is not a saved plan", where, _A_PLAN)) from error
    if not isinstance(content, dict) or "format_version" not in content:
        raise ConfigError(Problem("plan_file", "is not a saved plan", where, _A_PLAN))
    return content


def _check_format(content: dict[str, Any], where: Where) -> None:
    major = str(content["format_version"]).partition(".")[0]
    if major != FORMAT_VERSION.partition(".")[0]:
        message = f"is of format {content['format_version']}, and this rolecall knows {FORMAT_VERSION}"
        raise Stale(Problem("plan_format", message, where, "use the rolecall that made it, or plan again"))


def _check_schema(content: dict[str, Any], where: Where) -> None:
    import jsonschema_rs

    from rolecall.schema_files import schema_text

    validator = jsonschema_rs.validator_for(json.loads(schema_text("plan.schema.json")))
    try:
        first = next(iter(validator.iter_errors(content)), None)
    except ValueError as error:  # nested deeper than the validator goes
        raise ConfigError(
            Problem("plan_schema", "is no plan of this format: it is nested too deeply", where)
        ) from error
    if first is not None:
        at = "/".join(map(str, first.instance_path)) or "the top"
        raise ConfigError(Problem("plan_schema", f"is no plan of this format: {first.message} at {at}", where))


MOST = 20
_SECTION = {"lifts": "the allowances", "policy": "the policy", "env": "the environment", "org": "the org"}


def differences(approved: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Problem, ...]:
    """A problem for each difference between two documents of ``plan.digest.document``, 20 at most; none when equal."""
    from deepdiff import DeepDiff

    how: dict[str, Any] = {"ignore_order": True, "view": "tree", "verbose_level": 2, "threshold_to_diff_deeper": 0}
    deep_diff = DeepDiff(_by_name(approved), _by_name(now), **how)
    differing = sorted(
        {(_where(level.path(output_format="list")), *_sides(level)) for each in deep_diff.values() for level in each}
    )
    sentences = [_sentence(*difference) for difference in differing]
    if len(sentences) > MOST:
        sentences[MOST:] = [f"and {len(sentences) - MOST:,} more differences"]
    return tuple(Problem("plan_differs", line) for line in sentences)


def _by_name(content: Mapping[str, Any]) -> dict[str, Any]:
    """Changes and people under their names, so that one that is gone does not shift the others."""
    changes = {f"{action} {at}": _change(*sides) for at, action, *sides in content["changes"]}
    people = {who: [f"{role} on {team}" for team, role in gains] for who, gains in content["escalated"]}
    return {**content, "changes": changes, "escalated": people}


def _change(before: Any, after: Any, *known: str) -> dict[str, Any]:
    """A change of a document; plans of 0.1.0 know no ids."""
    return {"before": before, "after": after, **({"id": known[0]} if known else {})}


def _where(path: list[Any]) -> str:
    return "/".join(str(part) for part in path if not isinstance(part, int))


def _sides(level: Any) -> tuple[str, str]:
    return _json_text(level.t1), _json_text(level.t2)


def _json_text(value: Any) -> str:
    """A value as JSON, empty where there is none. DeepDiff has an object of its own for that."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except TypeError:
        return ""


def _sentence(where: str, before: str, now: str) -> str:
    part, _, inner = where.partition("/")
    if part == "changes" and inner.count(" ") and not (before and now) and not inner.endswith(("/before", "/after")):
        return f"{inner} was {'approved and is not due now' if before else 'not approved and would be made now'}"
    if part == "escalated":
        who, gains = inner, before or now
        return f"{who} would {'no longer gain' if before else 'now gain, which nobody approved,'} {gains}"
    name = inner if part == "changes" else "/".join(filter(None, (_SECTION.get(part, part), inner)))
    return f"{name}: {before or 'nothing'} was approved, {now or 'nothing'} it is now"
