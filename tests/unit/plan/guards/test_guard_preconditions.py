"""Test that a plan finds what the org would refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from saml import METADATA
from small_org import ask, config, live, many, mappings, person, verdict, words

from rolecall.model.change import Change
from rolecall.model.kinds import BY_SECTION
from rolecall.model.live import Caller, Live
from rolecall.model.policy import Allow, Guards, Ignore, Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from rolecall.plan.guards.precondition_rules import Moment, Unmet, demands
from rolecall.plan.make import make

GROUPS = {"A": "org_admin: IT"}
TEAMS = frozenset({"Everyone", "IT"})
PEOPLE = [person("ann", "A")]
OFF = Sso(False, "Okta", "okta", False, False, None)
ON = Sso(True, "Okta", "okta", False, False, METADATA)
SCIM_OFF = Scim(False, "okta", "new", False)
ACME = {"acme.com": Domain(True, "approval")}
LEGACY = Scim(True, "okta", "legacy", False)
LIFT = Allow("preconditions", None, 99, None, "")
ALL = Policy(manage={"domains": "authoritative"})


def org(**more) -> Live:
    """An org whose ``sso``, ``scim`` or ``domains`` are others than those of ``live``; teams are Everyone and IT."""
    settings = {name: more.pop(name) for name in ("sso", "scim", "domains", "defaults") if name in more}
    found = live(GROUPS, teams=TEAMS, **more)
    return replace(found, settings=replace(found.settings, **settings))


def judged(found: Live, policy: Policy | None = None, **wanted):
    return verdict(make(ask(config(None, policy or Policy(), **wanted), found, PEOPLE)), "preconditions")


@pytest.mark.parametrize(
    ("found", "policy", "wanted", "text"),
    [
        (
            org(),
            ALL,
            {"domains": {}},
            "acme.com cannot be removed: it is the last claimed domain while SSO is on",
        ),
        (org(sso=OFF, scim=SCIM_OFF), None, {"sso": Sso(enabled=True)}, "the org has no IdP metadata (R33)"),
        (
            org(sso=OFF, scim=SCIM_OFF, domains={}),
            None,
            {"sso": Sso(enabled=True, metadata=METADATA)},
            "the org has no claimed domain (R1)",
        ),
        (org(sso=ON), None, {"sso": Sso(metadata=None)}, "sso.metadata cannot be removed while SSO is on (R33)."),
        (org(), None, {"sso": Sso(enabled=False)}, "SSO cannot be off while SCIM is on (R33)."),
        (org(sso=OFF), None, {"sso": Sso(name="x")}, "SSO cannot be off while SCIM is on (R33)."),
        (org(sso=OFF, scim=SCIM_OFF), None, {"scim": Scim(enabled=True)}, "SCIM cannot be turned on while SSO is off"),
        (org(sso=OFF), None, {"scim": Scim(manual_editing=True)}, "SCIM settings cannot be changed while SSO is off"),
        (org(), None, {"defaults": Defaults(role="org_admin")}, "The default role cannot be org admin (R3)."),
        (org(), None, {"defaults": Defaults(role="auditor")}, "The org has no role `auditor`."),
        (org(), None, {"defaults": Defaults(teams=frozenset({"Its"}))}, "The org has no team `Its` (R4)."),
        (org(), None, {"defaults": Defaults(teams=frozenset())}, "Default access needs at least one team (R2)."),
        (org(sso=ON), None, {"sso": Sso(metadata="<html/>")}, "sso.metadata is not SAML metadata"),
        (org(sso=ON), None, {"sso": Sso(name="x" * 201)}, "sso.name has 201 characters; the org accepts up to 200."),
        (org(sso=ON), None, {"sso": Sso(name="a\nb")}, "sso.name contains a control character."),
        (org(), None, {"scim": Scim(idp="x" * 101)}, "scim.idp has 101 characters; the org accepts up to 100."),
        (org(features=frozenset()), None, {"scim": Scim(manual_editing=True)}, "does not include SCIM (R34)."),
    ],
)
def test_what_the_org_would_refuse_is_blocked_and_never_lifted(found, policy, wanted, text):
    said = judged(found, policy, **wanted)
    assert said.verdict == "block"
    assert any(text in line for line in words(said))
    assert said.ways[-1] == "This guard cannot be overridden."
    lifted = ask(config(None, policy or Policy(), **wanted), found, PEOPLE, lifts=(LIFT,))
    assert verdict(make(lifted), "preconditions").verdict == "block"


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        (GroupMapping("member", frozenset({"Legal"})), "The org has no team `Legal` (R4)."),
        (GroupMapping("auditor", frozenset({"IT"})), "The org has no role `auditor`."),
        (GroupMapping("member", frozenset()), "A mapping needs at least one team (R4, R21)."),
    ],
)
def test_a_mapping_that_the_org_would_refuse_is_blocked(mapping, text):
    desired = config(GROUPS)
    desired = desired._replace(settings=Settings(idp_groups={"A": mapping}))
    said = verdict(make(ask(desired, org(), PEOPLE)), "preconditions")
    assert said.verdict == "block"
    assert words(said) == ["The org would reject 1 step of this plan", f"idp_groups/A: {text} (rolecall.yaml:10)"]


@pytest.mark.parametrize(
    ("found", "policy", "wanted"),
    [
        (
            org(sso=OFF, scim=SCIM_OFF, domains={}, caller="ann@acme.com"),
            None,
            {"domains": ACME, "sso": Sso(enabled=True, metadata=METADATA), "scim": Scim(enabled=True)},
        ),
        (org(), ALL, {"domains": {}, "sso": Sso(enabled=False), "scim": Scim(enabled=False)}),
        (org(caller="ann@acme.io"), ALL, {"domains": {"acme.io": Domain(True, "approval")}}),
        (org(sso=replace(OFF, metadata=METADATA), scim=SCIM_OFF), None, {"sso": Sso(enabled=True)}),
        (org(sso=ON), None, {"sso": Sso(enabled=True, name="Okta prod")}),
    ],
)
def test_the_plans_own_steps_count_in_their_order(found, policy, wanted):
    assert judged(found, policy, **wanted).verdict == "pass"


def test_what_rolecall_writes_cannot_rely_on_a_manual_step():
    """A service claims no domain, so that the claim is a manual step, taken after everything that rolecall writes."""
    found = org(sso=OFF, scim=SCIM_OFF, domains={})
    said = judged(found, domains=ACME, sso=Sso(enabled=True, metadata=METADATA))
    assert said.verdict == "block"
    assert any("the org has no claimed domain (R1)" in line for line in words(said))
    assert said.ways[0] == "domains/acme.com is a manual step. Do it first."


def test_the_manual_steps_of_an_observed_org_are_checked_in_their_order():
    found = org(sso=OFF, scim=SCIM_OFF, domains={}, observed=True, can=frozenset())
    whole = {"domains": ACME, "sso": Sso(enabled=True, metadata=METADATA), "scim": Scim(enabled=True)}
    assert judged(found, **whole).verdict == "pass"
    assert judged(found, sso=whole["sso"]).verdict == "block"
    assert judged(found, scim=whole["scim"]).verdict == "block"


@pytest.mark.parametrize("current", ["new", "upgrading"])
def test_an_endpoint_that_cannot_go_back_is_blocked_though_nothing_changes(current):
    found = org(scim=Scim(True, "okta", current, False))
    said = judged(found, scim=Scim(endpoint="legacy"))
    assert said.verdict == "block"
    text = f"scim: scim.endpoint is `{current}` in the org and cannot be changed back to `legacy` (R20)."
    assert any(line.startswith(text) for line in words(said))
    assert judged(org(scim=Scim(True, "okta", "legacy", False)), scim=Scim(endpoint="legacy")).verdict == "pass"


def test_an_endpoint_that_the_plan_leaves_out_is_not_judged_by_it():
    found, wanted = org(), Scim(endpoint="legacy")
    ignoring = Policy(ignore=(Ignore("scim", "later"),))
    assert judged(found, ignoring, scim=wanted).verdict == "pass"
    assert judged(found, Policy(manage={"scim": "unmanaged"}), scim=wanted).verdict == "pass"
    for cut in ({"excludes": ("scim",)}, {"targets": ("idp_groups/*",)}, {"only_expired": True}):
        made = make(ask(config(None, scim=wanted), found, PEOPLE, **cut))
        assert verdict(made, "preconditions").verdict == "pass"


@pytest.mark.parametrize(
    ("found", "policy", "wanted", "name"),
    [
        (org(sso=UNSET), ALL, {"domains": {}}, "sso"),
        (org(sso=UNSET, scim=SCIM_OFF), None, {"scim": Scim(enabled=True)}, "sso"),
        (org(sso=OFF, scim=SCIM_OFF, domains=UNSET), None, {"sso": Sso(enabled=True, metadata=METADATA)}, "domains"),
        (org(sso=replace(OFF, metadata=UNSET), scim=SCIM_OFF), None, {"sso": Sso(enabled=True)}, "sso.metadata"),
    ],
)
def test_what_was_not_read_and_decides_leaves_it_not_judged_and_the_plan_refused(found, policy, wanted, name):
    made = make(ask(config(None, policy or Policy(), **wanted), found, PEOPLE))
    said = verdict(made, "preconditions")
    assert said.verdict == "not judged"
    assert said.message == f"Not read: {name}, so it is unknown whether the org accepts every step"
    assert verdict(made, "unread").verdict == "block"
    assert any("preconditions cannot be evaluated" in line for line in words(verdict(made, "unread")))


def test_the_caller_stays_org_admin_until_the_last_write():
    """The org answers 403 to a user who is no longer org admin (R34), so their own unmapping comes last."""
    before = {"A": "org_admin: IT", "B": "member: IT"}
    people = [person("ann", "A"), *many(3, "B")]
    found = live(before, teams=TEAMS, caller="ann@acme.com")
    lenient = Policy(guards=Guards(require_self=False), manage={"domains": "authoritative"})
    one = make(ask(config({"A": "", "B": "member: IT"}, lenient), found, people))
    assert verdict(one, "preconditions").verdict == "pass"
    several = make(ask(config({"A": "", "B": ""}, lenient), found, people))
    said = verdict(several, "preconditions")
    assert said.verdict == "block"
    text = "ann@acme.com would no longer be org admin, so the org would reject the remaining change (R34)."
    assert any(text in line for line in words(said))
    service = replace(found, facts=found.facts._replace(caller=Caller()))
    assert verdict(make(ask(config({"A": "", "B": ""}, lenient), service, people)), "preconditions").verdict == "pass"


def test_mappings_that_wait_are_not_checked():
    desired = config({"A": "org_admin: IT", "Not-Pushed": "member: Legal"})
    assert verdict(make(ask(desired, org(), PEOPLE)), "preconditions").verdict == "pass"
    legacy = replace(org(scim=Scim(True, "okta", "legacy", False)))
    legacy = replace(legacy, settings=replace(legacy.settings, idp_groups={**mappings(GROUPS), "B": BLANK}))
    assert verdict(make(ask(config({"B": "member: IT"}), legacy, PEOPLE)), "preconditions").verdict == "pass"


UPGRADE = {"scim": Scim(endpoint="new")}


@pytest.mark.parametrize("endpoint", ["legacy", "upgrading"])
def test_no_step_of_the_upgrade_is_made_while_scim_is_off(endpoint):
    off = org(scim=Scim(False, "okta", endpoint, False), legacy_links={})
    said = judged(off, **UPGRADE)
    assert said.verdict == "block"
    assert any("The endpoint cannot be upgraded while SCIM is off (R20)." in line for line in words(said))
    assert judged(off, scim=Scim(enabled=True, endpoint="new")).verdict == "pass", "SCIM is turned on first"


@pytest.mark.parametrize("endpoint", ["legacy", "upgrading"])
@pytest.mark.parametrize("pushed", [True, False])
def test_a_plan_that_turns_scim_off_upgrades_nothing(endpoint, pushed):
    """Also not where the upgrade waits for a group: with SCIM off none is pushed."""
    found = org(scim=Scim(True, "okta", endpoint, False), legacy_links={})
    groups = {"A": "org_admin: IT"} if pushed else {"Not pushed": "member: IT"}
    made = make(ask(config(groups, scim=Scim(enabled=False, endpoint="new")), found, PEOPLE))
    assert verdict(made, "preconditions").verdict == "block"
    assert "".join(words(verdict(made, "preconditions"))).count("while SCIM is off (R20)") == 1


LATER = {
    "claim": Change("domains/acme.io", "create", None, Domain(True, "approval")),
    "remove domain": Change("domains/acme.io", "delete", Domain(True, "approval"), None),
    "sso on": Change("sso", "update", OFF, Sso(enabled=True)),
    "sso off": Change("sso", "update", ON, Sso(enabled=False)),
    "sso metadata": Change("sso", "update", OFF, Sso(metadata=METADATA)),
    "scim on": Change("scim", "update", SCIM_OFF, Scim(enabled=True)),
    "scim off": Change("scim", "update", SCIM_OFF, Scim(enabled=False)),
    "mapping": Change("idp_groups/A", "update", BLANK, GroupMapping("member", frozenset({"IT"}))),
}


@pytest.mark.parametrize(
    ("step", "found", "meets"),
    [
        (Change("domains/acme.com", "delete", Domain(), None), {"sso": ON}, {"claim", "sso off"}),
        (Change("sso", "update", OFF, ON), {"sso": OFF, "domains": {}}, {"claim"}),
        (Change("sso", "update", OFF, Sso(enabled=True)), {"sso": OFF}, {"sso metadata"}),
        (Change("sso", "update", ON, Sso(metadata=None)), {"sso": ON}, set()),
        (Change("sso", "update", ON, Sso(enabled=False)), {"sso": ON}, {"scim off"}),
        (Change("scim", "update", SCIM_OFF, Scim(enabled=True)), {"sso": OFF, "scim": SCIM_OFF}, {"sso on"}),
        (
            Change("scim", "upgrade", None, Scim(endpoint="upgrading")),
            {"scim": Scim(False, "okta", "legacy", False)},
            {"scim on"},
        ),
        (Change("defaults", "update", None, Defaults(role="auditor")), {}, set()),
        (Change("defaults", "update", None, Defaults(teams=frozenset())), {}, set()),
    ],
)
def test_a_demand_knows_which_later_changes_would_meet_it(step, found, meets):
    state = org(**found)
    (unmet,) = demands(step, Moment(state.settings, state.facts, state, TEAMS))
    assert isinstance(unmet, Unmet)
    assert {name for name, change in LATER.items() if unmet.satisfied_by(change)} == meets
    assert unmet.message
    assert unmet.fix


MANY = frozenset(f"T{n}" for n in range(BY_SECTION["idp_groups"].field("teams").max_items + 1))


def one_demand(step, found=None, teams=TEAMS):
    state = org(**(found or {}))
    (unmet,) = demands(step, Moment(state.settings, state.facts._replace(teams=teams), state, teams))
    assert isinstance(unmet, Unmet)
    assert unmet.message.endswith(".")
    assert unmet.fix.endswith((".", "?"))
    return unmet.message


def test_a_mapping_has_no_more_teams_than_the_org_takes():
    step = Change("idp_groups/A", "update", BLANK, GroupMapping("member", MANY))
    assert f"{len(MANY):,}" in one_demand(step, teams=MANY)
    fits = Change("idp_groups/A", "update", BLANK, GroupMapping("member", frozenset(sorted(MANY)[1:])))
    state = org()
    assert list(demands(fits, Moment(state.settings, state.facts._replace(teams=MANY), state, MANY))) == []


@pytest.mark.parametrize(
    ("step", "found", "words"),
    [
        (Change("idp_groups/A", "update", BLANK, GroupMapping("member", TEAMS)), {"scim": LEGACY}, "R18"),
        (Change("idp_groups/A", "delete", GroupMapping("member", TEAMS), None), {"scim": LEGACY}, "R18"),
        (Change("sso", "update", ON, Sso(name="a\tb")), {"sso": ON}, "sso.name"),
        (Change("sso", "update", ON, Sso(metadata="")), {"sso": ON}, "sso.metadata"),
        (Change("sso", "update", ON, Sso(metadata="<html/>")), {"sso": ON}, "sso.metadata"),
        (Change("defaults", "update", None, Defaults(role="org_admin")), {}, "R3"),
        (Change("defaults", "update", None, Defaults(role="membr")), {}, "`membr`"),
        (Change("defaults", "update", None, Defaults(teams=frozenset({"Itt"}))), {}, "`Itt`"),
    ],
)
def test_each_demand_names_what_is_wrong_and_says_what_to_do(step, found, words):
    assert words in one_demand(step, found)
