"""The law of both sides: access that rolecall computes from the IdP equals access in the org after the IdP has
provisioned it over SCIM. R29 and R30 decide who arrives, and in which groups."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from idp import Entra, Okta
from idp.random_orgs import (
    ASSIGNED,
    GROUPS,
    Change,
    IdpWorld,
    change_entra,
    change_okta,
    changes,
    idp_worlds,
)
from org_client import SNAPSHOT, Client, fill
from scim_org import new_token, served

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.localorg.store import Database, open_database

Capture = pytest.CaptureFixture[str]
TeamRoles = Mapping[str, tuple[bool, frozenset[tuple[str, str]]]]
"""Each user's access: whether they are org admin, and their roles by team."""

TEAMS = SNAPSHOT["teams"]
team_sets = st.lists(st.sampled_from(TEAMS), min_size=1, max_size=2, unique=True)
mapping_values = st.fixed_dictionaries(
    {"role": st.sampled_from(["member", "member", "team_admin", "org_admin"]), "teams": team_sets}
)
mappings = st.dictionaries(st.sampled_from(GROUPS), mapping_values, max_size=4)
examples = settings(
    max_examples=settings.default.max_examples * 15 // 100,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""15 of the 100 of CI; 3,000 of the 20,000 of `script/soak`. Shrinking would take minutes, and the worlds are small."""


class Site(NamedTuple):
    """A local org that is served, its folder, and how to run rolecall there."""

    db: Database
    url: str
    token: str
    folder: Path
    capture: Capture


@pytest.fixture
def site(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("IDP_TOKEN", "secret-token")
    database = open_database(tmp_path / "org.db")
    with served(database) as url:
        yield Site(database, f"{url}/api/scim/v2", "", tmp_path, capsys)
    database.close()


def emptied(site: Site, invited: bool) -> Site:
    """The org without users, or with one who was invited and whom the IdP may have too (R12)."""
    ann = {"email": "ann@acme.com", "origin": "invite", "manual": [{"team": "Legal", "role": "team_admin"}]}
    fill(site.db, people=[ann] if invited else [], idp_groups={})
    return site._replace(token=new_token(site.db, "scim"))


def configure(site: Site, people: Mapping[str, Any], idp_groups: Mapping[str, Any]) -> None:
    text = {"version": 1, "org": {"name": "acme", "url": "local:org.db"}, "people": people, "idp_groups": idp_groups}
    (site.folder / "rolecall.yaml").write_text(json.dumps(text), encoding="utf-8")


def map_groups(site: Site, idp_groups: Mapping[str, Any]) -> None:
    """Map groups in the org, as an apply of the configuration does."""
    org = Client(site.db)
    for name, value in idp_groups.items():
        reply = org.write("PUT", f"/v1/idp-groups/{org.group(name)['id']}/mapping", value)
        assert reply.status == 200, reply


def shown(site: Site, *command: str) -> Any:
    """The JSON that a command prints. Users are partially read, with a reason, if the IdP has no users, or so few in a
    group that its token may be at fault, if Entra assigns users directly, and if a push replaces members of a group.
    What is read must be right anyway."""
    site.capture.readouterr()
    code = run(["-C", str(site.folder), *command, "--format", "json"])
    printed = site.capture.readouterr()
    reasons = (
        "check the token in IDP_TOKEN",
        "assigned to the app directly and in none of its groups",
        "with other members, and a push replaces them",
    )
    assert code == Exit.OK or any(reason in printed.err for reason in reasons), printed.err
    return json.loads(printed.out)


def roles_of(report: Any) -> tuple[bool, frozenset[tuple[str, str]]]:
    return report["org_admin"], frozenset((combo["team"], combo["role"]) for combo in report["combos"])


def predicted(site: Site, state: str) -> TeamRoles:
    """What rolecall computes from the IdP's users."""
    return {user["email"]: roles_of(user) for user in shown(site, "access", "--at", state)["people"]}


def actual(site: Site) -> TeamRoles:
    """What the org gives the users whom SCIM created or took over; the org works it out."""
    org = Client(site.db)
    users = [user for user in org.get("/v1/people?limit=1000")["data"] if user["origin"] == "scim" and user["active"]]
    return {user["email"]: roles_of(org.get(f"/v1/people/{user['id']}/access")) for user in users}


def assert_why(site: Site, access: TeamRoles, email: str) -> None:
    """`why` gives one user the access that the org gives."""
    if email in access:
        assert roles_of(shown(site, "why", email, "--at", "live")) == access[email]


@contextmanager
def okta_of(site: Site, world: IdpWorld, idp_groups: Mapping[str, Any]) -> Iterator[Okta]:
    okta = world.okta()
    okta.connect(site.url, site.token)
    with okta.served() as url:
        configure(site, {"okta": url, "app": okta.app, "token": {"env": "IDP_TOKEN"}}, idp_groups)
        yield okta


@examples
@given(idp_worlds(), mappings, changes(), st.booleans(), st.data())
def test_access_computed_from_okta_is_access_after_provisioning(
    site: Site, world: IdpWorld, drawn: dict[str, Any], later: list[Change], invited: bool, data: st.DataObject
) -> None:
    site = emptied(site, invited)
    mapped = {group: value for group, value in drawn.items() if group in world.sent}
    with okta_of(site, world, mapped) as okta:
        okta.provision()
        assert {mapping.error for mapping in okta.mappings.values()} == {""}
        before = predicted(site, "desired")
        map_groups(site, mapped)
        assert before == actual(site), "the mappings of the configuration, before they are in the org"
        for change in later:
            change_okta(okta, change)
        okta.provision()
        after = predicted(site, "live")
        assert after == actual(site)
        assert_why(site, after, data.draw(st.sampled_from(sorted(after) or ["ann@acme.com"])))
        okta.unpush(data.draw(st.sampled_from(world.sent)))
        okta.provision()
        assert predicted(site, "live") == actual(site) == after, "the group stays in the org with its members"


@contextmanager
def entra_of(site: Site, world: IdpWorld, idp_groups: Mapping[str, Any]) -> Iterator[Entra]:
    entra = world.entra()
    entra.connect(site.url, site.token)
    with entra.served() as url:
        people = {"entra": "acme", "url": url, "login_url": url, "app": entra.app, "token": {"env": "IDP_TOKEN"}}
        configure(site, people, idp_groups)
        yield entra


def assert_predicted(site: Site, world: IdpWorld, access: TeamRoles) -> None:
    """Users whom Entra assigns directly and who are in no group cannot be named; they have default access (R7)."""
    org_access = actual(site)
    assert org_access.keys() - access.keys() <= set(world.direct)
    assert {email: org_access[email] for email in access.keys() & org_access.keys()} == access
    default = False, frozenset((team, "member") for team in SNAPSHOT["defaults"]["teams"])
    assert {org_access[email] for email in org_access.keys() - access.keys()} <= {default}


@examples
@given(idp_worlds(), mappings, changes((*ASSIGNED, *GROUPS)), st.booleans(), st.booleans(), st.data())
def test_access_computed_from_entra_is_access_after_provisioning(
    site: Site,
    world: IdpWorld,
    drawn: dict[str, Any],
    later: list[Change],
    invited: bool,
    full: bool,
    data: st.DataObject,
) -> None:
    site = emptied(site, invited)
    mapped = {group: value for group, value in drawn.items() if group in world.sent}
    with entra_of(site, world, mapped) as entra:
        entra.provision()
        assert entra.job.last["state"] == "Succeeded", entra.entries
        before = predicted(site, "desired")
        map_groups(site, mapped)
        assert_predicted(site, world, before)
        for change in later:
            change_entra(entra, change)
        entra.provision(full=full)
        assert entra.job.last["state"] == "Succeeded", entra.entries
        access = predicted(site, "live")
        assert_predicted(site, world, access)
        assert_why(site, access, data.draw(st.sampled_from(sorted(access) or ["ann@acme.com"])))
