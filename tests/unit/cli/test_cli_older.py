"""Test an apply of an older commit after a newer one: it requires approval."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.outside.git import head, repository

Capture = pytest.CaptureFixture[str]
BASE = CONFIG.replace("guards: {", "guards: {require_self: false, ")
NEWER = BASE.replace("teams: [Brand]", "teams: [Brand, Marketing]")


def git(folder: Path, *args: str) -> str:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@acme.com", "-c", "commit.gpgsign=false"]
    command = ["git", *who, "-C", str(folder), *args]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    head.cache_clear()
    repository.cache_clear()
    return told


def commit(folder: Path, text: str) -> str:
    (folder / "rolecall.yaml").write_text(text, encoding="utf-8")
    git(folder, "add", "rolecall.yaml")
    git(folder, "commit", "-q", "--allow-empty", "-m", "A change")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> tuple[Path, str, str]:
    """A repository whose newer commit was applied, and both commits; the older one is checked out."""
    folder = make_repo(tmp_path / "repo", BASE)
    monkeypatch.chdir(folder)
    git(folder, "init", "-q", "-b", "main")
    old, new = commit(folder, BASE), commit(folder, NEWER)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    git(folder, "checkout", "-q", old)
    capsys.readouterr()
    return folder, old, new


def plan(capsys: Capture) -> tuple[dict[str, Any], list[str]]:
    """The guard's result, and the messages of warnings."""
    capsys.readouterr()
    assert run(["plan", "--format", "json"]) in (Exit.OK, Exit.REFUSED)
    made = json.loads(capsys.readouterr().out)
    (guard,) = [guard for guard in made["guards"] if guard["name"] == "older"]
    return guard, [warning["message"] for warning in made["warnings"] if warning["code"] == "unknown_order"]


def test_an_older_commit_needs_a_review(applied: tuple[Path, str, str], capsys: Capture) -> None:
    _, _, new = applied
    guard, warnings = plan(capsys)
    assert guard["verdict"] == "review"
    assert f"older than the one applied by run 1 (commit {new[:12]})" in guard["message"]
    assert warnings == []
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED
    assert run(["plan", "--out", "old.json"]) == Exit.OK
    assert run(["apply", "old.json", "--auto-approve"]) == Exit.REFUSED


def test_the_newest_commit_passes(applied: tuple[Path, str, str], capsys: Capture) -> None:
    folder, *_ = applied
    git(folder, "switch", "-q", "main")
    commit(folder, BASE)
    assert plan(capsys)[0]["verdict"] == "pass", "a revert is a newer commit"
    assert run(["apply", "--auto-approve"]) == Exit.OK


def test_a_branch_that_lacks_the_applied_commit_needs_a_review(applied: tuple[Path, str, str], capsys: Capture) -> None:
    folder, _, new = applied
    git(folder, "switch", "-q", "-c", "side")
    commit(folder, BASE.replace("teams: [Brand]", "teams: [Everyone]"))
    guard, _ = plan(capsys)
    assert (guard["verdict"], f"does not include commit {new[:12]}" in guard["message"]) == ("review", True)


def test_a_plan_saved_before_the_newer_commit_was_applied_is_judged_again(
    applied: tuple[Path, str, str], capsys: Capture
) -> None:
    folder, *_ = applied
    git(folder, "switch", "-q", "main")
    later = commit(folder, BASE.replace("teams: [Brand]", "teams: [Everyone]"))
    assert run(["plan", "--out", "waiting.json"]) == Exit.OK
    commit(folder, NEWER.replace("role: member", "role: member", 1) + "# newer\n")
    commit(
        folder,
        NEWER.replace(
            "defaults: {role: member, teams: [Everyone]}", "defaults: {role: member, teams: [Everyone, Brand]}"
        ),
    )
    assert run(["apply", "--auto-approve"]) == Exit.OK
    git(folder, "checkout", "-q", later)
    assert run(["apply", "waiting.json", "--auto-approve"]) == Exit.STALE
    assert "guard older now requires approval" in capsys.readouterr().err


@pytest.mark.parametrize("told", [None, "same", "newer", "older", "diverged", "nonsense"])
def test_a_shallow_clone_is_told_by_the_action_or_warned(
    applied: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, told: str | None
) -> None:
    folder, _, new = applied
    git(folder, "switch", "-q", "-c", "older", "HEAD")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", "--branch", "older", f"file://{folder}", str(shallow))
    git(shallow, "remote", "remove", "origin")
    for name in ("org.db", ".rolecall"):
        source = folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, shallow / name)
    monkeypatch.chdir(shallow)
    if told:
        monkeypatch.setenv("ROLECALL_RELATION", f"{'e' * 40}=newer {new}={told}")
    guard, warnings = plan(capsys)
    assert guard["verdict"] == ("review" if told in ("older", "diverged") else "pass")
    unknown = told in (None, "nonsense")
    assert [("cannot be determined" in message) for message in warnings] == ([True] if unknown else [])


def test_outside_of_git_there_is_nothing_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(make_repo(tmp_path / "repo", BASE))
    assert run(["apply", "--auto-approve"]) == Exit.OK
    Path("rolecall.yaml").write_text(NEWER, encoding="utf-8")
    guard, warnings = plan(capsys)
    assert (guard["verdict"], warnings) == ("pass", [])
