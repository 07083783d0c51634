"""The whole loop with a stand-in Okta and a local org: a configuration is planned and applied, groups are assigned and
pushed, users and groups arrive over SCIM, the groups are mapped, and users have the access that the plan predicted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from idp import Fault, Okta, oid
from org_client import fill
from scim_org import new_token
from test_prop_provisioning import Site, actual, map_groups, predicted, roles_of, shown
from test_prop_provisioning import site as site

from rolecall.cli.main import run
from rolecall.errors import Exit

USERS = ["ann@acme.com", "bo@acme.com", "cy@acme.com"]
ADMINS: dict[str, Any] = {"role": "org_admin", "teams": ["Everyone"]}
LEGAL: dict[str, Any] = {"role": "member", "teams": ["Legal"]}


@pytest.fixture
def okta(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Okta]:
    """Ann has the app and is an org admin; WRITER-Everyone and Writer-Legal are neither assigned nor pushed."""
    monkeypatch.setenv("IDP_WRITE", "other-token")
    fill(site.db, people=[], idp_groups={})
    okta = Okta(provision_each=True)
    okta.tokens["other-token"] = ("okta.apps.manage", "okta.groups.manage")
    for login in USERS:
        okta.add_user(login)
    okta.add_group("Core", ["ann@acme.com"])
    okta.add_group("Admins", ["ann@acme.com"])
    okta.add_group("WRITER-Everyone", USERS)
    okta.add_group("Writer-Legal", ["bo@acme.com", "cy@acme.com"])
    okta.assign("Core")
    okta.push("Admins")
    okta.connect(site.url, new_token(site.db, "scim"))
    okta.provision()
    map_groups(site, {"Admins": ADMINS})
    with okta.served() as url:
        configure(site, url)
        yield okta


def configure(site: Site, url: str) -> None:
    okta = {"url": url, "app": "0oa1", "token": {"env": "IDP_TOKEN"}, "write": {"token": {"env": "IDP_WRITE"}}}
    text = {
        "version": 1,
        "org": {"name": "acme", "url": "local:org.db"},
        "idp": {"okta": okta, "assignments": ["Core", "WRITER-Everyone"], "pushes": "idp_groups"},
        "people": "idp",
        "idp_groups": {"Admins": ADMINS, "Writer-Legal": LEGAL},
        "guards": {"max_people_losing_access": {"block": "100%"}},
    }
    (site.folder / "rolecall.yaml").write_text(json.dumps(text), encoding="utf-8")


def applied(site: Site, *line: str, code: Exit = Exit.OK) -> str:
    site.capture.readouterr()
    ended = run(["-C", str(site.folder), "apply", *line])
    printed = site.capture.readouterr()
    assert ended == code, printed.out + printed.err
    return printed.out + printed.err


def changes(site: Site) -> dict[str, str]:
    return {change["address"]: change["via"] for change in shown(site, "plan")["changes"]}


def test_what_a_plan_predicts_is_what_users_have_after_its_apply(site: Site, okta: Okta) -> None:
    plan = shown(site, "plan")
    assert {change["address"]: change["via"] for change in plan["changes"]} == {
        "idp_assignments/WRITER-Everyone": "api",
        "idp_pushes/Writer-Legal": "api",
        "idp_groups/Writer-Legal": "waiting",
    }
    known = predicted(site, "desired")
    why = shown(site, "why", "bo@acme.com", "--at", "desired")
    text = applied(site, "--approve", plan["digest"])
    assert "Done: 2 steps (run 1)." in text
    assert "Done: 1 step (run 2)." in text
    assert actual(site) == known
    assert roles_of(shown(site, "why", "bo@acme.com")) == roles_of(why) == known["bo@acme.com"]
    assert ("Legal", "member") in known["bo@acme.com"][1]
    assert changes(site) == {}


def test_a_group_that_does_not_arrive_is_mapped_by_the_next_apply(site: Site, okta: Okta) -> None:
    okta.provision_each = False
    text = applied(site, "--auto-approve", "--arrival-timeout", "0.01")
    assert "idp_groups/Writer-Legal is pending: the group Writer-Legal has not arrived in WRITER yet" in text
    assert changes(site) == {"idp_groups/Writer-Legal": "waiting"}
    applied(site, "--auto-approve")
    okta.provision()
    known = predicted(site, "desired")
    applied(site, "--auto-approve")
    assert changes(site) == {}
    assert actual(site) == known


def test_the_lock_is_free_while_a_group_is_waited_for(site: Site, okta: Okta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another apply may run meanwhile; it maps the group, and nothing is left for the one that waits."""
    okta.provision_each = False
    inner: list[str] = []

    def apply_elsewhere(*_: Any) -> None:
        okta.provision()
        line = [sys.executable, "-m", "rolecall", "-C", str(site.folder), "apply", "--auto-approve"]
        inner.append(subprocess.run(line, capture_output=True, text=True, timeout=60, check=True).stdout)

    monkeypatch.setattr("rolecall.cli.commands.apply.arriving", apply_elsewhere)
    text = applied(site, "--auto-approve", "--arrival-timeout", "30")
    assert "Done: 1 step (run 2)." in inner[0]
    assert changes(site) == {}
    assert "is pending" not in text


def test_a_push_that_fails_waits_for_nothing(site: Site, okta: Okta) -> None:
    okta.faults.append(Fault(403, method="POST"))
    text = applied(site, "--auto-approve", "--arrival-timeout", "600", code=Exit.INCOMPLETE)
    assert "Waiting until" not in text
    assert oid("WRITER-Everyone") in okta.assigned


def test_a_mapping_that_needs_another_approval_stays_pending(
    site: Site, okta: Okta, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.loads((site.folder / "rolecall.yaml").read_text())
    text["idp_groups"]["Writer-Legal"] = ADMINS
    (site.folder / "rolecall.yaml").write_text(json.dumps(text))
    printed = applied(site, "--auto-approve")
    assert "idp_groups/Writer-Legal is pending: the group has arrived, and its mapping needs a new plan" in printed
    assert "would now gain org_admin" in printed
    assert changes(site) == {"idp_groups/Writer-Legal": "api"}
