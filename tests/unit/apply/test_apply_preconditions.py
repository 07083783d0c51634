"""Test that a plan without the guard `preconditions` is not applied where the org would refuse it."""

from __future__ import annotations

from pathlib import Path

import pytest
from workbench import Workbench

from rolecall.errors import Stale
from rolecall.model.desired import Desired
from rolecall.model.settings import Settings, Sso


def test_a_plan_without_the_guard_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    made = bench.plan(Desired(Settings(sso=Sso(enabled=False))))
    old = made._replace(guards=tuple(row for row in made.guards if row.name != "preconditions"))
    with pytest.raises(Stale, match=r"guard preconditions now blocks"):
        bench.apply(old)
    assert bench.events() == []
