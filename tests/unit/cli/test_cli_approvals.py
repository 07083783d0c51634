"""Test which approvals count: by whom, from when, and the use of a digest in a pipeline."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
RUN = {
    "GITHUB_SERVER_URL": "https://forge.invalid",
    "GITHUB_REPOSITORY": "acme/access",
    "GITHUB_RUN_ID": "77",
}
RUN_URL = "https://forge.invalid/acme/access/actions/runs/77"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """A repository whose plan needs a review, and whose policy needs an approval by another person."""
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    monkeypatch.setenv("ROLECALL_ACTOR", "root@acme.com")
    text = CONFIG.replace("guards: {", "guards: {approval: other_person, ")
    (made / "rolecall.yaml").write_text(text, encoding="utf-8")
    capsys.readouterr()
    return made


def entry(by: str = "bo@acme.com", **more: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    row = {"by": by, "at": at, "url": "https://forge.invalid/1", "source": "pull request review", **more}
    return {key: value for key, value in row.items() if value != ""}


def apply(*rows: dict[str, Any], options: tuple[str, ...] = ("--auto-approve",)) -> Exit:
    Path("yes.json").write_text(json.dumps(rows), encoding="utf-8")
    return run(["apply", "--no-input", *options, "--approval", "yes.json"])


def shifted(**by: float) -> str:
    return (datetime.now(UTC) + timedelta(**by)).isoformat(timespec="seconds")


@pytest.mark.parametrize("by", ["root@acme.com", "ROOT@acme.com", " root@Acme.com ", "Root <root@acme.com>"])
def test_the_author_is_not_another_person(repo: Path, by: str) -> None:
    assert apply(entry(by)) == Exit.REFUSED


def test_a_name_is_compared_however_its_letters_are_composed(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLECALL_ACTOR", "ren\u00e9")
    assert apply(entry("Rene\u0301")) == Exit.REFUSED
    assert apply(entry("Renata")) == Exit.OK


@pytest.mark.parametrize(
    "mark", ["\u200b", "\u00ad", "\u2060", "\ufeff", "\u202e", "\u3164", "\u2800", "\ufe0f", "\x00", "\u034f"]
)
@pytest.mark.parametrize("key", ["by", "url", "source"])
def test_a_name_with_characters_that_cannot_be_seen_is_refused(
    repo: Path, mark: str, key: str, capsys: Capture
) -> None:
    assert apply(entry(**{key: f"root@acme.com{mark}x"})) == Exit.ERROR
    assert f"entry 1: `{key}` contains invisible characters (U+{ord(mark):04X})" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["by", "at", "url", "source"])
def test_each_part_is_needed_and_all_that_is_missing_is_named(repo: Path, key: str, capsys: Capture) -> None:
    assert apply(entry(), entry(**{key: ""}), {"when": "today"}) == Exit.ERROR
    told = capsys.readouterr().err
    assert f"yes.json: entry 2: `{key}` is missing" in told
    assert "yes.json: entry 3: unknown key `when`" in told
    assert "yes.json: entry 3: `by` is missing" in told


@pytest.mark.parametrize("at", ["soon", "2026-11-29T09:00:00", 7, []])
def test_a_time_needs_a_zone(repo: Path, at: Any, capsys: Capture) -> None:
    assert apply(entry(at=at)) == Exit.ERROR
    assert "`at` is not a time with a time zone" in capsys.readouterr().err


def test_an_approval_from_the_future_does_not_count(repo: Path, capsys: Capture) -> None:
    assert apply(entry(at="2099-01-31T10:00:00+01:00")) == Exit.REFUSED
    assert "is dated 31 Jan 2099 09:00 UTC, in the future" in capsys.readouterr().err
    assert apply(entry(at=shifted(minutes=6))) == Exit.REFUSED
    assert apply(entry(at=shifted(minutes=4))) == Exit.OK


def commit(repo: Path, at: datetime) -> str:
    def git(*args: str) -> str:
        who = ["-c", "user.name=Cy", "-c", "user.email=cy@tiny.co", "-c", "commit.gpgsign=false"]
        when = {"GIT_COMMITTER_DATE": at.isoformat(), "GIT_AUTHOR_DATE": at.isoformat()}
        command = ["env", *(f"{name}={text}" for name, text in when.items()), "git", *who, *args]
        return subprocess.run(command, cwd=repo, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q", "-b", "main")
    git("add", "rolecall.yaml")
    git("commit", "-q", "--allow-empty", "-m", "A change")
    return git("rev-parse", "HEAD")


def test_an_approval_older_than_the_commit_does_not_count(repo: Path, capsys: Capture) -> None:
    commit(repo, datetime.now(UTC) - timedelta(hours=1))
    assert apply(entry(at=shifted(minutes=-61))) == Exit.REFUSED
    assert "is older than the commit" in capsys.readouterr().err
    assert apply(entry(at=shifted(minutes=-59))) == Exit.OK


def test_the_commit_that_was_approved_may_be_another_than_the_one_checked_out(repo: Path, capsys: Capture) -> None:
    approved = commit(repo, datetime.now(UTC) - timedelta(hours=3))
    commit(repo, datetime.now(UTC) - timedelta(hours=1))
    review = entry(at=shifted(hours=-2))
    assert apply(review) == Exit.REFUSED
    assert apply({**review, "commit": "f" * 40}) == Exit.REFUSED
    assert "for commit ffffffffffff, which is not in this clone" in capsys.readouterr().err
    assert apply({**review, "commit": approved, "pushed_at": shifted(minutes=-90)}) == Exit.REFUSED
    assert apply({**review, "commit": "f" * 40, "pushed_at": shifted(hours=-3)}) == Exit.OK
    assert apply({**review, "commit": approved}) == Exit.OK


def test_the_environment_of_this_very_run_needs_no_time(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"by": "bo", "at": None, "url": RUN_URL, "source": "environment writer"}
    assert apply(row) == Exit.REFUSED, "no run is known here"
    for name, text in RUN.items():
        monkeypatch.setenv(name, text)
    assert apply({**row, "url": f"{RUN_URL}8"}) == Exit.REFUSED
    assert apply({**row, "source": "pull request review"}) == Exit.ERROR
    assert apply(row) == Exit.OK


def test_those_that_do_not_count_are_reported_beside_those_that_do(repo: Path, capsys: Capture) -> None:
    assert apply(entry(), entry("cy@acme.com", at="2099-01-31T10:00:00Z")) == Exit.OK
    assert "warning: yes.json: entry 2: the approval by cy@acme.com does not count" in capsys.readouterr().err


@pytest.fixture
def reviewed(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> str:
    """The digest of a plan that a guard wants reviewed; `CI` is set."""
    config = (repo / "rolecall.yaml").read_text(encoding="utf-8").replace("approval: other_person, ", "")
    (repo / "rolecall.yaml").write_text(config.replace("    role: member", "    role: team_admin"), encoding="utf-8")
    monkeypatch.setenv("CI", "true")
    run(["plan", "--format", "json"])
    plan = json.loads(capsys.readouterr().out)
    assert "review" in {guard["verdict"] for guard in plan["guards"]}, plan["guards"]
    return str(plan["digest"])


def test_in_ci_a_digest_alone_is_no_approval(repo: Path, reviewed: str, capsys: Capture) -> None:
    assert run(["apply", "--approve", reviewed]) == Exit.REFUSED
    told = capsys.readouterr().err
    assert "no approval by a reviewer is recorded" in told
    assert "--approval FILE" in told
    assert apply(options=("--approve", reviewed)) == Exit.REFUSED, "the file is empty"
    assert apply(entry("root@acme.com"), options=("--approve", reviewed)) == Exit.REFUSED, "the pipeline itself"
    assert apply(entry(at="2099-01-31T10:00:00Z"), options=("--approve", reviewed)) == Exit.REFUSED
    assert apply(entry(), options=("--auto-approve",)) == Exit.REFUSED, "no digest was approved"
    assert apply(entry(), options=("--approve", "0" * 16)) == Exit.STALE
    assert apply(entry(), options=("--approve", reviewed)) == Exit.OK


def test_on_a_laptop_a_digest_is_the_word_of_whoever_types_it(
    repo: Path, reviewed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI")
    assert run(["apply", "--approve", reviewed]) == Exit.OK
