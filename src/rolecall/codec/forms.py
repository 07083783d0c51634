"""Defines how JSON of plain types, lists and maps is written and read, and the errors for JSON that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from operator import methodcaller
from types import NoneType
from typing import Any, NamedTuple

from rolecall.codec.settings import Json, decode_settings, encode_settings
from rolecall.model.settings import Settings


class Fault(NamedTuple):
    """A fault in a document, and the path to it."""

    path: tuple[str | int, ...]
    message: str

    def __str__(self) -> str:
        return f"{self.message} at {'/'.join(map(str, self.path)) or 'the top'}"


class Misfit(ValueError):
    """JSON that does not have the expected form, with every fault in it."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults

    def nested_in(self, key: str | int) -> Iterator[Fault]:
        """Yield the faults as the record or list with this value under ``key`` reports them."""
        return (Fault((key, *fault.path), fault.message) for fault in self.faults)


class Form(NamedTuple):
    """The writer and the reader of one type. Reading raises Misfit or ValueError for what does not fit."""

    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]


def as_it_is(value: Any) -> Any:
    """Return a value unchanged: the form of what is JSON already."""
    return value


PLAIN: Mapping[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    int: ((int,), "a whole number"),
    bool: ((bool,), "true or false"),
    float: ((int, float), "a number"),
    NoneType: ((NoneType,), "null"),
}


_NAMES = {dict: "an object", list: "a list", **{kinds[-1]: name for kinds, name in PLAIN.values()}}
"""Names of JSON types in faults. The value itself is not shown, because it may be anything."""


def _checked(kinds: Iterable[type], expected: str) -> Callable[[Json], Any]:
    allowed = frozenset(kinds)

    def check(json: Json) -> Any:
        if type(json) not in allowed:
            raise Misfit(Fault((), f"expected {expected}, not {_NAMES.get(type(json), 'this')}"))
        return json

    return check


def any_of(kinds: Sequence[Any]) -> Callable[[Json], Any]:
    """Return the check for JSON of one of these plain types."""
    types = (kind for name in kinds for kind in PLAIN[name][0])
    return _checked(types, " or ".join(PLAIN[name][1] for name in kinds))


text = any_of((str,))
an_object = _checked((dict,), _NAMES[dict])
_list = _checked((list, tuple), "a list")


def one_of(choices: Sequence[Any]) -> Callable[[Json], Any]:
    """Return the check for one of some plain values."""

    def check(json: Json) -> Any:
        if json not in choices:
            raise Misfit(Fault((), f"expected {' or '.join(map(repr, choices))}"))
        return json

    return check


def listed(inner: Form, kind: type[tuple[Any, ...]] | type[frozenset[Any]]) -> Form:
    """Return the form of a tuple or a frozenset of values of one form; sets are written in order."""
    encode, decode = inner
    order = sorted if kind is frozenset else list

    def encode_list(values: Any) -> list[Json]:
        return order(values) if encode is as_it_is else [encode(value) for value in order(values)]

    def decode_list(json: Json) -> Any:
        if decode is text and set(map(type, _list(json))) <= {str}:
            return kind(json)
        return kind(each(enumerate(_list(json)), decode))

    return Form(encode_list, decode_list)


def each(pairs: Iterable[tuple[Any, Json]], decode: Callable[[Json], Any]) -> list[Any]:
    """Return the decoded values. Raises Misfit with the faults of all."""
    values: list[Any] = []
    faults: list[Fault] = []
    for key, json in pairs:
        try:
            values.append(decode(json))
        except Misfit as error:
            faults += error.nested_in(key)
        except ValueError as error:
            faults.append(Fault((key,), str(error)))
    if faults:
        raise Misfit(*faults)
    return values


def fixed(inner: tuple[Form, ...]) -> Form:
    """Return the form of a tuple with a form for each of its places."""

    def decode(json: Json) -> Any:
        if len(_list(json)) != len(inner):
            raise Misfit(Fault((), f"expected {len(inner)} values, not {len(json)}"))
        pairs = enumerate(zip(inner, json, strict=True))
        return tuple(each(pairs, lambda pair: pair[0].decode(pair[1])))

    return Form(lambda values: [form.encode(value) for form, value in zip(inner, values, strict=True)], decode)


def mapping(key: Form, inner: Form) -> Form:
    """Return the form of a mapping with keys and values of one form each."""
    encode, decode = inner

    def encode_mapping(values: Mapping[Any, Any]) -> dict[str, Json]:
        return dict(values) if encode is as_it_is else {name: encode(value) for name, value in values.items()}

    def decode_mapping(json: Json) -> dict[Any, Any]:
        names = each(((name, name) for name in an_object(json)), key.decode)
        return dict(zip(names, each(json.items(), decode), strict=True))

    return Form(encode_mapping, decode_mapping)


FORMS: Mapping[Any, Form] = {
    Any: Form(as_it_is, as_it_is),
    **{kind: Form(as_it_is, any_of((kind,))) for kind in PLAIN},
    date: Form(methodcaller("isoformat"), lambda json: date.fromisoformat(text(json))),
    datetime: Form(methodcaller("isoformat"), lambda json: datetime.fromisoformat(text(json))),
    Settings: Form(encode_settings, lambda json: decode_settings(an_object(json))),
}
