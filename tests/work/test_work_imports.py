"""Which libraries and which rooms each command may import, and how many modules of our own: cold start, counted.

A limit is a little above what was counted when it was written. A library or a room is added here on purpose or not at
all. `validate` also looks for people files; `plan` writes its files through `outside`, and judges identity, what the
org would refuse, causes, coverage and names that match nothing, each in modules of its own. The packages inside `plan`
and `live` count once each.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

MINIMAL = Path(__file__).resolve().parents[2] / "examples" / "minimal"

CLICK = {"click"}
FILES = CLICK | {"yaml", "_yaml", "jsonschema_rs"}
COMMENTS = FILES | {"ruamel"}
LOCAL = FILES | {"sqlalchemy", "typing_extensions", "greenlet"}

START = {"cli", "errors"}
CONFIG = START | {"desired", "source", "model", "codec", "jobs", "report", "schema_files"}
PLAN = CONFIG | {"access", "live", "plan", "outside"}


class May(NamedTuple):
    """What a command may import. ``most`` counts modules of rolecall."""

    args: Sequence[str]
    libraries: set[str]
    rooms: set[str]
    most: int


COMMANDS = (
    May(["--help"], CLICK, START, 11),
    May(["plan", "--help"], CLICK, START, 16),
    May(["version"], CLICK, START, 12),
    May(["schema", "--kind", "plan"], CLICK, START | {"schema_files"}, 14),
    May(["validate"], FILES, CONFIG, 52),
    May(["fmt", "--check"], COMMENTS, CONFIG | {"plan", "access"}, 57),
    May(["plan", "--snapshot", "snapshot.json"], FILES, PLAN, 191),
    May(["plan"], LOCAL, PLAN | {"localorg", "journal"}, 243),
)

CODE = """
import json, sys
from rolecall.cli.main import run
code = run(sys.argv[1:])
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("minimal") / "repo"
    shutil.copytree(MINIMAL, folder)
    subprocess.run(
        [sys.executable, "-m", "rolecall", "local", "load", "snapshot.json"], cwd=folder, check=True, timeout=60
    )
    return folder


@pytest.mark.parametrize("may", COMMANDS, ids=lambda may: " ".join(may.args))
def test_a_command_imports_what_it_may_and_no_more(may: May, repo: Path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, *may.args], cwd=repo, capture_output=True, text=True, timeout=60, check=True
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    ours = [name for name in modules if name.split(".")[0] == "rolecall"]
    foreign = {name.split(".")[0] for name in modules if not name.lstrip("_").startswith(INNARDS)} - SITE
    rooms = {name.split(".")[1] for name in ours if "." in name}
    assert code == 0, done.stderr
    assert foreign <= may.libraries, foreign - may.libraries
    assert rooms <= may.rooms, rooms - may.rooms
    assert len(ours) <= may.most, len(ours)


SITE = sys.stdlib_module_names | {"rolecall", "__main__", "_distutils_hack", "sitecustomize", "_virtualenv"}
"""The standard library, ourselves, and what site-packages load before any program begins."""
INNARDS = ("cython", "sysconfigdata")
"""Modules that compiled libraries, and the standard library, make for themselves under names that vary."""


@pytest.mark.parametrize("args", [["--help"], ["validate"], ["plan", "--snapshot", "snapshot.json"]], ids=" ".join)
def test_what_reads_only_files_needs_no_loop_and_no_network(args: list[str], repo: Path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, *args], cwd=repo, capture_output=True, text=True, timeout=60, check=True
    )
    assert not {"asyncio", "ssl", "subprocess", "sqlite3"} & set(json.loads(done.stdout.splitlines()[-1])[1])
