"""Evaluates expressions in the attribute mappings of Entra's provisioning, as far as they make an address.

Entra evaluates them without publishing the result, so they are evaluated here again. A function without an entry in
`FUNCTIONS`, or whose result depends on rules that Microsoft does not document, is NotEvaluable: no address is
better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

Value: TypeAlias = str | tuple[str, ...] | None
"""Text, the parts that ``Split`` gives, or nothing."""


class NotEvaluable(ValueError):
    """The result of an expression cannot be known here; the text says why."""


class Attribute(NamedTuple):
    """``[name]``: an attribute of the user."""

    name: str


class Constant(NamedTuple):
    """Text between quotes, a number, or an argument that was left out (None)."""

    text: str | None


class FunctionCall(NamedTuple):
    """A function and its arguments."""

    name: str
    arguments: tuple[Attribute | Constant | FunctionCall, ...]


Expression: TypeAlias = Attribute | Constant | FunctionCall

_TOKEN = re.compile(r'\s*(?:\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|([A-Za-z]\w*)|(-?\d+)|([(),]))\s*')
_DEEPEST = 30


def parse(text: str) -> Expression:
    """Return the expression that a text writes. Raises NotEvaluable."""
    tokens = list(_tokens(text))
    expression, end = _parse(tokens, 0, 0)
    if end != len(tokens):
        raise NotEvaluable("it goes on after its end")
    return expression


def attributes(expression: Expression) -> frozenset[str]:
    """Return the names of the attributes that an expression reads."""
    if isinstance(expression, Attribute):
        return frozenset((expression.name,))
    if isinstance(expression, FunctionCall):
        return frozenset[str]().union(*map(attributes, expression.arguments))
    return frozenset()


def functions(expression: Expression) -> frozenset[str]:
    """Return the names of the functions that an expression calls."""
    if not isinstance(expression, FunctionCall):
        return frozenset()
    return frozenset((expression.name,)).union(*map(functions, expression.arguments))


def evaluate(expression: Expression, value: Callable[[str], Value]) -> Value:
    """Return what an expression gives for a user, whose attributes ``value`` tells. Empty text is nothing. Raises
    NotEvaluable."""
    if isinstance(expression, Attribute):
        return value(expression.name) or None
    if isinstance(expression, Constant):
        return expression.text or None
    function = FUNCTIONS.get(expression.name)
    if function is None:
        raise NotEvaluable(f"what {expression.name} gives is not known here")
    return function([evaluate(argument, value) for argument in expression.arguments]) or None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NotEvaluable(f"`{text[at : at + 20]}` is not understood")
        kind = token.lastindex or 0
        yield ("", "attribute", "text", "name", "number", "sign")[kind], token[kind]
        at = token.end()


def _parse(tokens: Sequence[tuple[str, str]], at: int, depth: int) -> tuple[Expression, int]:
    if at >= len(tokens) or depth > _DEEPEST:
        raise NotEvaluable("it ends too early" if at >= len(tokens) else "it is nested too deeply")
    kind, text = tokens[at]
    if kind == "attribute":
        return Attribute(text.strip()), at + 1
    if kind in ("text", "number"):
        return Constant(re.sub(r"\\(.)", r"\1", text)), at + 1
    if kind != "name" or at + 1 >= len(tokens) or tokens[at + 1] != ("sign", "("):
        raise NotEvaluable(f"`{text[:20]}` is not understood")
    arguments: list[Expression] = []
    at += 2
    while tokens[at : at + 1] != [("sign", ")")]:
        if tokens[at : at + 1] == [("sign", ",")]:
            arguments.append(Constant(None))
        else:
            argument, at = _parse(tokens, at, depth + 1)
            arguments.append(argument)
        if tokens[at : at + 1] == [("sign", ",")]:
            at += 1
        elif tokens[at : at + 1] != [("sign", ")")]:
            raise NotEvaluable("a bracket is not closed")
    return FunctionCall(text, tuple(arguments)), at + 1


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise NotEvaluable("an attribute that it joins is empty" if value is None else "it joins a list")
    return value


def _number(value: Value) -> int:
    if not isinstance(value, str) or not value.lstrip("-").isdigit():
        raise NotEvaluable("a position in it is no number")
    return int(value)


def _append(arguments: Sequence[Value]) -> Value:
    text, suffix = arguments
    return _text(text) + _text(suffix)


def _join(arguments: Sequence[Value]) -> Value:
    separator, *parts = arguments
    return (separator or "" if not isinstance(separator, tuple) else "").join(map(_text, parts))


def _replace(arguments: Sequence[Value]) -> Value:
    """Apply ``Replace(source, old, regex, group, replacement, ...)``, without a regular expression."""
    text, old, *more = arguments
    if not old or any(more[:2]) or any(more[3:]):
        raise NotEvaluable("a Replace with a pattern or template is not evaluated")
    return _text(text).replace(_text(old), str(more[2] or "") if len(more) > 2 else "")


def _case(change: Callable[[str], str]) -> Callable[[Sequence[Value]], Value]:
    def changed(arguments: Sequence[Value]) -> Value:
        text, *culture = arguments
        if any(culture):
            raise NotEvaluable("the rules of a culture are not known here")
        return None if text is None else change(_text(text))

    return changed


def _mid(arguments: Sequence[Value]) -> Value:
    text, start, length = arguments
    first = _number(start) - 1
    if first < 0:
        raise NotEvaluable("a position in it is before the text")
    return _text(text)[first : first + _number(length)]


def _left(arguments: Sequence[Value]) -> Value:
    text, length = arguments
    return None if text is None else _text(text)[: max(0, _number(length))]


def _split(arguments: Sequence[Value]) -> Value:
    text, sign = arguments
    return () if text is None else tuple(_text(text).split(_text(sign)))


def _item(arguments: Sequence[Value]) -> Value:
    parts, index = arguments
    at = _number(index)
    if not isinstance(parts, tuple) or not 1 <= at <= len(parts):
        raise NotEvaluable("it takes an item that is not there")
    return parts[at - 1]


def _plain(arguments: Sequence[Value]) -> Value:
    (text,) = arguments
    if text is not None and not _text(text).isascii():
        raise NotEvaluable("how Entra writes letters with accents is not known here")
    return text


def _coalesce(arguments: Sequence[Value]) -> Value:
    return next((value for value in arguments if value), None)


def _checked(function: Callable[[Sequence[Value]], Value]) -> Callable[[Sequence[Value]], Value]:
    def called(arguments: Sequence[Value]) -> Value:
        try:
            return function(arguments)
        except NotEvaluable:
            raise
        except ValueError:
            raise NotEvaluable("a function in it has another number of arguments than is known") from None

    return called


FUNCTIONS: Mapping[str, Callable[[Sequence[Value]], Value]] = {
    name: _checked(function)
    for name, function in {
        "Append": _append,
        "Coalesce": _coalesce,
        "IgnoreFlowIfNullOrEmpty": _coalesce,
        "Item": _item,
        "Join": _join,
        "Left": _left,
        "Mid": _mid,
        "NormalizeDiacritics": _plain,
        "Replace": _replace,
        "Split": _split,
        "StripSpaces": _case(lambda text: text.replace(" ", "")),
        "ToLower": _case(str.lower),
        "ToUpper": _case(str.upper),
        "Trim": _case(str.strip),
    }.items()
}
"""What is evaluated, by the names that are case-sensitive in Entra too."""
