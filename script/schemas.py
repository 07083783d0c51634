"""Writes the parts of the schemas and of docs/config.md that follow from the table of fields (`rolecall.model.kinds`).

script/schemas            writes them
script/schemas --check    fails when a file is not current

In a JSON Schema the nodes of sections and fields are replaced; the rest of the file is edited manually and stays.
In the OpenAPI document and in the page, regions between two marker comments are replaced.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from editor_schemas import add_rules

from rolecall.codec.capabilities import WRITES
from rolecall.fleet.keys import fleet_schema
from rolecall.model.desired import Intent
from rolecall.model.fields import Field, Kind
from rolecall.model.kinds import BY_SECTION, KINDS, ORG_KINDS, ORG_SECTIONS, SECTIONS, SINGLETONS

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 120
Node = dict[str, Any]

ABOUT_ENTRY = (*Intent._fields, "blank")
"""Keys of an entry of a config other than its fields; they are edited manually."""
ABOUT_GROUP = ("blank", "id", "name", "external_id", "members")
"""Keys of a group in a snapshot other than its fields; they are edited manually."""
NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]*$"


def main(arguments: list[str]) -> int:
    """Write the files that are not current, or with `--check` name them. Returns the exit code."""
    outdated = {path: text for path, text in generated().items() if not path.exists() or path.read_text() != text}
    for path, text in outdated.items():
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)} {'is not current' if '--check' in arguments else 'written'}")
    return 1 if outdated and "--check" in arguments else 0


def generated() -> dict[Path, str]:
    """Return every file that has generated parts, as it must be."""
    files = {ROOT / "schemas" / "fleet.schema.json": f"{formatted(fleet_schema())}\n"}
    for name, fill in (("config", fill_config), ("snapshot", fill_snapshot), ("plan", fill_plan)):
        path = ROOT / "schemas" / f"{name}.schema.json"
        schema = json.loads(path.read_text(encoding="utf-8"))
        fill(schema)
        files[path] = f"{formatted(schema)}\n"
    for path in (ROOT / "schemas" / "org-api.openapi.yaml", ROOT / "docs" / "config.md"):
        files[path] = with_regions(path.read_text(encoding="utf-8"))
    return files


# The config


def fill_config(schema: Node) -> None:
    """Put the sections, their fields and what `manage` may name into the schema of a config."""
    definitions = schema["definitions"]
    for kind in ORG_KINDS:
        if kind.keyed:
            entry = definitions[entry_name(kind)]
            about = {name: node for name, node in entry["properties"].items() if name in ABOUT_ENTRY}
            entry["properties"] = {**_config_fields(kind), **about}
    put_sections(schema["properties"], {kind.section: _config_section(kind) for kind in ORG_KINDS})
    managing = {"$ref": "#/definitions/managing"}
    of_idp = {**managing, "title": "How much of this list in `idp` is managed"}
    schema["properties"]["manage"]["properties"] = {
        kind.section: managing if kind.side == "org" else of_idp for kind in KINDS
    }
    add_rules(schema)


def entry_name(kind: Kind) -> str:
    """Return the name of the definition of one entry: ``domain``, ``idp_group``."""
    return kind.section.removesuffix("s")


def _config_section(kind: Kind) -> Node:
    node = {"title": kind.title, "description": with_needs(kind)}
    if kind.keyed:
        node["description"] += " An empty map manages no entry, or, if the section is authoritative, removes all."
        return {
            **node,
            "type": "object",
            "propertyNames": {"minLength": 1},
            "additionalProperties": {"$ref": f"#/definitions/{entry_name(kind)}"},
            "examples": list(kind.examples),
        }
    return {
        **node,
        "examples": list(kind.examples),
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": _config_fields(kind),
    }


def with_needs(kind: Kind) -> str:
    """Return the description of a kind with what it needs."""
    return f"{kind.description} Requires: {kind.needs}" if kind.needs else kind.description


def _config_fields(kind: Kind) -> Node:
    return {field.name: _config_field(field) for field in kind.fields}


def _config_field(field: Field) -> Node:
    node: Node = {"title": field.title, "description": field.description, **_config_type(field)}
    if not field.written:
        node["default"] = field.initial
    return {**node, "examples": list(field.examples)} if field.examples else node


def _config_type(field: Field) -> Node:
    match field.type:
        case "flag":
            return {"type": "boolean"}
        case "choice":
            return {"enum": list(field.requestable or field.choices)}
        case "role" | "teams":
            return {"$ref": f"#/definitions/{field.type}"}
        case "document":
            return {
                "type": ["object", "string"],
                "minLength": 1,
                "required": ["file"],
                "additionalProperties": False,
                "properties": {"file": {"$ref": "#/definitions/file"}},
            }
        case _:
            return {"type": "string", "minLength": max(field.min_length, 1)}


# Snapshots and plans


def fill_snapshot(schema: Node) -> None:
    """Put the sections and their fields into the schema of a snapshot, also as kept while SCIM is off."""
    definitions = schema["definitions"]
    for kind in ORG_KINDS:
        if kind.whole:
            _fill_group(definitions[kind.noun]["oneOf"][1], kind)
        else:
            definitions[kind.noun or kind.section] = _snapshot_value(kind)
    sections = {kind.section: _snapshot_section(kind) for kind in ORG_KINDS}
    put_sections(schema["properties"], sections)
    schema["properties"]["kept"]["properties"] = sections
    coverage = definitions["coverage"]["properties"]
    put_sections(coverage, dict.fromkeys(ORG_SECTIONS, coverage["teams"]))


def _fill_group(node: Node, kind: Kind) -> None:
    about = {name: part for name, part in node["properties"].items() if name in ABOUT_GROUP}
    node["properties"] = {**_snapshot_fields(kind), **about}
    node["not"] = {"required": ["blank"], "anyOf": [{"required": [field.name]} for field in kind.fields]}


def _snapshot_section(kind: Kind) -> Node:
    if not kind.keyed:
        return {"$ref": f"#/definitions/{kind.section}"}
    entry = {"$ref": f"#/definitions/{kind.noun}"}
    described = {"title": kind.title, "description": kind.description}
    return {"type": "object", **described, "additionalProperties": entry, "examples": list(kind.examples)}


def _snapshot_value(kind: Kind) -> Node:
    described = {} if kind.keyed else {"title": kind.title, "description": kind.description}
    return {"type": "object", **described, "additionalProperties": False, "properties": _snapshot_fields(kind)}


def _snapshot_fields(kind: Kind) -> Node:
    return {
        field.name: {**_snapshot_type(field), "description": with_null(field, f"{field.title}. {field.description}")}
        for field in kind.fields
    }


def _snapshot_type(field: Field) -> Node:
    """Return the type as the org may have it; only what the org has no place for is held to its bounds."""
    name: Node = {"$ref": "#/definitions/name"}
    match field.type:
        case "flag":
            return {"type": "boolean"}
        case "choice":
            return {"enum": list(field.choices)}
        case "role":
            return {"oneOf": [name, {"type": "null"}]} if field.nullable else name
        case "teams":
            least = {"minItems": field.min_items} if field.min_items else {}
            return {"type": "array", "items": name, **least}
        case _ if field.nullable:
            return {"type": ["string", "null"]}
        case _:
            return {"type": "string"} if field.written else {"type": "string", "minLength": field.min_length}


def fill_plan(schema: Node) -> None:
    """Put the sections into the schema of a plan."""
    schema["properties"]["relied"]["properties"]["sections"]["items"]["enum"] = list(SECTIONS)
    schema["definitions"]["settings"]["properties"] = {kind.section: _plan_section(kind) for kind in KINDS}


def _plan_section(kind: Kind) -> Node:
    node: Node = {"type": "object", "description": kind.description}
    if not kind.whole:
        return node
    properties = {field.name: _plan_field(field) for field in kind.fields}
    value = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {**node, "additionalProperties": {"anyOf": [value, {"type": "null"}]}}


def _plan_field(field: Field) -> Node:
    return {**_api_answer(field), "description": with_null(field, field.description)}


def with_null(field: Field, description: str) -> str:
    """Return the description of a field, with the meaning of null."""
    return f"{sentence(description)} {field.null}".rstrip()


# The OpenAPI document and the page about the config

_YAML_REGION = re.compile(r"^(?P<indent> *)# begin: (?P<what>.*)\n(?:.*\n)*?(?P=indent)# end\n", re.MULTILINE)
_PAGE_REGION = re.compile(r"^(?P<indent>)<!-- begin: (?P<what>.*) -->\n(?:.*\n)*?<!-- end -->\n", re.MULTILINE)


def with_regions(text: str) -> str:
    """Return a text with every region between two marker comments generated again."""

    def lines(region: re.Match[str]) -> str:
        made = _region(region["what"], text)
        return "".join(f"{region['indent']}{line}\n" if line else "\n" for line in made)

    def in_yaml(region: re.Match[str]) -> str:
        return f"{region['indent']}# begin: {region['what']}\n{lines(region)}{region['indent']}# end\n"

    def on_page(region: re.Match[str]) -> str:
        return f"<!-- begin: {region['what']} -->\n\n{lines(region)}\n<!-- end -->\n"

    return _PAGE_REGION.sub(on_page, _YAML_REGION.sub(in_yaml, text))


def _region(what: str, text: str) -> list[str]:
    """Return the lines of one region.

    ``what`` is ``table of fields``, ``capabilities, and NAMES``, ``paths of other singletons``, ``schemas of other
    singletons``, or a part of the schema of a section: ``request of sso``, ``answer of sso``, or ``required of sso, and
    NAMES``, where the schemas of NAMES are edited manually.
    """
    part, _, names = what.partition(", and ")
    name, _, section = part.partition(" of ")
    if name == "capabilities":
        return [f"- {capability}" for capability in sorted({*WRITES, *names.split()})]
    if part == "table of fields":
        return list(_table())
    if section == "other singletons":
        others = [kind for kind in SINGLETONS if f"# begin: request of {kind.section}\n" not in text]
        make = _path if name == "paths" else _api_schemas
        return [line for kind in others for line in make(kind)]
    kind = BY_SECTION[section]
    if name == "required":
        return [_required(kind, names.split())]
    return _request(kind) if name == "request" else _answer(kind)


def _required(kind: Kind, more: Iterable[str]) -> str:
    return f"required: [{', '.join([field.name for field in kind.fields if field.written] + [*more])}]"


def _request(kind: Kind) -> list[str]:
    return [f"{field.name}: {flow(_api_request(field))}" for field in kind.fields if field.updated]


def _answer(kind: Kind) -> list[str]:
    return [f"{field.name}: {flow(_api_answer(field))}" for field in kind.fields]


def _api_request(field: Field) -> Node:
    characters = {"minLength": field.min_length} if field.min_length else {}
    match field.type:
        case "flag":
            node: Node = {"type": "boolean"}
        case "choice":
            node = {"enum": list(field.choices)}
        case "role" if not field.nullable:
            return {"$ref": "#/components/schemas/RoleId", "description": field.title}
        case "teams":
            least = {"minItems": field.min_items} if field.min_items else {}
            each = {"$ref": "#/components/schemas/TeamName"}
            node = {"type": "array", **least, "maxItems": field.max_items, "uniqueItems": True, "items": each}
        case "document":
            node = {"type": "string", **characters, "maxLength": field.max_length, "pattern": r"^[^\x00]*$"}
        case _:
            node = {"type": "string", **characters, "maxLength": field.max_length, "pattern": NO_CONTROL}
    return {**node, **({"type": ["string", "null"]} if field.nullable else {}), "description": field.title}


def _api_answer(field: Field) -> Node:
    match field.type:
        case "flag":
            return {"type": "boolean"}
        case "choice":
            return {"enum": list(field.choices)}
        case "role" if not field.nullable:
            return {"$ref": "#/components/schemas/RoleId"}
        case "teams":
            return {"type": "array", "items": {"type": "string"}}
        case _:
            return {"type": ["string", "null"] if field.nullable else "string"}


def _path(kind: Kind) -> Iterator[str]:
    """Yield the address of a singleton that has no rules of its own."""
    name = kind.type.__name__
    content = flow({"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}})
    sent = flow({"application/json": {"schema": {"$ref": f"#/components/schemas/{name}Update"}}})
    yield f"{kind.api_path}:"
    for method, verb in (("get", "read"), ("put", "update")):
        yield f"  {method}:"
        yield "    tags: [access]"
        yield f"    operationId: {verb}{name}"
        yield f"    summary: {flow(f'{verb.capitalize()} {kind.label}')}"
        if method == "put":
            yield "    parameters: *write"
            yield "    requestBody:"
            yield "      required: true"
            yield f"      content: {sent}"
        yield "    responses:"
        yield '      "200":'
        yield f"        description: {flow(kind.title)}"
        yield "        headers: *written"
        yield f"        content: {content}"
        yield '      default: {$ref: "#/components/responses/Error"}'
    yield ""


def _api_schemas(kind: Kind) -> Iterator[str]:
    name = kind.type.__name__
    yield f"{name}Update:"
    yield "  type: object"
    yield "  additionalProperties: false"
    yield "  properties:"
    yield from (f"    {line}" for line in _request(kind))
    yield f"{name}:"
    yield "  type: object"
    yield f"  {_required(kind, ['etag'])}"
    yield "  additionalProperties: false"
    yield "  properties:"
    yield from (f"    {line}" for line in _answer(kind))
    yield '    etag: {$ref: "#/components/schemas/Etag"}'


def _table() -> Iterator[str]:
    """Yield the table of fields as Markdown."""
    yield "| field | value | what it is | in a new org |"
    yield "|---|---|---|---|"
    for kind in KINDS:
        for field in kind.fields:
            at = f"{'.'.join(kind.path)}{_ENTRY[kind.side] if kind.keyed else ''}.{field.name}"
            says = sentence(f"{field.title}. {field.description}").replace("|", "\\|")
            yield f"| `{at}` | {_value_words(field)} | {says} | {_initial_words(field.initial)} |"


_ENTRY = {"org": ".NAME", "idp": "[]"}
"""The part for one entry in the name of a field: entries of an org are a map, those of an IdP a list."""


def _value_words(field: Field) -> str:
    match field.type:
        case "flag":
            return "`true` or `false`"
        case "choice":
            return " or ".join(f"`{choice}`" for choice in field.requestable or field.choices)
        case "role":
            return "a role"
        case "teams":
            return "teams"
        case "document":
            return "`{file: NAME}`, or the text"
        case _:
            return "text"


def _initial_words(value: Any) -> str:
    if isinstance(value, frozenset):
        value = sorted(value)
    return f"`{flow(value)}`" if value or value is False else "–"


# Text


def put_sections(node: Node, sections: Mapping[str, Any]) -> None:
    """Put the sections into a node, where the first of them was; what is none of them stays as it is."""
    first = next(position for position, name in enumerate(node) if name in sections)
    names = list(node)
    before = {name: node[name] for name in names[:first]}
    after = {name: node[name] for name in names[first:] if name not in sections}
    node.clear()
    node.update({**before, **sections, **after})


def sentence(text: str) -> str:
    """Return a text that ends as a sentence does."""
    return text if text.endswith((".", ")", "`", "?")) else f"{text}."


def flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=100_000, allow_unicode=True)
    return str(text).removesuffix("...\n").strip()


def formatted(value: Any, indent: int = 0, lead: int = 0) -> str:
    """Return JSON with objects and arrays on one line where they fit, after ``lead`` characters."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or indent + lead + len(line) < WIDTH:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, list):
        parts = [f"{inner}{formatted(item, indent + 2)}" for item in value]
        return "[\n" + ",\n".join(parts) + f"\n{' ' * indent}]"
    keys = {name: f"{json.dumps(name, ensure_ascii=False)}: " for name in value}
    parts = [f"{inner}{key}{formatted(value[name], indent + 2, len(key))}" for name, key in keys.items()]
    return "{\n" + ",\n".join(parts) + f"\n{' ' * indent}}}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
