"""Computes the address that Entra's provisioning job sends for a user: what it maps to ``userName`` or to an email.

Entra does not publish the results of its expressions, so they are evaluated again here. A function that is not in
`FUNCTIONS`, or whose result depends on undocumented rules, is NotEvaluable: no address is better than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from rolecall.live.people.lines import external_address, is_guest_name

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


Json = Any
READ: Mapping[str, str] = {
    **{name: name for name in ("userPrincipalName", "mail", "mailNickname", "givenName", "surname", "displayName")},
    **{name: name for name in ("department", "companyName", "employeeId", "jobTitle", "country", "city")},
    "originalUserPrincipalName": "userPrincipalName",
    "objectId": "id",
    "onPremisesSamAccountName": "onPremisesSamAccountName",
    "onPremisesUserPrincipalName": "onPremisesUserPrincipalName",
}
"""Attributes of a mapping, and the properties of Graph users that hold them."""


class Source(NamedTuple):
    """The source of one attribute: its expression, and the value sent if that is empty. ``problem`` says why it cannot
    be evaluated.
    """

    expression: Expression
    otherwise: str | None = None
    problem: str | None = None


class Addresses(NamedTuple):
    """The sources of a user's address: ``userName`` first, then emails; the first valid address counts.

    ``unread`` says why the mapping is unknown, if it is.
    """

    sources: tuple[Source, ...]
    unread: str | None = None

    @property
    def problem(self) -> str | None:
        """Return why no address can be determined, or None."""
        return self.sources[0].problem

    @property
    def properties(self) -> tuple[str, ...]:
        """Return the user properties to request from Graph."""
        names = {READ[name] for source in self.sources if not source.problem for name in attributes(source.expression)}
        return tuple(sorted(names | {"id", "userPrincipalName", "accountEnabled"}))

    def of(self, user: Mapping[str, Json]) -> str | None:
        """Return a user's address, or None if no userName or no address is sent, so that they cannot be in the org.

        Raises NotEvaluable.
        """
        for source in self.sources:
            if source.problem:
                raise NotEvaluable(source.problem)
            value = evaluate(source.expression, lambda name: _value(user, name)) or source.otherwise
            if isinstance(value, tuple):
                raise NotEvaluable("a list is sent as the address")
            if value is None and source is self.sources[0]:
                return None
            if value and "@" in value:
                return value
        return None


ASSUMED = Addresses((Source(Attribute("userPrincipalName")),))
"""The mappings of Entra's SCIM template."""


def read_addresses(mappings: Iterable[Json]) -> Addresses:
    """Return how addresses are built from the attribute mappings of a job."""
    targets = {str(mapping.get("targetAttributeName") or ""): mapping for mapping in mappings}
    if "userName" not in targets:
        return ASSUMED._replace(unread="no attribute is mapped to userName")
    emails = [name for name in targets if name.startswith("emails[")]
    chosen = ["userName", *sorted(emails, key=lambda name: ("primary" not in name, "work" not in name))]
    return Addresses(tuple(_source(targets[name]) for name in chosen))


def _source(mapping: Json) -> Source:
    source = mapping.get("source") or {}
    name, kind = str(source.get("name") or ""), str(source.get("type") or "Attribute")
    text = str(source.get("expression") or (f"[{name}]" if kind == "Attribute" else f'"{name}"'))
    otherwise = mapping.get("defaultValue")
    try:
        expression: Expression = Constant(name) if kind == "Constant" else parse(text)
        _check(expression)
    except NotEvaluable as error:
        target = mapping.get("targetAttributeName")
        return Source(Constant(None), problem=f"Entra builds {target} from `{text[:120]}`, and {error}")
    return Source(expression, otherwise if isinstance(otherwise, str) else None)


def _check(expression: Expression) -> None:
    """Raise NotEvaluable for an unknown function or attribute, without evaluating a user."""
    for missing in sorted(functions(expression) - FUNCTIONS.keys()):
        raise NotEvaluable(f"the result of {missing} is unknown")
    for missing in sorted(attributes(expression) - READ.keys()):
        raise NotEvaluable(f"`{missing}` is not supported")


def _value(user: Mapping[str, Json], name: str) -> Value:
    """Return an attribute as provisioning reads it: for a guest's name, the address that it encodes."""
    value = user.get(READ[name])
    if not isinstance(value, str):
        return None
    if name != "userPrincipalName" or not is_guest_name(value):
        return value
    address = external_address(value)
    if address is None:
        raise NotEvaluable(f"`{value[:80]}` is not a guest name that contains an address")
    return address


def user_mappings(schema: Json) -> Iterator[Json]:
    """Yield the enabled attribute mappings of a job's schema."""
    for rule in schema.get("synchronizationRules") or ():
        for mapping in rule.get("objectMappings") or ():
            if mapping.get("enabled", True):
                yield from mapping.get("attributeMappings") or ()
