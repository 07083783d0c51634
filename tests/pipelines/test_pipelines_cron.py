"""The recipe for cron, run as cron runs it: mail for what is new or cleared, and whenever the check fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from pipeline_site import ROOT

_MAIL = """#!/bin/sh
[ -z "${MAIL_FAILS:-}" ] || exit 1
printf '%s\\n' "$@" >"$MAILED.args"
cat >"$MAILED"
"""
_ROLECALL = """#!/bin/sh
[ "$1" = drift ] || exit 64
printf '%s\\n' "$*" >"$MAILED.called"
for word; do
  case $word in
    text=*) echo "findings: $FOUND" >"${word#text=}" ;;
    json=*) for found in $FOUND; do echo " \\"fingerprint\\": \\"$found\\","; done >"${word#json=}" ;;
  esac
done
echo "on stderr" >&2
exit "$LEAVE"
"""


class Mail(NamedTuple):
    """What was sent, None for nothing, and what the script exited with."""

    code: int
    subject: str | None
    text: str = ""


class Cron:
    """A configuration under git, with stand-ins for `mail` and for what rolecall reports."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mailed, self.origin = folder, folder / "mail.txt", folder / "origin"
        for name, text in (("mail", _MAIL), ("rolecall", _ROLECALL)):
            path = folder / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@acme.com"]
        subprocess.run([*git, "init", "-q", str(self.origin)], check=True)
        subprocess.run([*git, "-C", str(self.origin), "commit", "-q", "--allow-empty", "-m", "start"], check=True)
        subprocess.run([*git, "clone", "-q", str(self.origin), str(folder / "access")], check=True)

    def check(self, leave: int, findings: str = "", *args: str, of: str = "access", **more: str) -> Mail:
        self.mailed.unlink(missing_ok=True)
        environ = {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "MAILTO": "it@acme.com",
            "MAILED": str(self.mailed),
            "LEAVE": str(leave),
            "FOUND": findings,
            **more,
        }
        command = [str(ROOT / "pipelines/cron/rolecall-drift"), str(self.folder / of), *args]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
        if not self.mailed.exists():
            return Mail(ended.returncode, None)
        flag, subject, to = Path(f"{self.mailed}.args").read_text(encoding="utf-8").splitlines()
        assert (flag, to) == ("-s", "it@acme.com")
        return Mail(ended.returncode, subject, self.mailed.read_text(encoding="utf-8"))


@pytest.fixture
def cron(tmp_path: Path) -> Cron:
    return Cron(tmp_path)


def test_without_drift_there_is_no_mail(cron: Cron) -> None:
    assert cron.check(0, "", "prod") == Mail(0, None)
    assert cron.check(0, "", "prod") == Mail(0, None)


def test_a_finding_is_reported_when_it_is_new_and_when_it_is_cleared(cron: Cron) -> None:
    first = cron.check(2, "aa", "prod")
    assert (first.code, first.subject) == (0, "rolecall prod: drift")
    assert first.text.splitlines() == ["findings: aa", "on stderr"]
    assert cron.check(2, "aa", "prod") == Mail(0, None), "it was reported"
    assert cron.check(2, "bb aa", "prod").subject == "rolecall prod: drift"
    assert cron.check(2, "aa bb", "prod") == Mail(0, None)
    assert cron.check(3, "aa bb cc", "prod").subject == "rolecall prod: a standing limit or an access test fails"
    assert cron.check(2, "bb", "prod").subject == "rolecall prod: drift"
    assert cron.check(0, "", "prod").subject == "rolecall prod: cleared: no drift"
    assert cron.check(0, "", "prod") == Mail(0, None)


def test_an_incomplete_read_is_reported_each_time_and_clears_nothing(cron: Cron) -> None:
    cron.check(2, "aa")
    for _ in range(2):
        assert cron.check(7).subject == "rolecall org: drift is not fully known"
    assert cron.check(2, "aa") == Mail(0, None), "it is not new"


@pytest.mark.parametrize("code", [1, 4, 64, 130])
def test_every_failure_is_reported_each_time(cron: Cron, code: int) -> None:
    for _ in range(2):
        mail = cron.check(code)
        assert mail.subject == "rolecall org: could not check for drift"
        assert f"exit code {code}" in mail.text
        assert "on stderr" in mail.text


def test_a_failing_pull_is_reported_and_what_is_there_is_checked(cron: Cron) -> None:
    cron.origin.rename(cron.folder / "gone")
    mail = cron.check(2, "aa")
    assert mail.subject == "rolecall org: drift"
    assert "git pull failed" in mail.text
    quiet = cron.check(2, "aa")
    assert quiet.subject == "rolecall org: git pull failed"
    assert "findings: aa" in quiet.text


def test_a_lock_that_is_held_is_reported(cron: Cron) -> None:
    cron.check(0)
    (lock,) = (cron.folder / "home").rglob("*.lock")
    with subprocess.Popen(["flock", str(lock), "sh", "-c", "echo held; read line"], stdin=-1, stdout=-1) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        mail = cron.check(2, "aa")
        assert mail.subject == "rolecall org: could not check for drift"
        assert "still running" in mail.text
        holder.communicate(b"\n")
    assert cron.check(2, "aa").subject == "rolecall org: drift"


def test_locks_and_findings_are_kept_where_no_other_account_can_write(cron: Cron) -> None:
    cron.check(2, "aa", XDG_RUNTIME_DIR=str(cron.folder / "run"))
    assert [path.suffix for path in (cron.folder / "run").iterdir()] == [".lock"]
    kept = cron.folder / "home" / ".local" / "state" / "rolecall"
    assert kept.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.iterdir())


def test_two_directories_and_environments_share_nothing(cron: Cron) -> None:
    subprocess.run(["git", "clone", "-q", str(cron.origin), str(cron.folder / "other")], check=True)
    assert cron.check(2, "aa", "prod").subject == "rolecall prod: drift"
    assert cron.check(2, "aa", "staging").subject == "rolecall staging: drift"
    assert cron.check(2, "aa", "prod", of="other").subject == "rolecall prod: drift"
    assert cron.check(2, "aa", "prod") == Mail(0, None)


def test_a_finding_whose_mail_was_not_sent_is_new_the_next_time(cron: Cron) -> None:
    assert cron.check(2, "aa", MAIL_FAILS="1").code != 0
    assert cron.check(2, "aa").subject == "rolecall org: drift"


def test_a_directory_that_is_not_there_is_reported(cron: Cron) -> None:
    mail = cron.check(0, of="none")
    assert (mail.code, mail.subject) == (0, "rolecall org: could not check for drift")


def test_with_rolecall_itself_on_a_local_org(cron: Cron) -> None:
    program = f'#!/bin/sh\nexec {sys.executable} -m rolecall "$@"\n'
    (cron.folder / "bin" / "rolecall").write_text(program, encoding="utf-8")
    folder = cron.folder / "access"

    def rolecall(*args: str) -> None:
        command = [sys.executable, "-m", "rolecall", "-C", str(folder), *args]
        subprocess.run(command, check=True, capture_output=True)

    org = json.loads((ROOT / "examples/minimal/snapshot.json").read_text(encoding="utf-8"))
    (folder / "live.json").write_text(json.dumps(org), encoding="utf-8")
    (folder / "rolecall.yaml").write_text(
        "version: 1\norg: {name: acme, url: 'local:org.db'}\njournal: {url: 'sqlite:journal.db'}\n"
        "guards: {require_self: false}\ndefaults: {role: member, teams: [Everyone]}\n",
        encoding="utf-8",
    )
    rolecall("local", "load", "live.json")
    rolecall("apply", "--auto-approve")
    assert cron.check(0) == Mail(0, None)
    org["defaults"] = {"role": "team_admin", "teams": ["Everyone"]}
    (folder / "live.json").write_text(json.dumps(org), encoding="utf-8")
    rolecall("local", "load", "live.json")
    mail = cron.check(0)
    assert (mail.code, mail.subject) == (0, "rolecall org: drift")
    assert "defaults" in mail.text
    assert cron.check(0) == Mail(0, None)
