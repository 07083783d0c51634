"""Computes the address that Entra's provisioning job sends for a user: what it maps to ``userName`` or to an email."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rolecall.live.people.entra_expression import (
    FUNCTIONS,
    Attribute,
    Constant,
    Expression,
    NotEvaluable,
    Value,
    attributes,
    evaluate,
    functions,
    parse,
)
from rolecall.live.people.values import external_address, is_guest_name

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
