"""The action's `drift`: an issue or a pull request for each fingerprint, and the snapshot that forks plan against."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from forge import BOT
from pipeline_site import ROOT, Site, pull_request
from served_org import speak

ENGINEERING = {"role": "member", "teams": ["Engineering"]}


@pytest.fixture
def applied(site: Site) -> Site:
    """An org that is as the config wants it."""
    digest = site.run("check").outputs["digest"]
    site.approve("bo")
    ran = site.run("apply", digest=digest)
    assert ran.outputs["outcome"] == "done", ran.log
    return site


def by_hand(site: Site, group: str, mapping: dict[str, object]) -> None:
    """What an admin does on the web page."""
    connection = HTTPConnection("127.0.0.1", int(str(urlsplit(site.url).port)), timeout=30)
    rows = speak(connection, site.token, "GET", "/v1/idp-groups?limit=100").json()["data"]
    held = next(row for row in rows if row["name"] == group)
    answer = speak(connection, site.token, "PUT", f"/v1/idp-groups/{held['id']}/mapping", mapping, {"If-Match": "*"})
    assert answer.status == 200, answer.body
    connection.close()


def test_one_issue_for_each_fingerprint_closed_when_the_org_is_back(applied: Site) -> None:
    quiet = applied.run("drift")
    assert (quiet.code, quiet.outputs["fingerprint"], applied.forge.issues) == (0, "", []), quiet.log

    by_hand(applied, "Writer-Docs", ENGINEERING)
    first, again = applied.run("drift"), applied.run("drift")
    assert (first.code, first.outputs["drift"]) == (0, "1"), first.log
    assert first.outputs["fingerprint"] == again.outputs["fingerprint"] != ""
    (issue,) = applied.forge.issues
    assert issue["html_url"] == first.outputs["url"] == again.outputs["url"]
    assert issue["labels"] == ["rolecall-drift"]
    assert "idp_groups/Writer-Docs" in issue["body"]

    by_hand(applied, "Writer-Legal", {"role": "member", "teams": ["Legal"]})
    other = applied.run("drift")
    assert other.outputs["fingerprint"] != first.outputs["fingerprint"]
    assert [row["state"] for row in applied.forge.issues] == ["closed", "open"]
    assert applied.forge.comments[issue["number"]][0]["user"]["login"] == BOT

    by_hand(applied, "Writer-Docs", {"role": "member", "teams": ["Engineering", "Product"]})
    by_hand(applied, "Writer-Legal", {"role": "member", "teams": ["Finance", "Legal"]})
    assert applied.run("drift").outputs["fingerprint"] == ""
    assert [row["state"] for row in applied.forge.issues] == ["closed", "closed"]


def test_an_issue_that_0_1_0_opened_is_gone_on_with(applied: Site) -> None:
    """It has a fingerprint of the address; this version tells a group by its id."""
    by_hand(applied, "Writer-Docs", ENGINEERING)
    first = applied.run("drift")
    (issue,) = applied.forge.issues
    environ = {**os.environ, "ROLECALL_TOKEN": applied.token, "ROLECALL_TOKEN_HOST": "127.0.0.1"}
    command = [sys.executable, "-m", "rolecall", "-C", str(applied.repo), "-e", "prod", "drift", "--format", "json"]
    told = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    (row,) = json.loads(told.stdout)["drift"]
    old = sha256(row["former_fingerprints"][0].encode()).hexdigest()[:16]
    issue["body"] = issue["body"].replace(first.outputs["fingerprint"], old)
    assert old in issue["body"]
    again = applied.run("drift")
    assert (again.outputs["url"], again.outputs["fingerprint"]) == (issue["html_url"], first.outputs["fingerprint"])
    assert [row["state"] for row in applied.forge.issues] == ["open"]
    assert first.outputs["fingerprint"] in issue["body"]


def test_an_issue_stays_open_while_not_everything_can_be_read(applied: Site) -> None:
    by_hand(applied, "Writer-Docs", ENGINEERING)
    assert applied.run("drift").outputs["seen"] == "true"
    applied.change("rolecall.yaml", "people: org", "people: {file: gone.csv}")
    by_hand(applied, "Writer-Docs", {"role": "member", "teams": ["Engineering", "Product"]})
    dark = applied.run("drift")
    assert (dark.outputs["fingerprint"], dark.outputs["seen"]) == ("", "false"), dark.log
    assert [row["state"] for row in applied.forge.issues] == ["open"]


def test_an_issue_is_another_directorys_business(applied: Site) -> None:
    by_hand(applied, "Writer-Docs", ENGINEERING)
    applied.run("drift")
    (issue,) = applied.forge.issues
    mine, key = issue["body"], "<!-- rolecall:key:0123456789abcdef -->"
    issue["body"] = re.sub("<!-- rolecall:key:[0-9a-f]{16} -->", key, mine)
    second = applied.run("drift")
    assert len(applied.forge.issues) == 2, "the other directory's issue is not ours"
    assert second.outputs["url"] == applied.forge.issues[1]["html_url"]
    applied.forge.issues[1]["body"] = re.sub("<!-- rolecall:key:[0-9a-f]{16} -->\n", "", mine)
    assert applied.run("drift").outputs["url"] == second.outputs["url"], "an issue of 0.1.0 is the root's"
    by_hand(applied, "Writer-Docs", {"role": "member", "teams": ["Engineering", "Product"]})
    applied.run("drift")
    assert [row["state"] for row in applied.forge.issues] == ["open", "closed"]


def test_one_pull_request_takes_the_drift_over_and_is_not_asked_again(applied: Site, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    for args in (
        ("init", "--quiet", "--bare", str(remote)),
        ("init", "--quiet", "--initial-branch=main", str(applied.repo)),
        ("-C", str(applied.repo), "remote", "add", "origin", str(remote)),
        ("-C", str(applied.repo), "add", "rolecall.yaml", "env", "idp_groups", "okta.xml"),
        ("-C", str(applied.repo), "-c", "user.name=ann", "-c", "user.email=ann@acme.com", "commit", "-qm", "start"),
        ("-C", str(applied.repo), "push", "--quiet", "origin", "main"),
    ):
        subprocess.run(("git", *args), check=True, capture_output=True)

    by_hand(applied, "Writer-UX-Writing", {"role": "member", "teams": ["Brand", "Product", "Support"]})
    first = applied.run("drift", on_drift="pull-request")
    assert first.code == 0, first.log
    (pull,) = applied.forge.pulls
    assert pull["head"]["ref"] == f"rolecall/drift-prod-{first.outputs['fingerprint']}"
    assert (pull["base"], first.outputs["url"]) == ("main", pull["html_url"])
    changed = subprocess.run(
        ("git", "-C", str(remote), "diff", "--unified=0", "main", pull["head"]["ref"]),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "+  Writer-UX-Writing: {teams: [Brand, Product, Support]}" in changed
    assert changed.count("diff --git") == 1, "what nobody committed stays out of it"

    pull["state"] = "closed"
    again = applied.run("drift", on_drift="pull-request")
    assert again.outputs["url"] == pull["html_url"]
    assert len(applied.forge.pulls) == 1


def test_a_stored_snapshot_names_nobody_and_is_what_a_forks_pull_request_is_planned_against(site: Site) -> None:
    kept = site.run("snapshot", snapshot="kept/prod.json")
    assert kept.code == 0, kept.log
    text = (site.repo / "kept" / "prod.json").read_text(encoding="utf-8")
    assert "ines.okafor" not in text
    assert site.token not in text
    ran = site.run("check", pull_request(fork=True), snapshot="kept/prod.json", ROLECALL_TOKEN="", fail_on="never")
    assert ran.code == 0, ran.log
    assert "Planned against a snapshot that is 0 hours old" in ran.summary
    assert ran.outputs["changes"] == "11"


def test_an_issue_for_a_section_that_was_changed_after_it_was_read(applied: Site) -> None:
    become_observed(applied)
    assert applied.run("drift").outputs["fingerprint"] == ""

    allow_passwords(applied, allowed=True)
    first, again = applied.run("drift"), applied.run("drift")
    (issue,) = applied.forge.issues
    assert (first.code, first.outputs["drift"], first.outputs["seen"]) == (0, "0", "false"), first.log
    assert first.outputs["fingerprint"] == again.outputs["fingerprint"] != ""
    assert issue["html_url"] == first.outputs["url"] == again.outputs["url"]
    assert issue["title"] == "Out of date in prod: sso changed after the last reading"
    assert "SSO was changed by " in issue["body"]
    assert "rolecall observe" in issue["body"]
    assert "--accept" not in issue["body"]

    allow_passwords(applied, allowed=False)
    read_again(applied)
    assert applied.run("drift").outputs["fingerprint"] == ""
    assert [row["state"] for row in applied.forge.issues] == ["closed"]


def become_observed(site: Site) -> None:
    """The org is observed now: its file is a snapshot, and the served org's audit log is WRITER's."""
    environ = {**os.environ, "ROLECALL_TOKEN": site.token, "ROLECALL_TOKEN_HOST": "127.0.0.1"}
    command = [sys.executable, "-m", "rolecall", "-C", str(site.repo), "-e", "prod", "snapshot"]
    command += ["--people", "names", "--out", str(site.repo / "now.json")]
    subprocess.run(command, env=environ, capture_output=True, check=True)
    site.change("env/prod.yaml", f"url: {site.url}\n  token: {{env: ROLECALL_TOKEN}}", "url: observed:now.json")
    key = f"audit: {{writer: org_8817, token: {{env: ROLECALL_TOKEN}}, url: '{site.url}'}}"
    site.change("env/prod.yaml", "guards:", f"{key}\n\nguards:")


def read_again(site: Site) -> None:
    """An admin reads the org again, without a difference."""
    path = site.repo / "now.json"
    snapshot = {**json.loads(path.read_text(encoding="utf-8")), "taken_at": datetime.now(UTC).isoformat()}
    path.write_text(json.dumps(snapshot), encoding="utf-8")


def allow_passwords(site: Site, *, allowed: bool) -> None:
    """What an admin does on the page of SSO."""
    connection = HTTPConnection("127.0.0.1", int(str(urlsplit(site.url).port)), timeout=30)
    sso = {"enabled": True, "name": "Acme Okta", "idp": "okta", "allow_uninvited": False, "allow_passwords": allowed}
    answer = speak(connection, site.token, "PUT", "/v1/access/sso", sso, {"If-Match": "*"})
    assert answer.status == 200, answer.body
    connection.close()


def test_users_in_a_file_of_their_own_are_stored_whole(site: Site) -> None:
    live = json.loads((site.repo / "live" / "prod.json").read_text(encoding="utf-8"))
    assert live["people"] == "prod-people.jsonl", "the example has them apart"
    old = site.repo / "kept" / "prod-people.jsonl"
    old.write_text("left by a run with more users", encoding="utf-8")
    assert site.run("snapshot", snapshot="kept/prod.json").code == 0
    assert not old.exists(), "nothing of an older snapshot is kept beside a new one"
    workflows = [*ROOT.glob("pipelines/github/*.yml"), *ROOT.glob("examples/acme/.github/workflows/*.yml")]
    for text in (path.read_text(encoding="utf-8") for path in workflows):
        assert text.count("/cache/") == text.count("-people.jsonl"), "a cache has both files"


def test_no_issue_is_closed_without_a_record(applied: Site) -> None:
    by_hand(applied, "Writer-Docs", ENGINEERING)
    applied.run("drift")
    (applied.repo / "kept" / "journal.db").unlink()
    lost = applied.run("drift")
    assert lost.code == 0, lost.log
    assert [row["state"] for row in applied.forge.issues] == ["open"], "without a record, nothing is known"
