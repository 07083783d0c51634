"""Test the configuration with the org's values, and the plans that are made of a drift."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drifts import L, M, inquiry
from small_org import config, mappings

from rolecall.drift.compare import Drift
from rolecall.drift.plans import accepted, plan_of_drift, revert_plan
from rolecall.model.desired import Intent
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, Sso

EVERYONE, IT = frozenset({"Everyone"}), frozenset({"IT"})
CONFIG = config(
    {"A": "member: X"},
    sso=Sso(enabled=True),
    defaults=Defaults("member", EVERYONE),
    domains={"acme.com": Domain(discoverable=True)},
    intents={"A": Intent(owner="ann@acme.com")},
)


def drift(at: str, desired, live, last=None, **more) -> Drift:
    return Drift(at, "console", last, desired, live, **more)


def with_drift(*drifts: Drift):
    return accepted(CONFIG, drifts)


def test_a_setting_is_accepted_in_the_fields_that_the_config_manages():
    found = with_drift(
        drift("sso", Sso(enabled=True), Sso(False, "Okta", "okta", True, True)),
        drift("domains/acme.com", Domain(discoverable=True), Domain(False, "approval")),
    )
    assert found.settings.sso == Sso(enabled=False)
    assert found.settings.domains == {"acme.com": Domain(discoverable=False)}
    assert found.settings.defaults == CONFIG.settings.defaults


def test_what_only_the_org_has_is_accepted_whole():
    found = with_drift(drift("domains/acme.io", None, Domain(True, "approval")))
    assert found.settings.domains == {"acme.com": Domain(discoverable=True), "acme.io": Domain(True, "approval")}


def test_what_the_org_no_longer_has_is_removed_or_unmapped():
    found = with_drift(
        drift("domains/acme.com", Domain(discoverable=True), None),
        drift("idp_groups/A", mappings({"A": "member: X"})["A"], None),
    )
    assert found.settings.domains == {}
    assert found.intents["domains/acme.com"].remove
    assert found.settings.idp_groups == {"A": BLANK}
    assert (found.intents["idp_groups/A"].remove, found.intents["idp_groups/A"].owner) == (False, "ann@acme.com")


def test_an_accepted_entry_no_longer_expires():
    from datetime import date

    desired = CONFIG._replace(intents={"idp_groups/A": Intent(expires=date(2027, 1, 1), owner="ann@acme.com")})
    found = accepted(desired, [drift("idp_groups/A", M, L)])
    assert (found.intents["idp_groups/A"].expires, found.intents["idp_groups/A"].owner) == (None, "ann@acme.com")


def test_the_plan_of_a_drift_begins_with_the_values_before_it():
    made = inquiry({"G": M}, {"G": L}, {"G": M})
    moved = [Drift("idp_groups/G", "console", M, M, L)]
    (change,) = plan_of_drift(made.plan_input, moved).changes
    assert (change.address, change.before, change.after) == ("idp_groups/G", M, L)
    appeared = [Drift("idp_groups/G", "console", None, M, L)]
    (change,) = plan_of_drift(made.plan_input, appeared).changes
    assert (change.before, change.after) == (None, L)


@pytest.mark.parametrize("kind", ["differs", "unapplied", "converged", "unknown"])
def test_what_is_no_drift_has_no_plan(kind):
    made = inquiry({"G": M}, {"G": L}, {"G": M})
    assert plan_of_drift(made.plan_input, [Drift("idp_groups/G", kind, M, M, L)]) is None
    assert plan_of_drift(made.plan_input, []) is None


def test_a_setting_is_put_back_in_the_fields_that_were_applied():
    made = inquiry({}, {}, {})
    live = replace(made.plan_input.live.settings, defaults=Defaults("team_admin", EVERYONE))
    desired = made.plan_input.desired._replace(
        settings=replace(made.plan_input.desired.settings, defaults=Defaults("member", UNSET))
    )
    plan_input = made.plan_input._replace(live=replace(made.plan_input.live, settings=live), desired=desired)
    moved = [
        Drift(
            "defaults",
            "console",
            Defaults("member", UNSET),
            Defaults("member", UNSET),
            Defaults("team_admin", EVERYONE),
        )
    ]
    (did,) = plan_of_drift(plan_input, moved).changes
    assert (did.before, did.after) == (Defaults("member", UNSET), Defaults("team_admin", UNSET))
    (back,) = revert_plan(plan_input, moved).changes
    assert (back.before, back.after, back.reason) == (Defaults("team_admin", UNSET), Defaults("member", UNSET), "drift")


def test_a_new_unmanaged_admin_mapping_is_put_back_to_what_was_applied_or_unmapped():
    made = inquiry({}, {"G": L}, {})
    for last in (M, None):
        rows = [Drift("idp_groups/G", "console", last, None, L, new_admin=True)]
        (change,) = revert_plan(made.plan_input, rows).changes
        assert (change.address, change.before, change.after) == ("idp_groups/G", L, last)
    unmanaged = [Drift("idp_groups/G", "console", None, None, L, new_admin=True, managed=False)]
    assert revert_plan(made.plan_input, unmanaged) is None
    (effect,) = plan_of_drift(made.plan_input, unmanaged).changes
    assert (effect.before, effect.after) == (None, L)
