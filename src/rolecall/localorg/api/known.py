"""Holds team and role names against those the org has."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from rolecall.errors import did_you_mean
from rolecall.localorg.state import read_roles, read_teams
from rolecall.localorg.web import Fault, Refusal
from rolecall.model import normalise


def known_teams(tx: Connection, names: Iterable[str]) -> list[str]:
    """The teams as the org writes them, sorted. Raises Refusal 422 naming each one that is not there."""
    wanted, there = sorted({normalise.name(name) for name in names}), read_teams(tx)
    faults = [_unknown("team", name, there) for name in wanted if name not in there]
    if faults:
        raise Refusal(422, *faults)
    return wanted


def check_role(tx: Connection, role: str) -> None:
    """Raises Refusal 422 for a role id that the org does not have."""
    there = read_roles(tx)
    if role not in there:
        raise Refusal(422, _unknown("role", role, there))


def _unknown(kind: str, name: str, there: Iterable[str]) -> Fault:
    near = did_you_mean(name, there)
    words = f"This org has no {kind} `{name}`{f'; {near}' if near else ''}"
    return Fault(f"unknown_{kind}", words, {"field": "teams" if kind == "team" else "role", kind: name})
