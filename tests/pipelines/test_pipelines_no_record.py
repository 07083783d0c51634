"""The shipped drift checks with a journal in which no apply is recorded: none of them reports an all-clear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pipeline_site import ROOT, Site

from rolecall.errors import Exit

SENTENCE = "drift cannot be determined: no apply is recorded"


def environ(site: Site, **more: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "ROLECALL_TOKEN": site.token, "ROLECALL_TOKEN_HOST": "127.0.0.1", **more}


@pytest.fixture(autouse=True)
def untested(site: Site) -> None:
    """Take out the access tests: one fails until the configuration is applied, which exits with 3."""
    path = site.repo / "rolecall.yaml"
    path.write_text(path.read_text(encoding="utf-8").partition("access_tests:")[0], encoding="utf-8")


def without_journal(site: Site) -> None:
    """Take the journal out of the configuration, as one that relies on ROLECALL_JOURNAL."""
    site.change("rolecall.yaml", 'journal: {url: "sqlite:kept/journal.db", keep: 2y}\n', "")


@pytest.mark.parametrize("fresh", ["ROLECALL_JOURNAL", "nothing"])
def test_the_cron_job_of_kubernetes(site: Site, tmp_path: Path, fresh: str) -> None:
    without_journal(site)
    job = yaml.safe_load((ROOT / "pipelines/kubernetes/drift.yaml").read_text(encoding="utf-8"))
    container = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    fixed = {item["name"]: item["value"] for item in container["env"] if "value" in item}
    given = {"ROLECALL_JOURNAL": f"sqlite:{tmp_path}/fresh.db"} if fresh == "ROLECALL_JOURNAL" else {}
    ended = subprocess.run(
        [sys.executable, "-m", "rolecall", *container["args"]],
        cwd=site.repo, env=environ(site, **fixed, **given), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == (Exit.UNSEEN if given else Exit.ERROR), ended.stdout + ended.stderr
    assert SENTENCE in ended.stdout.lower() if given else "lost with the runner" in ended.stderr


def test_the_schedule_of_gitlab(site: Site) -> None:
    template = yaml.safe_load((ROOT / "pipelines/gitlab/rolecall.gitlab-ci.yml").read_text(encoding="utf-8"))
    (line,) = template["rolecall:drift"]["script"]
    ended = subprocess.run(
        ["bash", "-c", line],
        cwd=site.repo, env=environ(site, CI="true", ROLECALL_ENV="prod"), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == Exit.UNSEEN, ended.stdout + ended.stderr
    assert SENTENCE in ended.stdout.lower()


def test_the_recipe_for_cron(site: Site, tmp_path: Path) -> None:
    mail = tmp_path / "bin" / "mail"
    mail.parent.mkdir()
    mail.write_text('#!/bin/sh\nprintf "%s\\n" "$2" >"$MAILED"; cat >>"$MAILED"\n', encoding="utf-8")
    mail.chmod(0o755)
    given = environ(site, HOME=str(tmp_path / "home"), MAILTO="it@acme.com", MAILED=str(tmp_path / "mailed"))
    given["PATH"] = f"{mail.parent}{os.pathsep}{given['PATH']}"
    command = [str(ROOT / "pipelines/cron/rolecall-drift"), str(site.repo), "prod"]
    ended = subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    mailed = (tmp_path / "mailed").read_text(encoding="utf-8")
    assert mailed.startswith("rolecall prod: drift is not fully known\n")
    assert SENTENCE in mailed.lower()


def test_the_schedule_of_github(site: Site) -> None:
    ran = site.run("drift")
    assert (ran.code, ran.outputs["seen"], ran.outputs["drift"]) == (0, "false", "0"), ran.log
    assert SENTENCE in ran.log.lower()
    assert json.dumps(site.forge.issues) == "[]"
