"""The GitLab template's own scripts, job after job, against a served org and a stand-in for GitLab's API."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from gitlab import TOKEN, GitLab, commit, user
from pipeline_site import ROOT, Site

TEMPLATE = yaml.safe_load((ROOT / "pipelines/gitlab/rolecall.gitlab-ci.yml").read_text(encoding="utf-8"))
SCRIPT = ROOT / "pipelines/gitlab/rolecall_gitlab.py"


@pytest.fixture
def gitlab(site: Site) -> Iterator[GitLab]:
    """The forge; its script lies in the repository where `init --ci gitlab` puts it."""
    (site.repo / ".gitlab").mkdir()
    shutil.copy(SCRIPT, site.repo / ".gitlab")
    made = GitLab()
    yield made
    made.close()


def known(gitlab: GitLab, **more: str) -> dict[str, str]:
    """What GitLab's runner tells every job, and the token that the template wants."""
    return {
        "CI_API_V4_URL": gitlab.url,
        "CI_PROJECT_ID": "5",
        "CI_PROJECT_PATH": "acme/access",
        "CI_COMMIT_SHA": "abc",
        "CI_JOB_NAME": "rolecall:plan",
        "CI_JOB_URL": "https://gitlab.invalid/job/1",
        "ROLECALL_GITLAB_TOKEN": TOKEN,
        **more,
    }


def run_job(site: Site, name: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The job's lines as GitLab's runner gives them to a shell: one after the other, the first failure ends it."""
    job = TEMPLATE[f"rolecall:{name}"]
    lines = [*TEMPLATE[job["extends"]]["before_script"], *job["script"]]
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CI": "true",
        "ROLECALL_REPORTS": TEMPLATE["variables"]["ROLECALL_REPORTS"],
        "ROLECALL_ENV": "prod",
        "ROLECALL_TOKEN": site.token,
        "ROLECALL_TOKEN_HOST": "127.0.0.1",
        **more,
    }
    script = "\n".join(("set -eu", *lines))
    return subprocess.run(
        ["bash", "-c", script], cwd=site.repo, env=environ, capture_output=True, text=True, check=False, timeout=120
    )


def test_from_the_merge_request_to_the_schedule(site: Site, gitlab: GitLab) -> None:
    site.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 3\n  approval: other_person")
    reports = site.repo / "rolecall-reports"
    valid = run_job(site, "validate")
    assert valid.returncode == 0, valid.stderr
    assert "<testsuites" in (reports / "validate.xml").read_text(encoding="utf-8")

    planned = run_job(site, "plan")
    assert planned.returncode == 0, planned.stderr
    assert json.loads((reports / "counts.json").read_text()) == {"create": 3, "update": 8, "delete": 1}
    name, _, digest = (reports / "digest.env").read_text().strip().partition("=")
    assert (name, len(digest)) == ("ROLECALL_DIGEST", 64)

    alone = run_job(site, "apply", ROLECALL_DIGEST=digest, GITLAB_USER_LOGIN="ann")
    assert alone.returncode == 3, "nobody's approval is on record"
    applied = run_job(site, "apply", ROLECALL_DIGEST=digest, GITLAB_USER_LOGIN="ann", **known(gitlab))
    assert applied.returncode == 0, applied.stdout + applied.stderr
    approvals = json.loads((reports / "approvals.json").read_text())
    assert [(row["by"], row["url"]) for row in approvals] == [("bo", "https://gitlab.invalid/mr/3")]

    quiet = run_job(site, "drift")
    assert quiet.returncode == 0, quiet.stdout + quiet.stderr


def test_the_button_is_pressed_by_a_person_and_never_cancelled() -> None:
    job = TEMPLATE["rolecall:apply"]
    assert job["rules"][0]["when"] == "manual"
    assert job["interruptible"] is False
    assert job["resource_group"] == "rolecall-$ROLECALL_DIRECTORY-$ROLECALL_ENV"
    assert job["allow_failure"] == {"exit_codes": [6]}, "only human steps that remain are no failure"


MERGE = {"CI_MERGE_REQUEST_IID": "3"}


def test_a_merge_request_has_one_note_that_is_brought_up_to_date(site: Site, gitlab: GitLab) -> None:
    mallory = {"id": 9, "username": "mallory"}
    for body in ("<!-- rolecall:plan:org_8817:prod -->\nnothing to see", "looks good", "-", ""):
        gitlab.write_note(body, mallory)
    first = run_job(site, "plan", **known(gitlab, **MERGE))
    assert first.returncode == 0, first.stderr
    assert "note 104 written" in first.stdout
    body = gitlab.notes[4]["body"]
    assert body.startswith("<!-- rolecall:plan:org_8817:prod -->\n")
    assert "margaret.obrien" not in body, "a pipeline names nobody"

    site.change("idp_groups/business.yaml", "{role: team_admin, teams: [Brand]}", "{role: member, teams: [Brand]}")
    second = run_job(site, "plan", **known(gitlab, **MERGE))
    assert "note 104 brought up to date" in second.stdout
    assert len(gitlab.notes) == 5
    assert gitlab.notes[4]["body"] != body
    assert gitlab.notes[0]["body"].endswith("nothing to see")


def test_a_blocked_plan_and_a_config_that_is_wrong_are_in_the_note_and_fail_the_job(site: Site, gitlab: GitLab) -> None:
    site.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 9")
    site.change("idp_groups/technology.yaml", "role: org_admin\n    teams: [IT]", "role: member\n    teams: [IT]")
    assert run_job(site, "plan", **known(gitlab, **MERGE)).returncode == 3
    assert "**BLOCK**" in gitlab.notes[0]["body"]

    site.change("idp_groups/business.yaml", "teams: [Sales]", "team: [Sales]")
    assert run_job(site, "plan", **known(gitlab, **MERGE)).returncode == 1
    assert len(gitlab.notes) == 1
    assert "There is no plan" in gitlab.notes[0]["body"]
    assert not (site.repo / "rolecall-reports" / "digest.env").exists()


def script(site: Site, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".gitlab/rolecall_gitlab.py", *words]
    env = {"PATH": os.environ["PATH"], **environ}
    return subprocess.run(command, cwd=site.repo, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def note(site: Site) -> str:
    (site.repo / "note.md").write_text("<!-- rolecall:plan:org_8817:prod -->\n### 3 changes\n", encoding="utf-8")
    return "note.md"


@pytest.mark.parametrize("faults", [[(429, "0")], [(429, "0"), (500, "0")], [(502, "0"), (503, "0")]])
def test_a_forge_that_is_busy_is_asked_again(
    site: Site, gitlab: GitLab, note: str, faults: list[tuple[int, str | None]]
) -> None:
    gitlab.faults += faults
    done = script(site, "note", note, **known(gitlab, **MERGE))
    assert (done.stdout, done.stderr) == ("note 100 written\n", "")


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ([(429, "3600")], "GitLab answered 429"),
        ([(500, "0")] * 3, "GitLab answered 500"),
        ([(401, None)], "GitLab answered 401"),
        ([(404, None)], "GitLab answered 404"),
    ],
)
def test_a_note_that_cannot_be_written_fails_nothing_and_says_why(
    site: Site, gitlab: GitLab, note: str, faults: list[tuple[int, str | None]], said: str
) -> None:
    gitlab.faults += faults
    done = script(site, "note", note, **known(gitlab, **MERGE))
    assert done.returncode == 0
    assert done.stderr.startswith(f"warning: {said}")
    assert TOKEN not in done.stderr


def test_two_directories_of_one_project_have_a_note_each(site: Site, gitlab: GitLab, note: str) -> None:
    gitlab.write_note("<!-- rolecall:plan:org_8817:prod -->\nwritten by 0.1.0")
    ways = (
        {},
        {"ROLECALL_DIRECTORY": "eu"},
        {"ROLECALL_DIRECTORY": "us"},
        {"ROLECALL_DIRECTORY": "eu", "ROLECALL_ENV": "x"},
    )
    told = [script(site, "note", note, **known(gitlab, **MERGE, **way)).stdout for way in (*ways, *ways)]
    numbers = [line.split()[1] for line in told]
    assert numbers == ["100", "101", "102", "103"] * 2, "the note of 0.1.0 is the root's"


def test_a_write_that_may_have_been_done_is_not_done_twice(site: Site, gitlab: GitLab, note: str) -> None:
    gitlab.read_only = True
    done = script(site, "note", note, **known(gitlab, **MERGE))
    assert "GitLab answered 403 to POST merge_requests/3/notes" in done.stderr
    assert [row for row in gitlab.requests if row.startswith("POST")] == ["POST merge_requests/3/notes"]


def test_without_a_merge_request_or_a_token_there_is_no_note(site: Site, gitlab: GitLab, note: str) -> None:
    for environ in (known(gitlab), known(gitlab, **MERGE, ROLECALL_GITLAB_TOKEN="")):
        done = script(site, "note", note, **environ)
        assert (done.returncode, done.stdout.startswith("no note")) == (0, True)
    assert gitlab.requests == []


def test_a_note_too_long_for_gitlab_is_cut(site: Site, gitlab: GitLab) -> None:
    text = "<!-- rolecall:plan:org_8817:prod -->\n" + "ü" * 1_100_000
    (site.repo / "note.md").write_text(text, encoding="utf-8")
    assert script(site, "note", "note.md", **known(gitlab, **MERGE)).returncode == 0
    assert len(gitlab.notes[0]["body"]) == 1_000_000


def test_approvals_that_cannot_be_read_fail_the_apply(site: Site, gitlab: GitLab) -> None:
    gitlab.faults += [(403, None)]
    done = script(site, "approvals", **known(gitlab))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: GitLab answered 403")
    gitlab.close()
    assert "GitLab could not be asked" in script(site, "approvals", **known(gitlab)).stderr


def test_an_answer_that_is_not_understood_is_said_in_words(site: Site, gitlab: GitLab) -> None:
    gitlab.approved[0]["user"] = {}
    done = script(site, "approvals", **known(gitlab))
    assert done.returncode == 1
    assert re.match("error: unexpected response of GitLab", done.stderr)


def test_a_name_of_an_environment_is_no_command(site: Site, gitlab: GitLab) -> None:
    done = run_job(site, "plan", **known(gitlab, **MERGE, ROLECALL_ENV="x$(touch pwned)`touch pwned`; touch pwned"))
    assert done.returncode in (1, 64)
    assert not (site.repo / "pwned").exists()
    assert "There is no plan" in gitlab.notes[0]["body"]


def test_without_overlays_the_environment_has_a_name_that_gitlab_takes() -> None:
    name = TEMPLATE["rolecall:apply"]["environment"]["name"].replace("$ROLECALL_ENV", "")
    assert not name.endswith("/"), "GitLab refuses such a name"


def test_only_people_who_may_write_and_wrote_nothing_of_it_count(site: Site, gitlab: GitLab) -> None:
    gitlab.users |= {
        "cy": user(3),
        "dee": user(4, bot=True),
        "eli": user(5),
        "fay": user(6, state="blocked"),
        "gus": user(7),
        "hal": user(8),
    }
    gitlab.members |= {3: 20, 4: 40, 6: 40, 7: 40, 8: 40}
    gitlab.commits += [
        commit("gus", "gus@acme.com"),
        commit("ann", message="Fix\n\nCo-authored-by: Hal <8-hal@users.noreply.gitlab.com>"),
    ]
    late = "2026-11-22T09:30:00Z"
    gitlab.approved += [gitlab.approval(name, late) for name in ("cy", "dee", "eli", "fay", "gus", "hal")]
    done = script(site, "approvals", **known(gitlab))
    assert [row["by"] for row in json.loads(done.stdout)] == ["bo"], done.stderr
    for name, reason in {
        "Ann": "they made this change",
        "cy": "they have no write access",
        "dee": "it is a bot's",
        "eli": "they are not a member of the project",
        "fay": "the account is blocked",
        "gus": "they made this change",
        "hal": "they made this change",
    }.items():
        assert re.search(f"the approval by {name} does not count: .*{reason}", done.stderr), done.stderr


@pytest.mark.parametrize(
    "commits",
    [
        pytest.param([commit(None, "mallory@evil.example")], id="an author without an account"),
        pytest.param(
            [commit("ann"), commit("ann", message="x\n\nCo-Authored-By: M <m@evil.example>")], id="a co-author"
        ),
    ],
)
def test_where_an_author_is_not_known_nobody_is_another_person(
    site: Site, gitlab: GitLab, commits: list[dict[str, object]]
) -> None:
    gitlab.commits[:] = commits
    done = script(site, "approvals", **known(gitlab))
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "GitLab knows no account for" in done.stderr


def test_a_co_author_whose_address_another_commit_shows_to_be_an_accounts_is_known(site: Site, gitlab: GitLab) -> None:
    gitlab.commits[:] = [commit("ann", message="x\n\nCo-authored-by: Ann <ANN@acme.com>")]
    assert [row["by"] for row in json.loads(script(site, "approvals", **known(gitlab)).stdout)] == ["bo"]


def test_an_approval_before_the_last_push_does_not_count(site: Site, gitlab: GitLab) -> None:
    gitlab.versions.append({"id": 2, "created_at": "2026-11-22T10:31:00.000+01:00", "head_commit_sha": "c" * 40})
    done = script(site, "approvals", **known(gitlab))
    assert json.loads(done.stdout) == []
    assert "the approval by bo does not count: there was a push after it" in done.stderr


def test_an_approval_without_a_time_does_not_count(site: Site, gitlab: GitLab) -> None:
    gitlab.approved[:] = [gitlab.approval("bo", None)]
    assert json.loads(script(site, "approvals", **known(gitlab)).stdout) == []


def test_a_merge_request_that_only_contains_the_commit_did_not_bring_it(site: Site, gitlab: GitLab) -> None:
    gitlab.merges[0]["merge_commit_sha"] = "def"
    assert json.loads(script(site, "approvals", **known(gitlab)).stdout) == []


def test_a_digest_without_anybodys_approval_answers_no_review(site: Site, gitlab: GitLab) -> None:
    run_job(site, "plan")
    digest = (site.repo / "rolecall-reports" / "digest.env").read_text().strip().partition("=")[2]
    gitlab.approved.clear()
    refused = run_job(site, "apply", ROLECALL_DIGEST=digest, **known(gitlab))
    assert refused.returncode == 3
    assert "no approval by a reviewer is recorded" in refused.stderr
