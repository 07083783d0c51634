"""Accept drift: change the configuration files to match the org. Comments, order and quoting are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

from rolecall.desired.build import Config, read_config
from rolecall.desired.edit.config import Edit, edited, merged, removing, setting
from rolecall.desired.edit.idp_lists import GroupEdit, IdpGroupValue, follows_groups, with_lists
from rolecall.desired.idp_groups import with_idp_ids
from rolecall.desired.load.read import load
from rolecall.desired.references import with_role_ids
from rolecall.drift.compare import Drift
from rolecall.drift.plans import accepted
from rolecall.drift.scan import DriftScan
from rolecall.errors import Blocked, ConfigError, Problem
from rolecall.jobs.config_files import replaced
from rolecall.jobs.export import metadata_rewritten
from rolecall.model.desired import Desired
from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION, KINDS, address, agrees, known_fields, of_idp, split_address, value_at
from rolecall.model.live import Live, base_name
from rolecall.model.paste import shell_pattern, yaml_pattern
from rolecall.model.settings import BLANK, UNSET, Address, Sso, Unset, Value
from rolecall.plan.diff.identity import Identity, group_of


class Acceptance(NamedTuple):
    """The new texts of the files that change, by name relative to the config's root, and what they then ask for."""

    texts: Mapping[str, str]
    desired: Desired


def refuse_unmanaged(config: Config, desired: Desired, drifts: Sequence[Drift]) -> None:
    """Raise Blocked, naming what to do, for drift that cannot be accepted by changing an entry of the configuration.

    In a section with ``manage: unmanaged`` an entry has no effect, and the same drift is reported again. A section that
    the configuration does not have, but would manage authoritatively, would lose every other entry. Pushes that follow
    `idp_groups` have no list to change.
    """
    problems = [problem for drift in drifts if (problem := _unmanaged(desired, drift)) is not None]
    in_idp = [drift for drift in drifts if of_idp(drift.address)]
    if in_idp:
        sources = load(config.root, config.env, config.main)
        problems += [_followed(drift) for drift in in_idp if follows_groups(sources, _kind(drift))]
    if problems:
        raise Blocked(*problems)


def _kind(drift: Drift) -> Kind:
    return BY_SECTION[split_address(drift.address)[0]]


def _ignore_hint(drift: Drift) -> str:
    return f"To accept everything else: rolecall drift --accept --ignore {shell_pattern(drift.address)}"


def _followed(drift: Drift) -> Problem:
    """Return why drift of a section that follows `idp_groups` is not accepted."""
    key = ".".join(_kind(drift).path)
    message = f"{drift.address} cannot be accepted: `{key}` is `idp_groups`, not a list"
    hint = f"to accept it, replace `idp_groups` in `{key}` with a list of groups. {_ignore_hint(drift)}"
    return Problem("accept_idp", message, drift.source, hint)


def _unmanaged(desired: Desired, drift: Drift) -> Problem | None:
    section, _ = split_address(drift.address)
    place = desired.policy.sources.get(f"manage.{section}")
    ignore_hint = _ignore_hint(drift)
    if not drift.managed:
        message = (
            f"{drift.address} cannot be accepted: `manage.{section}` is unmanaged, so an entry would have no effect"
        )
        hint = (
            f"to leave it as it is, add `ignore: [{{address: {yaml_pattern(drift.address)}, reason: ...}}]`; to manage "
            f"it, set `manage.{section}` to additive. {ignore_hint}"
        )
        return Problem("accept_unmanaged", message, place, hint)
    if getattr(desired.settings, section) is UNSET and desired.policy.managing(section) == "authoritative":
        message = (
            f"{drift.address} cannot be accepted: the configuration has no `{section}`, and as `manage.{section}` is "
            "authoritative, every other entry would be removed"
        )
        return Problem(
            "accept_unmanaged", message, place, f"to write the whole section: rolecall export --update. {ignore_hint}"
        )
    return None


def accept(config: Config, inquiry: DriftScan, drifts: Sequence[Drift]) -> Acceptance:
    """Return what to write so that the configuration matches the org at these addresses.

    An entry of the configuration keeps its key, whatever the name of its group. Raises ConfigError for a file that
    cannot be changed in place, and for what a configuration cannot express.
    """
    question = inquiry.resolved
    known = question.known
    drifts = [replace(drift, address=_written(known, drift)) for drift in drifts]
    sources = load(config.root, config.env, config.main)
    edits = [_edit(drift, known, question.live) for drift in drifts if not of_idp(drift.address)]
    files: dict[str, str] = {}
    for drift in drifts:
        if (
            isinstance(drift.live, Sso)
            and drift.live.metadata is not UNSET
            and _metadata_moved(drift, drift.live.metadata)
        ):
            metadata = metadata_rewritten(sources, drift.live.metadata)
            edits += metadata.edits()
            files |= metadata.files
    texts = edited(sources, merged([edit for edit in edits if edit is not None]))
    texts = with_lists(sources, texts, [_group_of_list(drift) for drift in drifts if of_idp(drift.address)])
    return Acceptance({**texts, **files}, accepted(known.written, drifts))


def write_accepted(config: Config, inquiry: DriftScan, acceptance: Acceptance) -> None:
    """Write the files, read the configuration again, and check that it asks for what was accepted and nothing else.

    If it does not, restore every file and raise ConfigError.
    """
    with replaced(config.root, acceptance.texts):
        now = read_config(config.root, config.env, config.main).desired
        facts = inquiry.plan_input.live.facts
        now = with_idp_ids(with_role_ids(now, facts.roles), facts.idp)
        wrong = list(_differs(now, acceptance.desired))
        if wrong:
            message = f"the drift cannot be accepted automatically at {', '.join(sorted(set(wrong)))}"
            raise ConfigError(Problem("accept", message, None, "edit the configuration there; no file was changed"))


def _group_of_list(drift: Drift) -> GroupEdit:
    return GroupEdit(
        drift.address, cast("IdpGroupValue | None", drift.live), cast("IdpGroupValue | None", drift.desired)
    )


def _written(known: Identity, drift: Drift) -> Address:
    """Return the address of a drift as the configuration has it."""
    section, _ = split_address(drift.address)
    if of_idp(section):
        listed = getattr(known.written.settings, section)
        keys = [] if listed is UNSET else [key for key, value in listed.items() if value == drift.desired]
        return address(section, keys[0]) if keys else drift.address
    key = known.keys.get(group_of(drift.address) or "")
    return drift.address if key is None else address("idp_groups", key)


def _edit(drift: Drift, known: Identity, live: Live) -> Edit | None:
    section, _ = split_address(drift.address)
    if section == "idp_groups":
        return _group_edit(drift, known, live)
    if drift.live is None:
        return removing(drift.address)
    value = drift.live if drift.desired is None else _moved_fields(drift)
    return None if value is None else setting(drift.address, value)


def _group_edit(drift: Drift, known: Identity, live: Live) -> Edit | None:
    desired, key = known.written, group_of(drift.address) or ""
    configured = value_at(desired.settings, drift.address) is not None
    if drift.live is None and known.names.get(key, key) not in live.facts.groups:
        return removing(drift.address) if configured else None
    edit = setting(drift.address, drift.live or BLANK)
    if edit.fields is not None and desired.intent(drift.address).expires is not None and drift.live is not None:
        edit = edit._replace(fields={**edit.fields, "expires": None})
    return edit


def _moved_fields(drift: Drift) -> Value | None:
    """Return the fields of the live value that the configuration sets and that differ, without metadata, which is a
    file."""
    if drift.live is None or drift.desired is None:
        return drift.live
    spoken = known_fields(BY_SECTION[split_address(drift.address)[0]], drift.desired)
    moved = {
        name: getattr(drift.live, name)
        for name, value in spoken.items()
        if name != "metadata" and getattr(drift.live, name) not in (UNSET, value)
    }
    return type(drift.live)(**moved) if moved else None


def _metadata_moved(drift: Drift, live: str | None) -> bool:
    """Return whether the configuration sets the IdP's metadata and the org has different metadata."""
    configured = drift.desired
    return isinstance(configured, Sso) and configured.metadata is not UNSET and configured.metadata != live


def _differs(now: Desired, expected: Desired) -> Iterator[Address]:
    """Yield the addresses at which the configuration does not ask for what was accepted."""
    for kind in KINDS:
        actual_value, expected_value = getattr(now.settings, kind.section), getattr(expected.settings, kind.section)
        if not kind.keyed:
            same = actual_value is expected_value or (
                UNSET not in (actual_value, expected_value)
                and agrees(actual_value, expected_value)
                and agrees(expected_value, actual_value)
            )
            if not same:
                yield address(kind.section)
            continue
        if kind.side == "idp":
            if _named(actual_value) != _named(expected_value):
                yield address(kind.section)
            continue
        has, should = ({} if side is UNSET else side for side in (actual_value, expected_value))
        for key in has.keys() | should.keys():
            actual_entry, expected_entry = has.get(key), should.get(key)
            if actual_entry != expected_entry and {actual_entry, expected_entry} != {None, BLANK}:
                yield address(kind.section, key)


def _named(groups: Mapping[str, IdpGroupValue] | Unset) -> set[tuple[str, object]] | None:
    """Return the names and IDs of groups that a list has: which key each has depends on the others."""
    return None if groups is UNSET else {(base_name(key), value.id) for key, value in groups.items()}
