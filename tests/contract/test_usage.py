"""WRITER's usage data, served by a local org over a socket, in the plans of an observed org and of one with an API."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from live_site import ACME, Site, served, site_template

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.localorg.manage import Knobs, make_token, set_knobs, set_usage
from rolecall.localorg.store import open_database
from rolecall.localorg.store.usage import UserUsage

__all__ = ["site_template"]
WRITER = "org_8817"
MONTH = f"{datetime.now(UTC):%Y-%m}"
PATH = f"/api/billing/v1/organization/{WRITER}/consumption/breakdown/user"
Capture = pytest.CaptureFixture[str]

NAMES = {"bo@acme.com": "Bo Smith", "cy@acme.com": "Cy Jones", "di@acme.com": "Di Jones", "ed@acme.com": "Ed Smith"}
MARKETING = ("bo@acme.com", "cy@acme.com", "di@acme.com", "ed@acme.com", "flo@acme.com")
ROWS = [
    UserUsage("1", "BO  Smith", 50, 900),
    UserUsage("2", "Cy Jones", 0, 0),
    UserUsage("3", "Di Jones", 7, 80),
    UserUsage("4", "di jones", 9, 90),
    UserUsage("5", "flo@acme.com", 1, 5),
    UserUsage("6", "Stranger Danger", 1, 5),
]
"""Bo has used it, Cy has not, Di's name is that of two, Ed has no row, Flo has no name."""
SENTENCE = "5 users lose Marketing; at least 2 of them used WRITER this month (3 of 5 matched by name)."


@dataclass
class Repo:
    """A configuration whose plan takes Marketing from five users, and the org that serves the usage data."""

    folder: Path
    site: Site

    def write(self, org: str, usage: str | None = None) -> None:
        more = f"usage: {{writer: {WRITER}, token: {{env: KEY}}, url: '{usage}'}}\n" if usage else ""
        mapping = "idp_groups:\n  Marketing: {role: member, teams: [Sales]}\n"
        guards = "guards: {max_people_losing_access: {review: 100%, block: 100%}}\n"
        (self.folder / "rolecall.yaml").write_text(f"version: 1\n{org}{mapping}{guards}{more}")

    def observed(self, *, usage: bool = True) -> None:
        self.write("org: {name: acme, url: observed:org.json}\n", self.site.base if usage else None)


def people(named: bool = True) -> list[dict[str, Any]]:
    users = [{"email": email, "id": f"p-{email[:2]}", "groups": ["Marketing"]} for email in MARKETING]
    users.append({"email": "ann@acme.com", "id": "p-ann", "groups": ["Admins"]})
    return [{**user, **({"name": NAMES[user["email"]]} if named and user["email"] in NAMES else {})} for user in users]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Repo]:
    path = tmp_path / "org.db"
    shutil.copy(request.getfixturevalue("site_template"), path)
    database = open_database(path)
    folder = tmp_path / "repo"
    folder.mkdir()
    snapshot = {**ACME, "people": people(), "taken_at": datetime.now(UTC).isoformat()}
    (folder / "org.json").write_text(json.dumps(snapshot))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KEY", make_token(database, "admin", email="ann@acme.com").secret)
    set_usage(database, MONTH, ROWS)
    with served(database, "http") as base:
        repo = Repo(folder, Site("http", database, path, base))
        repo.observed()
        yield repo
    database.close()


def planned(capsys: Capture, *words: str, code: int = Exit.OK) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["plan", "--format", "json", *words]) == code
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


def test_a_plan_says_how_many_of_those_who_lose_access_use_it(repo: Repo, capsys: Capture) -> None:
    assert run(["plan"]) == Exit.OK
    assert SENTENCE in " ".join(capsys.readouterr().out.split())
    team = {"team": "Marketing", "losing": 5, "matched": 3, "used": 2}
    assert planned(capsys)["usage"] == {
        "month": MONTH,
        "state": "complete",
        "problem": None,
        "losing": 5,
        "matched": 3,
        "used": 2,
        "teams": [team],
    }


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_other_reports_say_so_too(repo: Repo, capsys: Capture, form: str) -> None:
    assert run(["plan", "--format", form]) == Exit.OK
    plain = re.sub(r"<[^>]*>|\\", "", capsys.readouterr().out)
    assert SENTENCE in " ".join(plain.split())


@pytest.mark.parametrize("mode", ["masked", "counts"])
def test_no_user_is_named_by_it(repo: Repo, capsys: Capture, mode: str) -> None:
    assert run(["plan", "--people", mode]) == Exit.OK
    text = " ".join(capsys.readouterr().out.split())
    assert SENTENCE in text
    assert "Smith" not in text
    assert "bo@" not in text


def test_it_is_no_part_of_the_digest_and_a_saved_plan_has_it(repo: Repo, capsys: Capture) -> None:
    before = planned(capsys, "--out", "plan.json")
    set_usage(repo.site.database, MONTH, [])
    after = planned(capsys)
    assert (before["usage"]["used"], after["usage"]["used"]) == (2, 0)
    assert before["digest"] == after["digest"]
    assert before["guards"] == after["guards"]
    assert run(["show", "plan.json"]) == Exit.OK
    assert SENTENCE in " ".join(capsys.readouterr().out.split())
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.HUMAN
    assert b"Smith" not in (repo.folder / "plan.json").read_bytes()


def test_no_evidence_is_not_the_evidence_of_none(repo: Repo, capsys: Capture) -> None:
    set_usage(repo.site.database, MONTH, [])
    assert run(["plan"]) == Exit.OK
    text = " ".join(capsys.readouterr().out.split())
    assert "none of them is known to have used WRITER this month (0 of 5 matched by name)." in text
    assert "inactive" not in text


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("rolecall_admin_wrong", "does not accept the token"),
        ("", "the environment variable KEY is empty"),
        (None, "the environment variable KEY is not set"),
    ],
)
def test_unread_data_is_reported_and_changes_nothing_else(
    repo: Repo, capsys: Capture, monkeypatch: pytest.MonkeyPatch, key: str | None, message: str
) -> None:
    known = planned(capsys, "--detailed-exitcode", code=Exit.CHANGES)
    if key is None:
        monkeypatch.delenv("KEY")
    else:
        monkeypatch.setenv("KEY", key)
    unread = planned(capsys, "--detailed-exitcode", code=Exit.CHANGES)
    assert (unread["usage"]["state"], unread["usage"]["matched"], unread["usage"]["teams"]) == ("unread", 0, [])
    assert message in unread["usage"]["problem"]
    (warning,) = [each for each in unread["warnings"] if each["code"] == "usage_unread"]
    assert warning["hint"] == "whether the users who lose access use WRITER is unknown"
    for part in ("digest", "guards", "impact", "changes", "summary", "coverage"):
        assert unread[part] == known[part]
    assert run(["plan"]) == Exit.OK
    text = " ".join(capsys.readouterr().out.split())
    assert "WRITER's usage data was not read" in text
    assert "used WRITER" not in text


def test_it_is_read_only_where_users_lose_access(repo: Repo, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "rolecall_admin_wrong")
    path = repo.folder / "rolecall.yaml"
    path.write_text(path.read_text().replace("teams: [Sales]", "teams: [Sales, Marketing, Legal]"))
    body = planned(capsys)
    assert body["impact"]["gain"] == 5
    assert "usage" not in body
    assert not any(each["code"] == "usage_unread" for each in body["warnings"])


def test_without_it_nothing_is_read(repo: Repo, capsys: Capture) -> None:
    repo.observed(usage=False)
    assert "usage" not in planned(capsys)


def test_an_org_with_an_api_is_read_whole_to_know_that_a_name_is_unique(
    repo: Repo, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.site.load(people=people(named=False))
    set_usage(repo.site.database, MONTH, ROWS)
    secret = make_token(repo.site.database, "admin", email="ann@acme.com").secret
    monkeypatch.setenv("ROLECALL_TOKEN", secret)
    monkeypatch.setenv("KEY", secret)
    repo.write(f"org: {{name: acme, url: '{repo.site.base}', token: {{env: ROLECALL_TOKEN}}}}\n", repo.site.base)
    usage = planned(capsys)["usage"]
    assert (usage["losing"], usage["matched"], usage["used"]) == (5, 1, 1)


def test_all_users_are_read_once_more_only_if_users_lose_access_and_usage_is_configured(
    repo: Repo, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.site.load(people=people(named=False))
    monkeypatch.setenv("KEY", make_token(repo.site.database, "admin", email="ann@acme.com").secret)

    def user_lists(*, usage: bool) -> int:
        org = f"org: {{name: acme, url: '{repo.site.base}', token: {{env: KEY}}}}\n"
        repo.write(org, repo.site.base if usage else None)
        capsys.readouterr()
        assert run(["-vv", "--log-format", "json", "plan"]) == Exit.OK
        requests = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
        assert any(request.get("path") == "/v1/people/search" for request in requests)
        return sum(request.get("path") == "/v1/people" for request in requests)

    assert (user_lists(usage=False), user_lists(usage=True)) == (0, 1)


def test_a_command_sets_the_data_of_a_month(repo: Repo, capsys: Capture) -> None:
    def set_by_command(*words: str) -> str:
        assert run(["local", "usage", "usage.csv", "--database", str(repo.site.path), *words]) == Exit.OK
        return capsys.readouterr().out

    set_usage(repo.site.database, MONTH, [])
    lines = "".join(f'"{user.scope_name}",{user.total_tokens}\n' for user in ROWS)
    (repo.folder / "usage.csv").write_text(f"name,tokens\n{lines}", encoding="utf-8")
    assert set_by_command("--month", "2020-01") == "Set the usage data of 6 users for 2020-01.\n"
    assert planned(capsys)["usage"]["used"] == 0
    assert set_by_command() == f"Set the usage data of 6 users for {MONTH}.\n"
    assert (planned(capsys)["usage"]["used"], planned(capsys)["usage"]["matched"]) == (2, 3)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,tokens\nBo,-1\n", "usage.csv:2:1: `name` is empty or `tokens` is not a number"),
        ("name,tokens\nBo,1\n,5\n", "usage.csv:3:1: `name` is empty"),
        ("user,tokens\nBo,1\n", "the first line has the names of the columns: name,tokens"),
        ('name,tokens\n"Bo,1\n', "usage.csv: is not CSV in UTF-8"),
    ],
)
def test_a_table_without_usage_data_changes_nothing(repo: Repo, capsys: Capture, table: str, message: str) -> None:
    (repo.folder / "usage.csv").write_text(table, encoding="utf-8")
    assert run(["local", "usage", "usage.csv", "--database", str(repo.site.path)]) == Exit.ERROR
    assert message in capsys.readouterr().err
    assert planned(capsys)["usage"]["used"] == 2


def test_many_pages(repo: Repo, capsys: Capture) -> None:
    set_knobs(repo.site.database, Knobs(page_limit=2))
    assert planned(capsys)["usage"]["matched"] == 3


def test_doctor_checks_the_connection(repo: Repo, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def checked() -> dict[str, Any]:
        run(["doctor", "--format", "json"])
        body: dict[str, Any] = json.loads(capsys.readouterr().out)
        return next(check for check in body["checks"] if check["name"] == "usage")

    assert checked()["state"] == "ok"
    monkeypatch.setenv("KEY", "rolecall_admin_wrong")
    check = checked()
    assert check["state"] == "warning"
    assert "does not accept the token" in json.dumps(check)


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (PATH, "month=2026-13", 400),
        (PATH, "month=november", 400),
        (PATH, "limit=0", 400),
        (PATH, "offset=-1", 400),
        (PATH.replace("user", "galaxy"), "", 400),
        (PATH.replace(WRITER, "org_other"), "", 403),
        (f"{PATH}/1/2", "", 404),
    ],
)
def test_the_route_refuses_in_writers_form(repo: Repo, path: str, query: str, status: int) -> None:
    token = make_token(repo.site.database, "admin", email="ann@acme.com").secret
    answer = httpx.get(f"{repo.site.base}{path}?{query}", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == status
    assert {"tpe", "errors"} <= answer.json().keys()


def test_the_route_orders_by_cost_and_has_other_scopes_and_months(repo: Repo) -> None:
    token = make_token(repo.site.database, "admin", email="ann@acme.com").secret
    headers = {"authorization": f"Bearer {token}"}
    body = httpx.get(f"{repo.site.base}{PATH}?limit=2&offset=1", headers=headers).json()
    assert [each["scope_id"] for each in body["data"]] == ["4", "3"]
    assert body["pagination"] == {"limit": 2, "offset": 1, "total": 6}
    assert httpx.get(f"{repo.site.base}{PATH}?month=2020-01", headers=headers).json()["data"] == []
    team = PATH.replace("breakdown/user", "breakdown/team")
    assert httpx.get(f"{repo.site.base}{team}", headers=headers).json()["scope"] == "team"
    assert httpx.get(f"{repo.site.base}{PATH}").status_code == 401
    assert httpx.post(f"{repo.site.base}{PATH}", headers=headers).status_code == 405


def test_names_are_in_no_snapshot_without_users(repo: Repo) -> None:
    assert run(["snapshot", "--out", "named.json", "--people", "names"]) == Exit.OK
    assert "Bo Smith" in (repo.folder / "named.json").read_text()
    for mode in ("masked", "counts", "none"):
        assert run(["snapshot", "--out", f"{mode}.json", "--people", mode]) == Exit.OK
        assert "Smith" not in (repo.folder / f"{mode}.json").read_text()
