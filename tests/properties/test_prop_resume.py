"""The law of resuming: a plan that was applied in part may be applied to its end as it was approved.

Any of its steps may be done already: by a run that ended early, by one with targets, or by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import orgs as planning
import pytest
from access_orgs import TEAMS, Org
from hypothesis import given
from hypothesis import strategies as st
from test_prop_order import on_the_new_endpoint, planned, walk

from rolecall.apply.resume import applied_already, approved_state
from rolecall.apply.verify import verify
from rolecall.model.desired import Desired
from rolecall.model.live import Live
from rolecall.model.policy import Guards, Policy
from rolecall.model.settings import BLANK, GroupMapping, Settings
from rolecall.plan.make import make
from rolecall.plan.value import Plan


def acceptable(org: Org) -> Org:
    """The org with its teams read, and without mappings that it would refuse: a role needs a team (R4)."""
    before, after = (replace(side, idp_groups=dict(_mappings(side))) for side in (org.before, org.after))
    return org._replace(before=before, after=after, facts=org.facts._replace(teams=frozenset(TEAMS)))


def _mappings(side: Settings) -> Iterator[tuple[str, GroupMapping]]:
    for name, mapping in side.idp_groups.items():
        yield name, mapping if mapping.teams else BLANK


def again(org: Org, live: Live, guards: Guards) -> Plan:
    """The plan for an org as it is now, with everybody read."""
    policy = Policy(manage={"idp_groups": "authoritative"}, guards=guards)
    return make(planning.question(Desired(org.after, {}, policy), live, directory=org.directory))


@pytest.mark.parametrize("stance", ["review", "allow"])
@given(on_the_new_endpoint(), st.data())
def test_a_plan_that_was_cut_off_is_never_refused_for_what_it_did_itself(stance, org: Org, data: st.DataObject) -> None:
    escalations = dict.fromkeys(("team_admin", "org_admin", "custom"), stance)
    guards = Guards(escalations=escalations, min_org_admins=0, require_self=False)
    org = acceptable(org)
    _, live = planned(org)
    approved = again(org, live, guards)
    if any(guard.name == "preconditions" and guard.verdict != "pass" for guard in approved.guards):
        return  # such a plan cannot be applied at all
    chosen = data.draw(st.lists(st.booleans(), min_size=len(approved.writes), max_size=len(approved.writes)))
    done = [change for change, chance in zip(approved.writes, chosen, strict=True) if chance]
    settings, facts = walk(live, done)[-1]
    now = replace(live, settings=settings, facts=facts)
    fresh = again(org, now, guards)
    already = applied_already(approved, fresh)
    before = approved_state(now, already)
    regime = any(change.address == "scim" for change in already)
    assert before is not None or regime
    if before is None:
        return
    verified, moved = verify(approved, fresh, again(org, before, guards))
    assert [problem for problem in moved if problem.code != "guard_worse"] == []
    assert {problem.message.split()[1] for problem in moved} <= {"min_org_admins"}
    assert not any("users" in note for note in verified.notes)
    assert {change.address for change in (*verified.steps, *already)} == {c.address for c in approved.writes}
