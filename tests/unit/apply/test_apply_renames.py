"""Test groups that the IdP renames between a plan and its apply, during a run, and before a rollback."""

from __future__ import annotations

from pathlib import Path

import pytest
from renames import Bench

from rolecall.errors import ConfigError, Stale
from rolecall.live.client import OrgClient
from rolecall.model.desired import Desired, Intent
from rolecall.model.policy import AccessTest, Ignore, Policy
from rolecall.model.settings import BLANK, GroupMapping, Settings

MEMBER = GroupMapping("member", frozenset({"Marketing"}))
LEAD = GroupMapping("team_admin", frozenset({"IT"}))
ADMIN = GroupMapping("org_admin", frozenset({"IT"}))
AUTHORITATIVE = Policy(manage={"idp_groups": "authoritative"})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def config(policy=None, pins=(), **groups: GroupMapping) -> Desired:
    intents = {f"idp_groups/{key}": Intent(id=pin) for key, pin in dict(pins).items()}
    return Desired(Settings(idp_groups=groups), intents, policy or Policy())


@pytest.mark.parametrize("remembered", [False, True])
def test_a_name_that_changed_hands_since_the_plan_stops_the_apply(bench: Bench, remembered: bool) -> None:
    if remembered:
        bench.run(bench.plan(config(B=LEAD)))
    approved = bench.plan(config(B=MEMBER))
    before = bench.state()
    bench.rename(["A", "B-real", "B", "D"])
    with pytest.raises(Stale) as stale:
        bench.apply(approved)
    problem = stale.value.problems[0]
    assert problem.message == (
        "idp_groups/B now names another group in the org (id g3); the approved group (id g2) is now idp_groups/B-real"
    )
    assert problem.hint == "check the groups in the IdP, then make a new plan: rolecall plan --out FILE"
    assert bench.state() == before


def test_a_group_that_was_only_renamed_since_the_plan_is_followed(bench: Bench) -> None:
    approved = bench.plan(config(B=MEMBER))
    bench.rename(["A", "B-real", "C", "D"])
    report = bench.apply(approved)
    assert bench.state()["g2"] == MEMBER
    assert any("was renamed to idp_groups/B-real" in note for note in report.notes)


def test_a_plan_without_ids_is_applied_by_name(bench: Bench) -> None:
    approved = bench.plan(config(B=MEMBER))
    old = approved._replace(group_ids={}, changes=tuple(change._replace(id=None) for change in approved.changes))
    bench.run(old)
    assert bench.state()["g2"] == MEMBER


def test_a_group_that_is_renamed_during_the_run_is_followed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    write = OrgClient.write

    async def writes(self, *args):
        ended = await write(self, *args)
        bench.rename(["A", "B-real", "C", "D"])
        return ended

    monkeypatch.setattr(OrgClient, "write", writes)
    report = bench.apply(bench.plan(config(B=MEMBER)))
    assert (report.run.outcome, report.notes) == ("done", ())
    monkeypatch.undo()
    assert bench.plan(config(B=MEMBER)).changes == ()
    assert bench.drifts(config(B=MEMBER)) == []


def test_a_known_group_is_not_unmapped_because_another_took_its_name(bench: Bench) -> None:
    wanted = config(AUTHORITATIVE, A=MEMBER)
    bench.run(bench.plan(wanted))
    bench.rename(["A-real", "A", "C", "D"])
    plan = bench.plan(wanted)
    assert plan.changes == ()
    assert any("`A` was renamed to `A-real`" in problem.message for problem in plan.warnings)


def test_two_entries_of_one_group_are_refused(bench: Bench) -> None:
    with pytest.raises(ConfigError) as error:
        bench.plan(config(pins={"Old": "g1"}, Old=MEMBER, A=LEAD))
    assert [problem.code for problem in error.value.problems] == ["same_group"]


def test_swapped_names_do_not_swap_what_is_restored(bench: Bench) -> None:
    bench.map([ADMIN, LEAD, BLANK, BLANK])
    pins = {"A": "g1", "B": "g2"}
    run = bench.run(bench.plan(config(pins=pins, A=MEMBER, B=MEMBER)))
    bench.rename(["B", "A", "C", "D"])
    bench.run(bench.back(run.id, config(pins=pins, A=MEMBER, B=MEMBER)))
    assert [bench.state()[known] for known in ("g1", "g2")] == [ADMIN, LEAD]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(ignore=(Ignore("idp_groups/B", "x"),)), "is now ignored"),
        (Policy(manage={"idp_groups": "unmanaged"}), "is no longer managed"),
    ],
)
def test_what_is_ignored_or_unmanaged_by_now_is_named(bench: Bench, policy: Policy, words: str) -> None:
    run = bench.run(bench.plan(config(B=MEMBER)))
    bench.rename(["A", "B2", "C", "D"])
    back = bench.back(run.id, config(policy, B=MEMBER))
    assert back.changes == ()
    assert any(words in problem.message for problem in back.warnings)


def test_a_group_that_is_gone_and_a_later_change_are_named(bench: Bench) -> None:
    run = bench.run(bench.plan(config(A=MEMBER, B=MEMBER)))
    bench.map([LEAD, MEMBER, BLANK, BLANK])
    bench._sql("DELETE FROM groups WHERE id = ?", [("g2",)])
    back = bench.back(run.id, config(A=MEMBER, B=MEMBER))
    said = [problem.message for problem in back.warnings]
    assert any("the group of idp_groups/B, which run" in message for message in said)
    assert any("idp_groups/A was changed again" in message for message in said)


def test_a_mapping_made_by_hand_is_drift_after_a_rename_too(bench: Bench) -> None:
    wanted = config(AUTHORITATIVE, A=MEMBER)
    bench.run(bench.plan(wanted))
    bench.write(C=ADMIN)
    bench.rename(["A", "B", "C9", "D"])
    assert [at for at, _ in bench.drifts(wanted)] == ["idp_groups/C9"]


def test_an_unmanaged_admin_mapping_that_was_renamed_is_not_new(bench: Bench) -> None:
    bench.map([BLANK, BLANK, ADMIN, BLANK])
    bench.run(bench.plan(config(A=MEMBER)))
    bench.rename(["A", "B", "C9", "D"])
    assert bench.drifts(config(A=MEMBER)) == []


def test_an_access_test_looks_at_the_pinned_group(bench: Bench) -> None:
    tests = (AccessTest("never", groups=("Old",), never=("org_admin",)),)
    plan = bench.plan(config(Policy(access_tests=tests), {"Old": "g1"}, Old=ADMIN))
    assert [test.passed for test in plan.access_tests] == [False]
