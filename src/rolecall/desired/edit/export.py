"""Writes a config for an org as it was read: what can be stated of each value, and files that plan empty."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rolecall.codec.saml import NotMetadata, decode_metadata
from rolecall.codec.settings import encode_value
from rolecall.desired.edit.nodes import comment, flow, scalar
from rolecall.model import normalise
from rolecall.model.comparison import absent_fields, field_address
from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION, KINDS, address, split_address
from rolecall.model.live import Coverage, Facts, Live
from rolecall.model.roles import BUILT_IN, role_id
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping, Sso, Value

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


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Said(NamedTuple):
    """One entry, as a config says it: a map, or the word ``blank``."""

    address: Address
    value: Any


class LeftOut(NamedTuple):
    """An address, or a field as ``section.field``, that a config cannot say, and why."""

    what: str
    why: str


class Sayable(NamedTuple):
    """What a config can say of an org. ``sections`` has a row for each section that was read whole, even if empty.

    ``metadata`` is the text of the IdP's metadata; a config names a file that holds it.
    """

    sections: Mapping[str, tuple[Said, ...]]
    left_out: tuple[LeftOut, ...]
    metadata: str | None = None


def sayable(live: Live) -> Sayable:
    """Everything of a live org that a config can say so that a plan from it is empty; see ``Sayable``."""
    sections: dict[str, tuple[Said, ...]] = {}
    left_out: list[LeftOut] = []
    for kind in KINDS:
        why = _unread(live, kind)
        if why is not None:
            left_out.append(LeftOut(kind.section, why))
            continue
        said: list[Said] = []
        for item in _section(kind, live):
            if isinstance(item, Said):
                said.append(item)
            else:
                left_out.append(item)
        sections[kind.section] = tuple(said)
    metadata, why = _metadata(live) if "sso" in sections else (None, None)
    if why:
        left_out.append(LeftOut("sso.metadata", why))
    return Sayable(sections, tuple(left_out), metadata)


def _metadata(live: Live) -> tuple[str | None, str | None]:
    """Return the metadata that a config can name, or None and, where the org has some, why a config cannot."""
    sso = live.settings.sso
    if not (isinstance(sso, Sso) and isinstance(sso.metadata, str) and sso.metadata):
        return None, None
    try:
        decode_metadata(sso.metadata)
    except NotMetadata as error:
        return None, f"what the org has {error}"
    return sso.metadata, None


def entry(section: str, value: Value | None, pin: str | None = None) -> Any:
    """A value as a config writes it; ``pin`` is the org's id of a group."""
    if section != "idp_groups":
        return {name: said for name, said in (encode_value(section, value) or {}).items() if said != ""}
    if value is None or value == BLANK:
        return {"blank": True, "id": pin} if pin else "blank"
    said = {name: held for name, held in (encode_value(section, value) or {}).items() if held}
    return {**said, "id": pin} if pin else said


def _unread(live: Live, kind: Kind) -> str | None:
    """Why a section is not written, None when it is."""
    seen = live.covered(kind.section)
    if seen.state != "complete" or getattr(live.settings, kind.section) is UNSET:
        return f"not read whole{f': {seen.problem}' if seen.problem else ''}"
    if kind.section == "idp_groups" and _endpoint(live) == "legacy":
        return "the legacy endpoint links groups to teams; nothing is mapped there (R18)"
    return None


def _endpoint(live: Live) -> Any:
    return UNSET if live.settings.scim is UNSET else live.settings.scim.endpoint


def _section(kind: Kind, live: Live) -> Iterator[Said | LeftOut]:
    held = getattr(live.settings, kind.section)
    if not kind.keyed:
        yield from _singleton(kind, live, held)
    elif kind.section == "idp_groups":
        yield from _groups(live, held)
    else:
        for key in sorted(held):
            yield Said(address(kind.section, key), entry(kind.section, held[key]))
            yield from _not_read(address(kind.section, key), held[key])


def _singleton(kind: Kind, live: Live, held: Value) -> Iterator[Said | LeftOut]:
    said: dict[str, Any] = {}
    for name, value in (encode_value(kind.section, held) or {}).items():
        why = _unsayable_field(kind.section, name, value, live)
        if why is None:
            said[name] = value
        elif why:
            yield LeftOut(f"{kind.section}.{name}", why)
    yield from _not_read(address(kind.section), held)
    if said:
        yield Said(address(kind.section), said)


def _not_read(at: Address, held: Value) -> Iterator[LeftOut]:
    """Yield each field that was not read, but for metadata, which most readings of a console lack."""
    yield from (LeftOut(field_address(at, name), "not read") for name in absent_fields(held) if name != "metadata")


def _unsayable_field(section: str, name: str, value: Any, live: Live) -> str | None:
    """Why a field is left out; empty where there is nothing to tell, None where it is said."""
    if name == "metadata" or value in ("", None):
        return ""
    if name == "endpoint" and value == "upgrading":
        return "the upgrade is under way; `endpoint: new` completes it (R20)"
    sso = live.settings.sso
    if section == "scim" and name == "enabled" and value and sso is not UNSET and sso.enabled is False:
        return "SCIM is on while SSO is off, which a config cannot ask for (R1)"
    if section == "defaults" and name == "role":
        return _unsayable_role(value, live.facts) or ("cannot be org admin (R3)" if value == "org_admin" else None)
    if section == "defaults" and name == "teams":
        return _unsayable_teams(value, live.facts)
    return None


def _groups(live: Live, held: Mapping[str, GroupMapping]) -> Iterator[Said | LeftOut]:
    """An id that two groups are said to have pins neither."""
    shared = Counter(group.id for group in live.facts.groups.values())
    for key in sorted(held):
        pin = live.facts.groups[key].id if key in live.facts.groups else ""
        at = address("idp_groups", key)
        if why := _unsayable_group(key, held[key], live.facts):
            yield LeftOut(at, why)
        else:
            yield Said(at, entry("idp_groups", held[key], pin if shared[pin] == 1 else None))


def _unsayable_group(key: str, mapping: GroupMapping, facts: Facts) -> str | None:
    if not key or normalise.name(key) != key or _CONTROL.search(key):
        return "its name holds a control character"
    if mapping.role is not None and not mapping.teams:
        return f"it has the role {mapping.role} and no team, which a config cannot say (R4)"
    if mapping.role is not None and (why := _unsayable_role(mapping.role, facts)):
        return why
    return _unsayable_teams(mapping.teams, facts) if mapping.teams else None


def _unsayable_role(role: str, facts: Facts) -> str | None:
    if role not in facts.roles and role not in BUILT_IN:
        return f"the org has no role `{role}`"
    return None if role_id(role) == role and role else f"the role `{role}` is called like another one"


def _unsayable_teams(teams: Any, facts: Facts) -> str | None:
    if not teams or not all(team and normalise.name(team) == team for team in teams):
        return "a team of it has no name"
    gone = sorted(team for team in teams if facts.teams is not None and team not in facts.teams)
    return f"the org has no team `{gone[0]}` any more (R25)" if gone else None
