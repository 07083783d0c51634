"""Writes a configuration for an org as it was read, so that a plan from it has no changes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rolecall.codec.saml import NotMetadata, decode_metadata
from rolecall.codec.settings import encode_value
from rolecall.desired.edit.nodes import comment, flow, scalar
from rolecall.model import normalise
from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION, ORG_KINDS, absent_fields, address, field_address, split_address
from rolecall.model.live import Coverage, Facts, Live
from rolecall.model.roles import BUILT_IN, role_id
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping, Sso, Value

METADATA = "sso-metadata.xml"
BLANKS = "blank"
_WIDTH = 100


class Head(NamedTuple):
    """The part of a configuration about org, users and journal: ``sections`` as JSON, in the order to write them.

    ``read`` describes where the settings were read, and when.
    """

    sections: Mapping[str, Any]
    read: str


def config_files(live: Live, content: Sayable, head: Head, *, split: bool = False) -> dict[str, str]:
    """Return the text of ``rolecall.yaml`` and of the files next to it, by name.

    With ``split``, mappings are in ``idp_groups/``, in one file per team.
    """
    files = _parts(content.sections.get("idp_groups", ())) if split else {}
    sections = {name: entries for name, entries in content.sections.items() if name != "idp_groups" or not files}
    if content.metadata is not None:
        sections["sso"] = _with_metadata(sections["sso"])
    texts = {"rolecall.yaml": "".join(_main(live, sections, content.left_out, head, included=bool(files)))}
    for name, entries in files.items():
        modeline = "# yaml-language-server: $schema=../.rolecall/part.schema.json\n"
        texts[f"idp_groups/{name}.yaml"] = "".join((modeline, *section_lines("idp_groups", entries)))
    if content.metadata is not None:
        texts[METADATA] = f"{content.metadata}\n"
    return texts


def section_lines(section: str, entries: Sequence[ConfigEntry]) -> Iterator[str]:
    """Return a section as lines of YAML; none for a singleton without values."""
    if not BY_SECTION[section].keyed:
        for entry in entries:
            yield f"{section}:\n"
            yield from (f"  {scalar(name)}: {flow(value)}\n" for name, value in entry.value.items())
        return
    yield f"{section}:\n" if entries else f"{section}: {{}}\n"
    for entry in entries:
        yield from entry_lines(str(split_address(entry.address)[1]), entry.value)


def entry_lines(key: str, value: Any, indent: str = "  ") -> Iterator[str]:
    """Return one entry as YAML: on one line if it is short enough, else with one line per field."""
    line = f"{indent}{scalar(key)}: {flow(value)}\n"
    if len(line) <= _WIDTH or not isinstance(value, dict) or not value:
        yield line
        return
    yield f"{indent}{scalar(key)}:\n"
    yield from (f"{indent}  {scalar(name)}: {flow(field_value)}\n" for name, field_value in value.items())


def taken(coverage: Coverage) -> str:
    """Return who read a section and when, in words; empty if that is not known."""
    by = f" by {coverage.taken_by}" if coverage.taken_by else ""
    on = f" on {coverage.taken_at:%-d %B %Y}" if coverage.taken_at else ""
    return f"Recorded{by}{on}." if by or on else ""


def _main(
    live: Live,
    sections: Mapping[str, Sequence[ConfigEntry]],
    left_out: Sequence[LeftOut],
    head: Head,
    *,
    included: bool,
) -> Iterator[str]:
    yield "# yaml-language-server: $schema=./.rolecall/config.schema.json\n"
    yield f"{comment(head.read)}\n"
    yield "version: 1\n"
    for name, value in head.sections.items():
        yield "\n"
        yield from _head_lines(name, value)
    if included:
        yield "\ninclude: [idp_groups/*.yaml]\n"
    for kind in ORG_KINDS:
        omissions = [
            omission for omission in left_out if omission.what.partition("/")[0].partition(".")[0] == kind.section
        ]
        if kind.section not in sections and not omissions:
            continue
        yield f"\n{comment(kind.description)}\n"
        if whose := taken(live.covered(kind.section)) if live.facts.observed else "":
            yield f"{comment(whose)}\n"
        yield from (f"{comment(f'Left out: {omission.what}: {omission.why}')}\n" for omission in omissions)
        if kind.section in sections:
            yield from section_lines(kind.section, sections[kind.section])


def _head_lines(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{name}: {flow(value)}\n"
        return
    yield f"{name}:\n"
    yield from (f"  {scalar(key)}: {flow(field_value)}\n" for key, field_value in value.items())


def _with_metadata(entries: Sequence[ConfigEntry]) -> tuple[ConfigEntry, ...]:
    fields = dict(entries[0].value) if entries else {}
    return (ConfigEntry(address("sso"), {**fields, "metadata": {"file": METADATA}}),)


def _parts(entries: Sequence[ConfigEntry]) -> dict[str, list[ConfigEntry]]:
    """Return mappings by their first team, under file names."""
    parts: dict[str, list[ConfigEntry]] = {}
    names: dict[str, str] = {}
    for mapping in entries:
        teams = mapping.value.get("teams") if isinstance(mapping.value, dict) else None
        team = teams[0] if teams else None
        name = BLANKS if team is None else names.get(team) or _fresh(team, {BLANKS, *names.values()})
        if team is not None:
            names[team] = name
        parts.setdefault(name, []).append(mapping)
    return parts


def _fresh(team: str, taken_names: set[str]) -> str:
    """Return an unused file name for a team: ``R&D / Labs`` -> ``r-d-labs``."""
    slug = re.sub(r"[^a-z0-9]+", "-", team.lower()).strip("-")[:60] or "team"
    numbers = (slug if number == 1 else f"{slug}-{number}" for number in range(1, len(taken_names) + 3))
    return next(name for name in numbers if name not in taken_names)


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class ConfigEntry(NamedTuple):
    """One entry as it is written in a configuration: a map, or the word ``blank``."""

    address: Address
    value: Any


class LeftOut(NamedTuple):
    """An address, or a field such as ``section.field``, that a configuration cannot express, and why."""

    what: str
    why: str


class Sayable(NamedTuple):
    """The sections of an org that a configuration can express: each that was read completely, even if empty.

    ``metadata`` is the IdP's metadata; a configuration names a file that contains it.
    """

    sections: Mapping[str, tuple[ConfigEntry, ...]]
    left_out: tuple[LeftOut, ...]
    metadata: str | None = None


def sayable(live: Live) -> Sayable:
    """Return everything of a live org that a configuration can express, so that its plan has no changes."""
    sections: dict[str, tuple[ConfigEntry, ...]] = {}
    left_out: list[LeftOut] = []
    for kind in ORG_KINDS:
        why = _unread(live, kind)
        if why is not None:
            left_out.append(LeftOut(kind.section, why))
            continue
        entries: list[ConfigEntry] = []
        for item in _section(kind, live):
            if isinstance(item, ConfigEntry):
                entries.append(item)
            else:
                left_out.append(item)
        sections[kind.section] = tuple(entries)
    metadata, why = _metadata(live) if "sso" in sections else (None, None)
    if why:
        left_out.append(LeftOut("sso.metadata", why))
    return Sayable(sections, tuple(left_out), metadata)


def _metadata(live: Live) -> tuple[str | None, str | None]:
    """Return the metadata that a configuration can name; else None and, if the org has some, the reason."""
    sso = live.settings.sso
    if not (isinstance(sso, Sso) and isinstance(sso.metadata, str) and sso.metadata):
        return None, None
    try:
        decode_metadata(sso.metadata)
    except NotMetadata as error:
        return None, f"the org's metadata {error}"
    return sso.metadata, None


def entry(section: str, value: Value | None, pin: str | None = None) -> Any:
    """Return a value as it is written in a configuration; ``pin`` is the org's id of a group."""
    if section != "idp_groups":
        return {name: fields for name, fields in (encode_value(section, value) or {}).items() if fields != ""}
    if value is None or value == BLANK:
        return {"blank": True, "id": pin} if pin else "blank"
    fields = {name: field_value for name, field_value in (encode_value(section, value) or {}).items() if field_value}
    return {**fields, "id": pin} if pin else fields


def _unread(live: Live, kind: Kind) -> str | None:
    """Return why a section is not written, or None when it is."""
    coverage = live.covered(kind.section)
    if coverage.state != "complete" or getattr(live.settings, kind.section) is UNSET:
        return f"partially read{f': {coverage.problem}' if coverage.problem else ''}"
    if kind.section == "idp_groups" and _endpoint(live) == "legacy":
        return "the legacy endpoint has group links instead of mappings (R18)"
    return None


def _endpoint(live: Live) -> Any:
    return UNSET if live.settings.scim is UNSET else live.settings.scim.endpoint


def _section(kind: Kind, live: Live) -> Iterator[ConfigEntry | LeftOut]:
    live_value = getattr(live.settings, kind.section)
    if not kind.keyed:
        yield from _singleton(kind, live, live_value)
    elif kind.section == "idp_groups":
        yield from _groups(live, live_value)
    else:
        for key in sorted(live_value):
            yield ConfigEntry(address(kind.section, key), entry(kind.section, live_value[key]))
            yield from _not_read(address(kind.section, key), live_value[key])


def _singleton(kind: Kind, live: Live, live_value: Value) -> Iterator[ConfigEntry | LeftOut]:
    fields: dict[str, Any] = {}
    for name, value in (encode_value(kind.section, live_value) or {}).items():
        why = _unsayable_field(kind.section, name, value, live)
        if why is None:
            fields[name] = value
        elif why:
            yield LeftOut(f"{kind.section}.{name}", why)
    yield from _not_read(address(kind.section), live_value)
    if fields:
        yield ConfigEntry(address(kind.section), fields)


def _not_read(at: Address, live_value: Value) -> Iterator[LeftOut]:
    """Yield each field that was not read, except metadata, which most reads of a console do not have."""
    yield from (
        LeftOut(field_address(at, name), "not read") for name in absent_fields(live_value) if name != "metadata"
    )


def _unsayable_field(section: str, name: str, value: Any, live: Live) -> str | None:
    """Return why a field is left out; empty if there is nothing to report, None if the field is written."""
    if name == "metadata" or value in ("", None):
        return ""
    if name == "role_attribute" and _endpoint(live) == "new":
        return ""
    if name == "endpoint" and value == "upgrading":
        return "the upgrade is in progress; `endpoint: new` completes it (R20)"
    sso = live.settings.sso
    if section == "scim" and name == "enabled" and value and sso is not UNSET and sso.enabled is False:
        return "SCIM is on while SSO is off, which a configuration cannot express (R1)"
    if section == "defaults" and name == "role":
        return _unsayable_role(value, live.facts) or ("cannot be org admin (R3)" if value == "org_admin" else None)
    if section == "defaults" and name == "teams":
        return _unsayable_teams(value, live.facts)
    return None


def _groups(live: Live, mappings: Mapping[str, GroupMapping]) -> Iterator[ConfigEntry | LeftOut]:
    """Return the group mappings as entries. An id that two groups share is not written for either."""
    shared = Counter(group.id for group in live.facts.groups.values())
    for key in sorted(mappings):
        pin = live.facts.groups[key].id if key in live.facts.groups else ""
        at = address("idp_groups", key)
        if why := _unsayable_group(key, mappings[key], live.facts):
            yield LeftOut(at, why)
        else:
            yield ConfigEntry(at, entry("idp_groups", mappings[key], pin if shared[pin] == 1 else None))


def _unsayable_group(key: str, mapping: GroupMapping, facts: Facts) -> str | None:
    if not key or normalise.name(key) != key or _CONTROL.search(key):
        return "its name contains a control character"
    if mapping.role is not None and not mapping.teams:
        return f"it has the role {mapping.role} and no team, which is not a valid mapping (R4)"
    if mapping.role is not None and (why := _unsayable_role(mapping.role, facts)):
        return why
    return _unsayable_teams(mapping.teams, facts) if mapping.teams else None


def _unsayable_role(role: str, facts: Facts) -> str | None:
    if role not in facts.roles and role not in BUILT_IN:
        return f"the org has no role `{role}`"
    return None if role_id(role) == role and role else f"another role has the same name as `{role}`"


def _unsayable_teams(teams: Any, facts: Facts) -> str | None:
    if not teams or not all(team and normalise.name(team) == team for team in teams):
        return "one of its teams has no name"
    missing = sorted(team for team in teams if facts.teams is not None and team not in facts.teams)
    return f"the team `{missing[0]}` no longer exists (R25)" if missing else None
