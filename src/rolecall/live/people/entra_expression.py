"""Evaluates expressions in the attribute mappings of Entra's provisioning, as needed for addresses.

Entra evaluates them without publishing the result, so they are evaluated again here. A function that is not in
`FUNCTIONS`, or whose result depends on undocumented rules, is NotEvaluable, because no address is better than a wrong
one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

Value: TypeAlias = str | tuple[str, ...] | None
"""Text, the parts that ``Split`` returns, or nothing."""


class NotEvaluable(ValueError):
    """The result of an expression cannot be determined; the text says why."""


class Attribute(NamedTuple):
    """``[name]``: an attribute of the user."""

    name: str


class Constant(NamedTuple):
    """Quoted text, a number, or an omitted argument (None)."""

    text: str | None


class FunctionCall(NamedTuple):
    """A function and its arguments."""

    name: str
    arguments: tuple[Attribute | Constant | FunctionCall, ...]


Expression: TypeAlias = Attribute | Constant | FunctionCall

_TOKEN = re.compile(r'\s*(?:\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|([A-Za-z]\w*)|(-?\d+)|([(),]))\s*')
_DEEPEST = 30


def parse(text: str) -> Expression:
    """Return the parsed expression. Raises NotEvaluable."""
    tokens = list(_tokens(text))
    expression, end = _parse(tokens, 0, 0)
    if end != len(tokens):
        raise NotEvaluable("there is text after its end")
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
    """Return the result of an expression for a user; ``value`` returns attributes. Empty text is nothing. Raises
    NotEvaluable.
    """
    if isinstance(expression, Attribute):
        return value(expression.name) or None
    if isinstance(expression, Constant):
        return expression.text or None
    function = FUNCTIONS.get(expression.name)
    if function is None:
        raise NotEvaluable(f"the result of {expression.name} is unknown")
    return function([evaluate(argument, value) for argument in expression.arguments]) or None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NotEvaluable(f"`{text[at : at + 20]}` cannot be parsed")
        kind = token.lastindex or 0
        yield ("", "attribute", "text", "name", "number", "sign")[kind], token[kind]
        at = token.end()


def _parse(tokens: Sequence[tuple[str, str]], at: int, depth: int) -> tuple[Expression, int]:
    if at >= len(tokens) or depth > _DEEPEST:
        raise NotEvaluable("it ends unexpectedly" if at >= len(tokens) else "it is nested too deeply")
    kind, text = tokens[at]
    if kind == "attribute":
        return Attribute(text.strip()), at + 1
    if kind in ("text", "number"):
        return Constant(re.sub(r"\\(.)", r"\1", text)), at + 1
    if kind != "name" or at + 1 >= len(tokens) or tokens[at + 1] != ("sign", "("):
        raise NotEvaluable(f"`{text[:20]}` cannot be parsed")
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
        raise NotEvaluable("a position is not a number")
    return int(value)


def _append(arguments: Sequence[Value]) -> Value:
    text, suffix = arguments
    return _text(text) + _text(suffix)


def _join(arguments: Sequence[Value]) -> Value:
    separator, *parts = arguments
    return (separator or "" if not isinstance(separator, tuple) else "").join(map(_text, parts))


def _replace(arguments: Sequence[Value]) -> Value:
    """Evaluate ``Replace(source, old, regex, group, replacement, ...)`` without a regular expression."""
    text, old, *more = arguments
    if not old or any(more[:2]) or any(more[3:]):
        raise NotEvaluable("Replace with a pattern or a template is not supported")
    return _text(text).replace(_text(old), str(more[2] or "") if len(more) > 2 else "")


def _case(change: Callable[[str], str]) -> Callable[[Sequence[Value]], Value]:
    def changed(arguments: Sequence[Value]) -> Value:
        text, *culture = arguments
        if any(culture):
            raise NotEvaluable("culture-specific rules are not supported")
        return None if text is None else change(_text(text))

    return changed


def _mid(arguments: Sequence[Value]) -> Value:
    text, start, length = arguments
    first = _number(start) - 1
    if first < 0:
        raise NotEvaluable("a position is before the start of the text")
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
        raise NotEvaluable("it uses an item that does not exist")
    return parts[at - 1]


def _plain(arguments: Sequence[Value]) -> Value:
    (text,) = arguments
    if text is not None and not _text(text).isascii():
        raise NotEvaluable("the rules for accented letters are not documented")
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
            raise NotEvaluable("a function has an unknown number of arguments") from None

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
"""The supported functions; names are case-sensitive in Entra too."""
