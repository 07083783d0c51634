"""The hooks of pre-commit, run by pre-commit itself in a company's repository: a bad commit does not come about."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pipeline_site import ROOT

BIN = Path(sys.executable).parent


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    shutil.copytree(ROOT / "examples" / "acme", folder, ignore=shutil.ignore_patterns(".rolecall"))
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", ".")
    assert run(folder, "pre-commit", "install").returncode == 0
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder.parent),
        "PRE_COMMIT_HOME": str(folder.parent / "pre-commit"),
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_AUTHOR_EMAIL": "ann@acme.com",
        "GIT_COMMITTER_NAME": "Ann",
        "GIT_COMMITTER_EMAIL": "ann@acme.com",
    }
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False)


def commit(folder: Path) -> subprocess.CompletedProcess[str]:
    run(folder, "git", "add", "--update")
    return run(folder, "git", "commit", "-qm", "A change")


def test_a_good_config_is_committed(repo: Path) -> None:
    done = commit(repo)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_config_that_is_wrong_is_not_and_the_line_is_named(repo: Path) -> None:
    path = repo / "idp_groups" / "business.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("teams: [Sales]", "team: [Sales]"), encoding="utf-8")
    done = commit(repo)
    assert done.returncode != 0
    assert "idp_groups/business.yaml:" in done.stdout + done.stderr
    assert run(repo, "git", "log", "--oneline").returncode != 0, "nothing was committed"


def test_a_config_in_another_form_is_written_in_the_one_and_has_to_be_added_again(repo: Path) -> None:
    path = repo / "idp_groups" / "business.yaml"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("{role: member, teams: [Sales]}", "{teams: [ 'Sales' ], role:   member}"), "utf-8")
    done = commit(repo)
    assert done.returncode != 0
    assert "files were modified by this hook" in done.stdout + done.stderr
    assert "Writer-Sales: {teams: ['Sales'], role: member}" in path.read_text(encoding="utf-8")
    assert commit(repo).returncode == 0


def test_the_hooks_for_other_repositories_are_the_same_commands() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert "entry: rolecall fmt" in text
    assert "entry: rolecall validate" in text
