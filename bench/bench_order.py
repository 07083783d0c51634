"""How long it takes to order a plan that changes every mapping of an org of a million people, and to walk it.

    python bench/bench_order.py [--people N] [--changed N] [--groups N] [--held N] [--mapped N] [--teams N]

1,000,000 people, 5,000 groups, 5,000,000 memberships, 2,000 changed mappings: order and transients under 10 s. The
people are made in memory; times are of the clock and of the processor. Memory is the peak of this process.

A reorganization, in which users are in many groups that change and the search for a better order reaches its limit:

    python bench/bench_order.py --people 5000 --groups 500 --held 20 --mapped 500 --changed 130 --teams 60
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TypeVar

from org_at_size import FULL, Size, group, snapshot, wanted

from rolecall.cli.session import collect_rarely
from rolecall.codec.capabilities import WRITES
from rolecall.codec.settings import decode_settings
from rolecall.codec.snapshot import decode_snapshot
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory
from rolecall.plan.diff.changes import diff
from rolecall.plan.forecast import forecast_access
from rolecall.plan.impact.compute import compute_impact
from rolecall.plan.order.risk import at_risk
from rolecall.plan.order.steps import Ordered, order
from rolecall.plan.order.transients import transients, weight
from rolecall.plan.value import Transient

T = TypeVar("T")
TODAY = date(2026, 11, 22)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=FULL.people)
    parser.add_argument("--changed", type=int, default=2_000)
    parser.add_argument("--groups", type=int, default=FULL.groups)
    parser.add_argument("--held", type=int, default=FULL.held)
    parser.add_argument("--mapped", type=int)
    parser.add_argument("--teams", type=int, default=FULL.teams)
    asked = parser.parse_args()
    collect_rarely()
    mapped = asked.mapped or max(FULL.mapped, asked.changed * 11 // 10)
    size = FULL._replace(
        people=asked.people,
        changed=asked.changed,
        mapped=mapped,
        groups=asked.groups,
        held=asked.held,
        teams=asked.teams,
    )
    live = decode_snapshot(snapshot(size)).live
    live = replace(live, facts=live.facts._replace(can=WRITES))
    directory = crowd(size)
    changes = diff(Desired(decode_settings({"idp_groups": wanted(size)})), live, TODAY).changes
    print(f"{len(directory):,} people, {len(directory.members):,} memberships, {len(changes):,} changes")
    forecast = timed("before, after, candidates", lambda: forecast_access(live, directory, changes))
    risks = timed("who is at risk", lambda: at_risk(forecast))
    print(f"{'':34}{sum(len(risk.numbers) for risk in risks):,} people in {len(risks):,} kinds")

    def ordered() -> tuple[Ordered, tuple[Transient, ...]]:
        made = order(changes, forecast)
        return made, transients(forecast, made.timeline, made.risks)

    (steps, risks, timeline, limited), found = timed("order and transients", ordered, aim=10.0)
    left = timed("walk all of them once more", lambda: weight(timeline, risks))
    print(f"{'':34}{left:,} moments no order spared: {len(found):,} transients")
    print(f"{'':34}{len({(c.wave, c.level) for c in steps}):,} levels{'; the search reached its limit' * limited}")
    told = timed("impact of all 2,000", lambda: compute_impact(forecast, steps, risks, timeline)).impact
    print(f"{'':34}{told.changed:,} change, in {len(told.moves):,} kinds of move")
    print(f"{'':34}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB peak")
    print(f"made at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")


def crowd(size: Size) -> Directory:
    """People in columns, each in as many groups as the size says."""
    chance = random.Random("crowd")
    members = array("I", (int(chance.random() * size.groups) for _ in range(size.people * size.held)))
    offsets = array("I", range(0, len(members) + 1, size.held))
    emails = [f"p{number}@example.com" for number in range(size.people)]
    ids = [f"u{number}" for number in range(size.people)]
    return Directory(emails, ids, tuple(map(group, range(size.groups))), offsets, members)


def timed(name: str, action: Callable[[], T], *, aim: float | None = None) -> T:
    start, spent = time.perf_counter(), time.process_time()
    result = action()
    took, used = time.perf_counter() - start, time.process_time() - spent
    against = "" if aim is None else f"aim {aim:g} s{'' if took < aim else ', MISSED'}"
    print(f"{name:34}{took:8.3f} s {used:8.3f} s  {against}".rstrip(), flush=True)
    return result


if __name__ == "__main__":
    main()
