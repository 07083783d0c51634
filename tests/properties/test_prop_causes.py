"""The laws of causes, against the naive rules: without the changes named for a loss or a gain it does not happen, and
no change is named that does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from access_orgs import Org
from access_orgs import orgs as access_orgs
from hypothesis import given
from hypothesis import strategies as st
from naive_access import naive_access, naive_org_role
from test_prop_order import on_the_new_endpoint, planned, steps, walk

from rolecall.model.change import Change
from rolecall.model.directory import Person
from rolecall.model.live import Live
from rolecall.model.policy import TeamRole
from rolecall.plan.guards.losing import NAME
from rolecall.plan.headline import shift_of
from rolecall.plan.moves import Attribution, share
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.value import Move, Plan
from rolecall.report.builders.shares import shares_by_address, shifts_by

any_org = st.one_of(access_orgs(), on_the_new_endpoint())
Levels = frozenset[TeamRole]
RANKED = ["member", "team_admin", "org_admin"]
_EFFECT = ["domains", "sso", "idp_groups", "defaults", "scim"]


def levels(team_roles: Iterable[TeamRole]) -> Levels:
    """Each ranked role of a team by itself, and org admin for the whole org."""
    found = set()
    for team, role in team_roles:
        if not team:
            found.add(TeamRole("", role))
            continue
        lower = RANKED[: RANKED.index(role) + 1] if role in RANKED else [role]
        found |= {TeamRole(team, each) for each in lower}
        found |= {TeamRole("", "org_admin")} if role == "org_admin" else set()
    return frozenset(found)


class Counterfactual:
    """What a person has when some addresses of a plan are left out, by the naive rules."""

    def __init__(self, plan: Plan, live: Live, person: Person) -> None:
        self.changes: list[Change] = sorted(steps(plan), key=lambda c: _EFFECT.index(c.address.partition("/")[0]))
        self.live, self.person = live, person
        self.addresses = sorted({change.address for change in self.changes})

    def __call__(self, left_out: Iterable[str]) -> Levels:
        out = set(left_out)
        state = walk(self.live, [change for change in self.changes if change.address not in out])[-1]
        at_org_level = {TeamRole("", "org_admin")} if naive_org_role(self.person) == "org_admin" else set()
        return levels(naive_access(*state, self.person)) | at_org_level


def causes_of(move: Move) -> tuple[Attribution, ...]:
    """The causes of a move; where one change causes all of it, in the same form."""
    if move.causes:
        return move.causes
    before, after = levels(move.before), levels(move.after)
    return (Attribution(tuple(before - after), tuple(after - before), move.because, False, move.to_default),)


@given(any_org)
def test_leaving_out_the_changes_named_avoids_each_loss_and_gain_and_none_is_redundant(org: Org) -> None:
    plan, live = planned(org)
    moves = {who.email: move for move in plan.impact.moves for who in move.people}
    for person in org.people:
        if person.email not in moves:
            continue
        move = moves[person.email]
        causes = causes_of(move)
        access = Counterfactual(plan, live, person)
        before, after = access(access.addresses), access(())
        lost = [level for cause in causes for level in cause.lost]
        gained = [level for cause in causes for level in cause.gained]
        assert sorted(lost) == sorted(before - after)
        assert sorted(gained) == sorted(after - before)
        for cause in causes:
            for level in (*cause.lost, *cause.gained):
                holds_to_law(access, cause, level, was=level in cause.lost)


def holds_to_law(access: Counterfactual, cause: Attribution, level: TeamRole, *, was: bool) -> None:
    """``was``: whether the level was there before, so that it is lost."""

    def avoided(left_out: Iterable[str]) -> bool:
        return (level in access(left_out)) == was

    alone = {at for at in access.addresses if avoided((at,))}
    if alone:
        assert set(cause.because) == alone
        assert cause.each == (len(alone) > 1)
        return
    assert not cause.each
    assert len(cause.because) > 1
    assert avoided(cause.because)
    for size in range(len(cause.because)):
        assert not any(map(avoided, combinations(cause.because, size)))


@given(any_org)
def test_the_share_of_a_change_is_counted_and_told_alike(org: Org) -> None:
    plan, _ = planned(org)
    counted: dict[str, dict[str, int]] = {}
    for move in plan.impact.moves:
        for at in move.because:
            part = share(move, (at,))
            assert part.before != part.after
            counts = counted.setdefault(at, {"gain": 0, "lose": 0, "change": 0})
            counts[part.kind] += move.size
        assert share(move, move.because) == move
    assert counted == {at: tally._asdict() for at, tally in plan.impact.tallies.items()}


def counts(level: TeamRole) -> bool:
    """Whether losing it is losing access: org admin is org-wide (R21)."""
    return level.role != "org_admin" or not level.team


@given(any_org)
def test_a_guard_about_losses_names_changes_that_losses_are_due_to(org: Org) -> None:
    plan, _ = planned(org)
    guard = next(row for row in plan.guards if row.name == NAME)
    causes = [cause for move in plan.impact.moves for cause in causes_of(move) if any(map(counts, cause.lost))]
    causing = {at for cause in causes for at in cause.because}
    if "Cause: " in guard.message:
        named = guard.message.partition("Cause: ")[2]
        assert any(at in named for at in causing)
    if guard.target:
        assert {guard.target} == causing


@given(any_org)
def test_causes_survive_the_json_of_a_plan(org: Org) -> None:
    plan, _ = planned(org)
    assert decode_plan(encode_plan(plan)).impact.moves == plan.impact.moves


@given(any_org)
def test_shifts_computed_for_alike_users_at_once_are_those_of_each_move(org: Org) -> None:
    plan, _ = planned(org)
    for at, shares in shares_by_address(plan.impact).items():
        moves = [move for move in plan.impact.moves if at in move.because]
        assert [share.move for share in shares] == moves
        assert list(shifts_by(at, shares)) == [shift_of(share(move, (at,))) for move in moves]
