"""How much it costs to see that a file is formatted: it is not parsed and written by the slow emitter for that."""

from __future__ import annotations

import pytest
from counting import each

from rolecall.desired.edit import format as fmt

SMALL, LARGE = 50, 150


def text(number: int) -> str:
    lines = [f"  Writer-{n}: {{role: member, teams: [Brand, Team {n}]}}\n" for n in range(number)]
    return f"version: 1\n\nidp_groups:\n{''.join(lines)}"


def test_a_formatted_mapping_costs_so_many_calls(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fmt, "reformatted", None)
    assert each(lambda number: (lambda own: lambda: fmt.formatted(own, "x.yaml"))(text(number)), SMALL, LARGE) <= CALLS


CALLS = 56
