"""Every field of every kind is on every surface: config, snapshot, plan, runbook, `observe`, API, console, docs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import field_surfaces
import pytest
from field_surfaces import Appears, surfaces

from rolecall import schema_files
from rolecall.localorg.console import settings
from rolecall.localorg.store import open_database
from rolecall.model.fields import Field, Kind
from rolecall.model.kinds import BY_SECTION, KINDS

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
FIELDS = [pytest.param(kind, field, id=f"{kind.section}.{field.name}") for kind in KINDS for field in kind.fields]
SURFACES = ("config", "snapshot", "plan", "runbook", "observe", "api", "console", "docs")
OF_IDP = ("config", "plan", "runbook", "docs")
"""The surfaces of what the IdP has: the org has no API, no snapshot and no page for it."""
EXCUSED: Mapping[tuple[str, str], str] = {
    ("plan", "scim.role_attribute"): "rolecall's own knowledge, which no change writes",
    ("runbook", "scim.role_attribute"): "rolecall's own knowledge, which no change writes",
    ("runbook", "scim.endpoint"): "the upgrade has chapters of its own",
    ("observe", "scim.role_attribute"): "rolecall's own knowledge, which no page of WRITER shows",
    ("observe", "sso.metadata"): "a document, which nobody types",
    ("observe", "idp_groups.role"): "groups are read as a table",
    ("observe", "idp_groups.teams"): "groups are read as a table",
}
"""Where a field need not be, and why."""


@pytest.fixture
def everywhere(tmp_path: Path) -> Iterator[dict[str, Appears]]:
    database = open_database(tmp_path / "org.db")
    yield surfaces(database)
    database.close()


def absences(everywhere: Mapping[str, Appears], kind: Kind, field: Field) -> list[str]:
    """Return the surfaces on which a field is missing without an excuse."""
    name = f"{kind.section}.{field.name}"
    due = SURFACES if kind.side == "org" else OF_IDP
    return [each for each in due if (each, name) not in EXCUSED and not everywhere[each](kind, field)]


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_field_is_everywhere(everywhere: dict[str, Appears], kind: Kind, field: Field) -> None:
    assert set(everywhere) == set(SURFACES)
    assert absences(everywhere, kind, field) == []


def test_every_excuse_is_for_a_field_and_a_surface() -> None:
    names = {f"{kind.section}.{field.name}" for kind in KINDS for field in kind.fields}
    assert {name for _, name in EXCUSED} <= names
    assert {surface for surface, _ in EXCUSED} <= set(SURFACES)
    assert all(EXCUSED.values())


# What the test above would say if a field was left out somewhere

Plant = Callable[[pytest.MonkeyPatch, Path, Kind, Field], None]


def left_out_of_the_table(patch: pytest.MonkeyPatch, folder: Path, kind: Kind, field: Field) -> None:
    fields = tuple(each for each in kind.fields if each.name != field.name)
    patch.setitem(BY_SECTION, kind.section, kind._replace(fields=fields))


def left_out_of_the_schemas(patch: pytest.MonkeyPatch, folder: Path, kind: Kind, field: Field) -> None:
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        for node in _objects(schema):
            if list(node.get("properties", ()))[:1] == [kind.fields[0].name]:
                node["properties"].pop(field.name, None)
        (folder / path.name).write_text(json.dumps(schema), encoding="utf-8")
    patch.setattr(schema_files, "schema_path", lambda name: folder / name)


def _objects(node: object) -> Iterator[dict[str, dict[str, object]]]:
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(part)


def left_out_of_the_questions(patch: pytest.MonkeyPatch, folder: Path, kind: Kind, field: Field) -> None:
    fields = tuple(each._replace(question=None) if each.name == field.name else each for each in kind.fields)
    patch.setitem(BY_SECTION, kind.section, kind._replace(fields=fields))


def left_out_of_the_forms(patch: pytest.MonkeyPatch, folder: Path, kind: Kind, field: Field) -> None:
    def fields(desk: object, kind: Kind) -> dict[str, list[Field]]:
        return {"controls": [each for each in kind.fields if each != field], "facts": [], "roles": [], "teams": []}

    patch.setattr(settings, "_fields", fields)


def left_out_of_the_page(patch: pytest.MonkeyPatch, folder: Path, kind: Kind, field: Field) -> None:
    page = folder / "config.md"
    shutil.copy(field_surfaces.CONFIG_PAGE, page)
    page.write_text(re.sub(rf"\n\| `[^`]*\.{field.name}` \|.*", "", page.read_text(encoding="utf-8")), encoding="utf-8")
    patch.setattr(field_surfaces, "CONFIG_PAGE", page)


@pytest.mark.parametrize(
    ("plant", "missing"),
    [
        (left_out_of_the_table, ["config", "snapshot", "plan", "runbook", "observe", "api", "console"]),
        (left_out_of_the_schemas, ["config", "snapshot", "plan", "runbook"]),
        (left_out_of_the_questions, ["observe"]),
        (left_out_of_the_forms, ["console"]),
        (left_out_of_the_page, ["docs"]),
    ],
)
@pytest.mark.parametrize(("section", "name"), [("sso", "allow_uninvited"), ("domains", "join")])
def test_an_omission_is_noticed(
    everywhere: dict[str, Appears],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    plant: Plant,
    missing: list[str],
    section: str,
    name: str,
) -> None:
    kind = BY_SECTION[section]
    plant(monkeypatch, tmp_path, kind, kind.field(name))
    assert absences(everywhere, kind, kind.field(name)) == missing
