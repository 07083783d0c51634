"""Every example, as a reader would try it: it validates without a word, and its plan says what its README promises."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RUNS = [
    ("minimal", None, "snapshot.json"),
    ("entra", None, "snapshot.json"),
    ("okta", None, "snapshot.json"),
    ("tour", None, "org.json"),
    ("acme", "prod", "live/prod.json"),
    ("acme", "staging", "live/staging.json"),
]


def rolecall(example: str, env: str | None, *words: str, folder: Path = EXAMPLES) -> subprocess.CompletedProcess[str]:
    overlay = ["-e", env] if env else []
    command = [sys.executable, "-m", "rolecall", "-C", str(folder / example), *overlay, *words]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


def plan(example: str, env: str | None, snapshot: str) -> dict[str, Any]:
    flags = ("--snapshot", snapshot, "--as-of", "2026-11-22", "plan", "--format", "json", "--people", "names")
    done = rolecall(example, env, *flags)
    assert done.returncode == 0, done.stderr
    planned: dict[str, Any] = json.loads(done.stdout)
    return planned


def test_every_example_is_planned_here() -> None:
    assert {example for example, _, _ in RUNS} == {path.name for path in EXAMPLES.iterdir() if path.is_dir()}


@pytest.mark.parametrize(("example", "env", "snapshot"), RUNS)
def test_an_example_validates_without_a_word(example: str, env: str | None, snapshot: str) -> None:
    done = rolecall(example, env, "validate")
    assert (done.returncode, done.stdout, done.stderr) == (0, "No problems found.\n", "")


def test_the_smallest_config() -> None:
    planned = plan("minimal", None, "snapshot.json")
    (change,) = planned["changes"]
    assert (change["address"], change["action"]) == ("idp_groups/Writer-Marketing", "create")
    assert (planned["impact"]["changed"], planned["impact"]["change"]) == (1, 1)


def test_acme_prod_says_what_its_readme_says() -> None:
    planned = plan("acme", "prod", "live/prod.json")
    summary = planned["summary"]
    assert {name: summary[name] for name in ("rename", "delete", "human", "waiting")} == {
        "rename": 1,
        "delete": 1,
        "human": 0,
        "waiting": 1,
    }
    ways = {change["address"]: change["via"] for change in planned["changes"]}
    assert ways["idp_groups/Writer-Design-Guild"] == "waiting"
    created = [
        c["address"] for c in planned["changes"] if c["action"] == "create" and c["via"] == "api" and not c["moved"]
    ]
    assert created == ["idp_groups/Writer-Brand-Studio", "idp_groups/Writer-Support-Macros"]
    impact = planned["impact"]
    assert (impact["people"], impact["change"], impact["lose"], impact["to_default"]) == (400, 40, 5, 5)
    assert [person["email"] for person in impact["escalations"]] == ["margaret.obrien@acme.com"]
    assert {row["address"]: row["role"] for row in planned["unmanaged"]} == {
        "idp_groups/Writer-Pilot-2024": "member",
        "idp_groups/okta-superusers": "org_admin",
    }
    verdicts = {guard["name"]: guard["verdict"] for guard in planned["guards"]}
    assert (verdicts["max_people_losing_access"], verdicts["escalations"]) == ("allowed", "review")
    assert "block" not in verdicts.values()
    assert all(result["passed"] for result in planned["access_tests"])


def test_acme_staging_is_nearly_there() -> None:
    planned = plan("acme", "staging", "live/staging.json")
    assert {change["address"]: change["via"] for change in planned["changes"]} == {
        "domains/acme-sandbox.io": "human",
        "idp_groups/Writer-Sales-Enablement": "api",
        "idp_groups/Writer-Content": "api",
    }
    assert planned["org"]["id"] == "org_8818"


def test_acme_is_the_same_whether_read_from_a_file_or_from_an_org(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "acme", tmp_path / "acme", ignore=shutil.ignore_patterns(".rolecall"))
    loaded = rolecall("acme", "prod", "local", "load", "live/prod.json", folder=tmp_path)
    assert loaded.returncode == 0, loaded.stderr
    done = rolecall(
        "acme", "prod", "--as-of", "2026-11-22", "plan", "--format", "json", "--people", "names", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    asked, filed = json.loads(done.stdout), plan("acme", "prod", "live/prod.json")
    assert asked["digest"] == filed["digest"]
    for part in ("guards", "access_tests", "unmanaged", "released", "summary"):
        assert asked[part] == filed[part], part
    for part in ("headline", "gain", "lose", "change", "to_default", "org_admins", "teams", "apart"):
        assert asked["impact"][part] == filed["impact"][part], part
    limits = {guard["name"]: guard["limit"] for guard in asked["guards"]}
    assert limits["max_people_losing_access"] == "review above 10, block above 58 (15% of 383 active users)"


FORMATS = ("text", "json", "markdown", "html", "github", "gitlab", "junit", "sarif", "csv")


@pytest.mark.parametrize("shown", ["masked", "counts"])
def test_no_report_of_acme_names_anybody_whom_its_config_does_not_name(shown: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "acme", tmp_path / "acme", ignore=shutil.ignore_patterns(".rolecall"))
    repo = tmp_path / "acme"
    reports = [word for form in FORMATS for word in ("--report", f"{form}=out-{form}")]
    flags = ("--snapshot", "live/prod.json", "plan", "--people", shown, "--out", "plan.json", *reports)
    done = rolecall("acme", "prod", *flags, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    config = "".join(path.read_text(encoding="utf-8") for path in repo.rglob("*.yaml"))
    rows = (repo / "live" / "prod-people.jsonl").read_text(encoding="utf-8").splitlines()
    people = [json.loads(row)["email"] for row in rows]
    unnamed = [email for email in people if email not in config]
    assert len(unnamed) > 390
    key = (repo / ".rolecall" / "mask.key").read_bytes() if shown == "masked" else b"no key is made"
    written = [done.stdout.encode(), *((repo / f"out-{form}").read_bytes() for form in FORMATS)]
    for text in (*written, (repo / "plan.json").read_bytes()):
        assert [email for email in unnamed if email.encode() in text.lower()] == []
        assert key not in text
        assert key.hex().encode() not in text
