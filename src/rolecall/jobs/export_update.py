"""Use case `export --update`: a config that is there says what the org has; comments, order and the rest stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

from rolecall.desired import load, read_config
from rolecall.desired.emit_edit import Edit, edited, merged, removing, setting
from rolecall.desired.emit_live import Said, Sayable, sayable
from rolecall.desired.references import references
from rolecall.desired.roles import with_role_ids
from rolecall.desired.sources import Sources
from rolecall.errors import ConfigError, Problem, Where
from rolecall.jobs.export import Exported
from rolecall.jobs.metadata import Rewritten, metadata_rewritten
from rolecall.jobs.texts import replaced
from rolecall.model.change import Change
from rolecall.model.comparison import said_fields
from rolecall.model.desired import Applied, Desired
from rolecall.model.kinds import BY_SECTION, address, split_address, value_at
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, Address, Scim, Sso, Value
from rolecall.plan.diff import diff
from rolecall.plan.identity import Identity
from rolecall.plan.resolve import expired, ignored


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """A config as loaded and built, and the org to bring it up to. ``as_of`` is the day, UTC."""

    sources: Sources
    desired: Desired
    live: Live
    as_of: date
    applied: Applied


def update(request: UpdateRequest) -> Exported:
    """The files of a config that change so that it says what the org has; comments and order stay.

    Entries of the org that are missing are added, those that differ are set, those the org lost are taken out. What
    the config ignores or does not manage stays; so do groups that wait for the IdP, and an upgrade that is asked for.
    """
    found = diff(request.desired, request.live, request.as_of, request.applied)
    said = sayable(request.live)
    known = {row.address for rows in said.sections.values() for row in rows}
    back = [change for change in found.changes if _returns(change, known)]
    names = found.identity.names.items()
    keys = {address("idp_groups", name): address("idp_groups", key) for key, name in names}
    metadata = _metadata(request, back)
    edits = [*_endpoint(request), *(_back(request, change, keys) for change in back)]
    edits += metadata.edits()
    edits += _missing(request, said, found.identity)
    kept = tuple(change.address for change in found.changes if change not in back)
    whole = [_or_gone(request.desired, edit) for edit in merged(edits)]
    return Exported({**edited(request.sources, whole), **metadata.files}, said.left_out, kept)


def _or_gone(desired: Desired, edit: Edit) -> Edit:
    """A singleton that would be left without any field goes as a whole: a config cannot say an empty one."""
    section, key = split_address(edit.address)
    held = value_at(desired.settings, edit.address) if key is None else None
    if held is None or not edit.fields or any(said is not None for said in edit.fields.values()):
        return edit
    return removing(edit.address) if said_fields(BY_SECTION[section], held).keys() <= edit.fields.keys() else edit


def write_update(request: UpdateRequest, made: Exported) -> None:
    """Write the files, read the config again, and see that it is valid, names what the org has, and plans empty but
    for what it keeps.

    Raises ConfigError, and leaves every file as it was, when it does not.
    """
    sources = request.sources
    with replaced(sources.root, made.files):
        now = read_config(sources.root, sources.env, sources.main)
        if wrong := [problem for problem in references(now, request.live.facts) if problem.severity == "error"]:
            raise ConfigError(*wrong)
        desired = with_role_ids(now.desired, request.live.facts.roles)
        again = replace(request, sources=load(sources.root, sources.env, sources.main), desired=desired)
        left = [at for at in _left(again) if at not in made.kept]
        if left:
            message = f"the config would still want something else at {', '.join(left[:_SHOWN])}"
            raise ConfigError(Problem("update", message, Where(sources.main), "change that by hand, and export again"))


def _left(request: UpdateRequest) -> list[Address]:
    """Addresses that a plan would change."""
    return [change.address for change in diff(request.desired, request.live, request.as_of, request.applied).changes]


_SHOWN = 5


def _metadata(request: UpdateRequest, changes: list[Change]) -> Rewritten:
    """Metadata that differs, where the config speaks of it."""
    wanted, held = request.desired.settings.sso, request.live.settings.sso
    if not (isinstance(wanted, Sso) and isinstance(held, Sso)) or UNSET in (wanted.metadata, held.metadata):
        return Rewritten({}, {})
    if wanted.metadata == held.metadata or all(change.address != address("sso") for change in changes):
        return Rewritten({}, {})
    return metadata_rewritten(request.sources, cast("str | None", held.metadata) or None)


def _endpoint(request: UpdateRequest) -> Iterator[Edit]:
    """A config that says legacy of an org that is past it. No plan would say so: nobody writes an endpoint."""
    if not _says_legacy(request.desired):
        return
    at, scim = address("scim"), request.live.settings.scim
    if scim is UNSET or scim.endpoint in (UNSET, "legacy"):
        return
    if scim.endpoint == "new":
        yield Edit(at, {"endpoint": "new"})
    elif len(said_fields(BY_SECTION["scim"], cast(Scim, request.desired.settings.scim))) > 1:
        yield Edit(at, {"endpoint": None})
    else:
        yield removing(at)


def _says_legacy(desired: Desired) -> bool:
    return desired.settings.scim is not UNSET and desired.settings.scim.endpoint == "legacy"


def _returns(change: Change, known: set[Address]) -> bool:
    """Whether a config can say what stood there before a change."""
    if change.via == "waiting" or change.action == "upgrade":
        return False
    return change.address in known or change.before is None or not change.address.startswith("idp_groups/")


def _back(request: UpdateRequest, change: Change, keys: Mapping[Address, Address]) -> Edit:
    """The edit that makes a change unnecessary: the config says what stood there before."""
    section, key = split_address(change.address)
    at = keys.get(change.address, change.address)
    if section == "domains" and change.before is None:
        return removing(at)
    edit = setting(at, _without_metadata(change.before), _pin(request.live, key) if section == "idp_groups" else None)
    assert edit.fields is not None
    spent = {"expires": None} if expired(change.intent, request.as_of) else {}
    renamed = {"previously": None} if change.moved else {}
    return edit._replace(fields={**edit.fields, **spent, **renamed})


def _without_metadata(value: Value | None) -> Value | None:
    """Metadata is mostly the text of a file that a config only names: that is brought up to date beside it."""
    return replace(value, metadata=UNSET) if isinstance(value, Sso) else value


def _pin(live: Live, key: str | None) -> str | None:
    group = live.facts.groups.get(key or "")
    return group.id or None if group else None


def _missing(request: UpdateRequest, said: Sayable, identity: Identity) -> Iterator[Edit]:
    """Everything a config can say of the org and this one does not, but for what it chose to leave alone."""
    policy = request.desired.policy
    skip = ignored(policy.ignore, request.as_of)
    for section, rows in said.sections.items():
        if policy.managing(section) == "unmanaged" or (section == "idp_groups" and _stays_legacy(request)):
            continue
        for row in rows:
            there = value_at(identity.desired.settings, row.address) is not None
            value = _beside_mappings(request.desired, row)
            if value is not None and not there and not identity.covers(skip, row.address):
                yield Edit(row.address, value if isinstance(value, dict) else {"blank": True}, value)


def _stays_legacy(request: UpdateRequest) -> bool:
    """Whether the config says legacy and nobody read that the org is past it."""
    scim = request.live.settings.scim
    return _says_legacy(request.desired) and (scim is UNSET or scim.endpoint is UNSET)


def _beside_mappings(desired: Desired, row: Said) -> Any:
    """What to say of an address in this config: one with mappings wants them, so it cannot also say legacy (R18)."""
    mapped = desired.settings.idp_groups is not UNSET and any(
        not one.blank for one in desired.settings.idp_groups.values()
    )
    if row.address != "scim" or not mapped or row.value.get("endpoint") != "legacy":
        return row.value
    return {name: said for name, said in row.value.items() if name != "endpoint"} or None
