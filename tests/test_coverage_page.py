"""docs/coverage.md: each statement of the articles is covered by something that exists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rolecall.cli.program import COMMANDS
from rolecall.model import console
from rolecall.model.kinds import BY_SECTION
from rolecall.plan.guards.evaluate import GUARDS
from rolecall.report.builders.prose import read_prose

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
RULES = set(re.findall(r"^### (R\d+) ", (ROOT / "docs" / "rules.md").read_text(encoding="utf-8"), re.MULTILINE))
ROWS = [(row[0], row[1]) for row in re.findall(r"^\| (?!statement)(.+?) \| (.+?) \|$", PAGE, re.MULTILINE)]


FIELDS = [field for kind in BY_SECTION.values() for field in kind.fields]
LABELS = {
    *(field.label for field in FIELDS),
    *(text for field in FIELDS for _, text in field.words),
    *(text for text in vars(console).values() if isinstance(text, str)),
}
"""The labels that the model of the console has."""


def prose_of(reference: str) -> Any:
    """Return the part of a data file that a reference such as `steps.yaml:scim` names. Raises KeyError."""
    file, _, keys = reference.partition(":")
    node = read_prose(file)
    for key in keys.split("."):
        node = node[key]
    return node


def texts_of(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for part in node.values():
            yield from texts_of(part)
    elif isinstance(node, list):
        for part in node:
            yield from texts_of(part)


def is_text(reference: str) -> bool:
    """Whether a reference names a part of a data file that has a text."""
    if not (ROOT / "src/rolecall/report/data" / reference.partition(":")[0]).is_file():
        return False
    return any(texts_of(prose_of(reference)))


def is_key(reference: str) -> bool:
    """Whether a reference is a key of the configuration: `scim.idp`, or `domains.NAME.join` in a keyed section."""
    section, *names = reference.split(".")
    kind = BY_SECTION.get(section)
    if kind is None or names[:-1] != (["NAME"] if kind.keyed else []):
        return False
    return names[-1] in {field.name for field in kind.fields}


def is_command(reference: str) -> bool:
    words = reference.split()
    return words[:1] == ["rolecall"] and any(words[1] in commands for commands in COMMANDS.values())


FORMS: Mapping[str, Callable[[str], bool]] = {
    "guard": lambda reference: reference in GUARDS,
    "test": lambda reference: (ROOT / reference).is_file(),
    "command": is_command,
    "": lambda reference: is_key(reference) or is_text(reference),
}


def unknown(covered: str) -> list[str]:
    """Return the references of a row that lead nowhere."""
    marked = re.findall(r"(?:\b(guard|test|command) )?`([^`]+)`", covered)
    rules = re.findall(r"\bR\d+\b", covered)
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", covered) if not (ROOT / "docs" / link).is_file()]
    faults = [reference for form, reference in marked if not FORMS[form](reference)]
    return [*faults, *links, *(rule for rule in rules if rule not in RULES)]


@pytest.mark.parametrize(("statement", "covered"), ROWS, ids=[statement[:40] for statement, _ in ROWS])
def test_each_statement_is_covered_by_what_exists(statement: str, covered: str) -> None:
    assert re.search(r"`|\bR\d+\b|\]\(", covered), "nothing covers it"
    assert unknown(covered) == []


@pytest.mark.parametrize(("statement", "covered"), [row for row in ROWS if "**" in row[0]])
def test_labels_of_a_statement_are_in_the_texts_that_cover_it(statement: str, covered: str) -> None:
    references = re.findall(r"`(\w+\.yaml:[^`]+)`", covered)
    texts = " ".join(text for reference in references for text in texts_of(prose_of(reference)))
    labels = re.findall(r"\*\*(.+?)\*\*", statement)
    assert [label for label in labels if label not in texts and label not in LABELS] == []


def test_every_article_has_a_table() -> None:
    assert len(re.findall(r"^## ", PAGE, re.MULTILINE)) == 5
    assert len(ROWS) > 70


@pytest.mark.parametrize(
    "covered",
    ["R99", "guard `nothing`", "`scim.nothing`", "`idp_groups.role`", "test `tests/nothing.py`", "[x](no.md)"],
)
def test_a_reference_that_leads_nowhere_is_found(covered: str) -> None:
    assert unknown(covered) != []
