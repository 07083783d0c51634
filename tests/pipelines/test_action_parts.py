"""The parts of the action that decide something, without a runner or a forge."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pipeline_site import ROOT

Load = Any


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Imports a module of the action as the action does, and forgets it again."""
    monkeypatch.syspath_prepend(str(ROOT / "action"))
    known = set(sys.modules)

    def by_name(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield by_name
    for name in set(sys.modules) - known:
        del sys.modules[name]


def plan(*verdicts: str, **more: Any) -> dict[str, Any]:
    made = {"errored": False, "access_tests": [], "changes": [{"via": "api"}]}
    return {**made, "guards": [{"verdict": verdict} for verdict in verdicts], **more}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (plan("pass", "allowed"), "pass"),
        (plan("pass", "review"), "review"),
        (plan("review", "not judged"), "not_judged"),
        (plan("not judged", "block"), "block"),
        (plan("pass", errored=True), "block"),
        (plan("pass", access_tests=[{"passed": False}]), "block"),
        (plan("pass", changes=[]), "nothing"),
        (plan("pass", changes=[{"via": "waiting"}]), "nothing"),
        (plan("pass", changes=[{"via": "human"}]), "pass"),
    ],
)
def test_the_verdict_is_the_worst_that_was_said(load: Load, given: dict[str, Any], said: str) -> None:
    assert load("checking").verdict(given) == said


def test_a_comment_that_is_too_long_loses_rows_from_its_end_and_says_how_many(load: Load) -> None:
    rows = [f"| <code>~</code> | idp_groups/Group-{number} | role |\n" for number in range(5_000)]
    body = f"<!-- rolecall:plan:org_1:prod -->\n### head\n{''.join(rows)}\nApprove: merge\n<!-- digest -->\n"
    cut = load("comment").fitted(body)
    assert 65_000 < len(cut) <= 65_535
    left = len(re.findall(r"^\| <code>", cut, re.MULTILINE))
    assert f"_{5_000 - left:,} rows are not shown, since the comment is too long._" in cut
    assert "### head" in cut
    assert "<!-- digest -->" in cut
    assert load("comment").fitted("short\n") == "short\n"


def test_a_comment_for_another_environment_or_org_is_not_ours(load: Load) -> None:
    comment = load("comment")
    here = comment._MARKER.match("<!-- rolecall:plan:org_1:prod -->")
    for text, same in (
        ("<!-- rolecall:plan:org_1:prod -->", True),
        ("<!-- rolecall:plan:-:prod -->", True),
        ("<!-- rolecall:plan:org_2:prod -->", False),
        ("<!-- rolecall:plan:org_1:staging -->", False),
    ):
        assert comment._same(comment._MARKER.match(text), here) is same, text


@pytest.mark.parametrize(("passed", "words"), [(3, "3 hours"), (47, "47 hours"), (49, "2 days"), (24 * 9, "9 days")])
def test_the_age_of_a_snapshot_is_said_in_words(load: Load, tmp_path: Path, passed: int, words: str) -> None:
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    taken = (now - timedelta(hours=passed, minutes=5)).isoformat().replace("+00:00", "Z")
    (tmp_path / "live.json").write_text(json.dumps({"taken_at": taken}), encoding="utf-8")
    assert f"a snapshot that is {words} old" in load("checking").age(tmp_path / "live.json", now)


def test_the_fingerprint_is_of_what_drifted_in_any_order(load: Load) -> None:
    fingerprints = load("drifting").fingerprints
    first, second = {"fingerprint": "a"}, {"fingerprint": "b"}
    both = fingerprints({"drift": [first, second], "alarms": []})
    assert both == fingerprints({"drift": [second], "alarms": [first]})
    assert len(both) == 1
    assert fingerprints({"drift": [first], "alarms": []}) != fingerprints({"drift": [second], "alarms": []})
    assert fingerprints({"drift": [], "alarms": []}) == ()


def test_no_line_of_a_log_is_taken_for_a_command(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    load("runner").log("idp_groups\n::set-output name=digest::0\n")
    lines = capsys.readouterr().out.splitlines()
    stop = lines[0].removeprefix("::stop-commands::")
    assert len(stop) == 16
    assert lines[-1] == f"::{stop}::"


def test_an_annotation_stays_on_its_line(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    load("runner").annotate("error", "100%\n::warning::gotcha")
    assert capsys.readouterr().out == "::error title=rolecall::100%25%0A::warning::gotcha\n"


def test_an_output_cannot_end_early(load: Load, tmp_path: Path) -> None:
    runner = load("runner")
    job = runner.Job({"GITHUB_OUTPUT": str(tmp_path / "out")}, tmp_path, tmp_path)
    job.output(comment="a\nend-x\nverdict=pass")
    name, *rows, end = (tmp_path / "out").read_text(encoding="utf-8").splitlines()
    assert name == f"comment<<{end}"
    assert rows == ["a", "end-x", "verdict=pass"]


@pytest.mark.parametrize(("problem", "losing"), [(None, 2), ("Users were not read.", "unknown")])
def test_users_who_were_not_read_are_not_counted_as_none(load: Load, problem: str | None, losing: object) -> None:
    counts = dict.fromkeys(("create", "update", "delete", "rename", "upgrade", "human", "waiting"), 0)
    impact = {"problem": problem, "losing": 2, "escalations": []}
    made = plan("review", summary=counts, impact=impact, digest="d", policy_changes=[])
    assert load("checking").numbers(made)["people_losing"] == losing


def test_what_was_not_read_is_not_called_read(load: Load) -> None:
    coverage = {"idp_groups": {"state": "complete"}, "people": {"state": "complete"}}
    whole = {"undetermined": None, "not_evaluated": [], "coverage": coverage}
    read = load("drifting").read_completely
    assert read(whole)
    assert not read({**whole, "not_evaluated": ["limit"]})
    assert not read({**whole, "undetermined": "no apply is recorded"})
    assert not read({**whole, "coverage": {"people": {"state": "partial"}}})
