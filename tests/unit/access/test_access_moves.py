"""Test which settings the org keeps when others change."""

from __future__ import annotations

from dataclasses import replace

from access_examples import FACTS, access, person, settings

from rolecall.access import Entitlements, compile_access, compile_change, encode_access, facts_after

LEGACY = settings({"G": "- Legal", "Blank": ""}, endpoint="legacy")
UPGRADING = settings({}, endpoint="upgrading")


def test_start_keeps_the_links_of_the_groups_that_had_any() -> None:
    assert facts_after(FACTS, LEGACY, UPGRADING).legacy_links == {"G": {"Legal"}}


def test_the_links_stay_while_upgrading() -> None:
    facts = facts_after(FACTS, LEGACY, UPGRADING)
    assert facts_after(facts, UPGRADING, settings({"G": "member IT"}, endpoint="upgrading")).legacy_links == {
        "G": {"Legal"}
    }


def test_switching_off_keeps_the_settings_as_they_stood() -> None:
    on, off = settings({"G": "member Legal"}), settings({}, enabled=False)
    assert facts_after(FACTS, on, off).kept == on
    assert facts_after(FACTS, on, on).kept is None


def test_what_was_kept_stays_until_it_is_on_again() -> None:
    on, off = settings({"G": "member Legal"}), settings({}, enabled=False)
    kept = facts_after(FACTS, on, off)
    assert facts_after(kept, off, replace(off, idp_groups={})).kept == on
    assert facts_after(kept, off, on).kept is None


def test_an_org_that_was_off_all_along_keeps_what_stands() -> None:
    off = settings({"G": "member Legal"}, enabled=False)
    assert facts_after(FACTS, off, settings({}, enabled=False)).kept == off


def test_the_rules_of_a_change_share_their_atoms() -> None:
    before, after = compile_change(LEGACY, UPGRADING, FACTS)
    assert before.entitlements is after.entitlements
    mine = Entitlements()
    assert compile_access(LEGACY, FACTS, entitlements=mine).entitlements is mine


def test_access_as_json() -> None:
    org = settings({"A": "member Legal", "B": "org_admin IT", "C": "team_admin Legal"})
    assert encode_access("p@acme.com", access(org, person("A B C"))) == {
        "email": "p@acme.com",
        "org_admin": True,
        "combos": [
            {"team": "IT", "role": "org_admin", "reason": "group:B", "reasons": ["group:B"]},
            {"team": "Legal", "role": "team_admin", "reason": "group:C", "reasons": ["group:C", "group:A"]},
        ],
    }


def test_no_access_as_json() -> None:
    found = encode_access("p@acme.com", access(settings(), person(active=False)))
    assert found == {"email": "p@acme.com", "org_admin": False, "combos": []}
