"""The action's `apply`: exactly what was approved, with who approved it on record, and no author's own yes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from forge import BOT, REPOSITORY
from pipeline_site import HEAD, MERGED, Site, pull_request


@pytest.fixture
def merged(site: Site) -> Site:
    """A pull request of ann's with bo's yes to what was merged, planned and commented on."""
    pull = {"number": 7, "html_url": f"https://forge.invalid/{REPOSITORY}/pull/7", "merged_at": "2026-11-22T10:00:00Z"}
    site.forge.pulls.append(
        {**pull, "user": {"login": "ann"}, "head": {"sha": HEAD, "ref": "x"}, "merge_commit_sha": MERGED}
    )
    site.forge.commits.append({"author": {"login": "ann"}, "committer": {"login": "web-flow"}})
    site.forge.reviews.append(review("bo"))
    return site


def review(login: str, state: str = "APPROVED", commit: str = HEAD) -> dict[str, Any]:
    url = f"https://forge.invalid/{REPOSITORY}/pull/7#pullrequestreview-{login}"
    return {
        "user": {"login": login},
        "state": state,
        "commit_id": commit,
        "submitted_at": "2026-11-22T09:30:00Z",
        "html_url": url,
    }


def runs(site: Site) -> list[dict[str, Any]]:
    """What the journal has of the site's runs, newest first."""
    found: list[dict[str, Any]] = json.loads(site.rolecall("-e", "prod", "history", "--format", "json"))["runs"]
    return found


def test_the_digest_of_the_comment_is_applied_with_the_reviewer_on_record(merged: Site) -> None:
    planned = merged.run("check", pull_request())
    ran = merged.run("apply")
    assert (ran.code, ran.outputs["outcome"]) == (0, "done"), ran.log
    assert ran.outputs["digest"] == planned.outputs["digest"]
    assert "done" in ran.summary
    approvals = json.loads((merged.repo.parent / "repo-runner" / "rolecall-prod" / "approvals.json").read_text())
    assert [(row["by"], row["source"]) for row in approvals] == [("bo", "pull request review")]
    assert [run["outcome"] for run in runs(merged)] == ["done"]
    after = merged.run("check")
    assert (after.outputs["changes"], after.outputs["verdict"]) == ("0", "nothing")


def test_what_moved_since_the_approval_is_refused(merged: Site) -> None:
    merged.run("check", pull_request())
    merged.change("idp_groups/business.yaml", "Writer-Sales: {role: member", "Writer-Sales: {role: team_admin")
    ran = merged.run("apply")
    assert (ran.code, ran.outputs["outcome"]) == (1, "stale"), ran.log
    assert "plan and approve afresh" in ran.log


def test_a_comment_about_another_commit_is_no_approval(merged: Site) -> None:
    merged.run("check", pull_request())
    merged.forge.pulls[0]["head"]["sha"] = "c" * 40
    ran = merged.run("apply")
    assert ran.code == 1
    assert "is about aaaaaaaaaaaa, and cccccccccccc was merged; plan again" in ran.log


def test_a_digest_in_somebody_elses_comment_counts_for_nothing(merged: Site) -> None:
    merged.run("check", pull_request())
    merged.forge.comments[7][0]["user"]["login"] = "mallory"
    ran = merged.run("apply")
    assert (ran.code, ran.outputs["outcome"]) == (1, "refused"), "without a digest, nobody answered the review"


@pytest.mark.parametrize(
    "reviews",
    [
        pytest.param([review("ann")], id="the author's own"),
        pytest.param([review("bo", commit="d" * 40)], id="of an older commit"),
        pytest.param([review("bo"), review("bo", "CHANGES_REQUESTED")], id="taken back"),
        pytest.param([review("bo", "COMMENTED")], id="only a comment"),
    ],
)
def test_no_other_persons_approval_no_apply(merged: Site, reviews: list[dict[str, Any]]) -> None:
    merged.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 3\n  approval: other_person")
    merged.forge.reviews[:] = reviews
    ran = merged.run("apply", digest="0123-4567-89ab-cdef")
    assert (ran.code, ran.outputs["outcome"]) == (1, "refused"), ran.log
    assert "approv" in ran.log


def test_an_environments_reviewer_is_an_approval(merged: Site) -> None:
    merged.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 3\n  approval: other_person")
    merged.forge.reviews.clear()
    merged.forge.approvals += [
        {"state": "rejected", "user": {"login": "dee"}, "environments": [{"name": "prod"}]},
        {"state": "approved", "user": {"login": "rita"}, "environments": [{"name": "prod"}]},
        {"state": "approved", "user": {"login": "ann"}, "environments": [{"name": "prod"}]},
    ]
    digest = merged.run("check").outputs["digest"]
    ran = merged.run("apply", digest=digest)
    assert (ran.code, ran.outputs["outcome"]) == (0, "done"), ran.log
    assert "ann made this change, so their own approval does not count" in ran.log
    approvals = json.loads((merged.repo.parent / "repo-runner" / "rolecall-prod" / "approvals.json").read_text())
    assert [(row["by"], row["source"]) for row in approvals] == [("rita", "environment prod")]


def test_an_approval_of_ones_own_will_do_where_the_config_only_wants_one_recorded(merged: Site) -> None:
    merged.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 3\n  approval: recorded")
    merged.forge.reviews[:] = [review("ann")]
    merged.run("check", pull_request())
    ran = merged.run("apply")
    assert (ran.code, ran.outputs["outcome"]) == (1, "refused"), (
        "the pipeline runs in ann's name: that is nobody's word"
    )
    merged.forge.reviews[:] = [review("rita")]
    assert merged.run("apply").outputs["outcome"] == "done", "rita merged it, and did not write it"


def test_a_stand_in_for_the_forge_that_is_gone_is_said_in_words(site: Site) -> None:
    site.forge.close()
    ran = site.run("apply")
    assert ran.code == 1
    assert "::error title=rolecall::GitHub could not be asked" in ran.log
    assert BOT not in ran.log
