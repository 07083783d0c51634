"""Test who can sign in before and after a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_org import ask, config, live, person, verdict, words

from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.live import Coverage
from rolecall.model.policy import Allow, Guards, Policy
from rolecall.model.settings import UNSET, Domain, Sso
from rolecall.plan.make import make

GROUPS = {"A": "org_admin: IT"}
WITH_PASSWORDS = Sso(True, "Okta", "okta", False, True)
PEOPLE = [person("ann", "A"), person("glass", origin="invite", manual="member: IT"), person("sam", origin="saml")]


def judged(people=PEOPLE, guards=None, sso=Sso(allow_passwords=False), caller=None, **more):
    desired = config(GROUPS, Policy(guards=guards or Guards()), sso=sso)
    asked = ask(desired, live(GROUPS, sso=WITH_PASSWORDS, caller=caller), people, **more)
    return verdict(make(asked), "sign_in")


def test_whoever_the_idp_never_showed_has_no_way_in_without_a_password():
    said = judged()
    assert said.verdict == "review"
    assert words(said) == ["1 user can no longer sign in: glass@acme.com", "Cause: sso (rolecall.yaml:4)"]
    assert said.found == 1


def test_a_required_org_admin_or_the_caller_shut_out_is_refused():
    assert judged(guards=Guards(required_org_admins=("Glass@acme.com",))).verdict == "block"
    said = judged(caller="glass@acme.com")
    assert said.verdict == "block"
    assert "but must be able to" in said.message


def test_sso_going_off_while_passwords_are_the_only_other_way_shuts_nobody_out():
    assert judged(sso=Sso(enabled=False)).verdict == "pass"


def test_a_domain_that_goes_shuts_its_people_out_of_sso():
    desired = config(GROUPS, Policy(manage={"domains": "authoritative"}), domains={"acme.de": Domain(True, "approval")})
    said = verdict(make(ask(desired, live(GROUPS), PEOPLE)), "sign_in")
    assert said.verdict == "review"
    assert said.actual == 2
    assert "ann@acme.com, sam@acme.com" in said.message


def test_more_ways_in_are_nothing_to_judge():
    desired = config(GROUPS, sso=Sso(allow_passwords=True))
    assert verdict(make(ask(desired, live(GROUPS), PEOPLE)), "sign_in").verdict == "pass"


def test_nobody_shut_out_passes_only_when_everybody_was_read():
    people = [person("ann", "A")]
    assert judged(people).verdict == "pass"
    some = judged(people, scope=PeopleScope(org_admins=True))
    assert some.verdict == "not judged"
    assert some.message == "0 of 1 user read can no longer sign in; not all users were read"
    assert judged(None).verdict == "not judged"


def test_what_a_partial_read_shows_blocks_or_is_not_judged_and_is_never_a_count_to_allow():
    only = {"scope": PeopleScope(org_admins=True)}
    some = judged(**only)
    assert some.verdict == "not judged"
    assert "1 of 3 users read can no longer sign in" in some.message
    needed = judged(guards=Guards(required_org_admins=("glass@acme.com",)), **only)
    assert needed.verdict == "block"
    assert "Not all users were read." in words(needed)


def domain_removed(sso, **more):
    """The plan that removes acme.com, keeps acme.de, and does not manage sso."""
    desired = config(GROUPS, Policy(manage={"domains": "authoritative"}), domains={"acme.de": Domain(True, "approval")})
    org = live(GROUPS)
    return make(ask(desired, replace(org, settings=replace(org.settings, sso=sso)), PEOPLE, **more))


def test_a_domain_that_goes_counts_everybody_whether_sso_is_managed_or_not():
    said = verdict(domain_removed(Sso(True, "Okta", "okta", False, False)), "sign_in")
    assert said.verdict == "review"
    assert words(said) == ["2 users can no longer sign in: ann@acme.com, sam@acme.com", "Cause: domains/acme.com"]
    assert said.found == 2
    assert verdict(domain_removed(WITH_PASSWORDS), "sign_in").verdict == "pass"
    assert verdict(domain_removed(Sso(False, "Okta", "okta", False, False)), "sign_in").verdict == "pass"


@pytest.mark.parametrize(("sso", "name"), [(UNSET, "sso"), (Sso(allow_passwords=False), "sso.enabled")])
def test_an_sso_that_was_not_read_leaves_it_not_judged_and_the_plan_refused(sso, name):
    made = domain_removed(sso)
    said = verdict(made, "sign_in")
    assert said.verdict == "not judged"
    assert said.message == f"Not read: {name}, so it is unknown which users can still sign in"
    assert verdict(made, "unread").verdict == "block"
    assert any(f"sign_in cannot be evaluated. Not read: {name}" in line for line in words(verdict(made, "unread")))


def test_an_address_of_an_internationalized_domain_is_compared_as_the_domain_is_keyed():
    desired = config(GROUPS, Policy(manage={"domains": "authoritative"}), domains={"xn--bcher-kva.de": Domain(True)})
    org = live(GROUPS)
    both = {"acme.com": Domain(True, "approval"), "xn--bcher-kva.de": Domain(True, "approval")}
    org = replace(org, settings=replace(org.settings, domains=both))
    people = [person("ann", "A"), person("bo", "A")._replace(email="Bo@Bücher.de")]
    assert "ann@acme.com" in verdict(make(ask(desired, org, people)), "sign_in").message
    assert verdict(make(ask(desired, org, people)), "sign_in").found == 1


def test_where_nobody_knows_who_loses_a_way_in_the_plan_is_refused():
    desired = config(GROUPS, sso=Sso(allow_passwords=False))
    org = live(GROUPS, sso=WITH_PASSWORDS)
    for directory in (None, Directory(coverage=Coverage("unread", problem="403"))):
        made = make(ask(desired, org, None)._replace(directory=directory))
        assert verdict(made, "sign_in").verdict == "not judged"
        assert verdict(made, "unread").verdict == "block"
        assert any("sign_in cannot be evaluated" in line for line in words(verdict(made, "unread")))
    seen = replace(org, facts=org.facts._replace(observed=True))
    assert verdict(make(ask(desired, seen, None)), "unread").verdict == "review"


def test_people_who_are_not_in_the_org_need_no_way_in():
    gone = [
        person("ann", "A"),
        person("old", origin="invite", active=False),
        person("new", origin="invite", pending=True),
    ]
    assert judged(gone).verdict == "pass"


def test_an_override_for_the_cause_covers_the_users_it_shuts_out():
    for target, expected in (("sso", "allowed"), ("scim", "review")):
        lifts = (Allow("sign_in", target, 1, None, ""),)
        assert judged(lifts=lifts).verdict == expected


def test_of_many_causes_three_are_named_and_the_first_is_the_place():
    names = ("a.io", "b.io", "c.io", "d.io")
    groups = {"A": "member: IT"}
    org = live(groups, sso=Sso(True, "Okta", "okta", False, False))
    org = replace(org, settings=replace(org.settings, domains={name: Domain() for name in (*names, "kept.io")}))
    people = [person(f"p{n}", "A")._replace(email=f"p{n}@{name}") for n, name in enumerate(names)]
    policy = Policy(manage={"domains": "authoritative"})
    said = verdict(make(ask(config(groups, policy, domains={"kept.io": Domain()}), org, people)), "sign_in")
    assert (said.verdict, said.found, said.actual, said.target) == ("review", 4, 4, None)
    causes = " ".join(words(said)[1:])
    assert [name in causes for name in names] == [True, True, True, False]
