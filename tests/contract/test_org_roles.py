"""Callers with a role at org level, over a local org: what their plans write, and what the console shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from live_site import ACME, Site, site, site_template
from test_console_pages import Visitor

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.localorg.manage import make_token

__all__ = ["site", "site_template"]
Capture = pytest.CaptureFixture[str]
USERS = [
    {"email": "ida@acme.com", "id": "p-ida", "groups": ["Marketing"], "org_role": "it_admin"},
    {"email": "biz@acme.com", "id": "p-biz", "groups": ["Marketing"], "org_role": "business_admin", "seat": "lite"},
    {"email": "org@acme.com", "id": "p-org", "groups": [], "org_role": "org_admin"},
]
CONFIG = """\
version: 1
org: {name: acme, url: '%s', token: {env: ROLECALL_TOKEN}}
domains: {acme.com: {discoverable: false}}
idp_groups: {Marketing: {role: member, teams: [Marketing, Sales, Legal]}}
guards: {min_org_admins: 2, max_people_losing_access: {review: 100%%, block: 100%%}}
"""


@pytest.fixture
def company(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site.load(people=[*ACME["people"], *USERS])
    folder = tmp_path / "repo"
    folder.mkdir()
    url = site.base or f"local:{site.path}"
    (folder / "rolecall.yaml").write_text(CONFIG % url)
    monkeypatch.chdir(folder)
    return site


def as_user(site: Site, monkeypatch: pytest.MonkeyPatch, email: str) -> None:
    monkeypatch.setenv("ROLECALL_TOKEN", make_token(site.database, "admin", email=email).secret)


def planned(capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    run(["plan", "--format", "json"])
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


def ways(plan: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {change["address"]: (change["via"], change["via_reason"]) for change in plan["changes"]}


def test_an_it_admin_writes_domains_and_leaves_mappings_to_an_org_admin(
    company: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(company, monkeypatch, "ida@acme.com")
    plan = planned(capsys)
    assert ways(plan) == {"domains/acme.com": ("api", None), "idp_groups/Marketing": ("human", "role")}
    assert run(["apply", "--auto-approve"]) == Exit.HUMAN, capsys.readouterr()
    assert "cannot change these settings" in capsys.readouterr().out
    as_user(company, monkeypatch, "org@acme.com")
    assert ways(planned(capsys)) == {"idp_groups/Marketing": ("api", None)}


def test_a_plan_on_an_org_with_an_api_counts_roles_at_org_level_and_seats(
    company: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(company, monkeypatch, "org@acme.com")
    config = Path("rolecall.yaml")
    config.write_text(config.read_text().replace("role: member", "role: team_admin"))
    impact = planned(capsys)["impact"]
    assert impact["org_admins"] == {"before": 2, "after": 2}
    assert impact["org_roles"] == {"business_admin": 1, "it_admin": 1}
    assert impact["lite_seats"] == 1


@pytest.mark.parametrize("email", ["biz@acme.com", "bo@acme.com"])
def test_a_caller_who_may_not_read_settings_is_refused(
    company: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    as_user(company, monkeypatch, email)
    assert run(["plan"]) == Exit.ERROR
    assert f"the token belongs to {email}, which is not an org admin" in capsys.readouterr().err


def test_doctor_says_what_an_it_admin_can_change(
    company: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(company, monkeypatch, "ida@acme.com")
    run(["doctor", "--format", "json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    org = next(check for check in checks if check["name"] == "org")
    assert org["state"] == "warning"
    assert "ida@acme.com is not an org admin and can change only domains, defaults" in json.dumps(org)


def test_the_console_shows_an_it_admin_all_and_saves_the_access_tab_only(company: Site) -> None:
    visitor = Visitor(company.database, make_token(company.database, "admin", email="ida@acme.com").secret)
    assert visitor.get("/admin/access").status == 200
    assert visitor.get("/admin/idp-groups").status == 200
    assert "Role at org level: IT admin." in visitor.get("/people/p-ida").text
    assert "Seat: lite." in visitor.get("/people/p-biz").text
    refused = visitor.submit("/admin/scim/scim", "/admin/scim", manual_editing="on")
    assert "requires the role Org admin" in refused.text
    business = Visitor(company.database)
    seen = business.sign_in(make_token(company.database, "admin", email="biz@acme.com").secret)
    assert seen.status == 403
    assert "requires the role" in seen.text


def test_local_token_warns_of_a_limited_role(company: Site, capsys: Capture) -> None:
    words = ["local", "token", "--admin", "--as", "ida@acme.com", "--database", str(company.path)]
    assert run(words) == Exit.OK
    assert "requests for what their role may not do get 403" in capsys.readouterr().err
