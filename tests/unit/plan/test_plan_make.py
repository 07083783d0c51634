"""Test waves, targets, lifetime, the digest and the schema of a plan."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import jsonschema_rs
import orgs
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from rolecall.codec.policy import decode_policy, encode_policy
from rolecall.model.desired import Desired, Intent
from rolecall.model.live import Caller, Facts, Group, Live
from rolecall.model.policy import Allow, Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from rolecall.plan.draft import draft_plan
from rolecall.plan.make import make
from rolecall.plan.saved.digest import canonical, digest, matches, short
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.schema_files import schema_text

SCHEMA = jsonschema_rs.validator_for(json.loads(schema_text("plan.schema.json")))


def mapping(role, *teams):
    return GroupMapping(role, frozenset(teams))


def busy():
    """An org in which everything changes at once."""
    held = Settings(
        domains={"old.com": Domain(True, "approval")},
        defaults=Defaults("member", frozenset({"Everyone"})),
        sso=Sso(False, "Okta", "okta", False, False, None),
        scim=Scim(False, "okta", "new", False),
        idp_groups={"Less": mapping("team_admin", "IT"), "More": BLANK, "Turn": mapping("member", "IT")},
    )
    facts = Facts(
        org_id="org_1",
        groups={key: Group(key) for key in held.idp_groups},
        can=orgs.EVERYTHING,
        caller=Caller("ann@acme.com"),
    )
    wanted = Settings(
        domains={"acme.com": Domain()},
        defaults=Defaults("team_admin", frozenset({"Everyone"})),
        sso=Sso(enabled=True),
        scim=Scim(enabled=True),
        idp_groups={
            "Less": mapping("member", "IT"),
            "More": mapping("member", "IT"),
            "Turn": mapping("member", "Legal"),
        },
    )
    return Desired(wanted, {}, Policy(manage={"domains": "authoritative"})), Live(held, facts=facts)


def test_what_others_need_comes_first_and_grants_come_before_revokes():
    plan = make(orgs.question(*busy()))
    assert [(c.wave, c.address) for c in plan.changes] == [
        (0, "domains/acme.com"),
        (0, "sso"),
        (0, "scim"),
        (1, "idp_groups/More"),
        (2, "idp_groups/Turn"),
        (3, "defaults"),
        (4, "idp_groups/Less"),
        (5, "domains/old.com"),
    ]


def test_switching_off_goes_the_other_way_round():
    wanted, live = busy()
    on = replace(live, settings=replace(live.settings, sso=Sso(enabled=True), scim=Scim(enabled=True)))
    off = wanted._replace(settings=Settings(domains={}, sso=Sso(enabled=False), scim=Scim(enabled=False)))
    assert [c.address for c in make(orgs.question(off, on)).changes] == ["scim", "sso", "domains/old.com"]


@given(orgs.desireds(), orgs.lives())
def test_a_first_pass_made_before_people_were_read_gives_the_same_plan(desired, live):
    asked = orgs.question(desired, live)
    assert make(asked, draft_plan(asked._replace(directory=None))) == make(asked)


def test_targets_and_excludes_are_addresses_or_globs_and_make_the_plan_partial():
    plan = make(orgs.question(*busy(), targets=("idp_groups/*",), excludes=("idp_groups/M*",)))
    assert [c.address for c in plan.changes] == ["idp_groups/Turn", "idp_groups/Less"]
    assert plan.partial


def test_only_expired_keeps_just_what_lapsed():
    wanted, live = busy()
    lapsed = wanted._replace(intents={"idp_groups/Less": Intent(expires=date(2026, 11, 1))})
    plan = make(orgs.question(lapsed, live, only_expired=True))
    assert [(c.address, c.reason) for c in plan.changes] == [("idp_groups/Less", "expired")]


def test_a_plan_lapses_after_a_week_or_when_the_next_entry_expires():
    wanted, live = busy()
    assert make(orgs.question(wanted, live)).expires_at == orgs.NOW + timedelta(days=7)
    soon = wanted._replace(intents={"idp_groups/Less": Intent(expires=date(2026, 11, 24))})
    assert make(orgs.question(soon, live)).expires_at == datetime(2026, 11, 25, tzinfo=UTC)


def test_the_digest_says_what_would_be_done_and_nothing_else():
    wanted, live = busy()
    plan = make(orgs.question(wanted, live))
    later = make(orgs.question(wanted, live, created_at=orgs.NOW + timedelta(days=1), config_digest="other"))
    assert digest(later) == digest(plan)
    lifted = make(orgs.question(wanted, live, lifts=(Allow("max_removals", None, 3, None, ""),)))
    fewer = make(orgs.question(wanted, live, excludes=("sso",)))
    elsewhere = make(orgs.question(wanted, live, org=orgs.ORG._replace(env="prod")))
    assert len({digest(plan), digest(lifted), digest(fewer), digest(elsewhere)}) == 4


def test_a_person_may_type_the_short_digest_or_all_of_it():
    whole = digest(make(orgs.question(*busy())))
    assert matches(short(whole), whole)
    assert matches(whole.upper(), whole)
    assert not matches(short(whole)[:9], whole)
    assert not matches("0000-0000-0000-0000", whole)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgXYZ_", max_size=5), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_canonical_json_is_rfc_8785(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(orgs.desireds(), orgs.lives())
def test_every_plan_fits_its_schema(desired, live):
    SCHEMA.validate(json.loads(json.dumps(encode_plan(make(orgs.question(desired, live))))))


def test_policy_survives_its_json():
    said = {
        "manage": {"idp_groups": "authoritative"},
        "ignore": [{"address": "idp_groups/tmp-*", "reason": "sandbox", "until": "2027-03-31"}],
        "guards": {
            "min_org_admins": 2,
            "required_org_admins": ["Break@acme.com"],
            "max_people_losing_access": {"review": 10, "block": "2%"},
            "escalations": "deny",
            "observed_age": {"review": "30d"},
        },
        "allow": [
            {"guard": "max_removals", "for": "idp_groups/A", "up_to": 4, "until": "2026-12-05", "reason": "CHG-1"}
        ],
        "watch": {"roles": ["Org admin"]},
        "access_tests": [
            {
                "name": "a",
                "person": {"groups": ["G"]},
                "expect": [{"team": "IT", "role": "member"}],
                "never": ["org_admin"],
            },
            {"name": "b", "person": "ann@acme.com", "has": "org_admin"},
            {"name": "c", "role": "org_admin", "granted_by_only": ["G"]},
        ],
    }
    policy = decode_policy(said)
    assert policy.guards.escalations == {"team_admin": "deny", "org_admin": "deny", "custom": "deny"}
    assert policy.guards.required_org_admins == ("break@acme.com",)
    assert decode_policy(encode_policy(policy)) == policy
    assert decode_policy(encode_policy(Policy())) == Policy()


@pytest.mark.parametrize(
    ("scim", "sso", "idp"),
    [
        (Scim(True, "entra"), Sso(True, idp="okta"), "entra"),
        (Scim(False, "other"), Sso(True, idp="okta"), "okta"),
        (Scim(False, "other"), Sso(False, idp="other"), ""),
        (UNSET, UNSET, ""),
        (Scim(True), UNSET, ""),
    ],
)
def test_a_plan_has_the_idp_of_the_org(scim, sso, idp):
    desired, live = busy()
    plan = make(orgs.question(desired, replace(live, settings=replace(live.settings, scim=scim, sso=sso))))
    assert plan.idp == idp
    assert ("idp" in encode_plan(plan)) is bool(idp)


def test_what_a_runbook_needs_is_not_part_of_the_digest():
    desired, live = busy()
    plan = make(orgs.question(desired, live)._replace(metadata_file="okta.xml", command="rolecall rollback 1"))
    assert (plan.metadata_file, plan.command) == ("okta.xml", "rolecall rollback 1")
    known = plan._replace(idp="entra")
    assert decode_plan(encode_plan(known)) == known
    assert digest(known) == digest(plan._replace(idp="", metadata_file="", command=""))
