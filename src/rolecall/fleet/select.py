"""Selects orgs of a fleet by their labels."""

from __future__ import annotations

from fnmatch import fnmatchcase

from rolecall.errors import Misuse, Problem, did_you_mean
from rolecall.fleet.declaration import FleetOrg

EVERY_ORG = "*"


def select_orgs(orgs: tuple[FleetOrg, ...], text: str) -> tuple[FleetOrg, ...]:
    """Return the orgs that have all labels of a text such as ``region=emea,tier=canary``; values may have wildcards.

    Raises Misuse for another text, for a label or value that no org has, and if no org is selected.
    """
    if text == EVERY_ORG:
        return orgs
    terms = [_term(part, orgs) for part in text.split(",")]
    selected = tuple(org for org in orgs if all(_has(org, name, value) for name, value in terms))
    if not selected:
        raise Misuse(Problem("fleet_select", f"no org has all labels of `{text}`", None, "remove one of them"))
    return selected


def _term(text: str, orgs: tuple[FleetOrg, ...]) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (name and equals and value):
        hint = "write such as `--select region=emea,tier=canary`"
        raise Misuse(Problem("fleet_select", f"`{text}` does not select by a label", None, hint))
    values = {org.labels[name] for org in orgs if name in org.labels}
    if not values:
        names = sorted({label for org in orgs for label in org.labels})
        hint = did_you_mean(name, names) or f"use one of: {', '.join(names)}"
        raise Misuse(Problem("fleet_select", f"no org has the label `{name}`", None, hint))
    if not any(fnmatchcase(known, value) for known in values):
        hint = did_you_mean(value, sorted(values)) or "for the labels of each org: rolecall fleet validate"
        raise Misuse(Problem("fleet_select", f"no org has the label `{name}={value}`", None, hint))
    return name, value


def _has(org: FleetOrg, name: str, value: str) -> bool:
    return name in org.labels and fnmatchcase(org.labels[name], value)
