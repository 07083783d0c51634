"""The action with what nobody planned for: names that are commands to a shell, a forge that is busy, odd answers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from forge import BOT
from pipeline_site import HEAD, Site, pull_request

from rolecall.plan.saved.digest import short

NASTY = "x$(touch pwned)`touch pwned`; touch pwned #'\""


def nothing_ran(site: Site) -> bool:
    return not any(path.name == "pwned" for folder in (site.repo, site.repo.parent) for path in folder.rglob("pwned"))


@pytest.mark.parametrize(
    "more",
    [
        {"env": NASTY},
        {"directory": NASTY},
        {"digest": NASTY},
        {"fail_on": NASTY},
        {"snapshot": NASTY},
        {"comment_author": NASTY},
        {"GITHUB_REF_NAME": NASTY, "GITHUB_HEAD_REF": NASTY},
        {"GITHUB_ACTOR": NASTY},
    ],
    ids=lambda more: "+".join(more),
)
@pytest.mark.parametrize("command", ["check", "apply"])
def test_no_text_from_outside_is_run(site: Site, command: str, more: dict[str, str]) -> None:
    ran = site.run(command, pull_request(), **more)
    assert nothing_ran(site)
    assert "Traceback" not in ran.log


def test_a_branch_with_a_nasty_name_can_be_the_base_of_a_drift_pull_request(site: Site) -> None:
    git = ["git", "-C", str(site.repo), "-c", "user.name=t", "-c", "user.email=t@t.invalid"]
    remote = site.repo.parent / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["commit", "-qm", "start"],
        ["remote", "add", "origin", str(remote)],
    ):
        subprocess.run([*git, *words], check=True)
    site.approve("bo")
    assert site.run("apply", digest=site.run("check").outputs["digest"]).code == 0
    ran = site.run("drift", on_drift="pull-request", GITHUB_REF_NAME=NASTY)
    assert ran.code == 0, ran.log
    assert nothing_ran(site)


def test_a_group_whose_name_is_markup_stays_in_its_cell_and_its_block(site: Site) -> None:
    name = "a````````````b | <img src=x> <!-- rolecall:digest --> @here"
    row = f"  {json.dumps(name)}: {{role: member, teams: [Sales]}}\n"
    site.change("idp_groups/business.yaml", "idp_groups:\n", f"idp_groups:\n{row}")
    ran = site.run("check", pull_request())
    assert ran.code == 0, ran.log
    body = site.forge.comments[7][0]["body"]
    assert "<img" not in body
    assert "<!-- rolecall:digest -->" not in body, "what looks like a marker in a name is none"
    assert "@here" not in body, "and calls nobody"
    site.change("idp_groups/business.yaml", "teams: [Sales]}", "team: [Sales]}")
    wrong = site.run("check", pull_request())
    assert wrong.outputs["verdict"] == "invalid"
    body = site.forge.comments[7][0]["body"]
    fence = re.search(r"^(`{3,})$", body, re.MULTILINE)
    assert fence is not None
    inside = body.partition(f"{fence[1]}\n")[2].rpartition(f"\n{fence[1]}")[0]
    assert fence[1] not in inside, "no text in the block ends it"


def test_a_name_with_a_line_break_writes_no_line_of_its_own(site: Site) -> None:
    row = '  "a\\n::error::gotcha": {role: member, team: [Sales]}\n'
    site.change("idp_groups/business.yaml", "idp_groups:\n", f"idp_groups:\n{row}")
    ran = site.run("check", pull_request())
    assert ran.outputs["verdict"] == "invalid"
    assert not re.search(r"^::error::gotcha", ran.log, re.MULTILINE)


@pytest.mark.parametrize("faults", [[(429, "0")], [(403, "0")], [(500, "0"), (502, "0")], [(429, "0"), (429, "0")]])
def test_a_forge_that_is_busy_is_asked_again(site: Site, faults: list[tuple[int, str | None]]) -> None:
    site.forge.faults += faults
    ran = site.run("check", pull_request())
    assert (ran.code, bool(ran.outputs["comment"])) == (0, True), ran.log


@pytest.mark.parametrize(
    ("faults", "level"),
    [
        ([(403, None)], "notice"),
        ([(404, None)], "notice"),
        ([(401, None)], "warning"),
        ([(429, "7200")], "warning"),
        ([(500, "0")] * 3, "warning"),
    ],
)
def test_a_comment_that_cannot_be_written_takes_nothing_from_the_plan(
    site: Site, faults: list[tuple[int, str | None]], level: str
) -> None:
    site.forge.faults += faults
    ran = site.run("check", pull_request())
    assert (ran.code, ran.outputs["verdict"], ran.outputs["comment"]) == (0, "review", ""), ran.log
    assert f"::{level} title=rolecall::the plan is only in the job summary: GitHub answered {faults[-1][0]}" in ran.log
    assert short(ran.outputs["digest"]) in ran.summary


def test_a_comment_is_not_written_twice_where_the_first_may_have_arrived(site: Site) -> None:
    seen: list[str] = []
    plain = site.forge.write

    def lost(method: str, path: str, body: dict[str, Any]) -> Any:
        seen.append(method)
        plain(method, path, body)
        site.forge.faults.append((200, None))
        return None

    site.forge.write = lost
    site.run("check", pull_request())
    assert seen == ["POST"]


def test_an_apply_that_cannot_ask_who_approved_does_not_begin(site: Site) -> None:
    site.forge.faults += [(500, "0")] * 3
    ran = site.run("apply", digest="0123-4567-89ab-cdef")
    assert ran.code == 1
    assert "GitHub answered 500 to GET" in ran.log
    assert ran.outputs["outcome"] == ""


def test_the_digest_stays_in_a_comment_that_has_to_be_cut(site: Site) -> None:
    rows = "".join(f"  New-{number:04}: {{role: member, teams: [Sales]}}\n" for number in range(1_500))
    site.change("idp_groups/business.yaml", "idp_groups:\n", f"idp_groups:\n{rows}")
    ran = site.run("check", pull_request())
    body = site.forge.comments[7][0]["body"]
    assert len(body) <= 65_535
    assert short(ran.outputs["digest"]) in body
    assert body.startswith("<!-- rolecall:plan:org_8817:prod -->\n")


def test_an_account_that_was_deleted_is_nobodys_approval(site: Site) -> None:
    site.forge.pulls.append(
        {
            "number": 7,
            "html_url": "https://forge.invalid/7",
            "merged_at": "2026-11-22T10:00:00Z",
            "user": None,
            "head": {"sha": HEAD, "ref": "x"},
            "merge_commit_sha": "b" * 40,
        }
    )
    site.forge.reviews.append({"user": None, "state": "APPROVED", "commit_id": HEAD})
    site.forge.commits.append({"author": None, "committer": None})
    ran = site.run("apply", digest=site.run("check").outputs["digest"])
    assert "Traceback" not in ran.log
    assert ran.outputs["outcome"] == "refused"


def test_an_answer_that_is_not_understood_is_one_line(site: Site) -> None:
    site.forge.pulls.append({"merge_commit_sha": "b" * 40, "merged_at": "2026-11-22T10:00:00Z"})
    ran = site.run("apply", digest="0123-4567-89ab-cdef")
    assert ran.code == 1
    assert "Traceback" not in ran.log
    assert "unexpected response or event of GitHub" in ran.log


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"pull_request": 7}',
        '{"pull_request": {"head": []}}',
        '{"pull_request": {"number": "x", "head": {"repo": {"full_name": "acme/access"}}}}',
    ],
)
def test_an_odd_event_file_ends_in_an_error(site: Site, text: str, tmp_path: Path) -> None:
    event = tmp_path / "odd.json"
    event.write_text(text, encoding="utf-8")
    ran = site.run("check", GITHUB_EVENT_PATH=str(event))
    assert ran.code == 1, ran.log
    assert "Traceback" not in ran.log
    assert "::error title=rolecall::" in ran.log


def test_an_event_file_that_is_not_there_ends_in_an_error(site: Site, tmp_path: Path) -> None:
    ran = site.run("check", GITHUB_EVENT_PATH=str(tmp_path / "none.json"))
    assert (ran.code, "Traceback" in ran.log) == (1, False)
    assert "cannot be read" in ran.log


def test_two_directories_have_a_comment_each(site: Site) -> None:
    site.forge.comment(7, BOT, "<!-- rolecall:plan:org_8817:prod -->\nwritten by 0.1.0")
    shutil.copytree(site.repo, site.repo.parent / "copy")
    shutil.move(site.repo.parent / "copy", site.repo / "eu")
    for _ in range(2):
        assert site.run("check", pull_request(), directory="eu").code == 0
        assert site.run("check", pull_request()).code == 0
    bodies = [row["body"] for row in site.forge.comments[7]]
    assert len(bodies) == 2
    assert len({body.splitlines()[1] for body in bodies}) == 2, "a key each"
    assert "written by 0.1.0" not in bodies[0], "the root took over the comment that 0.1.0 wrote"
