"""Test warnings about what looks like a mistake."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from small_org import ask, config, live, many, person, plan

from rolecall.codec.people import decode_people, encode_person
from rolecall.model.desired import Applied, Intent
from rolecall.model.directory import PeopleScope
from rolecall.model.live import Group
from rolecall.model.settings import Scim
from rolecall.plan.make import make

A = {"A": "member: X"}


def warned(made, code):
    return [problem for problem in made.warnings if problem.code == code]


def one(made, code):
    (problem,) = warned(made, code)
    assert problem.severity == "warning"
    return problem


def test_people_of_whose_groups_none_is_mapped():
    people = [*many(3, "B"), person("ann", "A"), person("new"), person("off", "B", active=False)]
    made = plan({**A, "B": ""}, A, people)
    assert one(made, "unmapped_people").message == (
        "3 users have default access only (Everyone member): none of their groups is mapped"
    )
    assert warned(plan({**A, "B": ""}, {**A, "B": ""}, people), "unmapped_people") == []


def test_it_is_said_only_when_everybody_was_read():
    people = many(3, "B")
    assert warned(plan({**A, "B": ""}, A, people, scope=PeopleScope(org_admins=True)), "unmapped_people") == []
    assert warned(plan({**A, "B": ""}, A, None), "unmapped_people") == []


def test_a_mapped_group_with_nobody_in_it():
    org = live(A)
    org = replace(org, facts=org.facts._replace(groups={"A": Group("id-A", None, 0)}))
    problem = one(make(ask(config(A), org, [])), "empty_group")
    assert "`A` is mapped but has no users" in problem.message
    assert problem.hint
    assert (problem.where.file, problem.where.line) == ("rolecall.yaml", 10)


def test_a_group_waited_for_over_30_days():
    waited = Applied(waiting={"idp_groups/New": date(2026, 10, 1)})
    assert (
        "been pending for 52 days" in one(plan(A, {**A, "New": "member: Y"}, [], applied=waited), "long_wait").message
    )
    lately = Applied(waiting={"idp_groups/New": date(2026, 10, 23)})
    assert warned(plan(A, {**A, "New": "member: Y"}, [], applied=lately), "long_wait") == []


def test_a_mapping_that_changes_nobody():
    both = {"A": "member: X, Y", "B": "member: X"}
    made = plan(both, {"A": "member: X, Y", "B": "member: Y"}, many(2, "A", "B"))
    assert one(made, "changes_nobody").message == "idp_groups/B does not change any user's access"
    assert warned(plan(A, {"A": "member: Y"}, many(1, "A")), "changes_nobody") == []
    assert warned(plan(A, {"A": "member: Y"}, None), "changes_nobody") == []


def test_two_mappings_of_one_person_that_conflict():
    spec = {"Sales": "member: S", "Leads": "team_admin: S", "Other": "team_admin: T"}
    people = [*many(4, "Sales", "Leads"), person("ann", "Sales", "Other"), person("bo", "Leads")]
    assert one(plan(spec, spec, people), "conflicting_roles").message == (
        "users are in two groups that give different roles in one team: `Leads` and `Sales` (4)"
    )
    assert warned(plan(spec, spec, [person("ann", "Sales", "Other")]), "conflicting_roles") == []


def test_conflicts_are_the_same_however_the_groups_are_numbered():
    spec = {"A": "member: S", "B": "team_admin: S", "C": "member: S, T", "D": "org_admin: T"}
    people = [person("ann", "A", "B", "C"), person("bo", "C", "B", "D", "A")]
    for groups in (["A", "B", "C", "D"], ["D", "C", "B", "A"]):
        directory = decode_people(map(encode_person, people), groups)
        asked = ask(config(spec), live(spec), None)._replace(directory=directory)
        assert one(make(asked), "conflicting_roles").message == (
            "users are in two groups that give different roles in one team: `A` and `B` (2), `B` and `C` (2) and "
            "`C` and `D` (1)"
        )


def test_a_mapping_without_a_role():
    assert "its users get the default role" in one(plan(A, {"A": ": X"}, []), "no_role").message


def test_a_role_attribute_on_the_new_endpoint():
    desired = config(A, scim=Scim(role_attribute="title"))
    assert "`title` is ignored" in one(make(ask(desired, live(A), [])), "role_attribute").message
    legacy = live({}, scim=Scim(True, "okta", "legacy", False))
    assert warned(make(ask(config(None, scim=Scim(role_attribute="title")), legacy, [])), "role_attribute") == []


def test_an_owner_who_is_no_longer_a_person():
    def owned(email, *people):
        return plan(A, A, [person("ann", "A"), *people], intents={"A": Intent(owner=email)})

    assert "is not a user in this org" in one(owned("it-lead@acme.com"), "owner_gone").message
    assert "no longer active" in one(owned("bo@acme.com", person("bo", active=False)), "owner_gone").message
    assert warned(owned("Ann@ACME.com"), "owner_gone") == []
    assert warned(owned("the IT team"), "owner_gone") == []


def test_an_owner_is_looked_for_among_those_who_were_asked_for():
    def owned(**more):
        return plan(A, {"A": "member: Y"}, [person("ann", "A")], intents={"A": Intent(owner="Lead@acme.com")}, **more)

    assert warned(owned(scope=PeopleScope(emails=frozenset({"lead@acme.com"}))), "owner_gone")
    assert warned(owned(scope=PeopleScope(groups=frozenset({"A"}))), "owner_gone") == []


def test_a_group_is_empty_by_its_count_or_by_its_people():
    assert one(plan(A, A, [person("off", "A", active=False)]), "empty_group")
    assert warned(plan(A, A, many(1, "A")), "empty_group") == []
    assert warned(plan(A, A, None), "empty_group") == []


def test_an_expired_mapping_that_a_cut_leaves_in_place_still_gives_what_it_gave():
    gone = {"A": Intent(expires=date(2026, 11, 1))}
    spec = {**A, "B": "member: X"}
    made = plan(spec, {**A, "B": "member: Y"}, many(1, "A"), intents=gone, targets=("idp_groups/B",))
    assert warned(made, "expired") == []


def test_expired_and_soon_expiring():
    gone = {"A": Intent(expires=date(2026, 11, 1))}
    assert "expired after 1 Nov 2026" in one(plan({"A": ""}, A, [], intents=gone), "expired").message
    assert warned(plan(A, A, [], intents=gone), "expired") == []
    soon = {"A": Intent(expires=date(2026, 11, 30))}
    assert warned(plan(A, A, [], intents=soon), "expires_soon")


def test_a_tidy_org_has_nothing_to_be_said_of():
    assert plan(A, A, many(3, "A")).warnings == ()
