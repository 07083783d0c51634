"""One form for a config's files: indents, spaces and blank lines; comments, order, quotes and values stay.

What ruamel.yaml writes is taken only when it reads back as the same values with the same comments.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rolecall.desired.emit_nodes import Splice, Text, spliced
from rolecall.desired.emit_text import scalar
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model import normalise
from rolecall.source.yaml_file import load_yaml

_WIDEST = 1 << 20
_BLANKS = re.compile(r"\n{3,}")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)


def formatted(text: str, name: str) -> str:
    """The YAML text in its one form. Raises ConfigError when it is no YAML, or cannot be kept whole."""
    before = load_yaml(text.encode(), name).value
    for tidy in (_tidied, _plainly):
        after = tidy(text, _round_trip(text))
        if _same(before, after, name) and comments(text) == comments(after):
            return after
    message = "cannot be written anew without losing something"
    raise ConfigError(Problem("fmt", message, Where(name), "format it by hand"))


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with IdP groups' keys changed (old -> new name); nothing else."""
    doc = Text(text)
    whole = doc.fields(doc.root).get("idp_groups")
    entries = doc.fields(whole.value) if whole is not None else {}
    return spliced(
        text,
        (
            Splice(field.key.start_mark.index, field.key.end_mark.index, scalar(names[key]))
            for said, field in entries.items()
            if (key := normalise.name(said)) in names
        ),
    )


def comments(text: str) -> list[str]:
    """The texts of all comments, in order."""
    from yaml import scan
    from yaml.tokens import StreamEndToken

    found: list[str] = []
    place = 0
    for token in scan(text):
        found += _between(text[place : token.start_mark.index])
        place = token.end_mark.index
        if isinstance(token, StreamEndToken):
            break
    return [*found, *_between(text[place:])]


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
        """Every plain scalar is a string, and so is written as it stands: ``010`` and ``yes`` too."""

        @property
        def versioned_resolver(self) -> dict[Any, Any]:
            return {}

    yaml = YAML()
    yaml.Resolver = Strings
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(yaml.load(text), out)
    return out.getvalue()


def _tidied(before: str, text: str) -> str:
    """No spaces at line ends, at most one blank line in a row, and comments indented like what they stand beside."""
    lines = _TRAILING.sub("", _BLANKS.sub("\n\n", text)).strip("\n").split("\n")
    places = zip(_comment_lines(before.split("\n")), _comment_lines(lines), strict=False)
    for (old, above, below), (new, above_now, below_now) in list(places):
        kept = below_now if old.column == below else above_now if old.column == above else new.column
        lines[new.number] = " " * kept + lines[new.number].lstrip()
    return "\n".join(lines) + "\n"


class _Line(NamedTuple):
    number: int
    column: int


def _comment_lines(lines: list[str]) -> Iterator[tuple[_Line, int, int]]:
    """The lines that are nothing but a comment, each with the indents of the nearest other lines above and below."""
    held = [_Line(number, len(line) - len(line.lstrip())) for number, line in enumerate(lines) if line.strip()]
    content = [row for row in held if not lines[row.number].lstrip().startswith("#")]
    for row in held:
        if lines[row.number].lstrip().startswith("#"):
            above = [one.column for one in content if one.number < row.number]
            below = [one.column for one in content if one.number > row.number]
            yield row, above[-1] if above else 0, below[0] if below else 0


def _plainly(before: str, text: str) -> str:
    return text
