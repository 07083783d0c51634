"""The lists of files in CONTRIBUTING.md: each file exists and has what its row names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from rolecall.cli.output import FORMATS
from rolecall.model.target import PeopleKind
from rolecall.plan.guards.evaluate import GUARDS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ELSEWHERE = frozenset({"port.People", "package_text"})
"""Names of a row that are not in the row's own file."""


def listed(title: str) -> list[tuple[str, str]]:
    """Return the files of a section's table, each with what to do there."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.MULTILINE)


FILES = listed("Add a people source")
FORMAT_FILES = listed("Add a report format")
GUARD_FILES = listed("Add a guard")
ALL_FILES = [*FILES, *FORMAT_FILES, *GUARD_FILES]


IDPS_OF_SSO = "src/rolecall/model/settings.py"
"""It names IdPs too, as examples of the IdP of SSO and SCIM."""


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
    assert listing - {IDPS_OF_SSO} <= {file for file, _ in FILES}


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


def test_a_planted_omission_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "here.py").write_text("class Place: ...", encoding="utf-8")
    assert missing(tmp_path, "here.py", "a `Place`") == []
    assert missing(tmp_path, "here.py", "a `Source`") == ["Source"]
    assert missing(tmp_path, "gone.py", "a `Place`") == ["gone.py"]
