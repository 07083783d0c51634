"""Explains in plain language what the schema refuses, with a hint for each problem."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from jsonschema import Draft7Validator

from rolecall.desired.check.idp import is_planned, is_planned_form
from rolecall.desired.load.sources import Sources
from rolecall.errors import Problem, did_you_mean
from rolecall.source.yaml_errors import missing_space

Trail = tuple[str | int, ...]
SECRET = frozenset(("token", "client_secret", "private_key"))
_LONGEST = 60


class ConfigFault(NamedTuple):
    """A fault in the value at a trail, or in its key."""

    code: str
    trail: Trail
    message: str
    hint: str | None = None
    key: bool = False


class Refusal(NamedTuple):
    """One schema keyword that a value violates; ``rule`` is the keyword's own value."""

    keyword: str
    rule: Any
    instance: Any
    schema: dict[str, Any]
    of_name: bool


def explain(config: dict[str, Any], schema: dict[str, Any], sources: Sources) -> list[Problem]:
    """Return all problems of a configuration that the schema refuses, each once, in the order of the files."""
    faults: dict[tuple[Trail, str], ConfigFault] = {}
    for error in Draft7Validator(schema).iter_errors(config):
        schema_part = error.schema if isinstance(error.schema, dict) else {}
        of_name = "propertyNames" in error.absolute_schema_path
        refusal = Refusal(str(error.validator), error.validator_value, error.instance, schema_part, of_name)
        for fault in _faults(refusal, tuple(error.absolute_path)):
            faults.setdefault((fault.trail, fault.message), fault)
    distinct = list(faults.values())
    misspelt = {fault.trail[0] for fault in distinct if fault.code == "unknown_key"}
    distinct = [fault for fault in distinct if fault.code != "no_source" or fault.trail[0] not in misspelt]
    return [
        Problem(fault.code, fault.message, sources.where(fault.trail, fault.key), fault.hint)
        for fault in [fault for fault in distinct if fault.code == "version"] or distinct
    ]


def _faults(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    if trail == ("version",):
        message = f"format version {shown(error.instance)} is not supported"
        yield ConfigFault("version", trail, message, "write `version: 1`, or update rolecall")
    elif error.instance is None:
        hint = missing_space(str(trail[-1])) if trail else None
        yield ConfigFault(
            "null", trail, f"{label(trail)} has no value", hint or "add a value, or remove the key", key=True
        )
    elif _is_literal_secret(error, trail):
        yield _literal_secret(error.instance, trail)
    elif is_planned_form(trail, error.instance):
        message = f"{label(trail)} with keys, for Entra, is not supported yet"
        yield ConfigFault("not_supported", trail, message, "remove it; for Okta, write a list of groups", key=True)
    elif error.of_name:
        hint = "use the group's name in the IdP"
        yield ConfigFault(
            "name", (*trail, error.instance), f"{label(trail)} has an entry without a name", hint, key=True
        )
    else:
        yield from _EXPLAIN.get(error.keyword, _unnamed)(error, trail)


def _is_literal_secret(error: Refusal, trail: Trail) -> bool:
    return bool(trail) and trail[-1] in SECRET and isinstance(error.instance, str)


def _literal_secret(text: str, trail: Trail) -> ConfigFault:
    """Return the fault of a text in the place of a reference. It may be the secret, so it is never shown."""
    key, otherwise = trail[-1], "if it is the secret itself, revoke it, because it may have been read in this file"
    for form, what, reference in _NO_SECRETS:
        if form.search(text):
            hint = f"if it is {what}, write `{key}: {{{reference}}}`; {otherwise}"
            return ConfigFault("literal_secret", trail, f"{label(trail)} must refer to a secret, and is a text", hint)
    hint = (
        "revoke this secret, because it may have been read in this file; set a variable to a new one, and write "
        f"`{key}: {{env: NAME}}` with the name of the variable"
    )
    return ConfigFault("literal_secret", trail, f"{label(trail)} contains the secret itself", hint)


_NO_SECRETS = (
    (re.compile(r"\A\$?[A-Z][A-Z0-9]*(_[A-Z0-9]+)+\Z", re.ASCII), "the name of a variable", "env: NAME"),
    (re.compile(r"\.(pem|key|jwk|json|txt)\Z", re.ASCII), "the path of a file", "file: PATH"),
)
"""Forms of texts that are rarely secrets, what they are, and the reference to write."""


def _unknown_key(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    known = [name for name, schema in _properties(error).items() if schema is not False]
    for name in error.instance:
        if is_planned(trail, name):
            hint = "remove it; rolecall does not manage this yet"
            yield ConfigFault("not_supported", (*trail, name), f"{shown(name)} is not supported yet", hint, key=True)
        elif name not in known:
            near = missing_space(name) if error.instance[name] is None else did_you_mean(name, known)
            hint = near or f"use one of: {', '.join(known)}"
            yield ConfigFault(
                "unknown_key", (*trail, name), f"{shown(name)} is not a key of {label(trail)}", hint, key=True
            )


def _properties(error: Refusal) -> dict[str, Any]:
    properties: dict[str, Any] = error.schema.get("properties", {})
    return properties


def _required(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    for name in error.rule:
        if name not in error.instance:
            hint = _example(error, name) or _add(trail, name)
            yield ConfigFault("missing_key", trail, f"{label(trail)} has no `{name}`", hint, key=True)


def _type(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    types = error.rule if isinstance(error.rule, list) else [error.rule]
    type_names = " or ".join(_TYPES[name] for name in types)
    hint = _written_like(error) if "pattern" in error.schema else _type_hint(error.instance, types)
    if hint is None and "object" in types and trail:
        hint = f"list its keys: rolecall help config {trail[0]}"
    yield ConfigFault("type", trail, f"{label(trail)} must be {type_names}, not {_kind(error.instance, trail)}", hint)


def _type_hint(instance: Any, types: list[str]) -> str | None:
    if types == ["boolean"] and str(instance).lower() in _BOOLEAN_WORDS:
        return f"write `{_BOOLEAN_WORDS[str(instance).lower()]}`"
    if "object" in types and isinstance(instance, str) and (hint := missing_space(instance)):
        return hint
    if "array" in types and isinstance(instance, str):
        item = instance if instance[:1].isalnum() else f"'{instance}'"
        return f"write [{item}]" if len(instance) < _LONGEST else "put it in brackets"
    if "string" in types and "object" not in types and isinstance(instance, bool | int | float):
        return "put it in quotes"
    return None


def _choice(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    choices = error.rule if error.keyword == "enum" else [error.rule]
    texts = [str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in choices]
    near = did_you_mean(error.instance, texts) if isinstance(error.instance, str) else None
    hint = near or _besides_text(error.instance, trail) or f"use one of: {', '.join(texts)}"
    yield ConfigFault("choice", trail, f"{label(trail)} cannot be {shown(error.instance)}", hint)


def _besides_text(instance: Any, trail: Trail) -> str | None:
    """Return the hint for a value of which text is only the shorter of two forms; None for any other value."""
    match trail:
        case ("idp", "pushes"):
            return "use `idp_groups` for all groups of that section, or a list of groups"
        case ("idp_groups", _):
            team = instance if str(instance).replace(" ", "").isalnum() and len(instance) < _LONGEST else "TEAM"
            return f"write `{{role: member, teams: [{team}]}}`, or `blank` for a group without access of its own"
    return None


def _pattern(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    text = "" if _private(trail) else f" {shown(error.instance)}"
    yield ConfigFault("form", trail, f"{label(trail)} cannot be{text or ' this'}", _written_like(error))


def _written_like(error: Refusal) -> str | None:
    examples = error.schema.get("examples")
    if not examples:
        return None
    *examples_before, last = (f"`{example}`" for example in examples)
    return f"write it like {', '.join(examples_before)} or {last}" if examples_before else f"write it like {last}"


def _no_source(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    kinds = ", ".join(branch["required"][0] for branch in error.rule)
    yield ConfigFault("no_source", trail, f"{label(trail)} has no source", f"add one of: {kinds}")


def _empty(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    hint = _EMPTY_HINTS.get(error.keyword)
    yield ConfigFault("empty", trail, f"{label(trail)} is empty", hint)


def _too_small(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    yield ConfigFault("range", trail, f"{label(trail)} must be at least {error.rule}")


def _too_many(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    yield ConfigFault(
        "choice", trail, f"{label(trail)} has more than one source", f"keep one of: {', '.join(error.instance)}"
    )


def _twice(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    earlier: list[Any] = []
    for at, item in enumerate(error.instance):
        if item in earlier:
            yield ConfigFault(
                "twice", (*trail, at), f"{label(trail)} contains {shown(item)} twice", "keep one of the two"
            )
        earlier.append(item)


def _unnamed(error: Refusal, trail: Trail) -> Iterator[ConfigFault]:
    yield ConfigFault("schema", trail, f"{label(trail)} does not match the schema ({error.keyword})")


def label(trail: Trail) -> str:
    """Return how messages name a part of the configuration: its last key, and the position below it."""
    if not trail:
        return "the configuration"
    keys = [at for at, step in enumerate(trail) if isinstance(step, str)]
    positions = "".join(f"[{step}]" for step in trail[keys[-1] + 1 :])
    return f"`{_cut(str(trail[keys[-1]]))}{positions}`"


def shown(value: Any) -> str:
    """Return a value of the configuration as messages quote it."""
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{_cut(text)}`"


def _kind(value: Any, trail: Trail) -> str:
    if isinstance(value, dict | list) or _private(trail):
        return next(type_name for kind, type_name in _KINDS if isinstance(value, kind))
    kind = next(type_name for kind, type_name in _KINDS if isinstance(value, kind))
    return f"{kind} {shown(value)}"


def _private(trail: Trail) -> bool:
    return bool(SECRET.intersection(trail)) or trail[:2] == ("journal", "url")


def _example(error: Refusal, name: str) -> str | None:
    examples = _properties(error).get(name, {})
    examples = examples.get("examples") if isinstance(examples, dict) else None
    return f"add it, such as `{name}: {examples[0]}`" if examples and isinstance(examples[0], str) else None


def _add(trail: Trail, name: str) -> str:
    section = f" {trail[0]}" if trail else ""
    return f"add `{name}`; for what it takes: rolecall help config{section}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a map",
    "string": "text",
}
_KINDS = ((bool, "the boolean"), (int | float, "the number"), (str, "the text"), (list, "a list"), (dict, "a map"))
_BOOLEAN_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_EMPTY_HINTS = {
    "minItems": "add at least one item, or remove the key",
    "minProperties": "to leave it unmanaged, remove the key",
}
_EXPLAIN: dict[str, Callable[[Refusal, Trail], Iterator[ConfigFault]]] = {
    "additionalProperties": _unknown_key,
    "required": _required,
    "anyOf": _no_source,
    "type": _type,
    "enum": _choice,
    "const": _choice,
    "pattern": _pattern,
    "minLength": _empty,
    "minItems": _empty,
    "minProperties": _empty,
    "maxProperties": _too_many,
    "minimum": _too_small,
    "uniqueItems": _twice,
}
