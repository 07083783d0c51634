"""A config repo on disk with a local org, for the commands' tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rolecall.cli.main import run
from rolecall.errors import Exit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

CONFIG = """\
version: 1
org: {name: tinyco, url: local:org.db}
manage: {idp_groups: authoritative}
defaults: {role: member, teams: [Everyone]}
idp_groups:
  Admins: {role: org_admin, teams: [Everyone]}
  Marketing:
    role: member
    teams: [Brand]
    owner: lead@tiny.co
guards: {max_people_losing_access: {review: 10, block: 100%}}
"""

SNAPSHOT: dict[str, Any] = {
    "snapshot": 1,
    "org": {"id": "org_1", "name": "tinyco"},
    "teams": ["Everyone", "Marketing", "Brand"],
    "roles": ["org_admin", "team_admin", "member"],
    "domains": {"tiny.co": {"discoverable": True, "join": "approval"}},
    "defaults": {"role": "member", "teams": ["Everyone"]},
    "sso": {"enabled": True, "name": "Okta", "idp": "okta", "allow_uninvited": False, "allow_passwords": False},
    "scim": {"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False},
    "idp_groups": {
        "Admins": {"role": "org_admin", "teams": ["Everyone"]},
        "Marketing": {"role": "member", "teams": ["Marketing"]},
    },
    "people": [
        {"email": "ann@tiny.co", "origin": "scim", "active": True, "groups": ["Admins"]},
        {"email": "bo@tiny.co", "origin": "scim", "active": True, "groups": ["Admins"]},
        {"email": "cy@tiny.co", "origin": "scim", "active": True, "groups": ["Marketing"]},
        {"email": "di@tiny.co", "origin": "scim", "active": True, "groups": ["Marketing"]},
    ],
}


def make_repo(folder: Path, config: str = CONFIG, snapshot: dict[str, Any] | None = None) -> Path:
    """The repo, its snapshot beside it, and a local org that holds the snapshot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rolecall.yaml").write_text(config, encoding="utf-8")
    (folder / "live.json").write_text(json.dumps(SNAPSHOT if snapshot is None else snapshot), encoding="utf-8")
    assert run(["-C", str(folder), "local", "load", "live.json", "--database", "org.db"]) == 0
    return folder


def apply_approved(capsys: pytest.CaptureFixture[str], *flags: str) -> None:
    """Make a plan with these flags, and apply it by its digest; manual steps are left."""
    capsys.readouterr()
    run(["plan", "--format", "json", *flags])
    digest = json.loads(capsys.readouterr().out)["digest"]
    assert run(["apply", "--approve", digest]) == Exit.HUMAN


class Output(NamedTuple):
    """What a command printed."""

    out: str
    err: str


def run_in(capsys: pytest.CaptureFixture[str], folder: Path, *line: str, secret: str, code: Exit = Exit.OK) -> Output:
    """Return what a command in a folder prints, which never has the secret."""
    capsys.readouterr()
    exit_code = run(["-C", str(folder), *line])
    output = Output(*capsys.readouterr())
    assert exit_code == code, output.out + output.err
    assert secret not in output.out + output.err
    return output


def copy_example(name: str, to: Path) -> Path:
    shutil.copytree(EXAMPLES / name, to, ignore=shutil.ignore_patterns(".rolecall"))
    return to
