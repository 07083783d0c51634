"""The action's `check`, as the runner runs it: on a pull request of a company's repository, against a served org."""

from __future__ import annotations

import json
import re
from pathlib import Path

from forge import BOT
from pipeline_site import Site, pull_request

from rolecall.plan.saved.digest import short


def test_a_pull_request_gets_one_comment_that_is_brought_up_to_date(site: Site) -> None:
    site.forge.comment(7, "mallory", "<!-- rolecall:plan:org_8817:prod -->\nnothing to see")
    first = site.run("check", pull_request())
    assert first.code == 0, first.log
    told = {name: first.outputs[name] for name in ("changes", "people_losing", "escalations", "verdict", "waiting")}
    assert told == {"changes": "11", "people_losing": "45", "escalations": "1", "verdict": "review", "waiting": "1"}
    assert re.fullmatch("[0-9a-f]{64}", first.outputs["digest"])
    body = site.forge.comments[7][1]["body"]
    assert body.startswith("<!-- rolecall:plan:org_8817:prod -->\n")
    assert short(first.outputs["digest"]) in body, "a reader can compare the digest"
    assert first.outputs["comment"] == site.forge.comments[7][1]["html_url"]
    assert body.split("\n", 2)[2].strip() in first.summary

    site.change("idp_groups/business.yaml", "{role: team_admin, teams: [Brand]}", "{role: member, teams: [Brand]}")
    second = site.run("check", pull_request())
    assert second.outputs["digest"] != first.outputs["digest"]
    assert [row["user"]["login"] for row in site.forge.comments[7]] == ["mallory", BOT]
    assert short(second.outputs["digest"]) in site.forge.comments[7][1]["body"]
    assert site.forge.comments[7][0]["body"].endswith("nothing to see")


def test_no_name_of_a_person_and_no_secret_leaves_the_pipeline(site: Site) -> None:
    ran = site.run("check", pull_request())
    told = ran.log + ran.summary + site.forge.comments[7][0]["body"] + Path(ran.outputs["html"]).read_text("utf-8")
    assert "margaret.obrien" not in told
    assert site.token not in told + Path(ran.outputs["plan"]).read_text("utf-8")


def test_a_config_that_is_wrong_says_so_in_the_comment_and_on_its_line(site: Site) -> None:
    site.run("check", pull_request())
    site.change("idp_groups/business.yaml", "teams: [Sales]", "team: [Sales]")
    ran = site.run("check", pull_request())
    assert (ran.code, ran.outputs["verdict"]) == (1, "invalid")
    assert re.search(r"::error title=[^\n]*file=idp_groups/business.yaml,line=\d+", ran.log)
    assert len(site.forge.comments[7]) == 1, "the comment of the plan is used again"
    assert "The configuration has errors" in site.forge.comments[7][0]["body"]
    assert site.run("check", pull_request()).code == 1
    assert len(site.forge.comments[7]) == 1


def test_a_blocked_plan_is_shown_whole_and_fails_unless_told_not_to(site: Site) -> None:
    site.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 9")
    site.change("idp_groups/technology.yaml", "role: org_admin\n    teams: [IT]", "role: member\n    teams: [IT]")
    ran = site.run("check", pull_request())
    assert (ran.code, ran.outputs["verdict"]) == (1, "block")
    assert "**BLOCK**" in site.forge.comments[7][0]["body"]
    assert site.run("check", pull_request(), fail_on="never").code == 0


def test_a_fork_gets_a_plan_against_the_stored_snapshot_with_its_age_on_top(site: Site) -> None:
    site.forge.read_only = True
    live = json.loads((site.repo / "live" / "prod.json").read_text(encoding="utf-8"))
    assert live["taken_at"].startswith("2026-11-22")
    ran = site.run("check", pull_request(fork=True), snapshot="live/prod.json", ROLECALL_TOKEN="")
    assert ran.code == 0, ran.log
    assert re.match(
        r"<!-- rolecall:plan:org_8817:prod -->\n> ⚠️ \*\*Planned against a snapshot that is \d+ (hours|days) old\*\*",
        ran.summary,
    )
    assert "the plan is only in the job summary: GitHub answered 403" in ran.log


def test_a_fork_without_a_stored_snapshot_is_told_what_to_do(site: Site) -> None:
    ran = site.run("check", pull_request(fork=True), snapshot="live/none.json", ROLECALL_TOKEN="")
    assert ran.code == 1
    assert "there is no stored snapshot to plan against at live/none.json" in ran.log


def test_without_a_pull_request_there_is_a_summary_and_nobody_is_asked(site: Site) -> None:
    ran = site.run("check")
    assert (ran.code, ran.outputs["comment"], site.forge.requests) == (0, "", [])
    assert short(ran.outputs["digest"]) in ran.summary


def test_a_python_without_rolecall_is_named(site: Site) -> None:
    ran = site.run("check", python="/usr/bin/false")
    assert ran.code == 1
    assert "/usr/bin/false has no rolecall" in ran.log
