"""Test what `apply` trusts: approvals, unedited plans, current digests, shared journals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import open_journal
from rolecall.localorg.manage import Knobs, make_token, set_knobs
from rolecall.localorg.store import open_database

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    monkeypatch.setenv("ROLECALL_ACTOR", "ann")
    capsys.readouterr()
    return made


def last_run(capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["history", "--format", "json"]) == Exit.OK
    said: dict[str, Any] = json.loads(capsys.readouterr().out)["runs"][0]
    return said


def approvals(repo: Path, *by: str, at: str | None = None) -> list[str]:
    when = at or datetime.now(UTC).isoformat(timespec="seconds")
    rows = [{"by": who, "at": when, "url": "https://x/1", "source": "pull request"} for who in by]
    (repo / "yes.json").write_text(json.dumps(rows), encoding="utf-8")
    return ["--approval", "yes.json"]


def needing(repo: Path, approval: str) -> None:
    text = CONFIG.replace("guards: {", f"guards: {{approval: {approval}, ")
    (repo / "rolecall.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("needs", "by", "code"),
    [
        ("recorded", [], Exit.REFUSED),
        ("recorded", ["ann"], Exit.OK),
        ("other_person", [], Exit.REFUSED),
        ("other_person", ["Ann"], Exit.REFUSED),
        ("other_person", [" ann\t"], Exit.REFUSED),
        ("other_person", ["Ann Lee <ANN>"], Exit.REFUSED),
        ("other_person", ["ann <bo@tiny.co>"], Exit.REFUSED),
        ("other_person", ["Bo <bo@tiny.co>"], Exit.OK),
        ("other_person", ["ann", "bo"], Exit.OK),
    ],
)
def test_an_approval_that_the_policy_asks_for(repo: Path, needs: str, by: list[str], code: Exit) -> None:
    needing(repo, needs)
    assert run(["apply", "--auto-approve", *approvals(repo, *by)]) == code


@pytest.mark.parametrize("by", ["Ann@Tiny.CO", "ann@tiny.co ", "Ann Lee <ann@tiny.co>"])
def test_whoever_the_org_takes_us_for_is_no_other_person(
    repo: Path, by: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    database = open_database(repo / "org.db")
    token = make_token(database, "admin", email="ann@tiny.co").secret
    database.close()
    text = CONFIG.replace("url: local:org.db", "url: local:org.db, token: {env: T}")
    monkeypatch.setenv("T", token)
    (repo / "rolecall.yaml").write_text(
        text.replace("guards: {", "guards: {approval: other_person, "), encoding="utf-8"
    )
    assert run(["apply", "--auto-approve", *approvals(repo, by)]) == Exit.REFUSED
    assert run(["plan", "--out", "plan.json"]) == Exit.OK
    assert run(["apply", "plan.json", "--auto-approve", *approvals(repo, by)]) == Exit.REFUSED
    assert run(["apply", "plan.json", "--auto-approve", *approvals(repo, "bo@tiny.co")]) == Exit.OK


def test_the_missing_approval_is_explained(repo: Path, capsys: Capture) -> None:
    needing(repo, "other_person")
    run(["apply", "--auto-approve", *approvals(repo, "ann")])
    told = capsys.readouterr().err
    assert "approved only by ann; the authors of the change and the user who applies it do not count" in told
    assert "--approval FILE" in told


def test_a_digest_does_not_stand_for_a_recorded_approval(repo: Path, capsys: Capture) -> None:
    needing(repo, "recorded")
    run(["plan", "--format", "json"])
    digest = json.loads(capsys.readouterr().out)["digest"]
    assert run(["apply", "--approve", digest]) == Exit.REFUSED


def test_a_pipelines_own_approval_is_called_that_and_does_not_count(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("ROLECALL_ACTOR", "deploy-bot")
    needing(repo, "recorded")
    assert run(["apply", "--auto-approve", *approvals(repo, "Deploy-Bot")]) == Exit.REFUSED
    given = approvals(repo, "Deploy-Bot", "bo", at="2026-11-22T10:00:00+01:00")
    assert run(["apply", "--auto-approve", *given]) == Exit.OK
    said = last_run(capsys)["approvals"]
    assert [row["by"] for row in said] == [
        "Deploy-Bot (the pipeline itself)",
        "bo",
        "deploy-bot (the pipeline itself)",
    ]
    assert said[1] == {"by": "bo", "at": "2026-11-22T09:00:00+00:00", "url": "https://x/1", "source": "pull request"}


GITHUB = {
    "GITHUB_ACTOR": "octo",
    "GITHUB_SHA": "abc123",
    "GITHUB_REF_NAME": "12/merge",
    "GITHUB_REF": "refs/pull/12/merge",
    "GITHUB_SERVER_URL": "https://git.example",
    "GITHUB_REPOSITORY": "acme/access",
    "GITHUB_RUN_ID": "77",
}
GITLAB = {
    "GITLAB_USER_LOGIN": "fox",
    "CI_COMMIT_SHA": "def456",
    "CI_COMMIT_REF_NAME": "main",
    "CI_MERGE_REQUEST_IID": "9",
    "CI_MERGE_REQUEST_PROJECT_URL": "https://gl.example/acme/access",
    "CI_PROJECT_URL": "https://gl.example/acme/access",
    "CI_JOB_URL": "https://gl.example/jobs/5",
}
OTHER = {
    "ROLECALL_ACTOR": "jen",
    "ROLECALL_COMMIT": "fff",
    "ROLECALL_BRANCH": "b",
    "ROLECALL_PULL_REQUEST": "https://pr/3",
    "ROLECALL_CI_RUN": "https://ci/4",
}


@pytest.mark.parametrize(
    ("environ", "facts"),
    [
        (GITHUB, ("octo", "abc123", "12/merge", "/pull/12", "https://git.example/acme/access/actions/runs/77")),
        (GITLAB, ("fox", "def456", "main", "/-/merge_requests/9", "https://gl.example/jobs/5")),
        (OTHER, ("jen", "fff", "b", "https://pr/3", "https://ci/4")),
    ],
    ids=["github", "gitlab", "other"],
)
def test_a_run_records_where_it_comes_from(
    repo: Path, environ: dict[str, str], facts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delenv("ROLECALL_ACTOR")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert run(["apply", "--auto-approve", "--allow", "max-people-losing-access=40"]) == Exit.OK
    said = last_run(capsys)
    names = ("actor", "commit", "branch", "pull_request", "ci_run")
    assert all(said["facts"][name].endswith(fact) for name, fact in zip(names, facts, strict=True))
    assert said["facts"]["caller"] == "a service"
    assert [(lift["guard"], lift["up_to"]) for lift in said["lifts"]] == [("max_people_losing_access", 40)]
    assert len(said["digest"]) == 64


def test_outside_a_pipeline_the_commit_is_gits(repo: Path, capsys: Capture) -> None:
    def git(*args: str) -> str:
        who = ["-c", "user.name=Cy", "-c", "user.email=cy@tiny.co", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *who, *args], cwd=repo, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q", "-b", "main")
    git("add", "rolecall.yaml")
    git("commit", "-q", "-m", "first")
    needing(repo, "other_person")
    assert run(["apply", "--auto-approve", *approvals(repo, "cy@tiny.co")]) == Exit.REFUSED
    assert run(["apply", "--auto-approve", *approvals(repo, "bo")]) == Exit.OK
    facts = last_run(capsys)["facts"]
    assert (facts["commit"], facts["branch"]) == (f"{git('rev-parse', 'HEAD')}-dirty", "main")


def test_an_edited_plan_is_refused_with_what_was_edited(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    said = json.loads((repo / "plan.json").read_text(encoding="utf-8"))
    said["changes"][0]["after"]["role"] = "org_admin"
    (repo / "plan.json").write_text(json.dumps(said), encoding="utf-8")
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.STALE
    told = capsys.readouterr().err
    assert "the plan was edited after it was saved: `changes`" in told
    assert 'idp_groups/Marketing/after/role: approved as "org_admin", now "member"' in told


def test_a_plan_for_another_environment_is_refused(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    (repo / "env").mkdir()
    (repo / "env" / "prod.yaml").write_text("guards: {require_self: true}\n", encoding="utf-8")
    assert run(["-e", "prod", "apply", "plan.json", "--auto-approve"]) == Exit.STALE
    assert "the plan was made without --env, but this command runs with --env prod" in capsys.readouterr().err


def test_another_orgs_plan_is_refused(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    other = {**SNAPSHOT, "org": {"id": "org_2", "name": "other"}}
    (repo / "live.json").write_text(json.dumps(other), encoding="utf-8")
    run(["local", "load", "live.json"])
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.STALE
    assert "the plan is for tinyco (org_1); this configuration is for other (org_2)" in capsys.readouterr().err


def test_a_lapsed_plan_is_refused(repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    with monkeypatch.context() as then:
        then.setattr("rolecall.cli.planning.now", lambda: datetime(2026, 1, 1, tzinfo=UTC))
        run(["--as-of", "2026-01-01", "plan", "--out", "plan.json"])
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.STALE
    assert "the plan expired at 2026-01-08 00:00 UTC" in capsys.readouterr().err


def test_a_digest_that_no_longer_holds_is_refused_with_the_difference(repo: Path, capsys: Capture) -> None:
    run(["plan", "--format", "json"])
    digest = json.loads(capsys.readouterr().out)["digest"]
    text = CONFIG.replace("    role: member\n", "    role: team_admin\n")
    (repo / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert run(["apply", "--approve", digest]) == Exit.STALE
    told = capsys.readouterr().err
    assert f"the digest {digest} was approved" in told
    assert 'update idp_groups/Marketing/after/role: approved as "member", now "team_admin"' in told
    assert "now gains, without approval," in told


def test_a_shared_journal_tells_the_difference_to_a_plan_made_by_another_runner(
    repo: Path, postgres_url: str, capsys: Capture
) -> None:
    shared = CONFIG.replace("manage:", f"journal: {{url: '{postgres_url}'}}\nmanage:")
    (repo / "rolecall.yaml").write_text(shared, encoding="utf-8")
    open_journal(postgres_url, repo).close()
    capsys.readouterr()
    run(["plan", "--format", "json"])
    digest = json.loads(capsys.readouterr().out)["digest"]
    assert not (repo / ".rolecall" / "plans").exists()
    (repo / "rolecall.yaml").write_text(
        shared.replace("    role: member\n", "    role: team_admin\n"), encoding="utf-8"
    )
    assert run(["apply", "--approve", digest]) == Exit.STALE
    assert 'approved as "member", now "team_admin"' in capsys.readouterr().err


def test_a_digest_nobody_here_knows_is_refused_all_the_same(repo: Path, capsys: Capture) -> None:
    assert run(["apply", "--approve", "0" * 64]) == Exit.STALE
    assert capsys.readouterr().err.count("error: ") == 1


def test_a_pipeline_with_a_journal_in_a_file_is_warned(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for name, value in {"CI": "true", "ROLECALL_TOKEN_HOST": "127.0.0.1", "T": "x"}.items():
        monkeypatch.setenv(name, value)
    remote = CONFIG.replace("url: local:org.db", "url: 'http://127.0.0.1:9', token: {env: T}")
    (repo / "rolecall.yaml").write_text(remote, encoding="utf-8")
    run(["apply", "--auto-approve", "--journal-lost-ok"])
    assert "two runners have no common lock" in capsys.readouterr().err


def rolecall(repo: Path, *args: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "rolecall", "-C", str(repo), *args]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(line, **pipes, env={**os.environ, "PYTHONUNBUFFERED": "1"})


def test_two_pipelines_race_on_postgresql_one_wins_and_one_waits(tmp_path: Path, postgres_url: str) -> None:
    names = [f"G{number:02}" for number in range(40)]
    rows = "".join(f"  {name}: {{role: member, teams: [Brand]}}\n" for name in names)
    config = CONFIG.replace("  Marketing:", f"{rows}  Marketing:").replace(
        "manage:", f"journal: {{url: '{postgres_url}'}}\nmanage:"
    )
    groups = {**SNAPSHOT["idp_groups"], **dict.fromkeys(names)}
    repo = make_repo(tmp_path / "repo", config, {**SNAPSHOT, "idp_groups": groups})
    answer_after(repo, ms=1500)
    apply = ["apply", "--auto-approve", "--parallelism", "1"]
    with rolecall(repo, *apply) as first:
        assert first.stderr is not None
        assert ": done" in first.stderr.readline()
        with rolecall(repo, *apply, "--lock-timeout", "60") as waits, rolecall(repo, *apply) as refused:
            _, err = refused.communicate(timeout=60)
            assert waits.stderr is not None
            waiting = waits.stderr.readline()
            answer_after(repo, ms=0)
            waited, log = waits.communicate(timeout=120)
        first.communicate(timeout=60)
    assert refused.returncode == Exit.ERROR
    assert f"(pid {first.pid})" in err
    assert first.returncode == waits.returncode == Exit.OK, log
    assert "Waiting for the org's lock, held by" in waiting
    assert "Nothing to do (run 2)." in waited


def answer_after(repo: Path, ms: int) -> None:
    """Set how long the local org takes for an answer: the first run holds the lock until both others met it."""
    database = open_database(str(repo / "org.db"))
    set_knobs(database, Knobs(latency_ms=ms))
    database.close()


def test_what_half_a_run_prints_can_be_typed_as_it_is(repo: Path, capsys: Capture) -> None:
    """A run knows its environment, so its number is enough."""
    (repo / "env").mkdir()
    (repo / "env" / "prod.yaml").write_text("guards: {require_self: true}\n", encoding="utf-8")
    assert run(["-e", "prod", "apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    assert run(["show", "1"]) == Exit.OK
    assert "env:          prod" in capsys.readouterr().out
    assert run(["history", "1"]) == Exit.OK
    capsys.readouterr()
    assert run(["rollback", "1", "--out", "back.json"]) == Exit.OK
    out = capsys.readouterr().out
    assert "To apply it: rolecall apply -e prod back.json --approve " in out
    assert "Save this plan with --out" not in out
    assert out.endswith("Saved the plan to back.json.\n")
    assert run(["plan"]) == Exit.USAGE
    assert run(["-e", "prod", "apply", "back.json", "--auto-approve"]) == Exit.OK
    assert run(["-e", "prod", "history", "--format", "json"]) == Exit.OK
    said = json.loads(capsys.readouterr().out.partition("(run 2).\n")[2])["runs"][0]
    assert (said["kind"], said["outcome"]) == ("rollback", "done")
    assert run(["-e", "prod", "snapshot", "--out", "now.json", "--people", "none"]) == Exit.OK
    now = json.loads((repo / "now.json").read_text(encoding="utf-8"))
    assert now["idp_groups"]["Marketing"]["teams"] == ["Marketing"]
