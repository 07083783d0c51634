"""Accept a drift: the config in the work tree says what the org has, comments, order and quoting kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from rolecall.desired.build import Config, read_config
from rolecall.desired.edit.config import Edit, edited, merged, removing, setting
from rolecall.desired.load.read import load
from rolecall.desired.references import with_role_ids
from rolecall.drift.compare import Drift
from rolecall.drift.plans import accepted
from rolecall.drift.scan import DriftScan
from rolecall.errors import Blocked, ConfigError, Problem
from rolecall.jobs.config_files import replaced
from rolecall.jobs.export import metadata_rewritten
from rolecall.model.comparison import agrees, said_fields
from rolecall.model.desired import Desired
from rolecall.model.kinds import BY_SECTION, KINDS, address, split_address, value_at
from rolecall.model.live import Live
from rolecall.model.paste import shell_pattern, yaml_pattern
from rolecall.model.settings import BLANK, UNSET, Address, Sso, Value
from rolecall.plan.diff.identity import Identity, group_of


class Acceptance(NamedTuple):
    """The new texts of the files that change, by name relative to the config's root, and what they then say."""

    texts: Mapping[str, str]
    desired: Desired


def refuse_unmanaged(desired: Desired, rows: Sequence[Drift]) -> None:
    """Raise Blocked for drift that no entry of the config could accept without a wrong effect, naming what to do.

    In a section with ``manage: unmanaged`` an entry has no effect, and the same drift is reported again. A section that
    the config does not have, but would manage authoritatively, would lose every other entry.
    """
    problems = [problem for row in rows if (problem := _unmanaged(desired, row)) is not None]
    if problems:
        raise Blocked(*problems)


def _unmanaged(desired: Desired, row: Drift) -> Problem | None:
    section, _ = split_address(row.address)
    place = desired.policy.sources.get(f"manage.{section}")
    rest = f"To accept only the rest: rolecall drift --accept --ignore {shell_pattern(row.address)}"
    if not row.managed:
        message = f"{row.address} cannot be accepted: `manage.{section}` is unmanaged, so an entry would have no effect"
        hint = (
            f"To leave it as it is, add `ignore: [{{address: {yaml_pattern(row.address)}, reason: ...}}]`; "
            f"to manage it, set `manage.{section}` to additive. {rest}"
        )
        return Problem("accept_unmanaged", message, place, hint)
    if getattr(desired.settings, section) is UNSET and desired.policy.managing(section) == "authoritative":
        message = (
            f"{row.address} cannot be accepted: the config has no `{section}`, and as `manage.{section}` is "
            "authoritative, every other entry would be removed"
        )
        return Problem("accept_unmanaged", message, place, f"Write the whole section: rolecall export --update. {rest}")
    return None


def accept(config: Config, inquiry: DriftScan, rows: Sequence[Drift]) -> Acceptance:
    """What to write so that the config says what the org has at these addresses. Writes nothing yet.

    An entry of the config keeps its key, whatever the group is called.

    Raises ConfigError for a file that cannot be changed in place, and for what a config cannot say.
    """
    question = inquiry.resolved
    known = question.known
    rows = [replace(row, address=_written(known, row.address)) for row in rows]
    sources = load(config.root, config.env, config.main)
    edits = [_edit(row, known, question.live) for row in rows]
    files: dict[str, str] = {}
    for row in rows:
        if isinstance(row.live, Sso) and row.live.metadata is not UNSET and _metadata_moved(row, row.live.metadata):
            metadata = metadata_rewritten(sources, row.live.metadata)
            edits += metadata.edits()
            files |= metadata.files
    texts = edited(sources, merged([edit for edit in edits if edit is not None]))
    return Acceptance({**texts, **files}, accepted(known.written, rows))


def write_accepted(config: Config, inquiry: DriftScan, made: Acceptance) -> None:
    """Write the files, read the config again, and see that it says what was accepted and nothing else.

    Raises ConfigError, and leaves every file as it was, when it does not.
    """
    with replaced(config.root, made.texts):
        now = read_config(config.root, config.env, config.main).desired
        wrong = list(_differs(with_role_ids(now, inquiry.plan_input.live.facts.roles), made.desired))
        if wrong:
            message = f"the config would then say something else at {', '.join(sorted(set(wrong)))}"
            raise ConfigError(Problem("accept", message, None, "change it by hand"))


def _written(known: Identity, at: Address) -> Address:
    """An address as the config has it."""
    key = known.keys.get(group_of(at) or "")
    return at if key is None else address("idp_groups", key)


def _edit(row: Drift, known: Identity, live: Live) -> Edit | None:
    section, _ = split_address(row.address)
    if section == "idp_groups":
        return _group_edit(row, known, live)
    if row.live is None:
        return removing(row.address)
    value = row.live if row.desired is None else _moved_fields(row)
    return None if value is None else setting(row.address, value)


def _group_edit(row: Drift, known: Identity, live: Live) -> Edit | None:
    desired, key = known.written, group_of(row.address) or ""
    asked = value_at(desired.settings, row.address) is not None
    if row.live is None and known.names.get(key, key) not in live.facts.groups:
        return removing(row.address) if asked else None
    edit = setting(row.address, row.live or BLANK)
    if edit.fields is not None and desired.intent(row.address).expires is not None and row.live is not None:
        edit = edit._replace(fields={**edit.fields, "expires": None})
    return edit


def _moved_fields(row: Drift) -> Value | None:
    """The live value cut down to the fields that the config speaks of and that differ; metadata is a file's."""
    if row.live is None or row.desired is None:
        return row.live
    spoken = said_fields(BY_SECTION[split_address(row.address)[0]], row.desired)
    moved = {
        name: getattr(row.live, name)
        for name, said in spoken.items()
        if name != "metadata" and getattr(row.live, name) not in (UNSET, said)
    }
    return type(row.live)(**moved) if moved else None


def _metadata_moved(row: Drift, live: str | None) -> bool:
    """Whether the config names the IdP's metadata and the org has another; what it does not name is not managed."""
    wanted = row.desired
    return isinstance(wanted, Sso) and wanted.metadata is not UNSET and wanted.metadata != live


def _differs(now: Desired, wanted: Desired) -> Iterator[Address]:
    """Addresses where the config as it reads now is not what was accepted."""
    for kind in KINDS:
        held, asked = getattr(now.settings, kind.section), getattr(wanted.settings, kind.section)
        if not kind.keyed:
            same = held is asked or (UNSET not in (held, asked) and agrees(held, asked) and agrees(asked, held))
            if not same:
                yield address(kind.section)
            continue
        has, should = ({} if side is UNSET else side for side in (held, asked))
        for key in has.keys() | should.keys():
            one, other = has.get(key), should.get(key)
            if one != other and {one, other} != {None, BLANK}:
                yield address(kind.section, key)
