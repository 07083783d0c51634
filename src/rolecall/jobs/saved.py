"""Write plans to files, read them with all checks, and explain how two plans differ.

The digest decides whether two plans are equal; DeepDiff finds where their documents differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rolecall.codec.forms import Misfit
from rolecall.errors import ConfigError, Problem, RolecallError, Stale, Where
from rolecall.plan.commands import new_plan
from rolecall.plan.saved.digest import canonical, digest, document, parts_of, short
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.value import FORMAT_VERSION, Plan
from rolecall.source.files import read_file

LARGEST = 256 * 2**20


def plan_json(plan: Plan) -> str:
    """Return the plan as JSON, with a hash of each part, so that edits of the file are detected.

    The hashes are not a signature. Against malice, a plan is protected by its approved digest, and because every apply
    plans again.
    """
    content = encode_plan(plan)
    return "".join(_laid_out({**content, "parts": parts_of(content)}, "\n", _INDENTED)) + "\n"


_INDENTED = 3
"""The levels of a plan's JSON that are indented, down to the items of a list. Each item is on one line: Python encodes
that in C, many times faster, and in half the bytes."""
_compact = json.JSONEncoder(separators=(",", ":")).encode


def _laid_out(value: Any, line: str, levels: int) -> Iterator[str]:
    """Yield JSON text in pieces. ``line`` is a line end with the indentation of the value."""
    if not levels or not value or not isinstance(value, dict | list):
        yield _compact(value)
        return
    before = line + " "
    if isinstance(value, list):
        yield f"[{before}{f',{before}'.join(map(_compact, value))}{line}]"
        return
    yield "{"
    for number, (key, field) in enumerate(value.items()):
        yield f"{',' if number else ''}{before}{_compact(key)}: "
        yield from _laid_out(field, before, levels - 1)
    yield f"{line}}}"


def read_plan(path: Path) -> Plan:
    """Return a saved plan. Raises ConfigError for any other file, Stale if it was edited or has an unknown format."""
    where = Where(str(path))
    content = _json(_bytes(path), where)
    _check_format(content, where)
    _check_parts(content, where)
    return _plan(content, where)


def as_edited(path: Path) -> Plan | None:
    """Return an edited plan, to report what was edited, never to be applied; None if it cannot be read or compared."""
    try:
        plan = decode_plan(_json(_bytes(path), Where(str(path))))
        canonical(document(plan))
    except (RolecallError, *_MISSHAPEN):
        return None
    return plan


def plan_of_text(text: str, name: str) -> Plan:
    """Return a plan from its text in the journal; ``name`` is for messages. Raises as ``read_plan`` does."""
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
        problems = (Problem("plan_schema", f"is not a valid plan: {fault}", where, _AGAIN) for fault in error.faults)
        raise ConfigError(*problems) from error
    except _MISSHAPEN as error:
        raise ConfigError(Problem("plan_schema", "is not a valid plan", where, _AGAIN)) from error
    if actual != content["digest"]:
        message = f"its digest is {short(str(content['digest']))}, but its content has {short(actual)}"
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
    which = ", ".join(f"`{name}`" for name in edited) if known else "the hashes of its parts are missing"
    raise Stale(Problem("edited", f"the plan was edited after it was saved: {which}", where, _AGAIN))


_AGAIN = new_plan()
_A_PLAN = "to save a plan: rolecall plan --out FILE"
_MISSHAPEN = (ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""Errors of decoding a value of the wrong shape, since the schema does not cover settings and policy."""


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
    version = content["format_version"]
    if not isinstance(version, str):
        version = json.dumps(version)
    major = version.partition(".")[0]
    if major != FORMAT_VERSION.partition(".")[0]:
        message = f"has format {version}, but this version of rolecall reads {FORMAT_VERSION}"
        raise Stale(Problem("plan_format", message, where, f"use the version that made it, or {_AGAIN}"))


def _check_schema(content: dict[str, Any], where: Where) -> None:
    import jsonschema_rs

    from rolecall.schema_files import schema_text

    validator = jsonschema_rs.validator_for(json.loads(schema_text("plan.schema.json")))
    try:
        first = next(iter(validator.iter_errors(content)), None)
    except ValueError as error:  # nested deeper than the validator goes
        message = "is not a valid plan: it is nested too deeply"
        raise ConfigError(Problem("plan_schema", message, where, _AGAIN)) from error
    if first is not None:
        at = "/".join(map(str, first.instance_path)) or "the top level"
        raise ConfigError(Problem("plan_schema", f"is not a valid plan: {first.message} at {at}", where, _AGAIN))


MOST = 20
_SECTION = {"lifts": "overrides", "policy": "policy", "env": "overlay", "org": "org"}


def differences(approved: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return a problem for each difference between two documents of ``plan.digest.document``, 20 at most."""
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
    """Return the document with changes and users by name, so that a missing one does not shift the others."""
    changes = {f"{action} {at}": _change(*sides) for at, action, *sides in content["changes"]}
    people = {who: [f"{role} on {team}" for team, role in gains] for who, gains in content["escalated"]}
    return {**content, "changes": changes, "escalated": people}


def _change(before: Any, after: Any, *known: str) -> dict[str, Any]:
    """Return a change of a document; plans of 0.1.0 have no IDs."""
    return {"before": before, "after": after, **({"id": known[0]} if known else {})}


def _where(path: list[Any]) -> str:
    return "/".join(str(part) for part in path if not isinstance(part, int))


def _sides(level: Any) -> tuple[str, str]:
    return _json_text(level.t1), _json_text(level.t2)


def _json_text(value: Any) -> str:
    """Return a value as JSON, empty for a missing one, for which DeepDiff has a special object."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except TypeError:
        return ""


def _sentence(where: str, before: str, now: str) -> str:
    part, _, inner = where.partition("/")
    if part == "changes" and inner.count(" ") and not (before and now) and not inner.endswith(("/before", "/after")):
        return f"{inner}: {'approved, but no longer planned' if before else 'planned now, but not approved'}"
    if part == "escalated":
        who, gains = inner, before or now
        return f"{who} {'no longer gains' if before else 'now gains, without approval,'} {gains}"
    name = inner if part == "changes" else "/".join(filter(None, (_SECTION.get(part, part), inner)))
    return f"{name}: approved as {before or 'nothing'}, now {now or 'nothing'}"
