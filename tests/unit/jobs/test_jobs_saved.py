"""Plans in files: written whole for their owner alone, read back with suspicion."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rolecall.errors import RolecallError, Stale
from rolecall.jobs.saved import plan_json, plan_of_text, read_plan, write_file
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.settings import Address, GroupMapping
from rolecall.plan.value import OrgRef, Plan

AT = datetime(2026, 11, 22, tzinfo=UTC)
CHANGE = Change(Address("idp_groups/G"), "create", None, GroupMapping("member", frozenset("T")))
PLAN = Plan(OrgRef("acme", "org_1", "local:x"), AT, AT, date(2026, 11, 22), "c", Desired(), (CHANGE,))


def test_a_plan_reads_back_as_it_was(tmp_path: Path) -> None:
    write_file(tmp_path / "p.json", plan_json(PLAN))
    assert read_plan(tmp_path / "p.json").changes == PLAN.changes


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    write_file(path, "one")
    with pytest.raises(OSError):
        write_file(tmp_path / "none" / "p.json", "two")
    with pytest.raises(TypeError):
        write_file(path, 3)  # an accident in the middle of writing
    assert path.read_text(encoding="utf-8") == "one"
    assert [item.name for item in tmp_path.iterdir()] == ["p.json"]
    assert path.stat().st_mode & 0o077 == 0


def test_an_edited_plan_is_stale() -> None:
    said = json.loads(plan_json(PLAN))
    said["changes"][0]["after"]["teams"] = ["Everyone"]
    with pytest.raises(Stale, match="the plan was edited"):
        plan_of_text(json.dumps(said), "p")


def test_what_the_digest_does_not_cover_may_be_touched() -> None:
    said = json.loads(plan_json(PLAN))
    said["created_at"] = "2026-11-23T00:00:00+00:00"
    assert plan_of_text(json.dumps(said), "p").created_at.day == 23


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a saved plan"),
        ("[]", "is not a saved plan"),
        ("{}", "is not a saved plan"),
        ('{"format_version": "9.1"}', "is of format 9.1"),
        ('{"format_version": "1.0"}', "is no plan of this format"),
    ],
)
def test_what_is_no_plan_is_said_to_be_none(text: str, words: str) -> None:
    with pytest.raises(RolecallError, match=words):
        plan_of_text(text, "p")


def test_a_newer_minor_version_is_read() -> None:
    said = json.loads(plan_json(PLAN))
    said["format_version"] = "1.7"
    assert plan_of_text(json.dumps(said), "p").org.id == "org_1"
