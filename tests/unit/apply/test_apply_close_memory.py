"""Test what a run records at its end for the guards and warnings of later plans."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from small_org import config, live

from rolecall.apply.close import group_ids, memory_after, reread
from rolecall.apply.settle import changed_since
from rolecall.model.change import Change
from rolecall.model.desired import Applied, Intent
from rolecall.model.live import Coverage
from rolecall.model.run import RunFacts
from rolecall.model.settings import Address, Defaults, Scim, Settings, Sso
from rolecall.plan.diff.changes import diff

TODAY = date(2026, 11, 22)


def remembered(applied=Applied(), today=TODAY):
    desired = config({"A": "member: X", "New": "member: Y"}, intents={"A": Intent(expires=date(2027, 1, 1))})
    org = live({"A": "member: X"})
    return memory_after(diff(desired, org, TODAY, applied), org, applied, RunFacts(), today)


def test_entries_with_an_end_are_known_for_what_protect_must_notice():
    assert remembered().expires == {"idp_groups/A"}


def test_a_group_is_waited_for_since_the_first_time_it_was_missing():
    assert remembered().waiting == {"idp_groups/New": TODAY}
    since = date(2026, 10, 1)
    assert remembered(Applied(waiting={"idp_groups/New": since, "idp_groups/Gone": since})).waiting == {
        "idp_groups/New": since
    }
    assert remembered(today=None).waiting is None


def test_a_value_of_which_a_managed_field_was_not_read_is_not_remembered():
    desired = config({}, sso=Sso(enabled=True, allow_passwords=False))
    whole, cut = live({}, sso=Sso(True, allow_passwords=False)), live({}, sso=Sso(enabled=True))
    for org, remembers in ((whole, True), (cut, False)):
        memory = memory_after(diff(desired, org, TODAY), org, Applied(), RunFacts(), TODAY)
        assert ("sso" in memory.values) is remembers


def test_a_closing_read_without_the_field_that_was_written_says_so():
    step = Change(Address("sso"), "update", Sso(enabled=False), Sso(enabled=True))
    told = list(changed_since(live({}, sso=Sso(name="Okta")), [step]))
    assert told == ["sso was written; the read after it does not have enabled."]


def test_fields_that_became_as_desired_are_remembered_while_the_endpoint_waits():
    """Else drift reports what the run itself wrote."""
    wanted = config({}, scim=Scim(enabled=False, endpoint="new", manual_editing=True))
    org = live({}, scim=Scim(enabled=False, endpoint="upgrading", manual_editing=False))
    last = Scim(enabled=True, endpoint="legacy", manual_editing=True)
    applied = Applied(Settings(scim=last))
    memory = memory_after(diff(wanted, org, TODAY, applied), org, applied, RunFacts(), TODAY)
    assert memory.values["scim"] == Scim(enabled=False, endpoint="upgrading", manual_editing=True)
    unchanged = live({}, scim=Scim(enabled=True, endpoint="legacy", manual_editing=True))
    assert (
        "scim"
        not in memory_after(diff(wanted, unchanged, TODAY, applied), unchanged, applied, RunFacts(), TODAY).values
    )


def identity(desired, org, applied):
    return diff(desired, org, TODAY, applied).identity


def test_a_former_key_keeps_its_id_while_the_value_of_its_group_is_remembered():
    org = live({"A": "member: X", "B": "member: Y"})
    known = Applied(group_ids={"Former": "id-B", "Gone": "id-Z"})
    resolved = identity(config({"A": "member: X"}), org, known)
    assert group_ids(resolved, known, {"idp_groups/B"}) == {"Gone": None, "A": "id-A"}
    assert group_ids(resolved, known, set()) == {"Former": None, "Gone": None, "A": "id-A"}


def test_where_every_entry_is_pinned_no_id_of_a_key_is_remembered_or_forgotten():
    org = live({"A": "member: X", "B": "member: Y"})
    known = Applied(group_ids={"Gone": "id-Z"})
    pinned = config({"A": "member: X"}, intents={"A": Intent(id="id-A")})
    assert group_ids(identity(pinned, org, known), known, set()) == {}


class Reader:
    """An org that remembers which sections were asked for."""

    def __init__(self, org) -> None:
        self.org, self.asked = org, []

    async def read(self, sections):
        self.asked.append(sections)
        versions = {at: tag for at, tag in self.org.versions.items() if at.partition("/")[0] in sections}
        return replace(self.org, coverage={name: Coverage() for name in sections}, versions=versions)


@pytest.mark.parametrize(
    ("at", "sections"),
    [
        ("idp_groups/A", {"idp_groups"}),
        ("scim", {"scim", "idp_groups"}),
        ("defaults", {"defaults"}),
        (None, None),
    ],
)
def test_the_sections_that_were_written_are_read_again_and_the_others_are_kept(at, sections):
    first = live({"A": "member: X"}, legacy_links={"Old": frozenset({"X"})}, homonyms=frozenset({"A"}))
    first = replace(first, versions={"idp_groups/A": "v1", "idp_groups/Gone": "v1", "scim": "v1", "defaults": "v1"})
    later = live({"A": "member: Y"}, scim=Scim(True, "okta", "legacy", True), defaults=Defaults("team_admin"))
    reader = Reader(replace(later, versions={"idp_groups/A": "v2", "scim": "v2", "defaults": "v2"}))
    steps = [] if at is None else [Change(Address(at), "update", None, None)]
    again = asyncio.run(reread(reader, first, steps))
    assert reader.asked == ([] if sections is None else [sections])
    read = sections or set()
    for name in ("idp_groups", "scim", "defaults", "sso"):
        source = later if name in read else first
        assert getattr(again.settings, name) == getattr(source.settings, name)
    groups = "idp_groups" in read
    assert again.facts.homonyms == (later if groups else first).facts.homonyms
    assert again.facts.legacy_links == (later if "scim" in read else first).facts.legacy_links
    assert again.versions.get("idp_groups/A") == ("v2" if groups else "v1")
    assert ("idp_groups/Gone" in again.versions) is not groups
    assert again.versions["scim"] == ("v2" if "scim" in read else "v1")
