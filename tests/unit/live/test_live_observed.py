"""A snapshot file as a Reader: what a plan can rely on when no org is asked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rolecall.codec.api import WRITES
from rolecall.live.observed import SnapshotReader
from rolecall.model.live import UNREAD, Live
from rolecall.model.settings import UNSET, Domain

ORG: dict[str, Any] = {
    "snapshot": 1,
    "org": {"id": "org_1", "name": "acme"},
    "domains": {"acme.com": {}},
    "defaults": {"role": "member", "teams": ["Everyone"]},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    held = tmp_path / "org.json"
    held.write_text(json.dumps(ORG))
    return held


def read(path: Path, sections: frozenset[str] | None = None, **options: bool) -> Live:
    return asyncio.run(SnapshotReader(path, **options).read(sections))


def test_an_observed_org_can_take_no_write(path: Path) -> None:
    facts = read(path, observed=True).facts
    assert facts.observed
    assert facts.can == frozenset()


def test_a_snapshot_of_an_org_with_an_api_plans_as_that_org_would(path: Path) -> None:
    assert read(path).facts.can == WRITES
    assert not read(path).facts.observed
    path.write_text(json.dumps(ORG | {"org": {"id": "o", "can": ["scim.update"], "caller": {"email": "a@b.com"}}}))
    facts = read(path).facts
    assert (facts.can, facts.caller.email) == ({"scim.update"}, "a@b.com")


def test_what_was_not_read_is_unread(path: Path) -> None:
    live = read(path)
    assert live.covered("sso") == live.covered("people") == UNREAD
    assert live.covered("domains").state == "complete"
    assert live.requests == 0


def test_only_the_sections_asked_for(path: Path) -> None:
    live = read(path, frozenset({"domains"}))
    assert live.settings.domains == {"acme.com": Domain()}
    assert live.settings.defaults is UNSET
    assert live.covered("defaults") == UNREAD


def test_each_read_is_a_new_read(path: Path) -> None:
    reader = SnapshotReader(path)
    assert asyncio.run(reader.read()).facts.org_id == "org_1"
    path.write_text(json.dumps(ORG | {"org": {"id": "org_2"}}))
    assert asyncio.run(reader.read()).facts.org_id == "org_2"


def test_planning_from_a_snapshot_imports_nothing_heavy(path: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from rolecall.live.observed import SnapshotReader;"
        "asyncio.run(SnapshotReader(Path(sys.argv[1])).read());"
        "print(sorted({'httpx', 'sqlalchemy', 'starlette', 'jsonschema', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
