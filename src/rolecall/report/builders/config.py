"""The effective config as YAML, and as a list of who set what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rolecall.errors import Where
from rolecall.report.line import Line, Span
from rolecall.report.phrases import cells, inline_yaml, place, visible

_COLUMN = 48


def config_yaml(effective: Mapping[str, Any]) -> str:
    """Return YAML that loads to the same config. Invisible characters are escaped, as in every report."""
    import yaml

    def dump(*, unicode: bool) -> str:
        """Return the YAML, with other letters than ASCII as they are or escaped."""
        return yaml.dump(
            dict(effective),
            Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
            sort_keys=False,
            allow_unicode=unicode,
            width=100,
            default_flow_style=None,
        )

    text = dump(unicode=True)
    return text if all(visible(part) == part for part in text.split("\n")) else dump(unicode=False)


def config_json(effective: Mapping[str, Any]) -> str:
    """Return the same as JSON."""
    return json.dumps(effective, indent=2) + "\n"


def origin_lines(origins: Iterable[tuple[tuple[str | int, ...], Any, Where]]) -> Iterator[Line]:
    """Yield ``idp_groups / Writer-Admins / role   org_admin            idp_groups/it.yaml:4`` for each value."""
    for path, value, where in origins:
        name = visible(" / ".join(map(str, path)))
        pad = " " * (max(_COLUMN - cells(name), 0) + 2)
        text = Span(f"{pad}{visible(inline_yaml(value))}")
        yield Line((Span(name, "bold"), text), hang=4, tail=(Span(place(where), "dim"),))
