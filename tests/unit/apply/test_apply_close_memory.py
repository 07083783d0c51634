"""What a closing run remembers for the guards and the lint of later plans."""

from __future__ import annotations

from datetime import date

from small_org import config, live

from rolecall.apply.close import memory_after
from rolecall.apply.settle import changed_since
from rolecall.model.change import Change
from rolecall.model.desired import Applied, Intent
from rolecall.model.run import RunFacts
from rolecall.model.settings import Address, Scim, Settings, Sso
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
