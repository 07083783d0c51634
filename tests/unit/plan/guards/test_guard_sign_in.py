"""Who has a way in, before and after."""

from __future__ import annotations

from dataclasses import replace

from small_org import ask, config, live, person, verdict

from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.live import Coverage
from rolecall.model.policy import Guards, Policy
from rolecall.model.settings import Domain, Sso
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
    assert said.message == "1 person has no way in left: glass@acme.com. Cause: sso (rolecall.yaml:4)."
    assert said.found == 1


def test_a_required_org_admin_or_the_caller_shut_out_is_refused():
    assert judged(guards=Guards(required_org_admins=("Glass@acme.com",))).verdict == "block"
    said = judged(caller="glass@acme.com")
    assert said.verdict == "block"
    assert "who must keep one" in said.message


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
    assert some.verdict == "review"
    assert some.message == "Ways in become fewer; none of the 1 people read is shut out, but not everybody was read."
    assert judged(None).verdict == "not judged"


def test_where_nobody_knows_who_loses_a_way_in_the_plan_is_refused():
    desired = config(GROUPS, sso=Sso(allow_passwords=False))
    org = live(GROUPS, sso=WITH_PASSWORDS)
    for directory in (None, Directory(coverage=Coverage("unread", problem="403"))):
        made = make(replace(ask(desired, org, None), directory=directory))
        assert verdict(made, "sign_in").verdict == "not judged"
        assert verdict(made, "unread").verdict == "block"
        assert "sign_in cannot be evaluated" in verdict(made, "unread").message
    seen = replace(org, facts=replace(org.facts, observed=True))
    assert verdict(make(ask(desired, seen, None)), "unread").verdict == "review"


def test_people_who_are_not_in_the_org_need_no_way_in():
    gone = [
        person("ann", "A"),
        person("old", origin="invite", active=False),
        person("new", origin="invite", pending=True),
    ]
    assert judged(gone).verdict == "pass"
