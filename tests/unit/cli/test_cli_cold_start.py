"""Test which imports a quick command must not have: help and an offline validate need no heavy library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MINIMAL = Path(__file__).resolve().parents[3] / "examples" / "minimal"
HEAVY = ("httpx", "sqlalchemy", "deepdiff", "jsonschema", "rich", "jinja2", "ruamel", "starlette", "rolecall.localorg")


@pytest.mark.parametrize(
    ("args", "more"),
    [
        (["--help"], ("yaml", "jsonschema_rs", "rolecall.model", "rolecall.plan", "rolecall.report", "asyncio")),
        (["plan", "--help"], ("yaml", "jsonschema_rs", "rolecall.model", "rolecall.plan", "rolecall.jobs", "asyncio")),
        (["version"], ("yaml", "rolecall.model")),
        (["validate"], ("rolecall.plan", "rolecall.live", "rolecall.journal", "asyncio")),
    ],
)
def test_no_heavy_library_is_imported(args: list[str], more: tuple[str, ...]) -> None:
    code = (
        "import sys\n"
        "from rolecall.cli.main import run\n"
        f"assert run({args!r}) == 0\n"
        f"sys.stderr.write(' '.join(name for name in {(*HEAVY, *more)!r} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=MINIMAL, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
