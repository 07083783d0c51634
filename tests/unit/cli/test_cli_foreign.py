"""Test which configuration applied a setting last: one that was moved or cloned is the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import meddler
import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.outside.git import head, repository
from rolecall.plan.saved.digest import short

Capture = pytest.CaptureFixture[str]

IGNORED = ".rolecall/\n*.db*\n*.json\n"


def shared(folder: Path, tmp: Path) -> Path:
    """A folder with a config whose org and journal do not move with it."""
    config = CONFIG.replace("local:org.db", f"local:{tmp}/org.db") + f"journal: {{url: 'sqlite:{tmp}/journal.db'}}\n"
    made = make_repo(folder, config)
    for part in made.glob("org.db*"):
        part.rename(tmp / part.name)
    return made


def git(folder: Path, *args: str) -> None:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@acme.com")
    subprocess.run(["git", "-C", str(folder), *who, *args], check=True, capture_output=True)
    repository.cache_clear()
    head.cache_clear()


def commit(folder: Path, remote: str | None = None) -> None:
    """Make a folder a repository with one commit."""
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", f"First of {folder.name}")
    if remote:
        git(folder, "remote", "add", "origin", remote)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a config of its own journal, before anything was applied."""
    return make_repo(tmp_path / "here")


def apply(folder: Path, *args: str) -> int:
    return run(["-C", str(folder), "apply", "--auto-approve", *args])


def verdict(folder: Path, capsys: Capture) -> str:
    """What the guard says of a change of the mapping that was applied."""
    text = (folder / "rolecall.yaml").read_text(encoding="utf-8")
    changed = text.replace("teams: [Brand]", "teams: [Marketing]")
    (folder / "rolecall.yaml").write_text(changed, encoding="utf-8")
    capsys.readouterr()
    run(["-C", str(folder), "plan", "--format", "json"])
    guards = {row["name"]: row for row in json.loads(capsys.readouterr().out)["guards"]}
    (folder / "rolecall.yaml").write_text(text, encoding="utf-8")
    return f"{guards['foreign']['verdict']} {guards['foreign']['found']}"


def test_a_folder_that_is_copied_or_moved_with_its_journal_is_the_same(folder: Path, capsys: Capture) -> None:
    assert apply(folder) == Exit.OK
    copy = shutil.copytree(folder, folder.parent / "copy")
    assert verdict(copy, capsys) == "pass 0"
    moved = folder.rename(folder.parent / "moved")
    assert verdict(moved, capsys) == "pass 0"


def test_git_and_then_a_remote_that_come_later_change_nothing(folder: Path, capsys: Capture) -> None:
    assert apply(folder) == Exit.OK
    commit(folder)
    assert verdict(folder, capsys) == "pass 0"
    assert apply(folder) == Exit.OK
    git(folder, "remote", "add", "origin", "git@example.com:acme/writer.git")
    assert verdict(folder, capsys) == "pass 0"
    git(folder, "remote", "set-url", "origin", "https://other.example.com/acme/renamed")
    assert verdict(folder, capsys) == "pass 0"


@pytest.mark.parametrize("options", [(), ("--depth", "1")], ids=["whole", "shallow"])
def test_another_checkout_of_one_repository_is_the_same(
    tmp_path: Path, capsys: Capture, options: tuple[str, ...]
) -> None:
    here = shared(tmp_path / "here", tmp_path)
    commit(here)
    assert apply(here) == Exit.OK
    git(tmp_path, "clone", "-q", *options, f"file://{here}", "clone")
    assert verdict(tmp_path / "clone", capsys) == "pass 0"


def test_two_directories_of_one_repository_are_told_apart_until_one_is_gone(tmp_path: Path, capsys: Capture) -> None:
    root = tmp_path / "root"
    first = shared(root / "first", tmp_path)
    commit(root)
    assert apply(first) == Exit.OK
    second = shutil.copytree(first, root / "second")
    assert verdict(second, capsys) == "review 1"
    shutil.rmtree(first)
    assert verdict(second, capsys) == "pass 0"
    moved = root.rename(tmp_path / "elsewhere") / "second"
    assert verdict(moved, capsys) == "pass 0"


@pytest.mark.parametrize("git_too", [True, False], ids=["repositories", "folders"])
def test_two_configurations_with_one_journal_are_told_apart(tmp_path: Path, capsys: Capture, git_too: bool) -> None:
    first = shared(tmp_path / "first", tmp_path)
    second = shutil.copytree(first, tmp_path / "second")
    for folder in (first, second) if git_too else ():
        commit(folder, f"https://example.com/acme/{folder.name}")
    assert apply(first) == Exit.OK
    assert verdict(second, capsys) == "review 1"
    assert verdict(first, capsys) == "pass 0"
    if not git_too:
        first.rename(tmp_path / "gone")
        assert verdict(second, capsys) == "pass 0"


@pytest.mark.parametrize("kind", ["rollback", "drift"])
def test_plan_and_apply_agree_on_what_is_foreign(
    tmp_path: Path, capsys: Capture, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shared(tmp_path / "first", tmp_path)
    assert apply(first) == Exit.OK
    second = shutil.copytree(first, tmp_path / "second")
    monkeypatch.chdir(second)
    if kind == "rollback":
        assert run(["rollback", "1", "--out", "back.json"]) == Exit.OK
    else:
        meddler.remap(tmp_path / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Everyone"]})
        assert run(["drift", "--revert", "--out", "back.json"]) == Exit.OK
    plan = json.loads((second / "back.json").read_text())
    assert next(row for row in plan["guards"] if row["name"] == "foreign")["verdict"] == "review"
    assert run(["apply", "back.json", "--auto-approve"]) == Exit.REFUSED
    capsys.readouterr()
    assert run(["apply", "back.json", "--approve", short(plan["digest"])]) == Exit.OK, capsys.readouterr().err
