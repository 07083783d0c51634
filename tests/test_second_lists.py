"""Kinds and fields are listed once, in `rolecall.model.settings`: no other literal names two of them without a reason.

A literal that lists sections or fields again is forgotten when one is added. Derive it from `rolecall.model.kinds`;
where a rule is about exactly these, give the reason below.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from rolecall.model.kinds import KINDS, SECTIONS

SRC = Path(__file__).resolve().parents[1] / "src" / "rolecall"
TABLE = SRC / "model" / "settings.py"

KNOWN = (frozenset(SECTIONS), *(frozenset(field.name for field in kind.fields) for kind in KINDS))

MEANT: Mapping[tuple[str, frozenset[str]], str] = {
    (package, frozenset(names.split())): reason
    for package, names, reason in (
        ("access", "defaults scim", "whom a change of either can affect is found in a way of its own (R2, R33)"),
        ("apply", "idp_groups scim", "which facts of an org are read with which section"),
        ("jobs", "role teams", "the columns of the table that people paste or write as CSV"),
        ("live", "idp_assignments idp_pushes", "the list of an app in Okta that has each section"),
        ("live", "idp_groups scim", "which facts of an org are read with which section"),
        ("localorg", "role teams", "the names of a mapping that the org must know"),
        ("model", "role teams", "types of fields that are called like fields"),
        ("plan", "domains sso", "who can join by themselves (R26), by section"),
        ("plan", "discoverable join", "who can join by themselves (R26), by field"),
        ("plan", "allow_uninvited enabled", "who can join by themselves (R26), by field"),
        ("plan", "idp_groups scim", "the sections that an org's tier may not include"),
        ("report", "idp role_attribute", "values that the prose of a runbook is filled with"),
        ("report", "idp metadata name", "values that the prose of a runbook is filled with"),
        ("report", "role teams", "values that the prose of a runbook is filled with"),
        ("report", "scim sso", "the steps that may keep the admin who takes them from signing in"),
    )
}
"""What a literal of a package may name, and why."""


class SecondList(NamedTuple):
    """A literal that names two sections, or two fields of one kind."""

    package: str
    names: frozenset[str]
    place: str

    def __str__(self) -> str:
        return f"{self.place} names {', '.join(sorted(self.names))}"


def second_lists(source: str, package: str, place: str) -> Iterator[SecondList]:
    """Yield the literals of a module that name two sections, or two fields of one kind."""
    for node in ast.walk(ast.parse(source)):
        names = frozenset(_texts(node))
        for listed in {names & known for known in KNOWN} if len(names) > 1 else ():
            if len(listed) > 1:
                yield SecondList(package, listed, f"{place}:{getattr(node, 'lineno', 0)}")


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts that a literal lists: its entries, its keys, its values, or the choices of a Literal type."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            entries = parts
        case ast.Dict(keys=keys, values=values):
            entries = [*(key for key in keys if key is not None), *values]
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            yield from (keyword.arg for keyword in keywords if keyword.arg)
            return
        case _:
            return
    for entry in entries:
        match entry:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Call(func=ast.Name(id="address"), args=[ast.Constant(value=str(text))]):
                yield text


def of_the_project() -> list[SecondList]:
    return [
        found
        for path in sorted(SRC.rglob("*.py"))
        if path != TABLE
        for found in second_lists(path.read_text("utf-8"), path.relative_to(SRC).parts[0], str(path.relative_to(SRC)))
    ]


def test_no_literal_lists_kinds_or_fields_again() -> None:
    assert [str(found) for found in of_the_project() if (found.package, found.names) not in MEANT] == []


def test_every_reason_is_still_needed() -> None:
    there = {(found.package, found.names) for found in of_the_project()}
    assert [key for key in MEANT if key not in there] == []
    assert all(MEANT.values())


@pytest.mark.parametrize(
    "source",
    [
        'x = ("sso", "scim")',
        'x = {"domains": 1, "idp_groups": 2}',
        'x = {"a": "domains", "b": "scim"}',
        'x: Literal["sso", "scim"]',
        'x = frozenset({"discoverable", "join"})',
        "dict(enabled=1, idp=2)",
        'x = [address("sso"), address("defaults")]',
    ],
)
def test_a_second_list_is_noticed(source: str) -> None:
    assert list(second_lists(source, "plan", "plan/x.py"))


@pytest.mark.parametrize("source", ['x = ("sso", "teams")', 'x = {"join": "enabled"}', 'f("sso", "scim")', "x = ()"])
def test_other_literals_are_not(source: str) -> None:
    assert not list(second_lists(source, "plan", "plan/x.py"))
