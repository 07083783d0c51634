"""Record that an admin reports manual steps as done, and verify them.

A step on an observed org is written into the file of the org; everything else in the file is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.apply.steps import satisfies
from rolecall.codec.settings import decode_value
from rolecall.codec.snapshot import moment_text
from rolecall.desired.edit.config import Edit, removing, setting
from rolecall.desired.edit.entries import add_entries, remove_entries, set_fields
from rolecall.desired.edit.snapshot import merged_snapshot
from rolecall.errors import Misuse, Problem
from rolecall.jobs.config_files import replaced
from rolecall.jobs.history import one_run, superseded
from rolecall.jobs.observe import default_role
from rolecall.jobs.observe_table import Known, mapping, split_teams
from rolecall.jobs.step_numbers import steps_meant
from rolecall.journal.port import AppliedState, Journal, OrgLock
from rolecall.live.port import Reader
from rolecall.live.snapshot.file import entry_faults, read_snapshot
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.kinds import BY_SECTION, field_address, field_changes, split_address, unread_fields, value_at
from rolecall.model.live import Facts, Live
from rolecall.model.run import Attestation, Run, RunFacts, Step
from rolecall.model.settings import UNSET, Address, Scim, Value
from rolecall.plan.coverage import section_of
from rolecall.source.yaml_file import parse_yaml


class Statement(NamedTuple):
    """A report of steps as done: who makes it, a file that proves it, the value in the console if it is another, and
    when it is made (UTC)."""

    by: str
    evidence: Path | None = None
    found: str | None = None
    at: datetime | None = None


class Attested(NamedTuple):
    """The run after the word, the step, and whether the org shows it: None where it could not be read.

    ``changed`` is the observed file that now has the value, to be committed; None for an org with an API.
    """

    run: Run
    step: Step
    seen: bool | None
    changed: Path | None = None


async def attest_steps(
    journal: Journal | None, org: Reader, run: int, texts: Sequence[str], statement: Statement
) -> tuple[Attested, ...]:
    """Record the word for each step that the texts name (`3`, `3.2`, `2-5`, `all`), see ``steps_meant``.

    Raises Misuse before anything is recorded: for a run or a step that does not exist, for a step that was reported
    done before, for one of which a newer run recorded another value, and for a found value with several steps.
    """
    past_run = one_run(journal, run)
    steps = [_step(past_run, number, statement) for number in steps_meant(past_run, texts)]
    if statement.found is None and (problems := tuple(_superseded(journal, past_run, steps))):
        raise Misuse(*problems)
    if statement.found is not None and len(steps) > 1:
        message = f"--found takes the value of one step, but {len(steps)} steps are given"
        raise Misuse(Problem("found", message, None, "report that step with a separate command"))
    assert journal is not None
    found_there = None if statement.found is None else found_value(steps[0], statement.found, (await org.read()).facts)
    sha256 = hashlib.sha256(statement.evidence.read_bytes()).hexdigest() if statement.evidence else None
    evidence = str(statement.evidence) if statement.evidence else None
    changed = None
    for step in steps:
        changed = _write_down(org, step, step.after if statement.found is None else found_there, statement)
        journal.attest(run, Attestation(step.number, statement.by, evidence, sha256, statement.found))
    attested_run, live = (
        one_run(journal, run),
        await org.read(frozenset(split_address(step.address)[0] for step in steps)),
    )
    return tuple(Attested(attested_run, step, _is_visible(live, step), changed) for step in steps)


def _step(run: Run, number: int, statement: Statement) -> Step:
    """Return a manual step by its number. Raises Misuse if it was reported done before, unless this corrects it."""
    step = next(step for step in run.steps if step.number == number)
    if step.state == "attested" and statement.found is None and statement.evidence is None:
        message = f"step {step.label} of run {run.id} was already reported done by {step.by}"
        hint = f"if the console has another value, report it: rolecall done {run.id} {step.label} --found VALUE"
        raise Misuse(Problem("done_already", message, None, hint))
    return step


def _superseded(journal: Journal | None, run: Run, steps: Sequence[Step]) -> Iterator[Problem]:
    """Yield a problem for each step that would restore a value from before a newer run."""
    newer = superseded(journal, run)
    for step in steps:
        if (number := newer.get((run.id, step.number))) is not None:
            message = f"run {number} recorded another value of {step.address} after step {step.label} of run {run.id}"
            hint = f"if the console has an older value, report it: rolecall done {run.id} {step.label} --found VALUE"
            yield Problem("superseded", message, None, hint)


def _write_down(org: Reader, step: Step, value: Value | None, statement: Statement) -> Path | None:
    """Write the value into the file of an observed org, and return the file; None for an org with an API, and for a
    step in the IdP.
    """
    of_idp = BY_SECTION[split_address(step.address)[0]].side == "idp"
    if not isinstance(org, SnapshotReader) or not org.observed or of_idp:
        return None
    write_step(org.path, step, value, statement)
    return org.path


def remember_step(lock: OrgLock, attested: Attested, facts: RunFacts) -> None:
    """Keep the value of a step that the org was seen to show as last applied, so that drift knows it."""
    lock.remember(
        attested.run.id,
        AppliedState(
            values={attested.step.address: attested.step.after},
            config=facts.config or facts.org_name,
            commit=facts.commit,
        ),
    )


def _is_visible(live: Live, step: Step) -> bool | None:
    section, _ = split_address(step.address)
    if live.covered(section).state != "complete":
        return None
    live_value = value_at(live.settings, step.address)
    if live_value is not None and step.after is not None and unread_fields(live_value, step.after):
        return None
    return satisfies(live_value, step.after)


def found_value(step: Step, answer: str, facts: Facts) -> Value | None:
    """Return the value in the console at a step: ``Member: Marketing, Legal`` or ``blank`` for a group, else fields as
    in a config, such as ``{join: approval}``. Raises Misuse when it cannot be read."""
    section, _ = split_address(step.address)
    text = answer.strip()
    try:
        if not text.strip(": "):
            raise ValueError("it is empty")  # a variable that was never set does not mean a blank group
        value = _values(section, _read(section, text, facts))
        if value is not None:
            _check(step.address, value, facts)
        return decode_value(section, value, facts.roles)
    except (ValueError, TypeError, AttributeError) as error:
        hint = "write `Role: team, team` or `blank` for a group, else fields like {join: approval}"
        raise Misuse(Problem("found", f"--found cannot be read: {error}", None, hint)) from None


def _read(section: str, text: str, facts: Facts) -> Any:
    """The answer as JSON; None for a group without a mapping, and for a domain that is not claimed."""
    if BY_SECTION[section].side == "idp":
        raise ValueError(f"{section} are read from the IdP; run rolecall plan")
    known = Known(facts.teams, facts.roles)
    if section == "idp_groups" and not text.startswith("{"):
        role, _, teams = text.partition(":")
        return None if text.casefold() == "blank" else mapping(role.strip(), split_teams(teams, known), known) or None
    if text.casefold() in ("none", "nothing"):
        if not BY_SECTION[section].keyed:
            raise ValueError(f"{section} always has a value")
        return None
    return parse_yaml(text.encode(), "--found").value


def _values(section: str, value: Any) -> Any:
    """Return the answer with values instead of their names in the console: ``{idp: Okta}`` is ``{idp: okta}``."""
    if not isinstance(value, dict):
        return value
    named = {field.name: field for field in BY_SECTION[section].fields if field.words}
    return {
        name: named[name].entered(answer) if name in named and isinstance(answer, str) else answer
        for name, answer in value.items()
    }


def _check(at: Address, value: Any, facts: Facts) -> None:
    """Raises ValueError for what the address cannot have: an unknown field, a value of another kind, an unknown team
    or role, a role without a team (R4), org admin as default (R3)."""
    section, key = split_address(at)
    if not isinstance(value, dict) or not value:
        raise ValueError("it is not a value with fields")
    if faults := entry_faults(section, key, value):
        raise ValueError(faults[0])
    known = Known(facts.teams, facts.roles)
    if section == "idp_groups":
        mapping(str(value.get("role", "")), value.get("teams", ()), known)
    elif section == "defaults":
        if "role" in value:
            default_role(value["role"], known)
        if not value.get("teams", [""]):
            raise ValueError("the default needs at least one team (R2)")
        mapping("", value.get("teams", ()), known)


def write_step(path: Path, step: Step, value: Value | None, statement: Statement | None = None) -> None:
    """Make the observed file say ``value`` at the step's address, and who reported it.

    Raises ConfigError when it then reads wrong.
    """
    text, as_json = path.read_text("utf-8-sig"), path.suffix == ".json"
    if step.action == "upgrade" and isinstance(value, Scim):
        after = _upgraded(path, value)
    else:
        after = _changed(text, _edit(step, value), as_json=as_json)
    if statement is not None and statement.at is not None:
        after = _with_reports(after, step, value, {"by": statement.by, "at": moment_text(statement.at)}, as_json)
    with replaced(path.parent, {path.name: after}):
        read_snapshot(path)


def _with_reports(text: str, step: Step, value: Value | None, report: Mapping[str, str], as_json: bool) -> str:
    """Return the text of an observed file that says who reported the fields of a step which it changes."""
    snapshot = json.loads(text) if as_json else parse_yaml(text.encode(), "").value
    kind = BY_SECTION[split_address(step.address)[0]]
    fields = [change.path for change in field_changes(kind.section, step.before, value)]
    names = [str(step.address)] if kind.whole else [field_address(step.address, name) for name in fields]
    reported = {
        name: earlier
        for name, earlier in snapshot.get("reported", {}).items()
        if name not in names and not (step.action == "upgrade" and section_of(name) == "idp_groups")
    }
    new = {} if value is None and not kind.whole else {name: dict(report) for name in names}
    content = _next_to_coverage(snapshot, {**reported, **new})
    if content == snapshot:
        return text
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n" if as_json else merged_snapshot(text, content)


def _next_to_coverage(snapshot: Mapping[str, Any], reported: Mapping[str, Any]) -> dict[str, Any]:
    """Return a snapshot with these reports, none if there are none, in the place that the docs give them."""
    after = "coverage" if "coverage" in snapshot else "org"
    content: dict[str, Any] = {}
    for name, value in snapshot.items():
        if name != "reported":
            content[name] = value
        if name == after and reported:
            content["reported"] = reported
    return content


def _edit(step: Step, value: Value | None) -> Edit:
    section, _ = split_address(step.address)
    if value is None and section != "idp_groups":
        return removing(step.address)
    edit = setting(step.address, value)
    blank = {"blank": None} if (edit.fields or {}).get("blank") else {}
    return edit._replace(fields={**(edit.fields or {}), **blank})


def _changed(text: str, edit: Edit, *, as_json: bool) -> str:
    if edit.fields is None:
        return remove_entries(text, [edit.address])
    text = set_fields(text, [edit], as_json=as_json)
    return add_entries(text, [edit], as_json=as_json)


def _upgraded(path: Path, value: Scim) -> str:
    """The file after a step of the upgrade (R20): starting it empties the list of groups, whose links stay in force."""
    snapshot = dict(read_snapshot(path).value)
    endpoint = value.endpoint
    snapshot["scim"] = {**snapshot.get("scim", {}), **({} if endpoint is UNSET else {"endpoint": endpoint})}
    if endpoint == "upgrading":
        groups = snapshot.get("idp_groups", {})
        snapshot["legacy_links"] = {
            name: entry.get("teams", []) if isinstance(entry, dict) else [] for name, entry in groups.items()
        }
        snapshot["idp_groups"] = {}
    else:
        snapshot.pop("legacy_links", None)
    if path.suffix == ".json":
        return json.dumps(snapshot, ensure_ascii=False, indent=1) + "\n"
    return merged_snapshot(path.read_text("utf-8-sig"), snapshot)
