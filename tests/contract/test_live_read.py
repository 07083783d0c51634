"""Reading an org, over every port."""

from __future__ import annotations

from typing import Any

import pytest
from live_site import ACME, Site, run

from rolecall.codec.capabilities import WRITES
from rolecall.codec.snapshot import decode_snapshot
from rolecall.errors import OrgError
from rolecall.live.client import OrgClient
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope, Person, Traits
from rolecall.model.kinds import ORG_SECTIONS
from rolecall.model.live import Live
from rolecall.model.policy import TeamRole
from rolecall.model.settings import UNSET, GroupMapping, Scim


def read(site: Site, *sections: str, **options: Any) -> Live:
    return run(site.client(**options), lambda org: org.read(frozenset(sections) if sections else None))


def people(site: Site, scope: PeopleScope, **options: Any) -> Directory:
    return run(site.client(**options), lambda org: org.read_people(scope))


def emails(site: Site, **scope: Any) -> set[str]:
    found = people(site, PeopleScope(**scope))
    assert found.coverage.state == "complete"
    return {email.partition("@")[0] for email in found.emails}


def test_everything_is_read_as_it_was_loaded(site: Site) -> None:
    live, wanted = read(site), decode_snapshot(ACME).live
    assert live.settings.sso == wanted.settings.sso
    assert live.settings.defaults == wanted.settings.defaults
    assert live.settings.idp_groups == wanted.settings.idp_groups
    assert set(live.settings.domains or ()) == {"acme.com", "acme.co.uk"}
    assert live.facts.teams == wanted.facts.teams
    assert live.facts.roles == wanted.facts.roles
    assert live.facts.homonyms == {"Twins"}
    assert {name: group.id for name, group in live.facts.groups.items()} == {
        name: group.id for name, group in wanted.facts.groups.items()
    }


def test_the_org_and_the_caller_are_known(site: Site) -> None:
    facts = read(site).facts
    assert (facts.org_id, facts.org_name, facts.local, facts.observed) == ("org_8817", "acme", True, False)
    assert facts.caller.email == "ann@acme.com"
    assert facts.can >= WRITES
    assert (facts.people, facts.active_people) == (5, 4)


def test_every_section_is_covered_and_has_versions(site: Site) -> None:
    live = read(site)
    assert {live.covered(section).state for section in (*ORG_SECTIONS, "teams")} == {"complete"}
    assert (live.covered("idp_groups").read, live.covered("idp_groups").total) == (5, 5)
    assert set(live.versions) == {
        "defaults",
        "sso",
        "scim",
        *(f"domains/{name}" for name in ACME["domains"]),
        *(f"idp_groups/{name}" for name in ACME["idp_groups"]),
    }


def test_a_read_takes_one_request_for_each_thing(site: Site) -> None:
    assert read(site).requests == 8
    assert read(site, "defaults").requests == 2


def test_only_the_sections_asked_for(site: Site) -> None:
    live = read(site, "scim")
    assert live.settings.scim == Scim(
        True, "okta", "new", False, live.settings.scim and live.settings.scim.role_attribute
    )
    assert live.settings.idp_groups is UNSET
    assert live.covered("idp_groups").state == "unread"
    assert live.facts.teams is None


def test_pages_are_put_together(site: Site) -> None:
    site.turn(page_limit=1)
    live = read(site)
    assert live.settings.idp_groups == decode_snapshot(ACME).live.settings.idp_groups
    assert live.requests > 8


def test_everybody_is_read_each_once(site: Site) -> None:
    for limit in (1000, 1):
        site.turn(page_limit=limit)
        found = people(site, EVERYBODY)
        assert found.coverage[:3] == ("complete", 5, 5)
        persons = {found.person(number).email: found.person(number) for number in range(len(found))}
        assert persons["bo@acme.com"]._replace(groups=()) == Person("bo@acme.com", "p-bo")
        assert set(persons["bo@acme.com"].groups) == {"Marketing", "Twins [g-2]"}
        assert persons["di@acme.com"].traits == Traits("saml", manual=(TeamRole("Sales", "member"),))
        assert persons["ed@acme.com"].traits == Traits(active=False)


@pytest.mark.parametrize(
    "scope, found",
    [
        ({"groups": frozenset({"Marketing"})}, {"bo"}),
        ({"groups": frozenset({"Marketing", "no such group"}), "emails": frozenset({"CY@acme.com"})}, {"bo", "cy"}),
        ({"manual": True}, {"di"}),
        ({"org_admins": True}, {"ann"}),
        ({"unmapped": True}, {"cy", "di"}),
        ({}, set()),
    ],
)
def test_a_search_finds_the_union_of_its_parts(site: Site, scope: dict[str, Any], found: set[str]) -> None:
    assert emails(site, **scope) == found


def test_a_group_that_nobody_has_pushed_has_nobody(site: Site) -> None:
    assert emails(site, groups=frozenset({"not pushed"})) == set()


def test_a_caller_who_is_no_org_admin_is_told_so(site: Site) -> None:
    with pytest.raises(OrgError) as caught:
        read(site, email="bo@acme.com")
    assert "org admin" in str(caught.value)


def test_a_token_that_the_org_does_not_know(site: Site) -> None:
    from rolecall.live.connect import connect

    client = connect(f"local:{site.path}" if site.via == "embedded" else site.base, lambda: "wrong-canary")
    assert isinstance(client, OrgClient)
    with pytest.raises(OrgError) as caught:
        run(client, lambda org: org.read())
    assert caught.value.problems[0].code == "org_unauthorized"
    assert "wrong-canary" not in str(caught.value)


def test_a_service_cannot_claim_domains(site: Site) -> None:
    facts = read(site, email=None).facts
    assert facts.caller.email is None
    assert "domains.create" not in facts.can


def test_a_token_that_may_only_read(site: Site) -> None:
    assert not read(site, scope="read").facts.can & WRITES


def test_a_plan_without_scim_is_an_org_without_groups(site: Site) -> None:
    site.turn(scim_in_plan=False)
    live = read(site)
    assert "scim" not in live.facts.features
    assert "scim.update" not in live.facts.can


def test_a_legacy_org_has_linked_teams(site: Site) -> None:
    site.load(
        scim=ACME["scim"] | {"endpoint": "legacy"}, idp_groups={"A": {"teams": ["Legal"], "id": "g-a"}}, people=[]
    )
    assert read(site).settings.idp_groups == {"A": GroupMapping(None, frozenset({"Legal"}))}


def test_a_read_of_users_counts_its_own_requests(site: Site) -> None:
    async def work(org: OrgClient) -> None:
        await org.read()
        before = org.reads
        assert before > 1
        users = await org.read_people(EVERYBODY)
        assert users.requests == org.reads - before > 0

    run(site.client(), work)
