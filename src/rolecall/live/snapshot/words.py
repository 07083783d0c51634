"""Says in plain words what the schema of snapshots refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from rolecall.errors import did_you_mean
from rolecall.live.snapshot.fault import Fault, Json, Trail

_KINDS = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
}


class Refusal(NamedTuple):
    """One keyword of the schema that a value breaks.

    ``rule`` is the keyword's own value, ``said`` the words of the library.
    """

    keyword: str
    rule: Any
    instance: Any
    schema: dict[str, Any]
    said: str


def explained(data: Json, schema: Mapping[str, Json], most: int) -> Iterator[Fault]:
    """What the schema refuses, at most so many times."""
    for error in islice(Draft7Validator(schema).iter_errors(data), most):
        deepest = _deepest(error)
        schema_here = deepest.schema if isinstance(deepest.schema, dict) else {}
        refusal = Refusal(
            str(deepest.validator), deepest.validator_value, deepest.instance, schema_here, deepest.message
        )
        yield from _WORDS.get(refusal.keyword, _other)(refusal, tuple(deepest.absolute_path))


def _deepest(error: ValidationError) -> ValidationError:
    """The refusal that a person meant to avoid: of several forms, the one that the value looks like."""
    while error.context:
        apt = [one for one in error.context if one.validator != "type" and not _is_mismatch(one)]
        error = max(apt or error.context, key=lambda one: len(one.absolute_path))
    return error


def _is_mismatch(error: ValidationError) -> bool:
    return error.validator == "enum" and isinstance(error.instance, dict | list)


def _unknown_key(error: Refusal, trail: Trail) -> Iterator[Fault]:
    known = error.schema.get("properties", {})
    for key in sorted(error.instance.keys() - known):
        hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
        yield Fault((*trail, key), "there is no such key here", hint, key=True)


def _missing_key(error: Refusal, trail: Trail) -> Iterator[Fault]:
    """One refusal comes for each key that is missing, and only its message tells which."""
    missing = next(name for name in error.rule if error.said.startswith(repr(name)))
    yield Fault(trail, f"`{missing}` is missing")


def _type(error: Refusal, trail: Trail) -> Iterator[Fault]:
    wanted = error.rule if isinstance(error.rule, list) else [error.rule]
    yield Fault(
        trail, f"has to be {' or '.join(_KINDS.get(str(kind), str(kind)) for kind in wanted)}, not {_shown(error)}"
    )


def _choice(error: Refusal, trail: Trail) -> Iterator[Fault]:
    choices = error.rule if error.keyword == "enum" else [error.rule]
    if trail == ("snapshot",):
        yield Fault(trail, f"the format version {_shown(error)} is unknown", "this rolecall reads `snapshot: 1`")
        return
    words = [choice if isinstance(choice, str) else json.dumps(choice) for choice in choices]
    near = did_you_mean(error.instance, words) if isinstance(error.instance, str) else None
    yield Fault(trail, f"cannot be {_shown(error)}", near or f"possible: {', '.join(words)}")


def _form(error: Refusal, trail: Trail) -> Iterator[Fault]:
    examples = error.schema.get("examples")
    hint = f"write it like `{examples[0]}`" if examples else "a name cannot be empty"
    yield Fault(trail, f"cannot be {_shown(error)}", hint)


def _empty(error: Refusal, trail: Trail) -> Iterator[Fault]:
    yield Fault(trail, "is empty")


def _other(error: Refusal, trail: Trail) -> Iterator[Fault]:
    yield Fault(trail, f"cannot be {_shown(error)}")


def _shown(error: Refusal) -> str:
    """The value in few words; text is quoted, a map or list is only named."""
    value = error.instance
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    said = json.dumps(value, ensure_ascii=False)
    return f"`{said if len(said) <= 60 else said[:59] + '…'}`"


_WORDS: dict[str, Callable[[Refusal, Trail], Iterator[Fault]]] = {
    "additionalProperties": _unknown_key,
    "required": _missing_key,
    "type": _type,
    "enum": _choice,
    "const": _choice,
    "pattern": _form,
    "minItems": _empty,
    "minLength": _empty,
}
