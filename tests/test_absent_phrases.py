"""What a test asserts to be absent is a phrase that rolecall prints elsewhere: otherwise the test cannot fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = (".yaml", ".jinja", ".html", ".js")

EXEMPT: Mapping[str, str] = {
    "since May": "a comment in the file that a snapshot is merged into",
    "with space": "a token that must not be shown",
    "line\nbreak": "a token that must not be shown",
    "written by 0.1.0": "the comment of an earlier release",
    "X member": "a team role, composed of team and role",
    "matches the configuration": "composed; test_cli_users_unread.py asserts it of a complete read",
    "guards passed": "composed of a count and a noun; test_report_text.py asserts it without --verbose",
}
"""Literals that are the test's own input or composed by rolecall, each with what it is."""

PHRASE = re.compile(r"[A-Za-z][\w'’-]*(?: [A-Za-z][\w'’-]*)+")
"""Two words or more: what is stable in a text with numbers, names or markup."""

SEARCHES = ("search", "match", "fullmatch", "findall")
HOLE = "\0"

Scope = Mapping[str, list[ast.expr]]


def text_of(node: ast.expr) -> str | None:
    """Return the text of a string or an f-string, with a hole for each value in it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_search(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SEARCHES


def literals(node: ast.expr, scope: Scope, depth: int = 3) -> Iterator[str]:
    """Yield the strings that an expression can be, also by way of names, lists and patterns."""
    text = text_of(node)
    if text is not None:
        yield text
    elif isinstance(node, ast.Name) and depth:
        for value in scope.get(node.id, []):
            yield from literals(value, scope, depth - 1)
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for element in node.elts:
            yield from literals(element, scope, depth)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        by_module = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
        if by_module and node.args:
            yield from literals(node.args[0], scope, depth)
        elif is_search(node):
            yield from literals(node.func.value, scope, depth)


def scope_of(function: ast.FunctionDef, module: ast.Module) -> Scope:
    """Return the values of the names that a function sees: assigned, looped over, or parameters of the test."""
    scope: dict[str, list[ast.expr]] = {}
    for node in (*module.body, *ast.walk(function)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    scope.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            scope.setdefault(node.target.id, []).append(node.iter)
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and len(decorator.args) > 1:
            names = (text_of(decorator.args[0]) or "").split(",")
            if len(names) == 1:
                scope.setdefault(names[0], []).append(decorator.args[1])
    return scope


def absent(node: ast.AST, scope: Scope, *, negated: bool = False) -> Iterator[tuple[int, str]]:
    """Yield each literal that an assertion requires to be absent, with its line."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        operator, right = node.ops[0], node.comparators[0]
        missing = isinstance(operator, ast.NotIn) or (isinstance(operator, ast.In) and negated)
        is_none = isinstance(operator, ast.Is) and isinstance(right, ast.Constant) and right.value is None
        if missing or (is_none and is_search(node.left)):
            yield from ((node.lineno, text) for text in literals(node.left, scope))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        negated = not negated
        if is_search(node.operand):
            yield from ((node.lineno, text) for text in literals(node.operand, scope))
    for child in ast.iter_child_nodes(node):
        yield from absent(child, scope, negated=negated)


def asserted_absent(source: str) -> Iterator[tuple[int, str]]:
    """Yield what the assertions of a test module require to be absent."""
    module = ast.parse(source)
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef):
            scope = scope_of(function, module)
            for node in ast.walk(function):
                if isinstance(node, ast.Assert):
                    yield from absent(node.test, scope)


@cache
def printed() -> str:
    """Return all text of rolecall that is neither a docstring nor a comment."""
    texts = []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix in TEMPLATES:
            texts.append(re.sub(r"\{\w+\}", HOLE, path.read_text(encoding="utf-8")))
        elif path.suffix == ".py":
            module = ast.parse(path.read_text(encoding="utf-8"))
            docs = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
            nodes = (node for node in ast.walk(module) if isinstance(node, ast.expr) and id(node) not in docs)
            texts.extend(text for text in map(text_of, nodes) if text is not None)
    return " ".join("\n".join(texts).replace("**", "").split(" "))


def is_printed(phrase: str) -> bool:
    """Return whether a text has the phrase, or has it with a value in place of one of three or more words."""
    words = phrase.split(" ")
    filled = [" ".join([*words[:at], HOLE, *words[at + 1 :]]) for at in range(len(words)) if len(words) > 2]
    return any(text in printed() for text in (phrase, *filled))


def never_printed(literal: str) -> list[str]:
    """Return the phrases of a literal or a pattern that rolecall prints nowhere."""
    if literal in EXEMPT:
        return []
    plain = re.sub(r"\\[bdsw]|\(\?<?[!=:][^)]*\)", HOLE, literal).replace("**", "")
    return [phrase for phrase in PHRASE.findall(plain) if not is_printed(phrase)]


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: path.stem)
def test_what_is_asserted_absent_is_printed_elsewhere(path: Path) -> None:
    if path == Path(__file__).resolve():
        return
    vacuous = {
        line: phrases for line, text in asserted_absent(path.read_text("utf-8")) if (phrases := never_printed(text))
    }
    assert not vacuous, f"{path.name}: never printed, so these assertions cannot fail: {vacuous}"


def test_each_exception_is_used() -> None:
    used = {
        text for path in (ROOT / "tests").rglob("test_*.py") for _, text in asserted_absent(path.read_text("utf-8"))
    }
    assert EXEMPT.keys() <= used


@pytest.mark.parametrize(
    "assertion",
    [
        'assert "all is quiet" not in text',
        'assert not any(part in text for part in ("all is quiet", "No drift."))',
        'assert not ("all is quiet" in text)',
        'assert re.search(r"^all is quiet\\b", text) is None',
        'assert not re.search("all is quiet|No drift", text)',
        "assert not CALM.search(text)",
        "for part in PARTS:\n        assert part not in text",
        'assert f"{name}: all is quiet" not in text',
    ],
)
def test_a_phrase_that_is_printed_nowhere_is_found(assertion: str) -> None:
    source = f'CALM = re.compile("all is quiet")\nPARTS = ["all is quiet"]\ndef test(text, name):\n    {assertion}\n'
    assert [phrase for _, text in asserted_absent(source) for phrase in never_printed(text)] == ["all is quiet"]


@pytest.mark.parametrize(
    "phrase", ["No drift.", "0 users", "No user's access changes", "Some steps are in Okta", "word"]
)
def test_a_phrase_that_is_printed_may_be_asserted_absent(phrase: str) -> None:
    assert never_printed(phrase) == []
