"""Test the order of steps: waves, the order in a wave, parallel steps, and temporary access changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_org import ask, config, live, many, person, plan

from rolecall.model.policy import Policy, TeamRole
from rolecall.model.settings import Defaults, Domain, Scim, Sso
from rolecall.plan.make import make
from rolecall.plan.order.risk import levels
from rolecall.plan.value import Transient, Who


def order(made):
    return [(change.wave, change.address) for change in made.changes]


def test_the_waves_what_others_need_first_and_last_what_nothing_needs():
    before = {"New": "", "Mix": "member: X", "Old": "member: X"}
    desired = config(
        {"New": "member: X", "Mix": "member: Y", "Old": ""},
        Policy(manage={"domains": "authoritative"}),
        domains={"acme.com": Domain(False), "acme.de": Domain(True, "approval")},
        defaults=Defaults("member", frozenset({"Y"})),
        sso=Sso(name="Okta 2"),
        scim=Scim(manual_editing=True),
    )
    org = live(before, caller="me@acme.de")
    assert order(make(ask(desired, org, []))) == [
        (0, "domains/acme.com"),
        (0, "domains/acme.de"),
        (0, "sso"),
        (1, "idp_groups/New"),
        (2, "idp_groups/Mix"),
        (3, "defaults"),
        (3, "scim"),
        (4, "idp_groups/Old"),
    ]


def test_switching_off_comes_last_scim_before_sso_before_domains():
    desired = config(
        {"A": "member: Y"},
        Policy(manage={"domains": "authoritative"}),
        domains={},
        sso=Sso(enabled=False),
        scim=Scim(enabled=False),
    )
    assert order(make(ask(desired, live({"A": "member: X"}), []))) == [
        (2, "idp_groups/A"),
        (5, "scim"),
        (5, "sso"),
        (5, "domains/acme.com"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "wave"),
    [
        ("", "member: X", 1),
        ("member: X", "team_admin: X", 1),
        ("member: X", "member: X, Y", 1),
        ("member: X", "member: Y", 2),
        ("team_admin: X", "member: X, Y", 2),
        ("member: X", "editor: X", 2),
        ("team_admin: X", "member: X", 4),
        ("org_admin: X", "team_admin: X", 4),
        ("member: X, Y", "member: X", 4),
        ("member: X", "", 4),
        (": X", "team_admin: X", 1),
    ],
)
def test_a_mapping_gives_more_less_or_both(before, after, wave):
    made = plan({"A": before}, {"A": after}, [])
    assert made.changes[0].wave == wave


def test_new_mappings_that_give_most_of_the_default_go_first_and_deletes_that_do_go_last():
    spec = {"A": "member: X", "B": "member: Everyone", "C": "member: Y"}
    blank = dict.fromkeys(spec, "")
    assert [at for _, at in order(plan(blank, spec, []))] == ["idp_groups/B", "idp_groups/A", "idp_groups/C"]
    assert [at for _, at in order(plan(spec, blank, []))] == ["idp_groups/A", "idp_groups/C", "idp_groups/B"]


def test_whoever_gains_what_changes_hands_comes_before_whoever_loses_it():
    before = {"A": "member: X", "B": "member: Y"}
    after = {"A": "member: Z", "B": "member: X"}
    made = plan(before, after, [person("ann", "A", "B")])
    assert order(made) == [(2, "idp_groups/B"), (2, "idp_groups/A")]
    assert made.impact.transients == ()
    assert [who.email for who in made.impact.at_risk] == ["ann@acme.com"]
    nobody = plan(before, after, [person("ann", "A"), person("bo", "B")])
    assert order(nobody) == [(2, "idp_groups/A"), (2, "idp_groups/B")]
    assert nobody.impact.at_risk == ()


def test_what_changes_hands_crosswise_cannot_be_spared_and_is_told():
    made = plan({"A": "member: X", "B": "member: Y"}, {"A": "member: Y", "B": "member: X"}, [person("ann", "A", "B")])
    assert made.impact.changed == 0
    assert made.impact.transients == (Transient(Who("u-ann", "ann@acme.com"), "lacks", TeamRole("X", "member"), 1, 2),)


def test_two_new_mappings_that_each_replace_a_part_of_the_default():
    org = live({"A": "", "B": ""}, defaults=Defaults("member", frozenset({"X", "Y"})))
    made = make(ask(config({"A": "member: X", "B": "member: Y"}), org, [person("ann", "A", "B")]))
    (row,) = made.impact.transients
    assert (row.kind, row.team_role, row.from_step, row.to_step) == ("lacks", TeamRole("Y", "member"), 1, 2)


def test_steps_that_share_somebody_at_risk_are_apart_and_others_side_by_side():
    before = {"A": "member: X", "B": "member: Y", "C": "member: V", "D": "member: W"}
    after = {"A": "member: Z", "B": "member: X", "C": "member: W", "D": "member: V"}
    made = plan(before, after, [person("ann", "A", "B"), person("bo", "C"), person("cy", "D")])
    assert [[change.address for change in level] for level in levels(made)] == [
        ["idp_groups/B", "idp_groups/C", "idp_groups/D"],
        ["idp_groups/A"],
    ]


def test_no_level_spans_two_waves_and_together_they_are_what_is_written():
    made = plan({"A": "", "B": "member: X"}, {"A": "member: X", "B": ""}, many(2, "A", "B"))
    assert [[change.address for change in level] for level in levels(made)] == [["idp_groups/A"], ["idp_groups/B"]]
    assert tuple(change for level in levels(made) for change in level) == made.writes


def test_manual_editing_goes_where_it_spares_most():
    """Ann's edit on X counts only while no group gives X: switched on before A moves away it would be lost between."""
    org = live({"A": "member: X"}, scim=Scim(True, "okta", "new", False))
    desired = config({"A": "member: Y"}, scim=Scim(manual_editing=True))
    made = make(ask(desired, org, [person("ann", "A", manual="member: X")]))
    places = {change.address: step for step, change in enumerate(made.changes)}
    assert places["scim"] < places["idp_groups/A"]
    assert made.impact.transients == ()
    assert next(change for change in made.changes if change.address == "scim").wave < 2
    tie = make(ask(desired, org, [person("ann", "A")]))
    assert next(change for change in tie.changes if change.address == "scim").wave == 3


def test_a_waiting_change_is_no_step_and_stands_at_the_end():
    made = plan({"A": "member: X"}, {"A": "member: Y", "New": "member: X"}, many(1, "A"))
    assert [change.via for change in made.changes] == ["api", "waiting"]


def test_steps_of_transients_count_from_one_in_the_order_of_the_plan():
    before = {"A": "", "M": "member: X", "N": "member: Y"}
    after = {"A": "member: Z", "M": "member: Y", "N": "member: X"}
    made = plan(before, after, [person("ann", "M", "N"), person("bo", "A")])
    (row,) = made.impact.transients
    assert made.changes[0].address == "idp_groups/A"
    assert (row.from_step, row.to_step) == (2, 3)


def test_what_a_mapping_gives_only_until_the_default_moves_is_told():
    """R31: for a moment a mapping without a role follows the default that is about to go."""
    org = live({"A": "member: X"}, defaults=Defaults("team_admin", frozenset({"Everyone"})))
    desired = config({"A": ": X"}, defaults=Defaults("member", frozenset({"Everyone"})))
    made = make(ask(desired, org, [person("ann", "A")]))
    assert made.impact.changed == 0
    (row,) = made.impact.transients
    assert (row.kind, row.team_role, row.from_step, row.to_step) == ("has", TeamRole("X", "team_admin"), 1, 2)
    assert [who.email for who in made.impact.at_risk] == ["ann@acme.com"]


UPGRADING = Scim(True, "okta", "upgrading", False)


def test_a_switch_of_scim_and_a_step_of_the_upgrade_never_share_a_level():
    """R33: whichever came first would decide who has what at the end."""
    org = live({}, scim=UPGRADING, legacy_links={})
    made = make(ask(config({}, scim=Scim(enabled=False, endpoint="new")), org, [person("ann")]))
    assert [[(change.address, change.action) for change in level] for level in levels(made)] == [
        [("scim", "update")],
        [("scim", "upgrade")],
    ]


def test_users_with_manual_edits_in_no_changed_group_are_part_of_the_simulation():
    """Ann's edit ends with manual editing, and the default's role begins with the new endpoint (R16, R18)."""
    default = Defaults("team_admin", frozenset({"Everyone"}))
    org = live({}, scim=replace(UPGRADING, manual_editing=True), legacy_links={}, defaults=default)
    desired = config({}, scim=Scim(endpoint="new", manual_editing=False))
    made = make(ask(desired, org, [person("ann", manual="team_admin: Everyone"), person("bo")]))
    assert [level[0].action for level in levels(made)] == ["update", "upgrade"]
    (row,) = made.impact.transients
    assert (row.who.email, row.kind, row.team_role) == ("ann@acme.com", "lacks", TeamRole("Everyone", "team_admin"))
    assert (row.from_step, row.to_step) == (1, 2)
    assert [who.email for who in made.impact.at_risk] == ["ann@acme.com"]
