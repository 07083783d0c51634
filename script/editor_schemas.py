"""Puts rules into the schema of a configuration, in `allOf`, for editors.

Rules are what the loader checks in code, with better messages; it reads the schema without any `allOf`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rolecall.model.fields import Kind
from rolecall.model.kinds import KEYED, ORG_KEYED, SINGLETONS

Node = dict[str, Any]

URL = r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s]+([/?#]\S*)?$"
ORG_URL = rf"^(?:{URL[1:-1]}|[Ll][Oo][Cc][Aa][Ll]:[\s\S]+|[Oo][Bb][Ss][Ee][Rr][Vv][Ee][Dd]:[\s\S]+)$"
ORG_ADMIN = "^ *[Oo][Rr][Gg][ _][Aa][Dd][Mm][Ii][Nn] *$"
DAY = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


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
