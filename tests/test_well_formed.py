"""Problems and findings that are not well formed are noticed, and the list of codes is complete."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from well_formed import CHECKS, CODES, FAMILY, LIST, SRC, finding_fault, problem_fault, unmet_fault

from rolecall.errors import Problem, Where
from rolecall.plan.guards.evaluate import GUARDS

PLACE = Where("rolecall.yaml", 3, 1)


def texts(path: Path) -> set[str]:
    """Return every text in a module, also as a part of another one."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_code_of_the_list_is_used_and_the_list_is_sorted() -> None:
    used = {text for path in Path(SRC).rglob("*.py") for text in texts(path)}
    composed = {f"{family}_{text}" for family in ("audit", "idp", "journal", "usage") for text in used}
    assert CODES - used - composed == set()
    assert LIST.read_text(encoding="utf-8").splitlines() == sorted(CODES)


@pytest.mark.parametrize(("module", "name"), CHECKS)
def test_each_kind_of_record_that_is_checked_is_where_it_is_looked_for(module: str, name: str) -> None:
    assert issubclass(getattr(importlib.import_module(module), name), tuple)


@pytest.mark.parametrize("code", ["org_timeout", "graph_418", "okta_too_large", *(f"guard.{name}" for name in GUARDS)])
def test_composed_codes_are_known(code: str) -> None:
    assert FAMILY.fullmatch(code)


@pytest.mark.parametrize(
    "parts",
    [
        ("no_such_code", "is wrong"),
        (None, "is wrong"),
        ("USAGE", "is wrong"),
        ("usage", None),
        ("usage", "IS WRONG"),
        ("usage", "the response to None is wrong"),
        ("usage", "teams are frozenset({'A'})"),
        ("usage", "is wrong", "rolecall.yaml"),
        ("usage", "is wrong", None, None, "hint"),
    ],
)
def test_a_problem_that_is_not_well_formed_is_noticed(parts: tuple[object, ...]) -> None:
    assert problem_fault(*parts)


def test_a_finding_or_demand_that_is_not_well_formed_is_noticed() -> None:
    assert finding_fault("BLOCK", "Is wrong.")
    assert finding_fault("block", None)
    assert finding_fault("block", "Is wrong.", fixes=("TRY AGAIN",))
    assert finding_fault("block", "Is wrong.", fixes=(None,))
    assert unmet_fault("Is wrong.")
    assert unmet_fault(None, "Try again.")


def test_what_is_well_formed_is_not_and_tests_may_make_what_they_like() -> None:
    assert problem_fault("usage", "is wrong", PLACE, "try again", "warning") is None
    assert finding_fault("pass", "None of the users loses access.") is None
    assert finding_fault("review", "Is wrong.", 3, fixes=("Try again.",)) is None
    assert unmet_fault("Is wrong.", "Try again.", lambda change: True) is None
    assert Problem("made up by a test", "is wrong").code == "made up by a test"
