"""Describe the keys of rolecall.yaml for `rolecall help config`, from its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any, NamedTuple

Part = Mapping[str, Any]
"""A part of a JSON Schema."""
Records = list[tuple[str, str]]


class Section(NamedTuple):
    """A key with keys of its own: its heading, and each key with its value and its description."""

    heading: str
    records: Records


def keys_of(schema: Part) -> Records:
    """Return the keys at the top, with what each is for."""
    return [(name, _text(name, _resolved(schema, part))) for name, part in schema["properties"].items()]


def sections_of(schema: Part) -> Iterator[Section]:
    """Yield the sections, the entries of sections with entries, and the entries of lists."""
    for name, part in schema["properties"].items():
        heading, fields = _fields(schema, name, _resolved(schema, part))
        if fields:
            yield Section(heading, _records(schema, fields))


def _fields(schema: Part, name: str, part: Part) -> tuple[str, Part]:
    """Return the heading of a key's own keys, and these keys; none for a plain value."""
    if properties := part.get("properties"):
        return name, properties
    entry = part.get("additionalProperties") or part.get("items")
    if not isinstance(entry, Mapping):
        return name, {}
    form = "NAME: {...}" if part.get("additionalProperties") else "a list of {...}"
    return f"{name}: {form}", _entry(schema, _resolved(schema, entry))


def _entry(schema: Part, part: Part) -> Part:
    """Return the keys of an entry; of its alternatives, those of the one that has any."""
    if properties := part.get("properties"):
        return dict(properties)
    branches = (*part.get("oneOf", ()), *part.get("anyOf", ()), *filter(None, (part.get("then"), part.get("else"))))
    return next((fields for branch in branches if (fields := _entry(schema, _resolved(schema, branch)))), {})


def _resolved(schema: Part, part: Part) -> Part:
    """Return a part with the one that it refers to; its own title and description take precedence."""
    reference = part.get("$ref")
    if not reference:
        return part
    return {**_resolved(schema, schema["definitions"][reference.rpartition("/")[2]]), **part, "$ref": None}


def _records(schema: Part, fields: Part) -> Records:
    """Return each key with its value and description; keys that differ by name alone are one record."""
    names: dict[tuple[str, str], list[str]] = {}
    for name, part in fields.items():
        resolved = _resolved(schema, part)
        names.setdefault((_value(resolved), _text(name, resolved)), []).append(name)
    return [(_heading(keys, value), text) for (value, text), keys in names.items()]


def _heading(keys: list[str], value: str) -> str:
    """Return keys and their value, on several lines of a page if they are too long for one."""
    return fill(f"{', '.join(keys)}: {value}", 76, subsequent_indent="    ", break_on_hyphens=False)


def _value(part: Part) -> str:
    """Return what a key takes, in short."""
    if "const" in part:
        return _yaml(part["const"])
    if len(part.get("enum", ())) in range(1, MOST_CHOICES + 1):
        return "|".join(map(_yaml, part["enum"]))
    if properties := part.get("properties"):
        return _object(properties)
    if part.get("items") or part.get("type") == "array":
        return "[TEXT, ...]"
    kind = part.get("type")
    return _TYPES.get(kind[0] if isinstance(kind, list) else str(kind), "TEXT")


MOST_CHOICES = 5
"""The number of choices up to which they are listed."""
_TYPES = {"boolean": "true|false", "integer": "N", "number": "N"}


def _object(properties: Part) -> str:
    """Return a small object: a reference to a secret, a file, or keys to set."""
    if "env" in properties:
        return "SECRET"
    return f"{{{', '.join(properties)}}}"


def _text(name: str, part: Part) -> str:
    """Return the title and the description; a title that only repeats the key is left out."""
    title, description = part.get("title", ""), part.get("description", "")
    first, _, more = description.partition(". ")
    if description and title.removeprefix("The ").casefold() == name.replace("_", " "):
        title = ""
    elif first and title.casefold().endswith(first.casefold()):
        description = more
    texts = [_sentence(text) for text in (title, description) if text]
    default = part.get("default")
    if isinstance(default, str | int) and "efault" not in description:
        texts.append(f"Default: {_yaml(default)}.")
    return " ".join(texts)


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."
