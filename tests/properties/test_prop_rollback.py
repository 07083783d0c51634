"""The law of rollback, on a local org with a journal, while the IdP renames groups between all runs.

A rollback restores the live value of every address that the run wrote and nobody changed since; the memory follows, so
that there is no drift afterwards; and the rollback of the rollback restores again what the first run did.
"""

from __future__ import annotations

from datetime import date
from itertools import count

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from renames import IDS, NAMES, TEAMS, Bench

from rolecall.errors import Misuse
from rolecall.model.desired import Desired, Intent
from rolecall.model.kinds import address
from rolecall.model.policy import Policy
from rolecall.model.settings import BLANK, Defaults, GroupMapping, Settings

values = st.sampled_from(
    [BLANK, *(GroupMapping(role, frozenset({team})) for role in ("member", "team_admin") for team in TEAMS)]
)
names = st.lists(st.sampled_from(NAMES), min_size=4, max_size=4)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("rollback"))


@st.composite
def configs(draw: st.DrawFn) -> tuple[Desired, Desired]:
    """Two versions of one config: entries under the groups' first names, or pinned under any other key."""
    policy = Policy(manage=draw(st.sampled_from([{}, {"idp_groups": "authoritative"}])))
    fresh = count(1)
    first: dict[str, GroupMapping] = {}
    second: dict[str, GroupMapping] = {}
    intents: dict[str, Intent] = {}
    later: dict[str, Intent] = {}
    for name, known in zip(NAMES, IDS, strict=False):
        how = draw(st.sampled_from(["by name", "pinned", "pinned elsewhere", "left out"]))
        if how == "left out":
            continue
        key = f"Key {next(fresh)}" if how == "pinned elsewhere" else name
        pin = None if how == "by name" else known
        intents[address("idp_groups", key)] = Intent(id=pin)
        first[key] = draw(values)
        if draw(st.booleans()):
            second[key] = draw(values)
            later[address("idp_groups", key)] = Intent(id=pin, expires=draw(st.sampled_from([None, date(2026, 11, 1)])))
    default = [Defaults("member", frozenset({draw(st.sampled_from(TEAMS))})) for _ in range(2)]
    return (
        Desired(Settings(idp_groups=first, defaults=default[0]), intents, policy),
        Desired(Settings(idp_groups=second, defaults=default[1]), later, policy),
    )


@settings(max_examples=max(15, settings.default.max_examples // 8), phases=(Phase.explicit, Phase.generate))
@given(configs(), st.lists(values, min_size=4, max_size=4), names, names, names)
def test_a_rollback_restores_what_its_run_wrote(bench, versions, initial, one, two, three) -> None:
    first, second = versions
    bench.again()
    bench.map(initial)
    bench.run(bench.plan(first))
    bench.rename(one)
    before = bench.state()
    planned = bench.plan(second)
    assume(planned.writes and not planned.errored)
    run = bench.run(planned)
    after = bench.state()
    written = {step.id or step.address for step in run.steps}
    assert {key for key in before if before[key] != after[key]} == written

    bench.rename(two)
    back = bench.back(run.id, second)
    assert {change.id or change.address for change in back.changes} == written
    bench.rename(two)
    again = bench.run(back)
    assert bench.state() == before
    assert bench.drifts(second) == []

    bench.rename(three)
    assert bench.drifts(second) == []
    forth = bench.back(again.id, second)
    bench.run(forth)
    assert bench.state() == after
    assert bench.drifts(second) == []
    with pytest.raises(Misuse):
        bench.back(bench.run(forth._replace(changes=())).id, second)
