"""Formats configuration files: indentation, spaces and blank lines. Comments, order, quotes and values do not change.

The output of ruamel.yaml is used only if it reads back as the same values with the same comments. Otherwise the text
stays as it is, so every valid file can be formatted.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rolecall.desired.edit.conventional import is_formatted
from rolecall.desired.edit.nodes import LOADER, Splice, Text, scalar, spliced
from rolecall.errors import ConfigError
from rolecall.model import normalise
from rolecall.source.yaml_file import load_yaml

_WIDEST = 1 << 20
_BLANKS = re.compile(r"\n{3,}")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_BOM = "\ufeff"


def formatted(text: str, name: str) -> str:
    """Return the YAML text in standard format; a byte order mark and CR LF line ends stay.

    Raises ConfigError when it is not valid YAML.
    """
    load_yaml(text.encode(), name)
    return text if is_formatted(text) else reformatted(text, name)


def reformatted(text: str, name: str) -> str:
    """Return the valid YAML text as the emitter writes it, which takes 100 times as long as to recognize it."""
    mark = _BOM if text.startswith(_BOM) else ""
    plain = text.removeprefix(_BOM).replace("\r\n", "\n").replace("\r", "\n")
    after = _formatted(plain, name)
    if "\r\n" in text and 2 * text.count("\r\n") >= text.count("\n"):
        after = after.replace("\n", "\r\n")
    return mark + after


def _formatted(text: str, name: str) -> str:
    from ruamel.yaml.error import YAMLError

    before = load_yaml(text.encode(), name).value
    try:
        plain, own = without_escapes(without_tabs(text))
        written = with_escapes(_round_trip(plain), own)
    except (YAMLError, ValueError, AttributeError, TypeError):
        return text
    for after in (_tidied(text, written), written):
        if _same(before, after, name) and comments(text) == comments(after):
            return after
    return text


def without_escapes(text: str) -> tuple[str, dict[str, str]]:
    """Return the text with a placeholder of the same width for each double-quoted scalar that has an escape.

    Also returns the original text by placeholder. An escape keeps an invisible character visible, such as one that
    changes the direction of text; ruamel.yaml would write the character itself.
    """
    escaped = [
        token for token in _scalars(text) if token.raw.startswith('"') and "\\" in token.raw and "\n" not in token.raw
    ]
    own = {_stand_in(number, len(token.raw) - 2): token for number, token in enumerate(escaped)}
    splices = (Splice(token.start, token.end, f'"{value}"') for value, token in own.items())
    return spliced(text, splices), {value: token.raw for value, token in own.items()}


def with_escapes(text: str, own: Mapping[str, str]) -> str:
    """Return the text with the original scalars in place of their placeholders."""
    tokens = (token for token in _scalars(text) if token.value in own) if own else ()
    return spliced(text, (Splice(token.start, token.end, own[token.value]) for token in tokens))


def _stand_in(number: int, width: int) -> str:
    """Return a unique placeholder of characters that no configuration uses, padded to a width of at least two."""
    high, low = divmod(number, _YI_SYLLABLES)
    return f"{chr(_YI + high)}{chr(_YI + low)}".ljust(width, "x")


_YI, _YI_SYLLABLES = 0xA000, 1165


def without_tabs(text: str) -> str:
    """Return the text with spaces instead of tabs between tokens, which only libyaml accepts."""
    pieces: list[str] = []
    place = 0
    for start, end in _tokens(text):
        pieces += (_no_tabs(text[place:start]), text[start:end])
        place = max(place, end)
    return "".join((*pieces, _no_tabs(text[place:])))


def _no_tabs(between: str) -> str:
    """Return text between two tokens without tabs; tabs in a comment stay."""
    lines = (line.partition("#") for line in between.split("\n"))
    return "\n".join(f"{blank.replace(chr(9), ' ')}{mark}{comment}" for blank, mark, comment in lines)


class _Scalar(NamedTuple):
    start: int
    end: int
    raw: str
    value: str


def _scalars(text: str) -> list[_Scalar]:
    import yaml
    from yaml.tokens import ScalarToken

    scalars = []
    for token in yaml.scan(text, Loader=LOADER):
        if isinstance(token, ScalarToken):
            start, end = token.start_mark.index, token.end_mark.index
            scalars.append(_Scalar(start, end, text[start:end], token.value))
    return scalars


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    """Return the spans of all tokens that have characters, in ascending order."""
    import yaml

    for token in yaml.scan(text, Loader=LOADER):
        if token.end_mark.index > token.start_mark.index:
            yield token.start_mark.index, token.end_mark.index


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return the text with IdP groups' keys renamed (old -> new name)."""
    if text.startswith(_BOM):
        return _BOM + renamed(text.removeprefix(_BOM), names)
    doc = Text(text)
    whole = doc.fields(doc.root).get("idp_groups")
    entries = doc.fields(whole.value) if whole is not None else {}
    return spliced(
        text,
        (
            Splice(field.key.start_mark.index, field.key.end_mark.index, scalar(names[key]))
            for written, field in entries.items()
            if (key := normalise.name(written)) in names
        ),
    )


def comments(text: str) -> list[str]:
    """Return the texts of all comments, in order."""
    texts: list[str] = []
    place = 0
    for start, end in _tokens(text):
        texts += _between(text[place:start])
        place = end
    return [*texts, *_between(text[place:])]


def _between(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line[line.index("#") :] for line in lines if "#" in line]


def _same(before: Any, after: str, name: str) -> bool:
    try:
        return bool(load_yaml(after.encode(), name).value == before)
    except ConfigError:
        return False


def _round_trip(text: str) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.resolver import VersionedResolver

    class Strings(VersionedResolver):
        """Every plain scalar is a string and is written unchanged, including ``010`` and ``yes``."""

        @property
        def versioned_resolver(self) -> dict[Any, Any]:
            return {}

    yaml = YAML()
    yaml.Resolver = Strings
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a repeated anchor, which is valid
        yaml.dump(yaml.load(text), out)
    return out.getvalue()


def _tidied(before: str, text: str) -> str:
    """Return lines without trailing spaces, with at most one blank line in a row, and comments aligned to their
    neighbor.
    """
    lines = _BLANKS.sub("\n\n", _TRAILING.sub("", text)).strip("\n").split("\n")
    places = zip(_comment_lines(before.split("\n")), _comment_lines(lines), strict=False)
    for (old, above, indent_below), (new, above_now, below_now) in list(places):
        column = below_now if old.column == indent_below else above_now if old.column == above else new.column
        lines[new.number] = " " * column + lines[new.number].lstrip()
    return "\n".join(lines) + "\n"


class _Line(NamedTuple):
    number: int
    column: int


def _comment_lines(lines: list[str]) -> Iterator[tuple[_Line, int, int]]:
    """Yield each comment line, with the indentation of the nearest other lines above and below."""
    filled = [_Line(number, len(line) - len(line.lstrip())) for number, line in enumerate(lines) if line.strip()]
    content = [candidate for candidate in filled if not lines[candidate.number].lstrip().startswith("#")]
    for candidate in filled:
        if lines[candidate.number].lstrip().startswith("#"):
            above = [filled_line.column for filled_line in content if filled_line.number < candidate.number]
            after = [filled_line.column for filled_line in content if filled_line.number > candidate.number]
            yield candidate, above[-1] if above else 0, after[0] if after else 0
