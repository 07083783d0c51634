"""Laws of the two-step upgrade of the endpoint, on a local org, between other changes of all kinds.

The IdP pushes, renames and drops groups, someone maps one by hand, configs come and go, and runs are rolled back:

* an apply ends, leaves no drift, and leaves nothing to write but the next step of an upgrade;
* a plan that was applied in part can be applied to its end, and does nothing that was not in it;
* a rollback never moves the endpoint, changes nothing that it does not show, and leaves no drift of what it wrote.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import meddler
import pytest
from hypothesis import Phase, event, example, given, settings
from hypothesis import strategies as st
from renames import TEAMS, Bench
from workbench import Workbench

from rolecall.apply.steps import satisfies
from rolecall.errors import Misuse, Stale
from rolecall.model.desired import Desired
from rolecall.model.live import Live
from rolecall.model.policy import Allow, Guards, Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, GroupMapping, Scim, Settings
from rolecall.plan.guards.evaluate import GUARDS
from rolecall.plan.value import Plan, Selection

NAMES = ("A", "B", "C")
LIFTS = tuple(Allow(name, None, 9999, None, "law") for name in GUARDS)
SNAPSHOT = """\
snapshot: 1
org: {id: org_1, name: acme}
teams: [Everyone, Marketing, IT]
roles: [org_admin, team_admin, member]
domains: {acme.com: {discoverable: true, join: approval}}
defaults: {role: member, teams: [Everyone]}
sso: {enabled: true, name: Okta, idp: okta, allow_uninvited: false, allow_passwords: false}
scim: {enabled: true, idp: okta, endpoint: legacy, manual_editing: false}
idp_groups: {A: {teams: [IT]}, B: {teams: [Marketing]}, C: null}
people:
  - {email: a@acme.com, groups: [A], role_attribute: admin}
  - {email: b@acme.com, groups: [B]}
  - {email: c@acme.com, groups: [C]}
  - {email: d@acme.com}
"""


class LegacyBench(Bench):
    """A local org on the legacy endpoint."""

    def __init__(self, folder: Path) -> None:
        Workbench.__init__(self, folder, SNAPSHOT)

    def live(self) -> Live:
        return asyncio.run(self._read())

    def pushed(self) -> list[str]:
        return sorted(self.live().settings.idp_groups)

    def states(self) -> dict[str, object]:
        """What stands in the org, by address."""
        held = self.live().settings
        groups = {f"idp_groups/{name}": mapping for name, mapping in held.idp_groups.items()}
        return {**groups, "defaults": held.defaults, "scim": held.scim}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> LegacyBench:
    return LegacyBench(tmp_path_factory.mktemp("upgrade"))


teams = st.frozensets(st.sampled_from(TEAMS), min_size=1, max_size=2)
mappings = st.one_of(
    st.just(BLANK), *[st.builds(GroupMapping, st.sampled_from(["member", "team_admin", "org_admin", None]), teams)] * 3
)
scims = st.builds(
    Scim,
    enabled=st.sampled_from([UNSET, True, True, False]),
    endpoint=st.sampled_from(["new", "new", "new", UNSET]),
    manual_editing=st.sampled_from([UNSET, True, False]),
)
defaults = st.builds(Defaults, st.sampled_from(["member", "team_admin"]), teams)
groups = st.dictionaries(st.sampled_from(NAMES), mappings)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    """The value, or now and then UNSET."""
    return st.one_of(st.just(UNSET), strategy, strategy, strategy)


policies = st.sampled_from([{}, {"idp_groups": "authoritative"}]).map(
    lambda manage: Policy(manage=manage, guards=Guards(require_self=False))
)
configs = st.builds(
    lambda held, policy: Desired(held, {}, policy),
    st.builds(Settings, scim=maybe(scims), defaults=maybe(defaults), idp_groups=maybe(groups)),
    policies,
)
names = st.sampled_from(NAMES)
steps = st.one_of(
    st.tuples(st.just("apply"), configs),
    st.tuples(st.just("apply"), configs),
    st.tuples(st.just("apply again")),
    st.tuples(st.just("apply in part"), configs, st.lists(st.booleans(), min_size=6, max_size=6)),
    st.tuples(st.just("push"), names),
    st.tuples(st.just("push"), names),
    st.tuples(st.just("drop"), names),
    st.tuples(st.just("rename"), names, st.sampled_from(["X", "Y"])),
    st.tuples(st.just("map by hand"), names, st.sampled_from(TEAMS)),
    st.tuples(st.just("roll back"), st.integers(0, 9)),
    st.tuples(st.just("roll back"), st.integers(0, 9)),
)


class Course:
    """One sequence of steps: the config in force, and the runs that wrote something."""

    def __init__(self, bench: LegacyBench, config: Desired) -> None:
        self.bench, self.config = bench, config
        self.runs: list[int] = []

    def take(self, kind: str, *args) -> None:
        match kind:
            case "apply":
                self.config = args[0]
                self.apply()
            case "apply again":
                self.apply()
            case "apply in part":
                self.config = args[0]
                self.apply_in_part(args[1])
            case "roll back":
                self.roll_back(args[0])
            case _:
                self.meddle(kind, *args)

    def apply(self) -> None:
        planned = self.plan()
        if refused(planned):
            return
        self.carry_out(planned)
        assert self.bench.drifts(self.config) == []
        remaining = {(change.address, change.action) for change in self.plan().writes}
        if any(change.action == "upgrade" for change in planned.writes):
            remaining -= {("scim", "upgrade"), *((f"idp_groups/{name}", "create") for name in NAMES)}
        assert remaining == set()

    def apply_in_part(self, chosen: list[bool]) -> None:
        whole = self.plan()
        part = tuple(change.address for change, now in zip(whole.writes, chosen, strict=False) if now)
        if refused(whole) or not part:
            return
        first = self.plan(selection=Selection(part))
        if refused(first):
            return
        self.carry_out(first)
        run, problems = self.resume(whole)
        if problems:  # the approved state cannot be rebuilt, so the rest is judged from the org as it is
            assert any(change.address == "scim" for change in first.writes)
            assert {problem.code for problem in problems} <= {"guard_worse", "escalation"}
        else:
            assert {_named(step) for step in run.steps} <= {_named(change) for change in whole.changes}

    def resume(self, whole: Plan):
        """The run and no problems, or no run and what speaks against it."""
        try:
            return self.carry_out(whole), ()
        except Stale as error:
            return None, error.problems

    def roll_back(self, pick: int) -> None:
        if not self.runs:
            return
        bench = self.bench
        before = bench.states()
        try:
            back = bench.back(self.runs[pick % len(self.runs)], self.config)
        except Misuse:
            return
        if refused(back):
            return
        with bench.journal() as journal:
            undone = journal.run(self.runs[pick % len(self.runs)])
        run = self.carry_out(back)
        after = bench.states()
        assert after["scim"].endpoint == before["scim"].endpoint
        planned = {change.address for change in back.changes}
        assert {at for at in before.keys() & after.keys() if before[at] != after[at]} <= planned
        for step in undone.steps:
            if step.address in planned and step.action != "upgrade" and step.address in ("defaults", "scim"):
                assert satisfies(after[step.address], _without_endpoint(step.before))
        written = {step.address for step in run.steps}
        assert [row for row in bench.drifts(self.config) if row[0] in written] == []
        event("rolled back a run with a step of the upgrade" if _upgraded(undone) else "rolled back")

    def meddle(self, kind: str, name: str, *more: str) -> None:
        """What the IdP or another admin does, where the org takes it."""
        live = self.bench.live()
        there, scim = name in live.settings.idp_groups, live.settings.scim
        path = self.bench.folder / "org.db"
        if kind == "map by hand" and there and scim.endpoint != "legacy":
            with meddler.org(path) as org:
                target = f"/v1/idp-groups/{org.group(name)['id']}/mapping"
                assert org.write("PUT", target, {"role": "member", "teams": [*more]}).status == 200
        elif scim.enabled and kind != "map by hand":
            with meddler.idp(path) as idp:
                if kind == "push" and not there:
                    idp.pushes(name)
                elif kind == "drop" and there:
                    idp.drops(name)
                elif kind == "rename" and there and more[0] not in live.settings.idp_groups:
                    idp.renames(name, *more)

    def plan(self, **more) -> Plan:
        return self.bench.plan(self.config, lifts=LIFTS, **more)

    def carry_out(self, planned: Plan):
        run = self.bench.run(planned)
        self.runs += [run.id] if run.steps else []
        event("upgraded" if _upgraded(run) else "applied")
        return run


def refused(planned: Plan) -> bool:
    verdicts = {guard.name: guard.verdict for guard in planned.guards}
    return planned.errored or verdicts["preconditions"] == "block" or verdicts["unread"] in ("block", "not judged")


def _named(step) -> tuple[str, str, object]:
    return step.address, step.action, step.after if step.action == "upgrade" else None


def _upgraded(run) -> bool:
    return any(step.action == "upgrade" for step in run.steps)


def _without_endpoint(value):
    return replace(value, endpoint=UNSET) if isinstance(value, Scim) else value


STARTS = Desired(
    Settings(scim=Scim(endpoint="new", manual_editing=True), defaults=Defaults("member", frozenset({"IT"}))),
    {},
    Policy(guards=Guards(require_self=False)),
)


@settings(max_examples=max(8, settings.default.max_examples // 12), phases=(Phase.explicit, Phase.generate))
@given(configs, st.lists(steps, min_size=4, max_size=9))
@example(Desired(), [("apply in part", STARTS, [True, False, False, False, False, False])])
def test_the_upgrade_between_other_changes(bench: LegacyBench, config: Desired, taken: list[tuple]) -> None:
    bench.again()
    course = Course(bench, config)
    course.apply()
    for kind, *args in taken:
        course.take(kind, *args)
