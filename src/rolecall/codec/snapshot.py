"""Encodes and decodes snapshots as JSON: an org's settings, and what only the org knows. Pure.

Decoding trusts its input to fit ``schemas/snapshot.schema.json``. Names are normalized, dates have a time zone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from rolecall.codec.settings import Json, decode_settings, encode_settings, value_decoder
from rolecall.model import normalise
from rolecall.model.kinds import ORG_SECTIONS
from rolecall.model.live import UNREAD, Caller, Coverage, Facts, Group, Live, Reported, State
from rolecall.model.roles import BUILT_IN, Role, role_id
from rolecall.model.settings import UNSET, GroupMapping, Settings

COVERED = (*ORG_SECTIONS, "teams", "people")
"""Sections that a snapshot's coverage may contain."""

_NOTHING: Mapping[str, Json] = {}


class Snapshot(NamedTuple):
    """A decoded snapshot.

    ``people`` are the rows as in the file, or the path of a JSONL file of such rows (relative to the snapshot), or None
    if users were not read. ``taken_by`` is who read the org, if the file has it.
    """

    live: Live
    people: Sequence[Json] | str | None = None
    taken_at: datetime | None = None
    taken_by: str | None = None


def decode_snapshot(json: Mapping[str, Json]) -> Snapshot:
    """Return the snapshot in a JSON object. A section that was not read is UNSET, whatever the object has."""
    taken_at, taken_by = _moment(json.get("taken_at")), json.get("taken_by")
    roles = decode_roles(json.get("roles"))
    coverage = _decode_coverage(json, taken_at, taken_by)
    people = json.get("people") if coverage["people"].state != "unread" else None
    groups = _decode_groups(json.get("idp_groups") or {}, roles)
    coverage["idp_groups"] = _without_teams(coverage["idp_groups"], groups.teamless)
    settings = _sections({name for name in ORG_SECTIONS if coverage[name].state != "unread"}, json, roles, groups)
    live = Live(settings, coverage, _decode_facts(json, roles, coverage, people, groups))
    return Snapshot(live, people, taken_at, taken_by)


def encode_snapshot(snapshot: Snapshot) -> dict[str, Json]:
    """Encode a snapshot in reading order. Contains no secret."""
    live, facts = snapshot.live, snapshot.live.facts
    encoded: dict[str, Json] = {"snapshot": 1}
    if snapshot.taken_at is not None:
        encoded["taken_at"] = moment_text(snapshot.taken_at)
    if snapshot.taken_by is not None:
        encoded["taken_by"] = snapshot.taken_by
    encoded["org"] = _encode_org(facts)
    encoded["coverage"] = _encode_coverage(snapshot)
    if reported := _encode_reported(live):
        encoded["reported"] = reported
    if facts.teams is not None:
        encoded["teams"] = sorted(facts.teams)
    encoded["roles"] = encode_roles(facts.roles)
    encoded |= encode_settings(live.settings)
    if "idp_groups" in encoded:
        encoded["idp_groups"] = _encode_groups(encoded["idp_groups"], facts)
    if facts.legacy_links is not None:
        encoded["legacy_links"] = {name: sorted(teams) for name, teams in sorted(facts.legacy_links.items())}
    if facts.kept is not None:
        encoded["kept"] = encode_settings(facts.kept)
    if snapshot.people is not None:
        encoded["people"] = snapshot.people if isinstance(snapshot.people, str) else list(snapshot.people)
    return encoded


def decode_roles(json: Sequence[Json] | None) -> dict[str, Role]:
    """Return roles from ids, console names or ``{id, name, level}``; the three ranked ones are always included."""
    roles = dict(BUILT_IN)
    for entry in json or ():
        role = Role(role_id(entry), entry) if isinstance(entry, str) else _decode_role(entry)
        if role.id not in BUILT_IN:
            roles[role.id] = role
    return roles


def encode_roles(roles: Mapping[str, Role]) -> list[Json]:
    """Return built-in roles as ids; custom ones as an id if that is enough, else with name and level."""
    return [_encode_role(role) for role in (*BUILT_IN.values(), *_custom(roles))]


def moment_text(at: datetime) -> str:
    """Return a moment as RFC 3339 text, UTC as ``Z``."""
    return at.isoformat().replace("+00:00", "Z")


def _custom(roles: Mapping[str, Role]) -> list[Role]:
    return sorted(role for role in roles.values() if role.id not in BUILT_IN)


def _decode_role(entry: Json) -> Role:
    return Role(role_id(entry["id"]), entry.get("name", entry["id"]), entry.get("level", "team"))


def _encode_role(role: Role) -> Json:
    plain = role == Role(role.id, role.id) or role.id in BUILT_IN
    return role.id if plain else {"id": role.id, "name": role.name, "level": role.level}


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class _Groups(NamedTuple):
    """The groups by their key in settings: their mappings, their facts, and names that several groups share.

    ``teamless`` are those with a role but without teams in the file, which were not read (R4).
    """

    mappings: dict[str, GroupMapping]
    groups: dict[str, Group]
    homonyms: frozenset[str]
    teamless: tuple[str, ...] = ()


def _sections(names: Collection[str], json: Mapping[str, Json], roles: Mapping[str, Role], groups: _Groups) -> Settings:
    """Return the settings of the named sections, with groups as they were decoded."""
    read = {name: json[name] for name in names if name in json and name != "idp_groups"}
    settings = decode_settings(read, roles)
    return replace(settings, idp_groups=groups.mappings) if "idp_groups" in json and "idp_groups" in names else settings


def _decode_groups(entries: Mapping[str, Json], roles: Mapping[str, Role]) -> _Groups:
    """Decode groups in one pass, because there may be 50,000.

    An unmapped group may be ``blank``, null, ``{}``, ``{blank: true}``, or have only the org's facts about it.
    """
    groups = _Groups({}, {}, frozenset())
    homonyms: set[str] = set()
    teamless: list[str] = []
    decode = value_decoder("idp_groups", roles)
    for key, entry in entries.items():
        fields = entry if isinstance(entry, dict) else _NOTHING
        name = normalise.name(key)
        groups.mappings[name] = decode(fields)
        groups.groups[name] = Group(fields.get("id", ""), fields.get("external_id"), fields.get("members"))
        if fields.get("role") and "teams" not in fields:
            teamless.append(name)
        if "name" in fields and normalise.name(fields["name"]) != name:
            homonyms.add(normalise.name(fields["name"]))
    return groups._replace(homonyms=frozenset(homonyms), teamless=tuple(sorted(teamless)))


def _without_teams(coverage: Coverage, teamless: Sequence[str]) -> Coverage:
    """Return the coverage of the groups: partial if the file omits the teams of a mapping with a role."""
    if not teamless or coverage.state != "complete":
        return coverage
    more = f" and {len(teamless) - 1:,} more" if len(teamless) > 1 else ""
    problem = f"the teams of `{teamless[0]}`{more} are missing; for a mapping without teams, write `teams: []`"
    return coverage._replace(state="partial", problem=problem)


def _decode_facts(
    json: Mapping[str, Json],
    roles: Mapping[str, Role],
    coverage: Mapping[str, Coverage],
    people: Any,
    groups: _Groups,
) -> Facts:
    org = json["org"]
    caller = org.get("caller", {})
    counts = org.get("counts", {})
    counted = len(people) if isinstance(people, Sequence) and not isinstance(people, str) else None
    teams = json.get("teams") if coverage["teams"].state != "unread" else None
    return Facts(
        org_id=org["id"],
        org_name=org.get("name", org["id"]),
        plan=org.get("plan", ""),
        local=org.get("local", False),
        teams=None if teams is None else frozenset(map(normalise.name, teams)),
        roles=roles,
        groups=groups.groups,
        homonyms=groups.homonyms,
        caller=Caller(caller.get("email"), caller.get("org_admin", True)),
        can=frozenset(org.get("can", ())),
        features=frozenset(org.get("features", ("scim",))),
        people=counts.get("people", coverage["people"].total or counted),
        active_people=counts.get("active_people"),
        legacy_links=_links(json.get("legacy_links")),
        kept=_settings_before_off(json.get("kept"), roles),
        partial=frozenset(name for name in ORG_SECTIONS if coverage[name].state == "partial"),
    )


def _settings_before_off(json: Mapping[str, Json] | None, roles: Mapping[str, Role]) -> Settings | None:
    if json is None:
        return None
    return _sections(ORG_SECTIONS, json, roles, _decode_groups(json.get("idp_groups") or {}, roles))


def _links(json: Mapping[str, Json] | None) -> dict[str, frozenset[str]] | None:
    if json is None:
        return None
    return {normalise.name(name): frozenset(map(normalise.name, teams)) for name, teams in json.items()}


def _encode_groups(mappings: Mapping[str, Json], facts: Facts) -> dict[str, Json]:
    """Return every pushed group: its mapping, and the org's facts about it. A group without either is ``blank``."""
    return {key: _encode_group(key, mapping, facts) or "blank" for key, mapping in mappings.items()}


def _encode_group(key: str, mapping: Json, facts: Facts) -> dict[str, Json]:
    group = facts.groups.get(key, Group(""))
    fields = mapping or {}
    entry = {name: value for name, value in fields.items() if value or (name == "teams" and fields.get("role"))}
    name = key.removesuffix(f" [{group.id}]")
    if name != key and name in facts.homonyms:
        entry["name"] = name
    known = {"id": group.id or None, "external_id": group.external_id, "members": group.members}
    return entry | {field: fact for field, fact in known.items() if fact is not None}


def _encode_org(facts: Facts) -> dict[str, Json]:
    org: dict[str, Json] = {"id": facts.org_id, "name": facts.org_name}
    counts = {"people": facts.people, "active_people": facts.active_people}
    optional = {
        "plan": facts.plan,
        "local": facts.local,
        "caller": {"email": facts.caller.email, "org_admin": facts.caller.org_admin} if facts.can else None,
        "can": sorted(facts.can),
        "counts": {name: count for name, count in counts.items() if count is not None},
    }
    org |= {name: fact for name, fact in optional.items() if fact}
    if facts.features != {"scim"}:
        org["features"] = sorted(facts.features)
    return org


def _decode_coverage(json: Mapping[str, Json], at: datetime | None, by: str | None) -> dict[str, Coverage]:
    covers = json.get("coverage", {})
    coverage = {name: _decode_cover(covers.get(name), name in json, at, by) for name in COVERED}
    for address, report in json.get("reported", {}).items():
        section = address.partition("/")[0].partition(".")[0]
        if section in coverage and coverage[section].state != "unread":
            reported = Reported(address, report["by"], datetime.fromisoformat(report["at"]))
            coverage[section] = coverage[section]._replace(reported=(*coverage[section].reported, reported))
    return coverage


def _decode_cover(cover: Json, present: bool, at: datetime | None, by: str | None) -> Coverage:
    fields: dict[str, Any] = {"state": cover} if isinstance(cover, str) else cover or {}
    state: State = fields.get("state", "complete") if present else "unread"
    if state == "unread":
        return UNREAD._replace(problem=fields.get("problem"))
    return Coverage(
        state,
        fields.get("read"),
        fields.get("total"),
        _moment(fields.get("taken_at")) or at,
        fields.get("taken_by", by),
        fields.get("problem"),
    )


def _encode_reported(live: Live) -> dict[str, Json]:
    """Return who reported which value done, and when, by address."""
    reported = [report for part in live.coverage.values() for report in part.reported]
    return {report.address: {"by": report.by, "at": moment_text(report.at)} for report in reported}


def _encode_coverage(snapshot: Snapshot) -> dict[str, Json]:
    covered = {name: _covered(snapshot, name) for name in COVERED}
    return {name: _encode_cover(coverage, snapshot) for name, coverage in covered.items()}


def _covered(snapshot: Snapshot, name: str) -> Coverage:
    live = snapshot.live
    if name == "people" and snapshot.people is None:
        return UNREAD._replace(problem=live.covered("people").problem)
    if name in live.coverage:
        return live.coverage[name]
    known = {"teams": live.facts.teams is not None, "people": True}
    present = known[name] if name in known else getattr(live.settings, name) is not UNSET
    return Coverage() if present else UNREAD


def _encode_cover(coverage: Coverage, snapshot: Snapshot) -> Json:
    encoded: dict[str, Json] = {"state": coverage.state, "read": coverage.read, "total": coverage.total}
    if coverage.taken_at is not None and coverage.taken_at != snapshot.taken_at:
        encoded["taken_at"] = moment_text(coverage.taken_at)
    if coverage.taken_by != snapshot.taken_by:
        encoded["taken_by"] = coverage.taken_by
    encoded["problem"] = coverage.problem
    fields = {field: value for field, value in encoded.items() if value is not None}
    return coverage.state if fields == {"state": coverage.state} else fields
