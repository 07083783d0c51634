"""Test filling the org from a snapshot, resetting it, and reading it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from org_client import SNAPSHOT, Client, fill
from sqlalchemy import func, select

from rolecall.access import compile_access, effective
from rolecall.codec.people import decode_people
from rolecall.codec.snapshot import decode_snapshot
from rolecall.errors import ConfigError
from rolecall.localorg.load import load
from rolecall.localorg.manage import make_token, reset
from rolecall.localorg.store import Database, state
from rolecall.localorg.store.tables import AUDIT, GROUPS, MEMBERSHIPS, TOKENS, USERS
from rolecall.model.directory import Directory
from rolecall.model.kinds import restrict
from rolecall.model.live import Facts, Live
from rolecall.model.settings import Scim, Settings

ACME = Path(__file__).parents[3] / "examples/acme/live/prod.json"


def acme() -> tuple[Live, Directory]:
    """The bigger example's org."""
    snapshot = decode_snapshot(json.loads(ACME.read_text()))
    assert isinstance(snapshot.people, str)
    rows = [json.loads(line) for line in (ACME.parent / snapshot.people).read_text().splitlines()]
    groups = snapshot.live.settings.idp_groups
    assert groups
    return snapshot.live, decode_people(rows, groups)


def test_what_is_loaded_is_what_is_read(org_db: Database) -> None:
    live, people = acme()
    loaded = load(org_db, live, people)
    assert loaded.people == len(people) == 400
    with org_db.read() as tx:
        held = state.read_state(tx)
        count = tx.execute(select(func.count()).select_from(MEMBERSHIPS)).scalar_one()
    assert held.settings.domains
    assert live.settings.domains
    for name, domain in live.settings.domains.items():
        assert restrict(held.settings.domains[name], domain) == domain
    assert held.settings.domains.keys() == live.settings.domains.keys()
    assert held.settings.defaults == live.settings.defaults
    assert held.settings.idp_groups == live.settings.idp_groups
    assert held.facts.teams == live.facts.teams
    assert held.facts.roles == live.facts.roles
    assert count == loaded.memberships == len(people.members)


def test_everybody_has_in_the_org_what_the_rules_say_of_the_snapshot(org_db: Database) -> None:
    live, people = acme()
    load(org_db, live, people)
    org, rules = Client(org_db), compile_access(live.settings, live.facts)
    for number in range(0, len(people), 29):
        expected = {tuple(team_role) for team_role in effective(rules, people.person(number)).pairs}
        assert org.team_roles(people.emails[number]) == expected


def test_loading_twice_is_loading_once(org: Client) -> None:
    before = [org.get(path)["data"] for path in ("/v1/people", "/v1/teams", "/v1/roles")]
    names = {group["id"]: group["name"] for group in org.get("/v1/idp-groups")["data"]}
    fill(org.db)
    assert [org.get(path)["data"] for path in ("/v1/people", "/v1/teams", "/v1/roles")] == before
    assert {group["id"]: group["name"] for group in org.get("/v1/idp-groups")["data"]} == names


def test_ids_of_the_snapshot_are_kept_where_they_can_be_ids(org_db: Database) -> None:
    groups = {"A": {"teams": ["IT"], "id": "5f0c-1"}, "B": {"teams": ["IT"], "id": 'not,an"id'}}
    people = [{"email": "a@acme.com", "id": "person-1", "groups": ["A", "B"]}, {"email": "b@acme.com", "id": "x,y"}]
    fill(org_db, idp_groups=groups, people=people)
    org = Client(org_db)
    assert org.group("A")["id"] == "5f0c-1"
    assert "," not in org.group("B")["id"]
    assert org.person("a@acme.com")["id"] == "person-1"
    assert len(org.person("a@acme.com")["groups"]) == 2
    assert "," not in org.person("b@acme.com")["id"]


def test_groups_that_share_a_name_get_it_back(org_db: Database) -> None:
    groups = {
        "Twin [1]": {"name": "Twin", "id": "1", "teams": ["IT"]},
        "Twin [2]": {"name": "Twin", "id": "2", "teams": ["Legal"]},
    }
    fill(org_db, idp_groups=groups, people=[{"email": "a@acme.com", "groups": ["Twin [2]"]}])
    org = Client(org_db)
    assert [group["name"] for group in org.get("/v1/idp-groups")["data"]] == ["Twin", "Twin"]
    assert org.team_roles("a@acme.com") == {("Legal", "member")}
    with org_db.read() as tx:
        assert set(state.read_state(tx).settings.idp_groups or ()) == {"Twin [1]", "Twin [2]"}


def test_a_group_that_only_a_person_names_is_there_and_blank(org_db: Database) -> None:
    fill(org_db, people=[{"email": "a@acme.com", "groups": ["Stray"]}])
    assert Client(org_db).group("Stray")["mapping"] is None


def test_sections_that_were_not_read_get_a_new_orgs_values(org_db: Database) -> None:
    load(org_db, Live(), Directory())
    org = Client(org_db)
    assert org.get("/v1/access/defaults")["teams"] == ["Everyone"]
    assert org.get("/v1/access/scim")["endpoint"] == "new"
    assert [team["name"] for team in org.get("/v1/teams")["data"]] == ["Everyone"]


def test_an_upgrade_half_done_is_loaded_as_it_stands(org_db: Database) -> None:
    settings = Settings(scim=Scim(True, "okta", "upgrading"), idp_groups={})
    facts = Facts("o", "o", teams=frozenset({"Everyone", "IT"}), legacy_links={"Old": frozenset({"IT"})})
    load(org_db, Live(settings, facts=facts), decode_people([{"email": "a@acme.com", "groups": ["Old"]}], ["Old"]))
    org = Client(org_db)
    assert org.get("/v1/idp-groups")["total"] == 0
    assert [row["teams"] for row in org.get("/v1/access/scim")["legacy_groups"]] == [["IT"]]
    assert org.team_roles("a@acme.com") == {("Everyone", "member"), ("IT", "member")}


def test_what_was_kept_while_scim_was_off_is_loaded(org_db: Database) -> None:
    snapshot = decode_snapshot({**SNAPSHOT, "scim": {"enabled": False, "endpoint": "new"}})
    kept = decode_snapshot({**SNAPSHOT, "defaults": {"role": "member", "teams": ["Legal"]}}).live.settings
    facts = snapshot.live.facts
    loaded = Live(snapshot.live.settings, facts=Facts("o", "o", teams=facts.teams, roles=facts.roles, kept=kept))
    load(org_db, loaded, decode_people([{"email": "a@acme.com"}, {"email": "b@acme.com", "origin": "saml"}]))
    org = Client(org_db)
    assert org.team_roles("a@acme.com") == {("Legal", "member")}
    assert org.team_roles("b@acme.com") == {("Everyone", "member")}


def test_users_keep_what_a_snapshot_without_scim_gives_them(org_db: Database) -> None:
    """A snapshot need not say what was in force when SCIM was switched off: then it is what the snapshot has."""
    fill(org_db, scim={"enabled": False, "endpoint": "new"}, people=[{"email": "a@acme.com"}])
    org = Client(org_db)
    assert org.team_roles("a@acme.com") == {("Everyone", "member")}
    assert org.write("PUT", "/v1/access/defaults", {"role": "member", "teams": ["Legal"]}).status == 200
    assert org.team_roles("a@acme.com") == {("Everyone", "member")}


def test_scim_people_and_groups_have_documents_and_others_have_none(org: Client) -> None:
    with org.db.read() as tx:
        people: dict[str, Any] = {row.email: row.document for row in tx.execute(select(USERS))}
        groups = [row.document for row in tx.execute(select(GROUPS))]
    assert json.loads(people["bo@acme.com"])["userName"] == "bo@acme.com"
    assert json.loads(people["fay@acme.com"])["active"] is False
    assert people["di@acme.com"] is None
    assert all(json.loads(document)["displayName"] for document in groups)


def test_tokens_outlive_a_load_and_not_a_reset(org: Client) -> None:
    ann = org.as_person("ann@acme.com")
    fill(org.db)
    assert ann.get("/v1/org")["name"] == "acme"
    reset(org.db)
    assert ann.call("GET", "/v1/org").key == "unknown_token"
    assert org.get("/v1/people")["total"] == 0
    assert org.get("/v1/org")["name"] == "local"
    assert org.get("/v1/idp-groups")["total"] == 0


def test_a_reset_may_keep_the_tokens(org: Client) -> None:
    token = make_token(org.db, "admin").secret
    reset(org.db, keep_tokens=True)
    assert Client(org.db, token).get("/v1/org")["name"] == "local"
    with org.db.read() as tx:
        assert tx.execute(select(func.count()).select_from(TOKENS)).scalar_one() == 1


def test_load_token_and_reset_are_in_the_audit_log(org: Client) -> None:
    make_token(org.db, "scim")
    with org.db.read() as tx:
        rows = [(row.channel, row.action) for row in tx.execute(select(AUDIT).order_by(AUDIT.c.seq))]
    assert rows == [("local", "load"), ("local", "create")]
    reset(org.db)
    assert [row["action"] for row in org.get("/v1/audit-log")["data"]] == ["reset"]


def test_revisions_and_etags_go_on_after_a_reset(org: Client) -> None:
    revision, etag = org.get("/v1/people")["revision"], org.get("/v1/access/sso")["etag"]
    reset(org.db)
    assert int(org.get("/v1/people")["revision"]) > int(revision)
    assert int(org.get("/v1/access/sso")["etag"].strip('"')) > int(etag.strip('"'))


@pytest.mark.parametrize(
    "people", [[{"email": f"p{number}@acme.com", "groups": ["Marketing"]} for number in range(5001)]]
)
def test_more_people_than_one_batch_are_all_there(org_db: Database, people: Any) -> None:
    fill(org_db, people=people)
    assert Client(org_db).group("Marketing")["member_count"] == 5001


def invited(*team_roles: tuple[str, str], **more: Any) -> dict[str, Any]:
    manual = [{"team": team, "role": role} for team, role in team_roles]
    return {"email": "ed@acme.com", "origin": "invite", "manual": manual, **more}


@pytest.mark.parametrize(
    ("person", "message"),
    [
        (invited(), "ed@acme.com is invited to no team, but an invitation is to at least one (R6)"),
        (
            invited(("Legal", "team_admin"), ("Sales", "member")),
            "ed@acme.com is invited as member and team admin, but an invitation gives one role (R6)",
        ),
    ],
)
def test_an_invitation_gives_one_role_and_a_team(org_db: Database, person: dict[str, Any], message: str) -> None:
    """R6; nothing is changed by a load that is refused."""
    before = Client(org_db).get("/v1/org")
    with pytest.raises(ConfigError) as refused:
        fill(org_db, people=[person])
    assert [problem.message.casefold() for problem in refused.value.problems] == [message.casefold()]
    assert Client(org_db).get("/v1/org") == before


@pytest.mark.parametrize(
    "person",
    [
        invited(("Legal", "team_admin"), ("Sales", "team_admin")),
        invited(("Legal", "org_admin"), ("Sales", "member")),
        invited(("Gone", "member")),
        invited(active=False),
        invited(("Legal", "team_admin"), ("Sales", "member"), origin="saml"),
    ],
)
def test_other_users_are_loaded(org_db: Database, person: dict[str, Any]) -> None:
    """One role in several teams, made org admin later, of a team that is gone (R4), inactive; edited users of SAML."""
    fill(org_db, people=[person])
    assert Client(org_db).person("ed@acme.com")["active"] is person.get("active", True)
