"""Makes the schemas that editors use from the schema of a configuration: rules in `allOf`, included files, overlays.

Rules are what the loader checks in code, with better messages; it reads the schema without any `allOf`.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from typing import Any

from rolecall.model.fields import Kind
from rolecall.model.kinds import KEYED, ORG_KEYED, SINGLETONS

Node = dict[str, Any]

URL = r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+([/?#]\S*)?$"
ORG_URL = rf"^(?:{URL[1:-1]}|[Ll][Oo][Cc][Aa][Ll]:[\s\S]+|[Oo][Bb][Ss][Ee][Rr][Vv][Ee][Dd]:[\s\S]+)$"
ORG_ADMIN = "^ *[Oo][Rr][Gg][ _][Aa][Dd][Mm][Ii][Nn] *$"
DAY = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
REMOVAL: Node = {"type": "object", "required": ["remove"]}
DROPPED: Node = {"properties": {"remove": {"description": "Drops the inherited key.", "const": True}}}


def add_rules(schema: Node) -> None:
    """Put the rules that need no org into the schema of a configuration."""
    definitions, properties = schema["definitions"], schema["properties"]
    schema["allOf"] = [{"not": _both(_switch("sso", on=False), _switch("scim", on=True))}]
    org_admin = {"type": "string", "pattern": ORG_ADMIN}
    properties["defaults"]["allOf"] = [{"not": {"required": ["role"], "properties": {"role": org_admin}}}]
    definitions["date"]["allOf"] = [{"format": "date"}, {"pattern": DAY}]
    definitions["org"]["properties"]["url"]["allOf"] = [{"pattern": ORG_URL}]
    for name in ("scim", "okta", "url", "login_url"):
        definitions["people"]["properties"][name]["allOf"] = [{"pattern": URL}]
    for definition, name in (("idp_okta", "url"), ("idp_entra", "url"), ("idp_entra", "login_url")):
        definitions[definition]["properties"][name]["allOf"] = [{"pattern": URL}]
    for definition, key in (("ignore", "address"), ("allow", "for")):
        definitions[definition]["properties"][key]["allOf"] = [{"pattern": _address()}]
    for kind in ORG_KEYED:
        definitions[kind.section.removesuffix("s")]["allOf"] = list(_entry_rules(kind))
    definitions["access_test"]["allOf"] = list(_test_rules())


def part_of(schema: Node, includable: Collection[str]) -> Node:
    """Return the schema of an included file."""
    part = _titled(schema, "part", "rolecall included file", "Sections of a configuration, in a file of `include`.")
    part["properties"] = {name: node for name, node in part["properties"].items() if name in includable}
    return _used_only(part)


def overlay_of(schema: Node) -> Node:
    """Return the schema of an overlay: each key may be missing, or be `{remove: true}`."""
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


def _both(*nodes: Node) -> Node:
    return {
        "required": [name for node in nodes for name in node],
        "properties": {name: value for node in nodes for name, value in node.items()},
    }


def _switch(section: str, *, on: bool) -> Node:
    return {section: {"type": "object", "required": ["enabled"], "properties": {"enabled": {"const": on}}}}


def _has(*names: str) -> Node:
    return {"type": "object", "required": list(names)}


def _any_of(*names: str) -> Node:
    return {"anyOf": [{"required": [name]} for name in names]}


def _address() -> str:
    keyed, single = ("|".join(kind.section for kind in kinds) for kinds in (KEYED, SINGLETONS))
    return rf"^(?:[^/]*[*?\[][^/]*(?:/[\s\S]*)?|(?:{keyed})/[\s\S]*|{single})$"


def _entry_rules(kind: Kind) -> Iterator[Node]:
    """Yield the rules of one entry: it cannot be set and removed at once, and a mapping has teams (R4)."""
    fields = [field.name for field in kind.fields]
    if not kind.whole:
        yield {"if": _has("remove"), "then": {"not": _any_of(*fields)}}
        return
    yield {"if": _has("blank"), "then": {"not": _any_of(*fields, "expires", "remove")}}
    yield {"if": _has("remove"), "then": {"not": _any_of(*fields, "expires")}}
    teams = [field.name for field in kind.fields if field.type == "teams"]
    yield {"if": {"type": "object", "not": _any_of("blank", "remove")}, "then": {"required": teams}}


def _test_rules() -> Iterator[Node]:
    """Yield the rules of an access test: it is about a user or a role, and has an expectation."""
    of_person, of_role = ("expect", "has", "never"), ("granted_by_only",)
    yield {"oneOf": [{"required": ["person"]}, {"required": ["role"]}]}
    yield {"if": _has("person"), "then": {**_any_of(*of_person), "not": _any_of(*of_role)}}
    yield {"if": _has("role"), "then": {**_any_of(*of_role), "not": _any_of(*of_person)}}
    yield {"properties": {"person": {"if": {"type": "string"}, "then": {"pattern": "@"}}}}
