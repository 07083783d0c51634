"""Writing one change and asking who wrote, over every port."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from live_site import ACME, Site, run

from rolecall.live.client import OrgClient
from rolecall.model.change import Action, Change
from rolecall.model.directory import EVERYBODY
from rolecall.model.outcome import Done, Moved, Outcome, Refused
from rolecall.model.settings import Address, Defaults, Domain, GroupMapping, Scim, Sso, Value

IT = frozenset({"IT"})
LEGAL = GroupMapping("member", frozenset({"Legal"}))
METADATA = "<EntityDescriptor>new</EntityDescriptor>"


def change(at: str, action: Action, after: Value | None, before: Value | None = None) -> Change:
    return Change(Address(at), action, before, after)


async def read_and_write(org: OrgClient, wanted: Change, key: str = "rolecall/j/1/1") -> Outcome:
    live = await org.read()
    return await org.write(wanted, live.versions.get(wanted.address), key)


def write(site: Site, wanted: Change, **options: Any) -> Outcome:
    return run(site.client(**options), lambda org: read_and_write(org, wanted))


CHANGES: list[Change] = [
    change("defaults", "update", Defaults(teams=frozenset({"Everyone", "Sales"}))),
    change("defaults", "update", Defaults(role="editor")),
    change("sso", "update", Sso(name="Okta prod", allow_uninvited=True, metadata=METADATA)),
    change("scim", "update", Scim(manual_editing=True, role_attribute="writerRole")),
    change("domains/acme.co.uk", "update", Domain(True, "immediate")),
    change("domains/acme.co.uk", "delete", None),
    change("idp_groups/All/Staff & “friends”", "create", LEGAL),
    change("idp_groups/Marketing", "update", GroupMapping("team_admin", IT)),
    change("idp_groups/Twins [g-1]", "update", GroupMapping(None, IT)),
    change("idp_groups/Marketing", "delete", None),
]


@pytest.mark.parametrize("wanted", CHANGES, ids=lambda change: f"{change.action} {change.address}")
def test_what_is_written_stands_and_has_the_next_version(site: Site, wanted: Change) -> None:
    async def work(org: OrgClient) -> None:
        before = await org.read()
        outcome = await org.write(wanted, before.versions.get(wanted.address), "rolecall/j/1/1")
        assert isinstance(outcome, Done)
        after = await org.read()
        assert after.versions.get(wanted.address) == outcome.version
        section, _, key = wanted.address.partition("/")
        held = getattr(after.settings, section)
        assert org.writes == 1
        if wanted.after is None:
            assert outcome.after is None
            assert held.get(key, GroupMapping()) == GroupMapping()
        else:
            assert outcome.after == (held[key] if key else held)

    run(site.client(), work)


def test_a_domain_can_be_claimed_by_a_person_of_it(site: Site) -> None:
    site.load(domains={"acme.co.uk": {}})
    outcome = write(site, change("domains/acme.com", "create", Domain(True, "approval")))
    assert outcome == Done(Domain(True, "approval"), outcome.version if isinstance(outcome, Done) else None)


def test_somebody_elses_domain_is_refused_in_the_orgs_words(site: Site) -> None:
    outcome = write(site, change("domains/other.com", "create", Domain()))
    assert isinstance(outcome, Refused)
    assert outcome.problem.code == "org_forbidden"


def test_a_domain_that_is_claimed_already_has_moved(site: Site) -> None:
    outcome = write(site, change("domains/acme.com", "create", Domain(False, "immediate")))
    assert isinstance(outcome, Moved)
    assert outcome.found == Domain(True, "approval")


@pytest.mark.parametrize(
    "wanted",
    [
        change("defaults", "update", Defaults(role="org_admin")),
        change("defaults", "update", Defaults(teams=frozenset({"No such team"}))),
        change("idp_groups/Marketing", "update", GroupMapping("member", frozenset({"No such team"}))),
        change("idp_groups/Marketing", "update", GroupMapping("no_such_role", IT)),
        change("idp_groups/never pushed", "create", LEGAL),
        change("sso", "update", Sso(enabled=False)),
    ],
    ids=lambda change: str(change.after),
)
def test_what_the_org_will_not_have_is_refused_and_nothing_is_written(site: Site, wanted: Change) -> None:
    async def work(org: OrgClient) -> None:
        before = await org.read()
        outcome = await org.write(wanted, before.versions.get(wanted.address), "k")
        assert isinstance(outcome, Refused)
        assert outcome.problem.message
        after = await org.read()
        assert (after.settings, after.versions) == (before.settings, before.versions)

    run(site.client(), work)


def test_a_stale_version_has_moved_and_says_what_stands(site: Site) -> None:
    async def work(org: OrgClient) -> None:
        live = await org.read()
        stale = live.versions[Address("idp_groups/Marketing")]
        first = await org.write(change("idp_groups/Marketing", "update", LEGAL), stale, "one")
        assert isinstance(first, Done)
        second = await org.write(change("idp_groups/Marketing", "delete", None), stale, "two")
        assert second == Moved(LEGAL, first.version)

    run(site.client(), work)


def test_unmapping_a_group_that_is_blank_has_moved_to_what_was_wanted(site: Site) -> None:
    outcome = write(site, change("idp_groups/Twins [g-2]", "delete", None))
    assert isinstance(outcome, Moved)
    assert outcome.found is None


def test_deleting_a_domain_that_is_gone_has_moved_to_what_was_wanted(site: Site) -> None:
    async def work(org: OrgClient) -> Outcome:
        return await org.write(change("domains/gone.com", "delete", None), '"7"', "k")

    assert run(site.client(), work) == Moved(None, None)


def test_without_a_version_a_mapping_must_not_exist_yet(site: Site) -> None:
    async def work(org: OrgClient) -> tuple[Outcome, Outcome]:
        blank = await org.write(change("idp_groups/Twins [g-2]", "create", LEGAL), None, "one")
        mapped = await org.write(change("idp_groups/Marketing", "create", LEGAL), None, "two")
        return blank, mapped

    blank, mapped = run(site.client(), work)
    assert isinstance(blank, Done)
    assert isinstance(mapped, Moved)


def test_the_same_request_under_the_same_key_does_nothing_twice(site: Site) -> None:
    async def work(org: OrgClient) -> None:
        live = await org.read()
        wanted = change("idp_groups/Marketing", "update", LEGAL)
        version = live.versions[wanted.address]
        first = await org.write(wanted, version, "same")
        assert await org.write(wanted, version, "same") == first
        assert len([event for event in await org.since(START) if event.key == "same"]) == 1

    run(site.client(), work)


START = datetime.now(UTC) - timedelta(minutes=5)


def test_the_audit_log_finds_a_write_by_its_key(site: Site) -> None:
    async def work(org: OrgClient) -> None:
        assert await org.find("rolecall/j/1/1") is None
        outcome = await read_and_write(org, change("idp_groups/Marketing", "update", LEGAL))
        assert isinstance(outcome, Done)
        event = await org.find("rolecall/j/1/1")
        assert event is not None
        assert (event.actor, event.key) == ("ann@acme.com", "rolecall/j/1/1")
        assert "Marketing" in event.address
        assert (await org.since(START))[-1] == event
        assert await org.since(event.at + timedelta(seconds=1)) == []

    run(site.client(), work)


def test_the_audit_log_is_read_through_all_its_pages(site: Site) -> None:
    site.turn(page_limit=2)

    async def work(org: OrgClient) -> None:
        for number in range(5):
            wanted = change("scim", "update", Scim(manual_editing=number % 2 == 0))
            assert isinstance(await read_and_write(org, wanted, f"key/{number}"), Done)
        found = [event.key for event in await org.since(START) if event.key]
        assert found == [f"key/{number}" for number in range(5)]

    run(site.client(), work)


def test_the_upgrade_goes_in_two_steps(site: Site) -> None:
    site.load(
        scim=ACME["scim"] | {"endpoint": "legacy"},
        idp_groups={"A": {"teams": ["Legal"], "id": "g-a"}},
        people=[{"email": "ann@acme.com", "id": "p-ann", "groups": ["A"], "role_attribute": "admin"}],
    )

    async def work(org: OrgClient) -> None:
        outcome = await read_and_write(org, change("scim", "upgrade", Scim(endpoint="upgrading")), "one")
        assert isinstance(outcome, Done)
        live = await org.read()
        assert live.settings.idp_groups == {}
        assert live.facts.legacy_links == {"A": frozenset({"Legal"})}
        person = (await org.read_people(EVERYBODY)).person(0)
        assert person.groups == ("A",)
        again = await org.write(
            change("scim", "upgrade", Scim(endpoint="upgrading")), live.versions[Address("scim")], "x"
        )
        assert isinstance(again, Refused)

    run(site.client(), work)


def test_completing_an_upgrade_is_another_request(site: Site) -> None:
    site.load(scim=ACME["scim"] | {"endpoint": "upgrading"})
    outcome = write(site, change("scim", "upgrade", Scim(endpoint="new")), email=None)
    assert isinstance(outcome, Done)
    assert isinstance(outcome.after, Scim)
    assert outcome.after.endpoint == "new"


def test_switching_scim_off_keeps_what_was_in_force(site: Site) -> None:
    async def work(org: OrgClient) -> None:
        before = await org.read()
        assert before.facts.kept is None
        assert isinstance(await read_and_write(org, change("scim", "update", Scim(enabled=False))), Done)
        kept = (await org.read()).facts.kept
        assert kept is not None
        assert kept.idp_groups == before.settings.idp_groups

    run(site.client(), work)


def test_a_token_that_may_only_read_cannot_write(site: Site) -> None:
    outcome = write(site, CHANGES[0], scope="read")
    assert isinstance(outcome, Refused)
    assert outcome.problem.code == "org_forbidden"
