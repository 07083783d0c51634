"""The lists of files in CONTRIBUTING.md: each file exists and has what its row names."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from schemas_script import schemas_script

from rolecall.cli.report_options import FORMATS
from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION, KINDS
from rolecall.model.target import PeopleKind
from rolecall.plan.guards.evaluate import GUARDS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ELSEWHERE = frozenset({"port.People", "package_text", "fields.py", "script/schemas"})
"""Names of a row that are not in the row's own file."""


def listed(title: str) -> list[tuple[str, str]]:
    """Return the files of a section's table, each with what to do there."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.MULTILINE)


FILES = listed("Add a people source")
FORMAT_FILES = listed("Add a report format")
GUARD_FILES = listed("Add a guard")
FIELD_FILES = listed("Add a field")
KIND_FILES = listed("Add a kind")
ALL_FILES = [*FILES, *FORMAT_FILES, *GUARD_FILES, *FIELD_FILES, *KIND_FILES]


NO_SOURCES = frozenset({"src/rolecall/model/settings.py", "src/rolecall/model/directory.py"})
"""They name IdPs too: as examples of the IdP of SSO and SCIM, and by what an IdP tells of its app."""


def missing(root: Path, file: str, task: str) -> list[str]:
    """Return the file where it does not exist, else the names in backticks that it does not have."""
    path = root / file
    if not path.exists():
        return [file]
    texts = [part.read_text(encoding="utf-8") for part in ([path] if path.is_file() else path.glob("*.py"))]
    names = [name for name in re.findall(r"`([^`]+)`", task) if name not in ELSEWHERE]
    return [name for name in names if not any(name in text for text in texts)]


@pytest.mark.parametrize(("file", "task"), ALL_FILES, ids=[file for file, _ in ALL_FILES])
def test_a_listed_file_exists_and_has_what_its_row_names(file: str, task: str) -> None:
    assert missing(ROOT, file, task) == []


def test_the_list_has_the_files_that_name_every_source() -> None:
    """A file that lists the kinds of people sources is one to edit for a new one."""
    kinds = [kind for kind in get_args(PeopleKind) if kind not in ("org", "file")]
    listing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if all(re.search(rf"[\"'_]{kind}[\"']", path.read_text(encoding="utf-8")) for kind in kinds)
    }
    assert listing - NO_SOURCES <= {file for file, _ in FILES}


def test_the_list_has_the_files_that_name_every_format() -> None:
    """A file that has the names of all formats of a plan is one to edit for a new one."""
    listing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if all(f'"{form}"' in path.read_text(encoding="utf-8") for form in FORMATS if form != "json")
    }
    assert listing
    assert listing <= {file for file, _ in FORMAT_FILES}


def test_the_list_has_the_files_that_name_every_guard() -> None:
    """A file of the source that lists the guards is one to edit for a new one."""
    names = GUARDS.keys() - {"require_self", "preconditions"}
    listing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if all(f'"{name}"' in path.read_text(encoding="utf-8") for name in names)
    }
    assert listing
    assert listing <= {file for file, _ in GUARD_FILES}


def test_the_pages_have_every_guard_and_every_format() -> None:
    guards = (ROOT / "docs" / "guards.md").read_text(encoding="utf-8")
    assert [name for name in GUARDS if f"\n| `{name}` |" not in guards] == []
    commands = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    reports = commands.partition("## Reports\n")[2] or commands
    assert [form for form in FORMATS if f"`{form}`" not in reports] == []


def _changed(script: ModuleType, table: tuple[Kind, ...], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the files that script/schemas would change if this was the table."""
    monkeypatch.setattr(script, "KINDS", table)
    monkeypatch.setattr(script, "BY_SECTION", {kind.section: kind for kind in table})
    monkeypatch.setattr(script, "SECTIONS", tuple(kind.section for kind in table))
    monkeypatch.setattr(script, "ORG_KINDS", tuple(kind for kind in table if kind.side == "org"))
    monkeypatch.setattr(script, "ORG_SECTIONS", tuple(kind.section for kind in table if kind.side == "org"))
    monkeypatch.setattr(script, "SINGLETONS", tuple(kind for kind in table if not kind.keyed))
    files = script.generated()
    return {str(path.relative_to(ROOT)) for path, text in files.items() if path.read_text(encoding="utf-8") != text}


def test_the_lists_have_what_a_field_and_a_kind_change(monkeypatch: pytest.MonkeyPatch) -> None:
    script = schemas_script()
    sso = BY_SECTION["sso"]
    field = sso.field("enabled")._replace(name="planted")
    with monkeypatch.context() as patch:
        table = tuple(kind._replace(fields=(*kind.fields, field)) if kind == sso else kind for kind in KINDS)
        assert _changed(script, table, patch) == {file for file, task in FIELD_FILES if "script/schemas" in task}
    kind = sso._replace(section="planted", api_path="/v1/access/planted")
    assert _changed(script, (*KINDS, kind), monkeypatch) == {file for file, task in KIND_FILES if "/schemas`" in task}


def test_a_field_takes_at_most_six_files_and_a_kind_at_most_ten() -> None:
    assert len(FIELD_FILES) <= 6
    assert len(KIND_FILES) <= 10


def test_a_planted_omission_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "here.py").write_text("class Place: ...", encoding="utf-8")
    assert missing(tmp_path, "here.py", "a `Place`") == []
    assert missing(tmp_path, "here.py", "a `Source`") == ["Source"]
    assert missing(tmp_path, "gone.py", "a `Place`") == ["gone.py"]
