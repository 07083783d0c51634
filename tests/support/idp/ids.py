"""Ids, times and search expressions that the stand-ins for Okta and Entra share."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

BEGAN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
"""The time of a stand-in's first event; each later one is a second after the one before."""


def uid(name: str) -> str:
    """Return the same UUID for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def oid(name: str, prefix: str = "00") -> str:
    """Return the same Okta id for the same name: 20 characters that begin with the prefix of its kind."""
    return f"{prefix}{uid(name).replace('-', '')}"[:20]


def ticks(start: datetime = BEGAN) -> Iterator[str]:
    """Yield times in the format of both IdPs, a second apart."""
    at = start
    while True:
        yield at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        at += timedelta(seconds=1)


class BadFilter(ValueError):
    """The expression has another form, attribute or operator than the IdP documents."""


Getter = Callable[[Any], str | Iterable[str] | None]
Test = Callable[[Any], bool]

_TOKEN = re.compile(r'\s*(\(|\)|"(?:\\.|[^"\\])*"|\'(?:\'\'|[^\'])*\'|[^\s()"\']+)')
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda value, text: value == text,
    "sw": lambda value, text: value.startswith(text),
    "co": lambda value, text: text in value,
    "ge": lambda value, text: value >= text,
    "gt": lambda value, text: value > text,
}


def compile_filter(expression: str, attributes: Mapping[str, Getter]) -> Test:
    """Return the test of a `filter` or `search` of Okta, or of a `$filter` of Graph.

    ``attributes`` are those that may be named, with how to get their values from a record; case does not count in a
    value. Raises BadFilter.
    """
    tokens = _TOKEN.findall(expression)
    if "".join(tokens).replace(" ", "") != expression.replace(" ", ""):
        raise BadFilter(f"cannot read {expression!r}")
    test = _either(tokens, attributes)
    if tokens:
        raise BadFilter(f"unexpected {tokens[0]!r} in {expression!r}")
    return test


def _either(tokens: list[str], attributes: Mapping[str, Getter]) -> Test:
    tests = [_both(tokens, attributes)]
    while tokens and tokens[0].lower() == "or":
        tokens.pop(0)
        tests.append(_both(tokens, attributes))
    return lambda record: any(test(record) for test in tests)


def _both(tokens: list[str], attributes: Mapping[str, Getter]) -> Test:
    tests = [_term(tokens, attributes)]
    while tokens and tokens[0].lower() == "and":
        tokens.pop(0)
        tests.append(_term(tokens, attributes))
    return lambda record: all(test(record) for test in tests)


def _term(tokens: list[str], attributes: Mapping[str, Getter]) -> Test:
    if not tokens:
        raise BadFilter("the expression ends too early")
    first = tokens.pop(0)
    if first == "(":
        test = _either(tokens, attributes)
        if not tokens or tokens.pop(0) != ")":
            raise BadFilter("a bracket is not closed")
        return test
    if len(tokens) < 2 or first not in attributes or tokens[0].lower() not in _OPERATORS:
        raise BadFilter(f"{first!r} is no attribute or operator that can be used here")
    operator, literal, value_of = _OPERATORS[tokens.pop(0).lower()], _literal(tokens.pop(0)), attributes[first]
    return lambda record: any(operator(value.lower(), literal.lower()) for value in _values(value_of(record)))


def _literal(token: str) -> str:
    if token.startswith('"') and token.endswith('"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if token.startswith("'") and token.endswith("'"):
        return token[1:-1].replace("''", "'")
    return token


def _values(value: str | Iterable[str] | None) -> Iterable[str]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value
