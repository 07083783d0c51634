"""Test a snapshot file as a Reader: what a plan can rely on when no org is read."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rolecall.codec.capabilities import WRITES
from rolecall.errors import ConfigError
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope, Person, Traits
from rolecall.model.live import UNREAD, Live
from rolecall.model.policy import TeamRole
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


PEOPLE: list[dict[str, Any]] = [
    {"email": "Ann@acme.com", "groups": ["A"]},
    {"email": "bo@acme.com", "origin": "saml", "manual": [{"team": "B", "role": "Team admin"}]},
]


def people(path: Path, **changes: Any) -> Directory:
    path.write_text(json.dumps(ORG | {"idp_groups": {"B": "blank", "A": "blank"}} | changes))
    return asyncio.run(SnapshotReader(path).read_people(EVERYBODY))


def test_people_stand_in_the_file_or_beside_it(path: Path) -> None:
    (path.parent / "people.jsonl").write_text("".join(json.dumps(row) + "\n" for row in PEOPLE))
    inline, beside = people(path, people=PEOPLE), people(path, people="people.jsonl")
    assert inline == beside
    assert inline.person(0) == Person("ann@acme.com", "ann@acme.com", ("A",))
    assert inline.person(1).traits == Traits("saml", manual=(TeamRole("B", "team_admin"),))
    assert inline.coverage.state == "complete"


def test_people_that_nobody_read_are_unread(path: Path) -> None:
    assert people(path).coverage.state == "unread"
    assert people(path, people=PEOPLE, coverage={"people": {"state": "unread", "problem": "masked"}}).coverage == (
        UNREAD._replace(problem="masked")
    )
    assert people(path, people=PEOPLE, coverage={"people": {"state": "partial", "total": 9}}).coverage.total == 9


def test_no_people_are_loaded_for_nobody(path: Path) -> None:
    path.write_text(json.dumps(ORG | {"people": "gone.jsonl"}))
    assert len(asyncio.run(SnapshotReader(path).read_people(PeopleScope()))) == 0


@pytest.mark.parametrize(
    "said, code",
    [
        ("gone.jsonl", "unreadable"),
        (".", "unreadable"),
        ([{"email": "a@b.c"}, {"email": "A@b.c"}], "people_invalid"),
        ("bad.jsonl", "people_syntax"),
        ("/etc/passwd", "outside"),
        ("../people.jsonl", "outside"),
        ("link.jsonl", "outside"),
    ],
)
def test_people_that_cannot_be_read(path: Path, said: Any, code: str) -> None:
    (path.parent / "bad.jsonl").write_text("{")
    (path.parent / "link.jsonl").symlink_to("/etc/passwd")
    with pytest.raises(ConfigError) as caught:
        people(path, people=said)
    assert caught.value.problems[0].code == code


def test_planning_from_a_snapshot_imports_nothing_heavy(path: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from rolecall.live.snapshot.reader import SnapshotReader;"
        "asyncio.run(SnapshotReader(Path(sys.argv[1])).read());"
        "print(sorted({'httpx', 'sqlalchemy', 'starlette', 'jsonschema', 'deepdiff', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_whole_org_is_never_written_out(path: Path) -> None:
    """asyncio writes out the result of each task: with a million people that alone would take seconds."""
    live, directory = read(path), people(path, people=PEOPLE)
    assert repr(live) == "Live('org_1', 0 groups)"
    assert repr(directory) == "Directory(2 users, 2 groups, complete)"
