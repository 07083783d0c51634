"""The action's `apply`: exactly what was approved, with who approved it on record, and no author's own yes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from forge import BOT, REPOSITORY, account, commit
from pipeline_site import HEAD, MERGED, Site, pull_request


@pytest.fixture
def merged(site: Site) -> Site:
    """A pull request of ann's with bo's yes to what was merged, planned and commented on."""
    pull = {"number": 7, "html_url": f"https://forge.invalid/{REPOSITORY}/pull/7", "merged_at": "2026-11-22T10:00:00Z"}
    site.forge.pulls.append(
        {**pull, "user": account("ann"), "head": {"sha": HEAD, "ref": "x"}, "merge_commit_sha": MERGED}
    )
    site.forge.commits.append(commit("ann"))
    site.forge.reviews.append(review("bo"))
    return site


def review(
    login: str, state: str = "APPROVED", commit: str = HEAD, kind: str = "User", at: str = "2026-11-22T09:30:00Z"
) -> dict[str, Any]:
    url = f"https://forge.invalid/{REPOSITORY}/pull/7#pullrequestreview-{login}"
    return {
        "user": account(login, kind),
        "state": state,
        "commit_id": commit,
        "submitted_at": at,
        "html_url": url,
    }


def runs(site: Site) -> list[dict[str, Any]]:
    """What the journal has of the site's runs, newest first."""
    found: list[dict[str, Any]] = json.loads(site.rolecall("-e", "prod", "history", "--format", "json"))["runs"]
    return found


def approvals(site: Site) -> list[tuple[str, str]]:
    """Who is on record, and by what."""
    (path,) = (site.repo.parent / "repo-runner").glob("rolecall-prod-*/approvals.json")
    rows = json.loads(path.read_text())
    return [(row["by"], row["source"]) for row in rows]


def planned(site: Site) -> str:
    """The digest of the job that planned."""
    return site.run("check").outputs["digest"]


def test_the_digest_of_the_plan_job_is_applied_with_the_reviewer_on_record(merged: Site) -> None:
    digest = planned(merged)
    ran = merged.run("apply", digest=digest)
    assert (ran.code, ran.outputs["outcome"]) == (0, "done"), ran.log
    assert ran.outputs["digest"] == digest
    assert "done" in ran.summary
    assert approvals(merged) == [("bo", "pull request review")]
    assert [run["outcome"] for run in runs(merged)] == ["done"]
    after = merged.run("check")
    assert (after.outputs["changes"], after.outputs["verdict"]) == ("0", "nothing")


def test_without_a_digest_nothing_is_applied_whatever_a_comment_says(merged: Site) -> None:
    merged.run("check", pull_request())
    ran = merged.run("apply")
    assert (ran.code, ran.outputs["outcome"]) == (1, ""), ran.log
    assert "`digest` is not set" in ran.log
    assert "needs.plan.outputs.digest" in ran.log
    assert not (merged.repo / "kept" / "journal.db").exists()


def test_the_pipelines_own_digest_approves_nothing(merged: Site) -> None:
    merged.forge.reviews.clear()
    ran = merged.run("apply", digest=planned(merged))
    assert (ran.code, ran.outputs["outcome"]) == (1, "refused"), ran.log
    assert "no approval by a reviewer is recorded" in ran.log


def test_what_moved_since_the_approval_is_refused(merged: Site) -> None:
    digest = planned(merged)
    merged.change("idp_groups/business.yaml", "Writer-Sales: {role: member", "Writer-Sales: {role: team_admin")
    ran = merged.run("apply", digest=digest)
    assert (ran.code, ran.outputs["outcome"]) == (1, "stale"), ran.log
    assert "plan and approve afresh" in ran.log


CO_AUTHORED = "Fix it\n\nCo-authored-by: Bo <7+Bo@users.noreply.github.com>\n"


@pytest.mark.parametrize(
    ("reviews", "commits", "permissions"),
    [
        pytest.param([review("ann")], [commit("ann")], {}, id="the author"),
        pytest.param([review("bo")], [commit("ann"), commit("Bo", "bo@acme.com")], {}, id="a commit's author"),
        pytest.param([review("bo")], [commit("ann", message=CO_AUTHORED)], {}, id="a co-author"),
        pytest.param([review("bo")], [commit(None, "mallory@evil.example")], {}, id="an author without an account"),
        pytest.param(
            [review("bo")],
            [commit("ann", message="x\n\nCo-authored-by: M <m@evil.example>")],
            {},
            id="a co-author without an account",
        ),
        pytest.param([review("github-actions[bot]", kind="Bot")], [commit("ann")], {}, id="a bot"),
        pytest.param([review("renovate", kind="Bot")], [commit("ann")], {}, id="an app"),
        pytest.param([review("bo")], [commit("ann")], {"bo": "read"}, id="anybody who may read"),
        pytest.param([review("bo")], [commit("ann")], {"bo": "none"}, id="anybody of a public repository"),
        pytest.param([review("bo", commit="d" * 40)], [commit("ann")], {}, id="of an older commit"),
        pytest.param([review("bo", at="2026-11-22T08:59:59Z")], [commit("ann")], {}, id="before the last push"),
        pytest.param([review("bo"), review("bo", "CHANGES_REQUESTED")], [commit("ann")], {}, id="taken back"),
        pytest.param([review("bo"), review("bo", "DISMISSED")], [commit("ann")], {}, id="dismissed"),
        pytest.param([review("bo", "COMMENTED")], [commit("ann")], {}, id="only a comment"),
    ],
)
def test_no_approval_by_another_person_no_apply(
    merged: Site, reviews: list[Any], commits: list[Any], permissions: dict[str, str]
) -> None:
    merged.forge.reviews[:], merged.forge.commits[:] = reviews, commits
    merged.forge.permissions.update(permissions)
    ran = merged.run("apply", digest="0123-4567-89ab-cdef")
    assert ran.code == 1
    assert approvals(merged) == []


@pytest.mark.parametrize("approval", ["none", "recorded", "other_person"])
def test_an_author_approves_nothing_whatever_the_policy_asks_for(merged: Site, approval: str) -> None:
    merged.change("env/prod.yaml", "min_org_admins: 3", f"min_org_admins: 3\n  approval: {approval}")
    merged.forge.reviews[:] = [review("ann")]
    ran = merged.run("apply", digest=planned(merged))
    assert (ran.code, ran.outputs["outcome"]) == (1, "refused"), ran.log


def test_an_environments_reviewer_is_an_approval(merged: Site) -> None:
    merged.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 3\n  approval: other_person")
    merged.forge.reviews.clear()
    merged.forge.approvals += [
        {"state": "rejected", "user": account("dee"), "environments": [{"name": "prod"}]},
        {"state": "approved", "user": account("rita"), "environments": [{"name": "prod"}]},
        {"state": "approved", "user": account("ann"), "environments": [{"name": "prod"}]},
        {"state": "approved", "user": account("deploy[bot]", "Bot"), "environments": [{"name": "prod"}]},
    ]
    digest = planned(merged)
    ran = merged.run("apply", digest=digest)
    assert (ran.code, ran.outputs["outcome"]) == (0, "done"), ran.log
    assert "ann made this change, so their own approval does not count" in ran.log
    assert approvals(merged) == [("rita", "environment prod")]


def test_an_approval_of_ones_own_will_do_where_the_config_only_wants_one_recorded(merged: Site) -> None:
    merged.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 3\n  approval: recorded")
    merged.forge.reviews[:] = [review("ann")]
    digest = planned(merged)
    ran = merged.run("apply", digest=digest)
    assert (ran.code, ran.outputs["outcome"]) == (1, "refused"), "ann wrote it"
    merged.forge.reviews[:] = [review("rita")]
    assert merged.run("apply", digest=digest).outputs["outcome"] == "done", "rita merged it, and did not write it"


def test_a_push_without_a_pull_request_is_approved_by_the_environments_reviewer_alone(site: Site) -> None:
    site.forge.commits.append(commit("ann"))
    site.forge.approvals.append({"state": "approved", "user": account("ann"), "environments": [{"name": "prod"}]})
    digest = planned(site)
    assert site.run("apply", {"before": "0" * 40}, digest=digest).outputs["outcome"] == "refused", "ann wrote it"
    site.forge.approvals.append({"state": "approved", "user": account("rita"), "environments": [{"name": "prod"}]})
    assert site.run("apply", {"before": "e" * 40}, digest=digest).outputs["outcome"] == "refused", "rita pushed it"
    site.forge.approvals.append({"state": "approved", "user": account("bo"), "environments": [{"name": "prod"}]})
    assert site.run("apply", {"before": "e" * 40}, digest=digest).outputs["outcome"] == "done"


def test_an_environment_without_required_reviewers_is_warned_of(site: Site) -> None:
    reviewers = {"type": "required_reviewers", "reviewers": [{"type": "User"}], "prevent_self_review": True}
    site.forge.environments["open"] = {"protection_rules": [{"type": "branch_policy"}]}
    site.forge.environments["gate"] = {"protection_rules": [reviewers]}
    assert "::warning title=rolecall::the environment open has no required" in site.run("check", environment="open").log
    assert "the environment" not in site.run("check", environment="gate").log
    assert "is not known: there is none yet" in site.run("check", environment="writer").log


def test_a_less_strict_policy_alone_is_counted(merged: Site) -> None:
    assert merged.run("apply", digest=planned(merged)).outputs["outcome"] == "done"
    merged.change("rolecall.yaml", "custom: deny", "custom: allow")
    outputs = merged.run("check").outputs
    assert (outputs["changes"], outputs["policy_changes"]) == ("0", "1")


def test_a_stand_in_for_the_forge_that_is_gone_is_said_in_words(site: Site) -> None:
    site.forge.close()
    ran = site.run("apply", digest="0123-4567-89ab-cdef")
    assert ran.code == 1
    assert "::error title=rolecall::GitHub could not be asked" in ran.log
    assert BOT not in ran.log
