"""Derives the schemas of included files and of overlays from that of a configuration, for editors."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

from rolecall.desired.load.files import INCLUDABLE
from rolecall.schema_files import schema_text

Node = dict[str, Any]
EDITOR_SCHEMAS: Final = ("config", "part", "overlay")
"""The kinds of files with a schema of their own: a main file, a file of ``include``, a file in ``env/``."""

REMOVAL: Node = {"type": "object", "required": ["remove"]}
DROPPED: Node = {"properties": {"remove": {"description": "Drops the inherited key.", "const": True}}}


def editor_schema(kind: str) -> str:
    """Return the text of the schema of a kind of file: one of ``EDITOR_SCHEMAS``."""
    text = schema_text("config.schema.json")
    if kind == "config":
        return text
    derived = {"part": _part, "overlay": _overlay}[kind](json.loads(text))
    return f"{json.dumps(derived, ensure_ascii=False, indent=1)}\n"


def _part(schema: Node) -> Node:
    """Return the schema of an included file."""
    part = _titled(schema, "part", "rolecall included file", "Sections of a configuration, in a file of `include`.")
    part["properties"] = {name: node for name, node in part["properties"].items() if name in INCLUDABLE}
    return _used_only(part)


def _overlay(schema: Node) -> Node:
    """Return the schema of an overlay: each key may be missing, or be ``{remove: true}``."""
    text = "Changes to a configuration for one environment. `{remove: true}` drops an inherited key."
    overlay = _titled(schema, "overlay", "rolecall overlay", text)
    in_lists = set(_refs_in_lists(overlay, inside=False))
    definitions = overlay["definitions"]
    overlay["properties"] = {name: _removable(node, definitions) for name, node in overlay["properties"].items()}
    for name, node in definitions.items():
        if name not in in_lists:
            definitions[name] = _partial(node, definitions)
    return _used_only(overlay)


def _titled(schema: Node, name: str, title: str, description: str) -> Node:
    result = copy.deepcopy(schema)
    result |= {"$id": f"urn:rolecall:{name}:1", "title": title, "description": description}
    del result["required"], result["allOf"]
    return result


def _partial(node: Node, definitions: Node) -> Node:
    """Return the schema of a map that an overlay merges; other nodes stay."""
    if "object" not in node.get("type", ()):
        return node
    partial = {key: value for key, value in node.items() if key not in ("required", "minProperties", "allOf", "else")}
    if "else" in node and not {"if", "minProperties"} & node["else"].keys():
        partial["else"] = node["else"]
    if isinstance(entry := node.get("additionalProperties"), dict):
        partial["additionalProperties"] = _removable(entry, definitions)
    if "properties" in node:
        partial["properties"] = {
            name: value if name == "remove" else _removable(value, definitions)
            for name, value in node["properties"].items()
        }
    return partial


def _removable(node: Node, definitions: Node) -> Node:
    target = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    described = {key: node.get(key, target.get(key)) for key in ("title", "description") if key in {**target, **node}}
    value = {key: part for key, part in _partial(node, definitions).items() if key not in ("title", "description")}
    return {**described, "if": REMOVAL, "then": DROPPED, "else": value}


def _refs_in_lists(node: Any, inside: bool) -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key == "$ref" and inside:
            yield value.rpartition("/")[2]
        yield from _refs_in_lists(value, inside or key == "items")


def _used_only(schema: Node) -> Node:
    """Return the schema with only the definitions that it uses."""
    definitions, used = schema["definitions"], set[str]()
    waiting = list(_refs({key: value for key, value in schema.items() if key != "definitions"}))
    while waiting:
        if (name := waiting.pop()) not in used:
            used.add(name)
            waiting += _refs(definitions[name])
    return {**schema, "definitions": {name: node for name, node in definitions.items() if name in used}}


def _refs(node: Any) -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key == "$ref":
            yield value.rpartition("/")[2]
        yield from _refs(value)
