r"""Encodes and decodes records as JSON by their type hints: a record is declared once, and its JSON follows.

The fields of a NamedTuple or a dataclass are keys in their order; ``model.record`` has the marks for exceptions. Sets
become sorted lists, days and moments ISO 8601. A setting's value is written by the section of the record's ``address``;
an unmapped group is null. A document whose records have their own form gives its codec ``Shape``\ s.

Decoding checks every type, ignores unknown keys, uses defaults for missing ones, and reports all faults at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from rolecall.codec import forms
from rolecall.codec.forms import FORMS, PLAIN, Fault, Form, Misfit
from rolecall.codec.settings import Json, decode_value, encode_value, fits
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.record import FLAT, OMIT, UNWRITTEN, Key, Normal, With
from rolecall.model.settings import BLANK, Value

T = TypeVar("T")


class Shape(NamedTuple):
    """The differences between a record's JSON and its fields.

    ``keys`` are all of its keys in their order, empty for those of the fields; a field without a key here is not
    written. ``write`` returns the keys that differ or do not come from the fields; ``read`` returns JSON as in the
    fields, and may raise what access to JSON of another form raises. ``shared``: equal records, of which a document has
    many, are one object in its JSON.
    """

    keys: tuple[str, ...] = ()
    write: Callable[[Any, Mapping[str, Json]], Mapping[str, Json]] | None = None
    read: Callable[[dict[str, Json]], Mapping[str, Json]] | None = None
    shared: bool = False


class Codec:
    """Writes and reads the records of one kind of document. ``special`` forms are by type, ``shapes`` by record."""

    def __init__(self, shapes: Mapping[type, Shape] | None = None, special: Mapping[Any, Form] | None = None) -> None:
        self._shapes = shapes or {}
        self._forms: dict[Any, Form] = {**FORMS, **(special or {})}

    def encode(self, value: Any, hint: Any = None) -> Json:
        """Return a value as JSON, by its own type or by a hint such as ``tuple[Allow, ...]``."""
        return self.form(type(value) if hint is None else hint).encode(value)

    def encode_record(self, record: Any) -> dict[str, Json]:
        """Return a record as a JSON object."""
        return cast(dict[str, Json], self.encode(record))

    def decode(self, kind: type[T], json: Json, **unwritten: Any) -> T:
        """Return the record, or the value of a hint. Raises Misfit. ``unwritten`` are fields that it does not have."""
        if unwritten:
            return cast(T, self._compiled(kind, (), unwritten).decode(json))
        return cast(T, self.form(kind).decode(json))

    def form(self, hint: Any) -> Form:
        """Return the form of a type hint."""
        if (form := self._forms.get(hint)) is None:
            form = self._forms[hint] = self._compile(hint)
        return form

    def _compile(self, hint: Any) -> Form:
        origin, args = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._marked(args[0], args[1:])
        if isinstance(hint, NewType):
            return self.form(hint.__supertype__)
        if origin is Literal:
            return Form(forms.as_it_is, forms.one_of(args))
        if origin in (Union, UnionType):
            return self._union(args)
        if origin is tuple and args[-1] is not Ellipsis:
            return forms.fixed(tuple(map(self.form, args)))
        if origin is not None and issubclass(origin, Mapping):
            return forms.mapping(self.form(args[0]), self.form(args[1]))
        if origin is not None and issubclass(origin, Iterable):
            return forms.listed(self.form(args[0]), frozenset if origin is frozenset else tuple)
        return self._record(hint)

    def _marked(self, hint: Any, marks: Sequence[Any]) -> Form:
        names = next((mark.names for mark in marks if isinstance(mark, With)), ())
        normal = next((mark.form for mark in marks if isinstance(mark, Normal)), None)
        inner = self._record(hint, names) if names else self.form(hint)
        return inner if normal is None else Form(inner.encode, lambda json: normal(inner.decode(json)))

    def _union(self, args: Sequence[Any]) -> Form:
        """Return the form of a union: texts, numbers, booleans and null, and at most one type of list or record."""
        plain = [arg for arg in args if _bare(arg) in PLAIN]
        nested = [self.form(arg) for arg in args if _bare(arg) not in PLAIN]
        if len(nested) > 1:
            raise TypeError(f"values of {args} cannot be distinguished in JSON")
        decoders = {
            kind: self.form(arg).decode if get_origin(arg) is Annotated else forms.as_it_is
            for arg in plain
            for kind in PLAIN[_bare(arg)][0]
        }
        inner = nested[0] if nested else Form(forms.as_it_is, forms.any_of([_bare(arg) for arg in plain]))
        is_plain = tuple(decoders)
        plain_or_inner = (
            forms.as_it_is
            if inner.encode is forms.as_it_is
            else (lambda value: value if isinstance(value, is_plain) else inner.encode(value))
        )
        return Form(
            plain_or_inner,
            lambda json: decoders.get(type(json), inner.decode)(json),
        )

    def _record(self, kind: Any, names: Sequence[str] = ()) -> Form:
        """Return the form of a record, compiled on first use, because most commands need few record types."""
        compiled: list[Form] = []

        def form() -> Form:
            compiled.append(self._compiled(kind, names, {}))
            return compiled[0]

        return Form(
            lambda record: (compiled[0] if compiled else form()).encode(record),
            lambda json: (compiled[0] if compiled else form()).decode(json),
        )

    def _compiled(self, kind: Any, names: Sequence[str], unwritten: Mapping[str, Any]) -> Form:
        parts = self._parts(kind, names)
        shape = self._shapes.get(kind, Shape())
        return Form(_shaped_encoder(shape, _encoder(shape, parts)), _decoder(kind, shape, parts, dict(unwritten)))

    def _parts(self, kind: Any, names: Sequence[str]) -> list[_Part]:
        """Return the fields of a record that are written, in their order; ``names`` are written although marked
        otherwise.
        """
        defaults = _defaults(kind)
        parts = []
        for name, hint in get_type_hints(kind, include_extras=True).items():
            if name not in defaults:
                continue
            marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
            if UNWRITTEN in marks and name not in names:
                continue
            key = next((mark.name for mark in marks if isinstance(mark, Key)), name)
            form = None if _is_value(hint) else self.form(hint)
            parts.append(_Part(name, key, form, defaults[name], OMIT in marks, FLAT in marks))
        return parts


class _Part(NamedTuple):
    """A field: its name and key, its form (None for a setting's value), how its default is made, and its marks."""

    name: str
    key: str
    form: Form | None
    default: Callable[[], Any] | None
    omit: bool
    flat: bool


def _defaults(kind: Any) -> dict[str, Callable[[], Any] | None]:
    """Return how the default of each field is made; None if it has none. Raises TypeError for what is not a record."""
    if is_dataclass(kind):
        defaults: dict[str, Callable[[], Any] | None] = {}
        for field in fields(kind):
            if field.default_factory is not MISSING:
                defaults[field.name] = field.default_factory
            else:
                defaults[field.name] = None if field.default is MISSING else _constant(field.default)
        return defaults
    known = getattr(kind, "_field_defaults", None)
    if known is None:
        raise TypeError(f"{kind} is not a record")
    return {name: _constant(known[name]) if name in known else None for name in kind._fields}


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _is_value(hint: Any) -> bool:
    """Return whether a hint is a setting's value of any section, or None."""
    return set(get_args(hint)) - {NoneType} == _VALUES


_VALUES = set(get_args(Value))


def _encoder(shape: Shape, parts: Sequence[_Part]) -> Callable[[Any], dict[str, Json]]:
    """Return the writer of the fields; a flat field and a setting's value need more than a key and a form."""
    written = [part for part in parts if part.flat or not shape.keys or part.key in shape.keys]
    by_address = any(part.form is None for part in written)

    def encode(record: Any) -> dict[str, Json]:
        """Write field by field, as marks and settings' values need it."""
        section = split_address(record.address)[0] if by_address else ""
        json: dict[str, Json] = {}
        for part in written:
            value = getattr(record, part.name)
            if part.omit and part.default is not None and value == part.default():
                continue
            if part.form is None:
                json[part.key] = encode_value(section, value)
            elif part.flat:
                json |= part.form.encode(value)
            else:
                json[part.key] = part.form.encode(value)
        return json

    if by_address or len(written) < 2 or any(part.omit or part.flat for part in written):
        return encode
    keys, encoders = [part.key for part in written], [part.form.encode for part in written if part.form]
    values = attrgetter(*(part.name for part in written))
    if all(encoder is forms.as_it_is for encoder in encoders):
        return lambda record: dict(zip(keys, values(record), strict=True))
    return lambda record: {
        key: encoder(value) for key, encoder, value in zip(keys, encoders, values(record), strict=True)
    }


_SHARED = 65_536
"""The most records of a kind that are known, so that a process that makes many plans keeps few."""


def _shaped_encoder(shape: Shape, encode: Callable[[Any], dict[str, Json]]) -> Callable[[Any], dict[str, Json]]:
    keys, write, _, shared = shape
    if not keys and write is None:
        return lru_cache(_SHARED)(encode) if shared else encode

    def shaped(record: Any) -> dict[str, Json]:
        json = encode(record)
        if write is not None:
            json |= write(record, json)
        return {key: json[key] for key in keys if key in json} if keys else json

    return shaped


def _decoder(kind: Any, shape: Shape, parts: Sequence[_Part], unwritten: dict[str, Any]) -> Callable[[Json], Any]:
    readable = [part for part in parts if part.name not in unwritten]
    simple = [(part.name, part.key, part.form.decode) for part in readable if part.form and not part.flat]

    def decode(json: Json) -> Any:
        """Read all fields at once, and one by one only to name the faults."""
        json = _fields_of(shape, forms.an_object(json))
        if len(simple) == len(readable):
            try:
                return kind(**unwritten, **{name: read(json[key]) for name, key, read in simple if key in json})
            except (ValueError, TypeError):
                pass
        return decode_each(json)

    def decode_each(json: Mapping[str, Json]) -> Any:
        """Read field by field. Raises Misfit with the faults of all."""
        values = dict(unwritten)
        faults: list[Fault] = []
        for part in readable:
            try:
                if part.flat and part.form is not None:
                    values[part.name] = part.form.decode(json)
                elif part.key in json:
                    form, value = part.form, json[part.key]
                    values[part.name] = _value(json, value) if form is None else form.decode(value)
                elif part.default is None:
                    faults.append(Fault((part.key,), "is missing"))
            except Misfit as error:
                faults += error.faults if part.flat else error.nested_in(part.key)
            except ValueError as error:
                faults.append(Fault((part.key,), str(error)))
        if faults:
            raise Misfit(*faults)
        return kind(**values)

    return decode


def _fields_of(shape: Shape, json: dict[str, Json]) -> Mapping[str, Json]:
    if shape.read is None:
        return json
    try:
        return shape.read(json)
    except (LookupError, TypeError, AttributeError) as error:
        raise Misfit(Fault((), "does not have the expected form")) from error


def _value(record: Mapping[str, Json], json: Json) -> Value | None:
    """Return the setting's value of a record for its address; None for an unmapped group, which has no entry."""
    section = split_address(forms.text(record.get("address")))[0]
    if section not in BY_SECTION:
        raise Misfit(Fault((), "does not belong to a section"))
    if json is None:
        return None
    kind = BY_SECTION[section]
    present = [field for field in kind.fields if forms.an_object(json).get(field.name) is not None or not kind.whole]
    faults = [field.name for field in present if field.name in json and not fits(field, json[field.name])]
    if faults:
        raise Misfit(*(Fault((name,), "has the wrong type") for name in faults))
    value = decode_value(section, json)
    return None if value == BLANK else value


def _bare(hint: Any) -> Any:
    """Return a hint without its marks."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else getattr(hint, "__supertype__", hint)
