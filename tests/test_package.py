"""The package's own files: every dependency is pinned for the tests, no file names a registry, scripts can be run."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = {
    canonicalize_name(name): version
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for name, _, version in [line.partition("==")]
}


def test_constraints_are_pins_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    odd = [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.!+]+", line)]
    assert odd == []
    assert "://" not in "\n".join(lines)


@pytest.mark.parametrize("extra", ["", *PROJECT["optional-dependencies"]])
def test_every_dependency_is_pinned_within_its_range(extra: str) -> None:
    wanted = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    asked = [Requirement(text) for text in wanted if not text.startswith("rolecall")]
    wrong = [str(r) for r in asked if not r.specifier.contains(PINS.get(canonicalize_name(r.name), "0"))]
    assert [r.name for r in asked if canonicalize_name(r.name) not in PINS] == []
    assert wrong == []


@pytest.mark.parametrize(
    "name", ["bootstrap", "test", "lint", "bench", "soak", "package", "docs", "container", "lock", "release"]
)
def test_scripts_can_be_run_and_say_what_they_do(name: str) -> None:
    script = ROOT / "script" / name
    assert os.access(script, os.X_OK)
    first, second = script.read_text(encoding="utf-8").splitlines()[:2]
    assert first == "#!/bin/sh"
    assert second.startswith("# ")


def _locked(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.removesuffix("\\").strip()) for line in lines if line and not line.startswith(" ")]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def test_the_lock_files_have_the_tested_versions_of_all_that_is_needed() -> None:
    locked, build = _locked("requirements.lock"), _locked("requirements-build.lock")
    everything = {**locked, **build}
    assert {name: PINS.get(name, version) for name, version in everything.items()} == everything, "run script/lock"
    extras = PROJECT["optional-dependencies"]
    needed = [Requirement(row) for row in (*PROJECT["dependencies"], *extras["local"], *extras["postgres"])]
    assert {canonicalize_name(row.name) for row in needed} <= locked.keys(), "run script/lock"
    assert "hatchling" in build


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_every_locked_version_has_hashes_and_no_file_names_a_registry(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    rows = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert [row for row in rows if "--hash=sha256:" not in row] == []
    assert "://" not in text
