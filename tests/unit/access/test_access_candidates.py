"""Test which users each change of settings can affect, and which data must be read for it."""

from __future__ import annotations

from dataclasses import replace

from access_examples import FACTS, settings, team_roles

from rolecall.access import candidates, compile_change, everyone, mappings_moved, scope
from rolecall.codec.people import decode_people
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope
from rolecall.model.settings import Settings

SALES = [{"team": "Sales", "role": "member"}]
ROWS = {
    "plain": {},
    "in-g": {"groups": ["G"]},
    "in-g-and-h": {"groups": ["G", "H"]},
    "in-blank": {"groups": ["Blank"]},
    "in-roleless": {"groups": ["Roleless"]},
    "edited": {"groups": ["H"], "manual": SALES},
    "attribute": {"groups": ["H"], "role_attribute": "admin"},
    "gone": {"groups": ["G"], "active": False},
    "pending": {"origin": "discovery", "pending": True},
    "saml": {"origin": "saml", "groups": ["G"]},
    "saml-edited": {"origin": "saml", "manual": SALES},
}
GROUPS = {"G": "member Legal", "H": "member IT", "Blank": "", "Roleless": "- Marketing"}
BASE = settings(GROUPS)


def people() -> Directory:
    return decode_people({"email": name, **row} for name, row in ROWS.items())


def touched(before: Settings, after: Settings) -> dict[str, str]:
    directory = people()
    found = candidates(*compile_change(before, after, FACTS), directory)
    return {at: " ".join(directory.emails[number] for number in numbers) for at, numbers in found.items()}


def asked(before: Settings, after: Settings) -> PeopleScope:
    return scope(*compile_change(before, after, FACTS), ["boss@acme.com"])


def test_nothing_changed_touches_nobody() -> None:
    assert touched(BASE, BASE) == {}
    assert asked(BASE, BASE) == PeopleScope(emails=frozenset({"boss@acme.com"}), org_admins=True)


def test_a_mapping_touches_the_active_scim_members_of_its_group() -> None:
    after = settings(GROUPS | {"G": "team_admin Legal"})
    assert touched(BASE, after) == {"idp_groups/G": "in-g in-g-and-h"}
    assert asked(BASE, after).groups == {"G"}
    assert not asked(BASE, after).unmapped


def test_each_mapping_has_its_own_people_and_everyone_is_each_once() -> None:
    before, after = compile_change(BASE, settings(GROUPS | {"G": "", "H": ""}), FACTS)
    found = candidates(before, after, people())
    assert list(found) == ["idp_groups/G", "idp_groups/H"]
    assert everyone(found) == [1, 2, 5, 6]
    assert mappings_moved(before, after) == {"G", "H"}


def test_a_mapping_that_gives_the_same_touches_nobody() -> None:
    assert touched(BASE, settings(GROUPS | {"Roleless": "member Marketing"})) == {}
    assert touched(BASE, settings(GROUPS | {"Blank": "org_admin"})) == {}


def test_the_default_touches_whoever_has_it() -> None:
    after = settings(GROUPS, default="member Marketing")
    assert touched(BASE, after) == {"defaults": "plain in-blank saml"}
    assert asked(BASE, after).unmapped


def test_the_defaults_role_touches_members_of_groups_mapped_without_one() -> None:
    after = settings(GROUPS, default="team_admin Everyone")
    assert touched(BASE, after) == {"defaults": "plain in-blank in-roleless saml"}
    assert asked(BASE, after).groups == {"Roleless"}


def test_the_defaults_role_moves_no_mapping_next_to_one_that_changes() -> None:
    after = settings(GROUPS | {"H": "member Legal"}, default="team_admin Everyone")
    assert mappings_moved(*compile_change(BASE, after, FACTS)) == {"H"}
    assert touched(BASE, after) == {
        "defaults": "plain in-blank in-roleless saml",
        "idp_groups/H": "in-g-and-h edited attribute",
    }


def test_the_default_touches_who_comes_to_it_or_leaves_it_by_a_mapping_too() -> None:
    after = settings(GROUPS | {"G": "", "Blank": "member IT"}, default="member Sales")
    assert touched(BASE, after) == {
        "defaults": "plain in-g in-blank saml",
        "idp_groups/Blank": "in-blank",
        "idp_groups/G": "in-g in-g-and-h",
    }


def test_under_legacy_the_default_touches_every_scim_person() -> None:
    before = settings(GROUPS, endpoint="legacy")
    after = settings(GROUPS, endpoint="legacy", default="member Sales")
    assert touched(before, after) == {"defaults": "plain in-g in-g-and-h in-blank in-roleless edited attribute saml"}
    assert asked(before, after) == EVERYBODY


def test_manual_editing_touches_scim_people_with_edits() -> None:
    after = settings(GROUPS, editing=True)
    assert touched(BASE, after) == {"scim": "edited"}
    assert asked(BASE, after).manual


def test_the_role_attributes_name_touches_who_has_one() -> None:
    after = replace(BASE, scim=replace(BASE.scim, role_attribute="title"))
    assert touched(BASE, after) == {"scim": "attribute"}
    assert asked(BASE, after).attribute_admins


def test_the_upgrade_and_scim_on_or_off_touch_every_scim_person() -> None:
    legacy, off = settings(GROUPS, endpoint="legacy"), settings(GROUPS, enabled=False)
    every = {"scim": "plain in-g in-g-and-h in-blank in-roleless edited attribute"}
    for before, after in ((legacy, settings(endpoint="upgrading")), (BASE, off), (off, BASE)):
        assert touched(before, after)["scim"] == every["scim"]
        assert asked(before, after) == EVERYBODY


def test_while_scim_is_off_a_mapping_touches_nobody_and_the_default_only_the_others() -> None:
    before = settings(GROUPS, enabled=False)
    after = settings({}, enabled=False, default="member Sales")
    assert touched(before, after) == {"defaults": "saml"}


def test_while_upgrading_a_mapping_touches_nobody() -> None:
    before, after = settings({}, endpoint="upgrading"), settings(GROUPS, endpoint="upgrading")
    assert touched(before, after) == {}


def test_a_manual_combo_in_a_team_that_is_gone_does_not_hold_off_the_default() -> None:
    directory = decode_people([{"email": "a@x.io", "origin": "saml", "manual": [{"team": "Closed", "role": "member"}]}])
    rules = compile_change(BASE, settings(GROUPS, default="member Sales"), FACTS)
    assert everyone(candidates(*rules, directory)) == [0]
    assert team_roles("Closed member")[0] not in rules[0].entitlements.team_roles(rules[0].default_mask)
