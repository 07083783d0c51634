"""Writes a config from nothing: an org as it was read becomes files that plan empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rolecall.desired.emit_live import LeftOut, Said, Sayable
from rolecall.desired.emit_text import comment, flow, scalar
from rolecall.model.kinds import BY_SECTION, KINDS, address, split_address
from rolecall.model.live import Coverage, Live

METADATA = "sso-metadata.xml"
BLANKS = "blank"
_WIDTH = 100


class Head(NamedTuple):
    """The part of a config that says which org, people and journal: ``sections`` as JSON, in the order to write them.

    ``read`` says in words from where the settings were read, and when.
    """

    sections: Mapping[str, Any]
    read: str


def config_files(live: Live, said: Sayable, head: Head, *, split: bool = False) -> dict[str, str]:
    """The texts of ``rolecall.yaml`` and the files beside it, by name.

    With ``split`` the mappings are in ``idp_groups/``, one file for the teams that groups give.
    """
    files = _parts(said.sections.get("idp_groups", ())) if split else {}
    sections = {name: rows for name, rows in said.sections.items() if name != "idp_groups" or not files}
    if said.metadata is not None:
        sections["sso"] = _with_metadata(sections["sso"])
    texts = {"rolecall.yaml": "".join(_main(live, sections, said.left_out, head, included=bool(files)))}
    for name, rows in files.items():
        texts[f"idp_groups/{name}.yaml"] = "".join(section_lines("idp_groups", rows))
    if said.metadata is not None:
        texts[METADATA] = f"{said.metadata}\n"
    return texts


def section_lines(section: str, rows: Sequence[Said]) -> Iterator[str]:
    """A section as YAML, each line with its end; nothing for a singleton that says nothing."""
    if not BY_SECTION[section].keyed:
        for row in rows:
            yield f"{section}:\n"
            yield from (f"  {scalar(name)}: {flow(value)}\n" for name, value in row.value.items())
        return
    yield f"{section}:\n" if rows else f"{section}: {{}}\n"
    for row in rows:
        yield from entry_lines(str(split_address(row.address)[1]), row.value)


def entry_lines(key: str, value: Any, indent: str = "  ") -> Iterator[str]:
    """One entry: on one line where that is short enough, else a line for each field."""
    one = f"{indent}{scalar(key)}: {flow(value)}\n"
    if len(one) <= _WIDTH or not isinstance(value, dict) or not value:
        yield one
        return
    yield f"{indent}{scalar(key)}:\n"
    yield from (f"{indent}  {scalar(name)}: {flow(held)}\n" for name, held in value.items())


def taken(seen: Coverage) -> str:
    """Who read a section and when, in words; empty where nobody says."""
    by = f" by {seen.taken_by}" if seen.taken_by else ""
    on = f" on {seen.taken_at:%-d %B %Y}" if seen.taken_at else ""
    return f"Written down{by}{on}." if by or on else ""


def _main(
    live: Live, sections: Mapping[str, Sequence[Said]], left_out: Sequence[LeftOut], head: Head, *, included: bool
) -> Iterator[str]:
    yield "# yaml-language-server: $schema=./.rolecall/config.schema.json\n"
    yield f"{comment(head.read)}\n"
    yield "version: 1\n"
    for name, value in head.sections.items():
        yield "\n"
        yield from _head_lines(name, value)
    if included:
        yield "\ninclude: [idp_groups/*.yaml]\n"
    for kind in KINDS:
        told = [row for row in left_out if row.what.partition("/")[0].partition(".")[0] == kind.section]
        if kind.section not in sections and not told:
            continue
        yield f"\n{comment(kind.description)}\n"
        if whose := taken(live.covered(kind.section)) if live.facts.observed else "":
            yield f"{comment(whose)}\n"
        yield from (f"{comment(f'Left out: {row.what}: {row.why}')}\n" for row in told)
        if kind.section in sections:
            yield from section_lines(kind.section, sections[kind.section])


def _head_lines(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{name}: {flow(value)}\n"
        return
    yield f"{name}:\n"
    yield from (f"  {scalar(key)}: {flow(held)}\n" for key, held in value.items())


def _with_metadata(rows: Sequence[Said]) -> tuple[Said, ...]:
    said = dict(rows[0].value) if rows else {}
    return (Said(address("sso"), {**said, "metadata": {"file": METADATA}}),)


def _parts(rows: Sequence[Said]) -> dict[str, list[Said]]:
    """Mappings by the first team that they give, as names of files."""
    parts: dict[str, list[Said]] = {}
    names: dict[str, str] = {}
    for row in rows:
        teams = row.value.get("teams") if isinstance(row.value, dict) else None
        team = teams[0] if teams else None
        name = BLANKS if team is None else names.get(team) or _fresh(team, {BLANKS, *names.values()})
        if team is not None:
            names[team] = name
        parts.setdefault(name, []).append(row)
    return parts


def _fresh(team: str, taken_names: set[str]) -> str:
    """A file name for a team that no other has: ``R&D / Labs`` -> ``r-d-labs``."""
    slug = re.sub(r"[^a-z0-9]+", "-", team.lower()).strip("-")[:60] or "team"
    numbers = (slug if number == 1 else f"{slug}-{number}" for number in range(1, len(taken_names) + 3))
    return next(name for name in numbers if name not in taken_names)
