"""Test every rule that affects one user's access, by its number in `docs/rules.md`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from access_examples import FACTS, access, has, person, reasons, settings, silent, team_roles

from rolecall.access import (
    compile_access,
    compile_change,
    effective,
    facts_after,
    is_org_admin,
    person_mask,
    returned,
    synced,
)
from rolecall.access.signin import joining, password_locked, ways_in
from rolecall.codec.people import decode_people
from rolecall.model.directory import Person, Traits
from rolecall.model.policy import OrgRole
from rolecall.model.settings import UNSET, Defaults, Domain, Scim, Settings, Sso


def test_r02_the_default_is_one_role_on_each_of_its_teams() -> None:
    assert has(settings(default="member Everyone Legal"), person()) == "Everyone member, Legal member"


def test_r03_the_default_may_be_team_admin() -> None:
    assert has(settings(default="team_admin Everyone"), person()) == "Everyone team_admin"


@pytest.mark.parametrize("origin", ["scim", "saml", "invite", "discovery"])
def test_r04_everybody_has_a_team(origin: str) -> None:
    assert has(settings(), person(origin=origin)) == "Everyone member"


def test_r04_an_invite_to_a_team_that_is_gone_falls_to_the_default() -> None:
    found = access(settings(), person(origin="invite", manual="Closed member"))
    assert reasons(found) == {"Everyone member": ["default"]}
    assert silent(found) == [("invite", "R25")]


@pytest.mark.parametrize(("origin", "rule"), [("invite", "R4"), ("saml", "R5"), ("discovery", "R7")])
def test_the_default_of_users_without_scim_is_given_by_the_rule_of_their_origin(origin: str, rule: str) -> None:
    found = access(settings(), person(origin=origin))
    assert [reason.rule for granted in found.team_roles for reason in granted.reasons] == [rule]


@pytest.mark.parametrize(("origin", "rule"), [("invite", "R6"), ("saml", "R5"), ("discovery", "R5")])
def test_manual_team_roles_replace_the_default_by_the_rule_of_their_origin(origin: str, rule: str) -> None:
    found = access(settings(), person(origin=origin, manual="Sales team_admin"))
    assert [reason.rule for granted in found.team_roles for reason in granted.reasons] == [rule]
    assert silent(found) == [("default", rule)]


def test_r05_saml_people_have_the_default() -> None:
    assert reasons(access(settings(), person(origin="saml"))) == {"Everyone member": ["saml"]}


def test_r05_manual_edits_replace_the_default_of_saml_people() -> None:
    found = access(settings(), person(origin="saml", manual="Sales team_admin"))
    assert reasons(found) == {"Sales team_admin": ["manual"]}
    assert silent(found) == [("default", "R5")]


def test_r06_an_invite_gives_its_role_on_its_teams() -> None:
    found = access(settings(), person(origin="invite", manual="Sales team_admin, Legal team_admin"))
    assert reasons(found) == {"Legal team_admin": ["invite"], "Sales team_admin": ["invite"]}


def test_r06_an_invited_person_may_be_promoted_to_org_admin_later() -> None:
    found = access(settings(), person(origin="invite", manual="Sales member, Sales org_admin"))
    assert found.org_admin
    assert [held.role for held in found.team_roles] == ["org_admin"]


def test_r07_scim_people_in_no_mapped_group_have_the_default() -> None:
    assert reasons(access(settings({"G": "member Legal"}), person())) == {"Everyone member": ["default"]}


def test_r08_groups_add_up_and_the_default_goes() -> None:
    org = settings({"G1": "member Legal", "G2": "team_admin Sales IT"})
    found = access(org, person("G1 G2"))
    assert reasons(found) == {
        "IT team_admin": ["group:G2"],
        "Legal member": ["group:G1"],
        "Sales team_admin": ["group:G2"],
    }
    assert silent(found) == [("default", "R8")]


def test_r09_the_highest_role_of_a_team_wins() -> None:
    org = settings({"G1": "member Legal", "G2": "org_admin Legal", "G3": "team_admin Legal"})
    assert reasons(access(org, person("G1 G2 G3"))) == {"Legal org_admin": ["group:G2", "group:G3", "group:G1"]}


def test_r10_a_blank_group_gives_nothing_of_its_own() -> None:
    found = access(settings({"G1": "member Legal", "G2": ""}), person("G1 G2"))
    assert reasons(found) == {"Legal member": ["group:G1"]}
    assert ("group:G2", "R10") in silent(found)


def test_r10_with_only_blank_groups_the_default_applies() -> None:
    assert has(settings({"G1": "", "G2": ""}), person("G1 G2")) == "Everyone member"


def test_r11_scim_beats_saml() -> None:
    by_saml = Traits("saml")
    assert synced(by_saml).origin == "scim"
    assert (
        has(settings({"G": "member Legal"}), Person("p@x.io", groups=("G",), traits=synced(by_saml))) == "Legal member"
    )


def test_r12_scim_beats_an_invite_and_drops_what_it_gave() -> None:
    invited = Traits("invite", pending=True, manual=team_roles("Sales team_admin"))
    assert synced(invited) == Traits("scim")
    edited = Traits("saml", manual=team_roles("Sales member"))
    assert synced(edited).manual == edited.manual


def test_r13_what_a_group_gives_beats_what_anything_else_says() -> None:
    org = settings({"G": "member Legal"}, editing=True)
    assert has(org, person("G", manual="Legal team_admin", role_attribute="admin")) == "Legal member"


def test_r14_with_editing_off_manual_edits_do_not_count() -> None:
    found = access(settings({"G": "member Legal"}), person("G", manual="Sales member, Legal team_admin"))
    assert reasons(found) == {"Legal member": ["group:G"]}
    assert silent(found)[-2:] == [("manual", "R14"), ("manual", "R14")]


def test_r15_with_editing_on_manual_teams_are_added_and_the_group_wins_in_its_own() -> None:
    org = settings({"G": "member Legal"}, editing=True)
    found = access(org, person("G", manual="Sales team_admin, Legal team_admin"))
    assert reasons(found) == {"Legal member": ["group:G"], "Sales team_admin": ["manual"]}
    assert ("manual", "R15") in silent(found)


def test_r15_an_edit_that_says_what_the_group_says_is_a_reason_too() -> None:
    org = settings({"G": "member Legal"}, editing=True)
    assert reasons(access(org, person("G", manual="Legal member"))) == {"Legal member": ["group:G", "manual"]}


@pytest.mark.parametrize("team", ["Sales", "Legal"])
def test_r15_a_manual_org_admin_is_an_extra_that_stands_and_falls_with_the_toggle(team: str) -> None:
    who = person("G", manual=f"{team} org_admin")
    groups = {"G": "member Legal"}
    assert access(settings(groups, editing=True), who).org_admin
    assert not access(settings(groups, editing=False), who).org_admin


def test_r16_without_a_group_the_manual_role_replaces_the_defaults() -> None:
    org = settings(default="team_admin Everyone Legal", editing=True)
    found = access(org, person(manual="Everyone member, Sales member"))
    assert reasons(found) == {
        "Everyone member": ["manual"],
        "Legal team_admin": ["default"],
        "Sales member": ["manual"],
    }
    assert silent(found) == [("default", "R16")]


def test_r16_with_editing_off_the_default_alone_stands() -> None:
    assert has(settings(), person(manual="Everyone team_admin, Sales member")) == "Everyone member"


@pytest.mark.parametrize("origin", ["saml", "invite", "discovery"])
@pytest.mark.parametrize("editing", [False, True])
def test_r17_the_toggle_is_about_scim_people_only(origin: str, editing: bool) -> None:
    assert has(settings(editing=editing), person(origin=origin, manual="Sales member")) == "Sales member"


LEGACY = {"G1": "- Legal", "G2": "team_admin Sales IT"}


def test_r18_legacy_gives_the_default_teams_and_the_linked_ones_as_member() -> None:
    org = settings(LEGACY, endpoint="legacy", default="team_admin Everyone")
    assert reasons(access(org, person("G1 G2", role_attribute="member"))) == {
        "Everyone member": ["default"],
        "IT member": ["group:G2"],
        "Legal member": ["group:G1"],
        "Sales member": ["group:G2"],
    }


def test_r18_the_attribute_admin_adds_org_admin_over_those() -> None:
    found = access(settings(LEGACY, endpoint="legacy"), person("G1", role_attribute="admin"))
    assert found.org_admin
    assert reasons(found) == {
        "Everyone org_admin": ["attribute", "default"],
        "Legal org_admin": ["attribute", "group:G1"],
    }


@pytest.mark.parametrize(("said", "warned"), [(None, False), ("member", False), ("boss", True), ("Admin", True)])
def test_r18_any_other_attribute_is_member(said: str | None, warned: bool) -> None:
    found = access(settings(endpoint="legacy"), person(role_attribute=said))
    assert reasons(found) == {"Everyone member": ["default"]}
    assert (("attribute", "R18") in silent(found)) == warned


def test_r18_the_default_of_people_without_scim_keeps_its_role() -> None:
    org = settings(endpoint="legacy", default="team_admin Everyone")
    assert has(org, person(origin="saml")) == "Everyone team_admin"


def test_r18_manual_edits_hold_over_the_legacy_baseline_too() -> None:
    who = person("G1", manual="Everyone team_admin, Legal team_admin, Sales member")
    on = settings(LEGACY, endpoint="legacy", editing=True)
    assert has(on, who) == "Everyone team_admin, Legal member, Sales member"
    assert has(settings(LEGACY, endpoint="legacy"), who) == "Everyone member, Legal member"


def test_r18_an_edit_takes_nobodys_org_admin_by_attribute() -> None:
    org = settings(endpoint="legacy", editing=True)
    assert access(org, person(role_attribute="admin", manual="Everyone member")).org_admin


def test_r19_on_the_new_endpoint_the_attribute_is_ignored() -> None:
    found = access(settings(), person(role_attribute="admin"))
    assert reasons(found) == {"Everyone member": ["default"]}
    assert silent(found) == [("attribute", "R19")]


def test_r20_while_upgrading_legacy_access_stays_in_force() -> None:
    legacy = settings(LEGACY, endpoint="legacy")
    upgrading = settings({"G1": "team_admin IT"}, endpoint="upgrading")
    facts = facts_after(FACTS, legacy, upgrading)
    assert facts.legacy_links == {"G1": {"Legal"}, "G2": {"Sales", "IT"}}
    who = person("G1", role_attribute="admin")
    assert has(upgrading, who, facts) == has(legacy, who) == "Everyone org_admin, Legal org_admin"


def test_r20_completing_gives_what_the_groups_are_mapped_to_or_the_default() -> None:
    upgrading = settings({"G1": "team_admin IT", "G2": ""}, endpoint="upgrading")
    done = settings({"G1": "team_admin IT", "G2": ""}, endpoint="new")
    facts = facts_after(FACTS._replace(legacy_links={"G1": frozenset({"Legal"})}), upgrading, done)
    assert has(done, person("G1", role_attribute="admin"), facts) == "IT team_admin"
    assert has(done, person("G2", role_attribute="admin"), facts) == "Everyone member"
    assert has(done, person("Not-Pushed"), facts) == "Everyone member"


def test_r20_links_that_were_not_read_are_missing() -> None:
    org = settings(endpoint="upgrading")
    assert compile_access(org, FACTS).missing == {"legacy_links"}
    assert compile_access(org, FACTS._replace(legacy_links={})).missing == set()


def test_r21_org_admin_is_org_wide_and_each_combo_keeps_its_role() -> None:
    org = settings({"G1": "org_admin IT", "G2": "member Legal", "G3": "team_admin Sales"})
    found = access(org, person("G1 G2 G3"))
    assert found.org_admin
    assert has(org, person("G1 G2 G3")) == "IT org_admin, Legal member, Sales team_admin"
    assert not access(org, person("G3")).org_admin


def test_r22_leaving_a_group_takes_its_combos_and_leaving_the_last_gives_the_default() -> None:
    org = settings({"G1": "member Legal", "G2": "member Sales"})
    assert [has(org, person(groups)) for groups in ("G1 G2", "G1", "")] == [
        "Legal member, Sales member",
        "Legal member",
        "Everyone member",
    ]


@pytest.mark.parametrize("origin", ["scim", "saml", "invite", "discovery"])
def test_r23_who_is_not_active_has_nothing(origin: str) -> None:
    found = access(settings({"G": "member Legal"}), person("G", origin=origin, active=False, manual="Sales member"))
    assert found.team_roles == ()
    assert silent(found) == [("person", "R23")]


def test_r24_who_comes_back_is_worked_out_afresh() -> None:
    gone = person("G", active=False, manual="Sales org_admin", role_attribute="member")
    back = gone._replace(traits=returned(gone.traits))
    assert back.id == gone.id
    assert has(settings({"G": "member Legal"}, editing=True), back) == "Legal member"
    assert back.traits.role_attribute == "member"


def test_r25_a_mapping_whose_teams_are_gone_gives_nothing_and_is_reported() -> None:
    org = settings({"G1": "member Closed", "G2": "member Closed Legal"}, default="member Everyone Old")
    assert reasons(access(org, person("G1"))) == {"Everyone member": ["default"]}
    assert ("group:G1", "R25") in silent(access(org, person("G1")))
    assert has(org, person("G1 G2")) == "Legal member"
    assert compile_access(org, FACTS).gone == {"G1": {"Closed"}, "G2": {"Closed"}, "": {"Old"}}


def test_r25_a_mapping_whose_group_is_gone_gives_nothing() -> None:
    org = settings({"G1": "member Legal"})
    assert effective(compile_access(org, FACTS, pushed={"G1"}), person("G1")).pairs == set(team_roles("Legal member"))
    gone = effective(compile_access(org, FACTS, pushed=frozenset()), person("G1"))
    assert reasons(gone) == {"Everyone member": ["default"]}
    assert silent(gone) == [("group:G1", "R25")]


def test_r25_teams_that_were_not_read_are_taken_to_be_there() -> None:
    assert has(settings({"G": "member Closed"}), person("G"), FACTS._replace(teams=None)) == "Closed member"


def test_r26_who_is_pending_has_nothing_and_has_the_default_once_admitted() -> None:
    assert access(settings(), person(origin="discovery", pending=True)).team_roles == ()
    assert reasons(access(settings(), person(origin="discovery"))) == {"Everyone member": ["default"]}


@pytest.mark.parametrize(
    ("sso", "domain", "expected"),
    [
        (Sso(enabled=True, allow_uninvited=True), Domain(), "immediate"),
        (Sso(enabled=True, allow_uninvited=False), Domain(True, "approval"), "approval"),
        (Sso(enabled=False, allow_uninvited=True), Domain(True, "immediate"), "immediate"),
        (UNSET, Domain(True), "approval"),
        (Sso(enabled=True), Domain(False, "immediate"), None),
    ],
)
def test_r26_joining_without_an_invitation(sso: Sso, domain: Domain, expected: str | None) -> None:
    assert joining(Settings(domains={"acme.com": domain}, sso=sso), "Ann@ACME.com") == expected


def test_r26_nobody_joins_by_a_domain_that_is_not_claimed() -> None:
    assert joining(Settings(domains={"acme.com": Domain(True, "immediate")}), "ann@other.com") is None
    assert joining(Settings(), "ann@acme.com") is None


@pytest.mark.parametrize(
    ("sso", "expected"),
    [
        (UNSET, {"password"}),
        (Sso(enabled=False), {"password"}),
        (Sso(enabled=True, allow_passwords=False), {"sso"}),
        (Sso(enabled=True, allow_passwords=True), {"sso", "password"}),
    ],
)
def test_r27_password_sign_in_follows_the_toggle(sso: Sso, expected: set[str]) -> None:
    assert ways_in(Settings(sso=sso), Traits()) == expected
    assert ways_in(Settings(sso=sso), Traits(active=False)) == set()


def test_r27_it_is_locked_for_scim_people_while_editing_is_off() -> None:
    assert password_locked(settings(editing=False), Traits())
    assert not password_locked(settings(editing=True), Traits())
    assert not password_locked(settings(editing=False), Traits("saml"))


def test_r28_one_person_for_an_address_whatever_its_case() -> None:
    with pytest.raises(ValueError, match="several users have the email address"):
        decode_people([{"email": "Ann@acme.com"}, {"email": "ann@ACME.com"}])


def test_r29_only_the_groups_a_person_is_in_directly_count() -> None:
    org = settings({"Parent": "org_admin IT"})
    assert has(org, person("Child-of-Parent")) == "Everyone member"


def test_r31_a_mapping_without_a_role_gives_the_defaults_role() -> None:
    org = settings({"G": "- Legal Sales"}, default="team_admin Everyone")
    assert has(org, person("G")) == "Legal team_admin, Sales team_admin"


def test_r31_with_neither_role_nor_team_it_is_blank_and_so_it_is_with_a_role_alone() -> None:
    org = settings({"G1": "", "G2": "org_admin"})
    assert has(org, person("G1 G2")) == "Everyone member"
    assert not access(org, person("G2")).org_admin


def test_r32_reasons_come_winner_first_and_ties_by_name() -> None:
    org = settings({"B": "member Legal", "A": "member Legal", "C": "team_admin Legal"}, editing=True)
    assert reasons(access(org, person("B A C"))) == {"Legal team_admin": ["group:C", "group:A", "group:B"]}


def test_r32_roles_without_a_rank_are_kept_side_by_side() -> None:
    org = settings({"G1": "editor Legal", "G2": "viewer Legal", "G3": "team_admin Legal", "G4": "member Legal"})
    assert reasons(access(org, person("G1 G2 G3 G4"))) == {
        "Legal editor": ["group:G1"],
        "Legal team_admin": ["group:G3", "group:G4"],
        "Legal viewer": ["group:G2"],
    }


def test_r33_while_scim_is_off_its_people_keep_what_they_had() -> None:
    on = settings({"G": "member Legal"})
    off = settings({"G": "org_admin IT"}, enabled=False, default="member Sales")
    facts = facts_after(FACTS, on, off)
    assert [has(off, who, facts) for who in (person("G"), person())] == ["Legal member", "Everyone member"]
    assert has(off, person(origin="saml"), facts) == "Sales member"


def test_r33_switching_it_on_again_lets_everything_move() -> None:
    off, on = settings({"G": "member IT"}, enabled=False), settings({"G": "member IT"})
    kept = FACTS._replace(kept=settings({"G": "member Legal"}))
    assert facts_after(kept, off, on).kept is None
    before, after = compile_change(off, on, kept)
    assert effective(before, person("G")).pairs == set(team_roles("Legal member"))
    assert effective(after, person("G")).pairs == set(team_roles("IT member"))


def test_what_was_not_read_is_named() -> None:
    assert compile_access(Settings(), FACTS).missing == {"defaults", "scim", "idp_groups"}
    assert compile_access(replace(settings(), defaults=Defaults(role="member")), FACTS).missing == {"defaults"}
    assert compile_access(settings(), FACTS).missing == set()


@pytest.mark.parametrize(
    ("scim", "missing"),
    [
        (Scim(True, "okta", "new", False), set()),
        (Scim(enabled=False), set()),
        (Scim(True, "okta", "new"), {"scim.manual_editing"}),
        (Scim(enabled=True, manual_editing=False), {"scim.endpoint"}),
        (Scim(endpoint="new", manual_editing=False), {"scim.enabled"}),
    ],
)
def test_a_switch_that_was_not_read_is_missing(scim: Scim, missing: set[str]) -> None:
    assert compile_access(replace(settings(), scim=scim), FACTS).missing == missing


def test_a_section_of_which_a_part_was_read_is_missing() -> None:
    assert compile_access(settings(), FACTS._replace(partial=frozenset({"idp_groups"}))).missing == {"idp_groups"}


@pytest.mark.parametrize("groups", [("G",), ()])
def test_r36_a_role_at_org_level_is_next_to_team_roles_and_stays(groups: tuple[str, ...]) -> None:
    user = Person("kim@acme.com", groups=groups, traits=Traits(org_role=OrgRole("it_admin")))
    before, after = compile_change(settings({"G": "member Legal"}), settings({}), FACTS)
    assert effective(before, user).org_role == effective(after, user).org_role == OrgRole("it_admin")
    assert effective(before, user).pairs == set(team_roles("Legal member" if groups else "Everyone member"))
    assert not effective(before, user).org_admin


def test_r36_org_admin_at_org_level_is_org_admin_without_a_mapping() -> None:
    user = Person("kim@acme.com", groups=("G",), traits=Traits(org_role=OrgRole("org_admin")))
    before, after = compile_change(settings({"G": "org_admin IT"}), settings({}), FACTS)
    for rules in (before, after):
        assert effective(rules, user).org_admin
        assert is_org_admin(person_mask(rules, user))
    assert effective(after, user).pairs == set(team_roles("Everyone member"))


@pytest.mark.parametrize("gone", [{"active": False}, {"pending": True}])
def test_r36_a_user_who_is_not_in_the_org_has_no_role_at_org_level(gone: dict[str, bool]) -> None:
    user = Person("kim@acme.com", traits=Traits(org_role=OrgRole("org_admin"), **gone))
    rules = compile_access(settings(), FACTS)
    assert (effective(rules, user).org_role, person_mask(rules, user)) == (None, 0)
