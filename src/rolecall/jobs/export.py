"""Run `export`: write a configuration from an org as it is, so that a plan for it shows no changes.

The configuration is new, or an existing one is updated; its comments, order and other entries are kept.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, cast

from rolecall.desired.build import read_config
from rolecall.desired.edit.config import Edit, edited, merged, removing, setting
from rolecall.desired.edit.export import ConfigEntry, Head, LeftOut, Sayable, config_files, sayable
from rolecall.desired.edit.idp_lists import GroupEdit, follows_groups, with_lists
from rolecall.desired.idp_groups import with_idp_ids
from rolecall.desired.load.idp_groups import ALL_GROUPS
from rolecall.desired.load.read import load
from rolecall.desired.load.sources import Sources
from rolecall.desired.references import references, with_role_ids
from rolecall.errors import ConfigError, Problem, Where
from rolecall.jobs.config_files import replaced, write_texts
from rolecall.jobs.init import MAIN, scaffold
from rolecall.jobs.samples import without_samples
from rolecall.model.change import Change
from rolecall.model.desired import Applied, Desired
from rolecall.model.kinds import BY_SECTION, IDP_KINDS, address, known_fields, of_idp, split_address, value_at
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, Address, Scim, Sso, Value
from rolecall.plan.diff.changes import Difference, diff
from rolecall.plan.diff.identity import Identity
from rolecall.plan.resolve import expired, ignored
from rolecall.source.files import read_file


@dataclass(frozen=True, slots=True)
class Exported:
    """The texts by name, relative to the config's folder; ``left_out`` is what a config cannot express, and why.

    ``kept`` are entries that are kept although the org does not have them: groups that are pending in the IdP.
    """

    files: Mapping[str, str]
    left_out: tuple[LeftOut, ...] = ()
    kept: tuple[str, ...] = ()


def new_config(live: Live, head: Mapping[str, Any], read: str, *, split: bool = False) -> Exported:
    """Return a new configuration. ``head`` has its ``org``, ``people``, ``idp`` and ``journal``, see ``head_of``."""
    sections = sayable(live)
    return Exported(config_files(live, sections, Head(head, read), split=split), sections.left_out)


def head_of(effective: Mapping[str, Any], live: Live, root: Path, out: Path) -> dict[str, Any]:
    """Return the org, source of users, journal and audit log of a config in ``root`` for one in ``out``, with the org's
    id, paths adapted."""
    org = {**effective.get("org", {})}
    head: dict[str, Any] = {
        "org": {
            "name": org.get("name", live.facts.org_name or live.facts.org_id),
            "id": live.facts.org_id,
            "url": _moved(org["url"], root, out),
            **({"token": org["token"]} if "token" in org else {}),
        }
    }
    head |= {name: effective[name] for name in ("people", "idp", "journal", "audit", "usage") if name in effective}
    if "idp" in head:
        head["idp"] = {**head["idp"], **_idp_lists(head["idp"], live)}
    if isinstance(url := head.get("journal", {}).get("url"), str):
        head["journal"] = {**head["journal"], "url": _moved(url, root, out)}
    return head


def _idp_lists(idp: Mapping[str, Any], live: Live) -> dict[str, Any]:
    """Return the groups of the IdP that the configuration lists, as they were read, with their IDs."""
    lists: dict[str, Any] = {}
    for kind in IDP_KINDS:
        _, name = kind.path
        entries = getattr(live.settings, kind.section)
        if name not in idp or entries is UNSET:
            continue
        groups = live.settings.idp_groups
        every = idp[name] == ALL_GROUPS and groups is not UNSET and groups.keys() == entries.keys()
        listed = [
            {"name": key.removesuffix(f" [{value.id}]"), "id": value.id} for key, value in sorted(entries.items())
        ]
        lists[name] = ALL_GROUPS if every else listed
    return lists


def with_role_attribute(live: Live, desired: Desired) -> Live:
    """Return the org with what only a configuration has: the name of the legacy role attribute (R18).

    The new endpoint ignores the attribute, so an org on it is returned without one.
    """
    desired_scim, live_scim = desired.settings.scim, live.settings.scim
    if not isinstance(live_scim, Scim):
        return live
    attribute = desired_scim.role_attribute if isinstance(desired_scim, Scim) else UNSET
    attribute = live_scim.role_attribute if attribute is UNSET else attribute
    scim = replace(live_scim, role_attribute=UNSET if live_scim.endpoint == "new" else attribute)
    return replace(live, settings=replace(live.settings, scim=scim))


def write_export(out: Path, exported: Exported, copies: Mapping[str, Path]) -> list[Path]:
    """Write the files of a new configuration to ``out``, and copy those that it names (``copies``: name -> source).

    Raises ConfigError if there is a configuration already.
    """
    if (out / MAIN).exists():
        directory_flag = f"-C {out} " if out.resolve() != Path.cwd() else ""
        hint = f"to update it: rolecall {directory_flag}export --update. To use another folder: --out DIR"
        raise ConfigError(Problem("exists", "a configuration already exists here", Where(str(out / MAIN)), hint))
    out.mkdir(parents=True, exist_ok=True)
    written = write_texts(out, exported.files)
    for name, source in copies.items():
        if not (out / name).exists():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, out / name)
            written.append(out / name)
    return [*written, *scaffold(out)]


def read_words(live: Live, url: str, at: datetime) -> str:
    """Return the comment that says from which org and when a configuration was exported."""
    whose = f"{live.facts.org_name} ({live.facts.org_id})" if live.facts.org_name else live.facts.org_id
    return f"Exported by rolecall from {whose} at {url}, read on {at:%Y-%m-%d %H:%M} UTC."


def _moved(url: str, root: Path, out: Path) -> str:
    """Return a URL with a path for use in another folder. An observed file is copied, so its name stays."""
    scheme, colon, path = url.partition(":")
    if not colon or scheme not in ("local", "sqlite") or "://" in path or Path(path).is_absolute():
        return url
    return f"{scheme}:{Path(os.path.relpath(root / path, out)).as_posix()}"


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """A configuration as loaded and built, and the org to update it to. ``as_of`` is the day, UTC."""

    sources: Sources
    desired: Desired
    live: Live
    as_of: date
    applied: Applied


def updated_config(request: UpdateRequest) -> Exported:
    """Return the files that change so that the configuration matches the org; comments and order are kept.

    Missing entries are added, different ones are set, and those that the org no longer has are removed. What is ignored
    or unmanaged stays, and so do groups that are pending in the IdP and a requested upgrade. A section that is added
    replaces its commented sample.
    """
    difference = diff(request.desired, request.live, request.as_of, request.applied)
    live_config = sayable(request.live)
    known = {entry.address for entries in live_config.sections.values() for entry in entries}
    back = [change for change in difference.changes if _returns(change, known)]
    names = difference.identity.names.items()
    keys = {address("idp_groups", name): address("idp_groups", key) for key, name in names}
    metadata = _metadata(request, back)
    edits = [*_endpoint(request), *(_back(request, change, keys) for change in back if not of_idp(change.address))]
    edits += metadata.edits()
    edits += _missing(request, live_config, difference.identity)
    kept_addresses = tuple(change.address for change in difference.changes if change not in back)
    whole = [_or_gone(request.desired, edit) for edit in merged(edits)]
    texts = {
        name: without_samples(read_file(request.sources.root / name, name).decode("utf-8-sig"), text)
        for name, text in edited(request.sources, whole).items()
    }
    texts = with_lists(request.sources, texts, _group_edits(request, difference))
    left_out = (*live_config.left_out, *_lists_left_out(request))
    followed = tuple(address for address in (change.address for change in back) if _follows(request, address))
    return Exported({**texts, **metadata.files}, left_out, (*kept_addresses, *followed))


def _follows(request: UpdateRequest, at: Address) -> bool:
    return of_idp(at) and follows_groups(request.sources, BY_SECTION[split_address(at)[0]])


def _group_edits(request: UpdateRequest, difference: Difference) -> Iterator[GroupEdit]:
    """Yield the edits that give each list of `idp` the groups that the IdP has."""
    skip = ignored(request.desired.policy.ignore, request.as_of)
    identity = difference.identity
    for kind in IDP_KINDS:
        listed, live = (getattr(side.settings, kind.section) for side in (identity.desired, request.live))
        if UNSET in (listed, live) or follows_groups(request.sources, kind):
            continue
        for key in sorted(listed.keys() | live.keys()):
            at, value = address(kind.section, key), live.get(key)
            if listed.get(key) != value and not identity.covers(skip, at):
                yield GroupEdit(at, value, listed.get(key))


def _lists_left_out(request: UpdateRequest) -> Iterator[LeftOut]:
    """Yield the sections of the IdP that an update does not change, and why."""
    for kind in IDP_KINDS:
        if getattr(request.desired.settings, kind.section) is UNSET:
            continue
        coverage = request.live.covered(kind.section)
        if coverage.state != "complete":
            yield LeftOut(kind.section, coverage.problem or "could not be read")


def _or_gone(desired: Desired, edit: Edit) -> Edit:
    """Return the edit that removes a whole singleton if no field would be left, since an empty one is not valid."""
    section, key = split_address(edit.address)
    configured = value_at(desired.settings, edit.address) if key is None else None
    if configured is None or not edit.fields or any(value is not None for value in edit.fields.values()):
        return edit
    return (
        removing(edit.address) if known_fields(BY_SECTION[section], configured).keys() <= edit.fields.keys() else edit
    )


def write_update(request: UpdateRequest, exported: Exported) -> None:
    """Write the files, read the configuration again, and check that it is valid and matches the org.

    If it does not, restore every file and raise ConfigError.
    """
    sources = request.sources
    with replaced(sources.root, exported.files):
        now = read_config(sources.root, sources.env, sources.main)
        if wrong := [problem for problem in references(now, request.live.facts) if problem.severity == "error"]:
            raise ConfigError(*wrong)
        facts = request.live.facts
        desired = with_idp_ids(with_role_ids(now.desired, facts.roles), facts.idp)
        again = replace(request, sources=load(sources.root, sources.env, sources.main), desired=desired)
        left = [at for at in _left(again) if at not in exported.kept and not _follows(again, at)]
        if left:
            message = f"the configuration cannot be updated automatically at {', '.join(left[:_SHOWN])}"
            hint = "edit that, then run rolecall export --update again; no file was changed"
            raise ConfigError(Problem("update", message, Where(sources.main), hint))


def _left(request: UpdateRequest) -> list[Address]:
    """Return the addresses that a plan would change."""
    return [change.address for change in diff(request.desired, request.live, request.as_of, request.applied).changes]


_SHOWN = 5


def _metadata(request: UpdateRequest, changes: list[Change]) -> Rewritten:
    """Return the new metadata if it differs and the configuration has metadata."""
    desired_sso, live_sso = request.desired.settings.sso, request.live.settings.sso
    if not (isinstance(desired_sso, Sso) and isinstance(live_sso, Sso)) or UNSET in (
        desired_sso.metadata,
        live_sso.metadata,
    ):
        return Rewritten({}, {})
    if desired_sso.metadata == live_sso.metadata or all(change.address != address("sso") for change in changes):
        return Rewritten({}, {})
    return metadata_rewritten(request.sources, cast("str | None", live_sso.metadata) or None)


def _endpoint(request: UpdateRequest) -> Iterator[Edit]:
    """Yield the edit of a config that asks for the legacy endpoint, if the org has upgraded. No plan shows that."""
    if not _says_legacy(request.desired):
        return
    at, scim = address("scim"), request.live.settings.scim
    if scim is UNSET or scim.endpoint in (UNSET, "legacy"):
        return
    if scim.endpoint == "new":
        yield Edit(at, {"endpoint": "new"})
    elif len(known_fields(BY_SECTION["scim"], cast(Scim, request.desired.settings.scim))) > 1:
        yield Edit(at, {"endpoint": None})
    else:
        yield removing(at)


def _says_legacy(desired: Desired) -> bool:
    return desired.settings.scim is not UNSET and desired.settings.scim.endpoint == "legacy"


def _returns(change: Change, known: set[Address]) -> bool:
    """Return whether a configuration can express the value before a change."""
    if change.via == "waiting" or change.action == "upgrade":
        return False
    return change.address in known or change.before is None or not change.address.startswith("idp_groups/")


def _back(request: UpdateRequest, change: Change, keys: Mapping[Address, Address]) -> Edit:
    """Return the edit that sets the value before a change, so that the change is no longer planned."""
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
    """Return the value without metadata, which is usually in a file of its own that is updated separately."""
    return replace(value, metadata=UNSET) if isinstance(value, Sso) else value


def _pin(live: Live, key: str | None) -> str | None:
    group = live.facts.groups.get(key or "")
    return group.id or None if group else None


def _missing(request: UpdateRequest, live_config: Sayable, identity: Identity) -> Iterator[Edit]:
    """Yield the edits for everything in the org that the configuration lacks, other than what it ignores."""
    policy = request.desired.policy
    skip = ignored(policy.ignore, request.as_of)
    for section, entries in live_config.sections.items():
        if policy.managing(section) == "unmanaged" or (section == "idp_groups" and _stays_legacy(request)):
            continue
        for entry in entries:
            configured = value_at(identity.desired.settings, entry.address) is not None
            value = _beside_mappings(request.desired, entry)
            if value is not None and not configured and not identity.covers(skip, entry.address):
                yield Edit(entry.address, value if isinstance(value, dict) else {"blank": True}, value)


def _stays_legacy(request: UpdateRequest) -> bool:
    """Return whether the configuration sets the legacy endpoint, and the org is not known to have upgraded."""
    scim = request.live.settings.scim
    return _says_legacy(request.desired) and (scim is UNSET or scim.endpoint is UNSET)


def _beside_mappings(desired: Desired, entry: ConfigEntry) -> Any:
    """Return the value to write at an address. A config with mappings cannot ask for the legacy endpoint (R18)."""
    mapped = desired.settings.idp_groups is not UNSET and any(
        not mapping.blank for mapping in desired.settings.idp_groups.values()
    )
    if entry.address != "scim" or not mapped or entry.value.get("endpoint") != "legacy":
        return entry.value
    return {name: value for name, value in entry.value.items() if name != "endpoint"} or None


PATH = ("sso", "metadata")


class Rewritten(NamedTuple):
    """Fields of ``sso`` to set in the configuration, and files to write, by name relative to its folder."""

    fields: Mapping[str, Any]
    files: Mapping[str, str]

    def edits(self) -> list[Edit]:
        """Return the edits of the configuration itself."""
        fresh = {name: value for name, value in self.fields.items() if value is not None}
        return [Edit(address("sso"), self.fields, fresh)] if self.fields else []


def metadata_rewritten(sources: Sources, text: str | None) -> Rewritten:
    """Return how a configuration with metadata gets this text; None if the org has no metadata.

    An overlay gets a file of its own, since the one that it inherits belongs to other orgs too.
    """
    if text is None:
        return Rewritten({"metadata": None}, {})
    configured = sources.effective.get("sso", {}).get("metadata")
    if isinstance(configured, str):
        return Rewritten({"metadata": text}, {})
    name = str(configured["file"])
    over = sources.documents[-1]
    if sources.overlaid and not over.has(PATH):
        name = str(PurePosixPath(over.name).with_suffix(".sso-metadata.xml"))
        return Rewritten({"metadata": {"file": name}}, {name: f"{text}\n"})
    return Rewritten({}, {name: f"{text}\n"})
