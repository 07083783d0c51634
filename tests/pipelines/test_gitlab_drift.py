"""The GitLab template's scheduled job: one issue for each set of findings, closed by the next complete check."""

from __future__ import annotations

import json

import pytest
from gitlab import TOKEN, GitLab
from pipeline_site import Site
from test_action_drift import ENGINEERING, allow_passwords, applied, become_observed, by_hand, read_again
from test_pipelines_gitlab import gitlab, known, run_job, script

__all__ = ["applied", "gitlab"]


def drift(site: Site, gitlab: GitLab, code: int, **more: str) -> str:
    """What the job prints."""
    ran = run_job(site, "drift", **known(gitlab, **more))
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout


def states(gitlab: GitLab) -> list[str]:
    return [issue["state"] for issue in gitlab.issues]


def test_an_issue_for_a_section_that_was_changed_after_it_was_read(applied: Site, gitlab: GitLab) -> None:
    become_observed(applied)  # so changes after the last reading may be unknown: 7
    assert "no issue: there are no findings" in drift(applied, gitlab, 7)
    allow_passwords(applied, allowed=True)
    for _ in range(2):
        assert "SSO was changed by " in drift(applied, gitlab, 7)
    (issue,) = gitlab.issues
    assert issue["title"] == "Out of date in prod: sso changed after the last reading"
    assert "To read it again: rolecall observe" in issue["description"], issue["description"]
    assert issue["labels"] == "rolecall-drift"

    allow_passwords(applied, allowed=False)
    read_again(applied)
    assert "no issue: there are no findings" in drift(applied, gitlab, 7)
    assert states(gitlab) == ["closed"]
    assert gitlab.comments == {1: ["The org matches again."]}


def test_one_issue_for_each_set_of_findings(applied: Site, gitlab: GitLab) -> None:
    by_hand(applied, "Writer-Docs", ENGINEERING)
    for _ in range(2):
        assert "issue 1 is up to date" in drift(applied, gitlab, 2)
    assert gitlab.issues[0]["title"] == "Drift in prod: 1 finding"
    assert "idp_groups/Writer-Docs" in gitlab.issues[0]["description"]
    by_hand(applied, "Writer-Legal", {"role": "member", "teams": ["Legal"]})
    assert "issue 2 is up to date" in drift(applied, gitlab, 2)
    assert states(gitlab) == ["closed", "opened"]
    assert gitlab.comments == {1: ["There are other findings now; see the newer issue."]}


def test_an_incomplete_check_closes_nothing(applied: Site, gitlab: GitLab) -> None:
    by_hand(applied, "Writer-Docs", ENGINEERING)
    drift(applied, gitlab, 2)
    by_hand(applied, "Writer-Docs", {"role": "member", "teams": ["Engineering", "Product"]})
    applied.change("rolecall.yaml", "people: org", "people: {file: gone.csv}")
    drift(applied, gitlab, 7)
    assert states(gitlab) == ["opened"]


def test_issues_of_others_stay_as_they_are(applied: Site, gitlab: GitLab) -> None:
    by_hand(applied, "Writer-Docs", ENGINEERING)
    drift(applied, gitlab, 2)
    mine = gitlab.issues[0]["description"]
    gitlab.write_issue({"description": mine}, {"id": 9, "username": "mallory"})
    gitlab.write_issue({"description": "A question"})
    gitlab.write_issue({"description": None})
    reports = ("rolecall-reports/drift.json", "rolecall-reports/drift.txt")
    elsewhere = script(applied, "drift", *reports, **known(gitlab, ROLECALL_DIRECTORY="eu", ROLECALL_ENV="prod"))
    assert elsewhere.stdout == "issue 5 is up to date\n", "another directory has issues of its own"
    by_hand(applied, "Writer-Docs", {"role": "member", "teams": ["Engineering", "Product"]})
    drift(applied, gitlab, 0)
    assert states(gitlab) == ["closed", "opened", "opened", "opened", "opened"]


@pytest.mark.parametrize("more", [{"ROLECALL_GITLAB_TOKEN": ""}, {"ROLECALL_GITLAB_TOKEN": "glpat-wrong"}])
def test_an_issue_that_cannot_be_written_hides_no_drift(applied: Site, gitlab: GitLab, more: dict[str, str]) -> None:
    by_hand(applied, "Writer-Docs", ENGINEERING)
    ran = run_job(applied, "drift", **known(gitlab, **more))
    assert (ran.returncode, gitlab.issues) == (2, [])
    assert "no issue: ROLECALL_GITLAB_TOKEN is not set" in ran.stdout or "warning: GitLab answered 401" in ran.stderr
    assert "Writer-Docs" in ran.stdout


def test_a_check_that_fails_touches_no_issue(applied: Site, gitlab: GitLab) -> None:
    ran = run_job(applied, "drift", **known(gitlab, ROLECALL_TOKEN="rolecall_admin_wrong"))
    assert ran.returncode == 1
    assert gitlab.requests == []


def test_a_report_ends_no_block_and_fits(site: Site, gitlab: GitLab) -> None:
    checked = {"undetermined": None, "not_evaluated": [], "coverage": {}, "alarms": []}
    checked["drift"] = [{"fingerprint": "f"}]
    (site.repo / "d.json").write_text(json.dumps(checked), encoding="utf-8")
    (site.repo / "d.txt").write_text("```\n/close\n" + "x" * 1_100_000, encoding="utf-8")
    done = script(site, "drift", "d.json", "d.txt", **known(gitlab))
    assert (done.returncode, done.stderr) == (0, "")
    body = gitlab.issues[0]["description"]
    assert len(body) <= 1_000_000
    assert "\n````text\n```\n/close\n" in body
    assert body.endswith("\n````\n")
    assert TOKEN not in body
