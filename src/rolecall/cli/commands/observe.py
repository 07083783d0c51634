"""Implement `rolecall observe`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.prompts import HELP, Left, Skipped, ask, block, can_ask, say
from rolecall.cli.session import now, read, session, wait_for
from rolecall.errors import ConfigError, Misuse, OrgError, Problem
from rolecall.model.kinds import ORG_SECTIONS
from rolecall.model.paste import shell_word
from rolecall.model.settings import UNSET

if TYPE_CHECKING:
    from rolecall.cli.observe_groups import GroupInput
    from rolecall.desired.build import Config
    from rolecall.jobs.observe import Ask, Draft
    from rolecall.jobs.observe_table import Table


@command(
    "observe",
    "rolecall observe                       # tab by tab",
    "rolecall observe --paste               # groups copied from the page",
    "rolecall observe --csv groups.csv      # write the file, then read it",
    "rolecall observe --only scim",
)
@click.option(
    "--paste", is_flag=True, help="Read the IdP groups from the table copied from the console: pasted, or from a pipe."
)
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read the IdP groups from a CSV file with the columns group,role,teams. If FILE does not exist, write it to "
    "be filled in.",
)
@click.option("--only", type=click.Choice(["teams", *ORG_SECTIONS]), help="Record only this section.")
@click.option(
    "--by",
    metavar="EMAIL",
    help="Who reads the console, for the record. Default: asked for, or without a terminal "
    "ROLECALL_ACTOR, the user of the pipeline, or that of the operating system.",
)
@click.option(
    "--accept-missing",
    is_flag=True,
    help="Without a terminal: accept that groups and roles which the table lacks were removed from the org.",
)
def observe(
    call: Invocation, paste: bool, table: Path | None, only: str | None, by: str | None, accept_missing: bool
) -> None:
    """Record the settings of an org without an API, as its console shows them.

    Asks what each tab of Admin > Access & provisioning shows, and writes it to the FILE of url: observed:FILE. In newer
    consoles, that is Org settings > Users, teams, & roles. Such an org is an observed org. You can skip and stop
    anywhere. Nothing is planned for a setting that was not recorded.
    """
    if paste and table is not None:
        raise click.UsageError("use either --paste or --csv")
    lines = observe_org(call, paste=paste, table=table, only=only, by=by, accept_missing=accept_missing)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


L = TypeVar("L", list[str], dict[str, Any])


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: the configuration, the file, who reads, and how groups are entered."""

    call: Invocation
    config: Config
    path: Path
    by: str
    source: GroupInput


def observe_org(
    call: Invocation, *, paste: bool, table: Path | None, only: str | None, by: str | None, accept_missing: bool = False
) -> list[str]:
    """Run `observe` and return the lines for stdout. ``accept_missing``: groups that a table lacks were removed."""
    from rolecall.cli.facts import actor
    from rolecall.cli.observe_groups import GroupInput, by_table, table_text
    from rolecall.jobs.observe import email, needed, open_draft
    from rolecall.jobs.observe_table import write_csv
    from rolecall.model.console import NEWER_PLACE, PLACE

    config = read(call)
    path = _file(config)
    org = {"id": config.org.id or config.org.name, "name": config.org.name}
    draft = open_draft(path, config.root, org)
    names = _names(call, config)
    if table is not None and not table.exists():
        table.write_text(write_csv(_known_groups(draft, names), draft.known), encoding="utf-8")
        return [
            f"Wrote {table}. Fill in the roles and teams (separate teams with ;).",
            f"Next: rolecall observe --csv {shell_word(str(table))}",
        ]
    sections = (only,) if only else needed(draft, config.desired)
    if (paste or table is not None) and only is None and not can_ask(call):
        sections = ("idp_groups",)
    source = GroupInput(paste, table, names, config.desired)
    if not can_ask(call):
        reading = Reading(call, config, path, by or actor(call.environ), source)
        return _without_asking(reading, draft, sections, accept_missing=accept_missing)
    if table is not None:
        _readable(by_table(table_text(table), draft, table))
    say(f"Recording {config.org.name} in {config.org.path}. Open {PLACE} in the console.")
    say(f"In newer consoles: {NEWER_PLACE}.")
    say(HELP)
    try:
        who = by or ask("Your email address", lambda text: email(text, draft.known), _last(draft))
    except (Left, Skipped):
        return ["Nothing was recorded."]
    return _walk(Reading(call, config, path, who, source), draft, sections)


def _file(config: Config) -> Path:
    if config.org.kind != "observed":
        hint = "for an org without an API, set `url: observed:org.yaml`"
        raise Misuse(Problem("not_observed", "this org is not an observed org", config.org.source, hint))
    return config.root / config.org.path


def _readable(groups_table: Table) -> None:
    """Raise ConfigError for a file that has no group, before anything is asked."""
    if groups_table.problems and not groups_table.groups:
        raise ConfigError(*groups_table.problems)


def _without_asking(reading: Reading, draft: Draft, sections: Sequence[str], *, accept_missing: bool) -> list[str]:
    """Record the groups of a table, which is all that can be recorded without a terminal."""
    from rolecall.cli.observe_groups import by_table, groups_and_mapped, missing_problem, table_text, to_last_reading
    from rolecall.jobs.observe import difference_lines, with_section, write_draft
    from rolecall.report.phrases import visible

    if tuple(sections) != ("idp_groups",) or not (reading.source.paste or reading.source.table):
        hint = "run it in a terminal, or record only the groups, with --paste or --csv FILE"
        raise Misuse(Problem("no_terminal", "observe asks questions, and there is no terminal", None, hint))
    groups_table = by_table(table_text(reading.source.table), draft, reading.source.table)
    if groups_table.problems:
        raise ConfigError(*groups_table.problems)
    compared = to_last_reading(groups_table.groups, draft)
    if compared.doubtful and not accept_missing:
        raise ConfigError(missing_problem(compared))
    draft = with_section(draft, "idp_groups", dict(groups_table.groups), reading.by, now())
    write_draft(draft, reading.path, reading.config.root, finished=True)
    change_lines = [f"  {visible(text)}" for text in difference_lines(compared)]
    return [
        f"Recorded in {reading.config.org.path}: {groups_and_mapped(groups_table.groups)}.",
        *change_lines,
        _next(reading),
    ]


def _walk(reading: Reading, draft: Draft, sections: Sequence[str]) -> list[str]:
    from rolecall.jobs.observe import OBSERVED, tabs, write_draft
    from rolecall.model.console import PLACE

    for tab in tabs():
        tab_sections = [section for section in tab.sections if section in sections]
        if not tab_sections:
            continue
        say()
        say(f"-- {PLACE} > {tab.name}")
        try:
            for section in tab_sections:
                draft = _section(reading, draft, section)
        except Left:
            write_draft(draft, reading.path, reading.config.root)
            return [
                f"Stopped at {tab.name}. Your answers are in {reading.config.org.path}.",
                f"To continue: rolecall{_env(reading)} observe",
            ]
        write_draft(draft, reading.path, reading.config.root)
    write_draft(draft, reading.path, reading.config.root, finished=True)
    unread = [section for section in OBSERVED if not draft.read(section)]
    unread_lines = [f"Not recorded: {', '.join(unread)}."] if unread else []
    return [f"Recorded in {reading.config.org.path}. Commit it.", *unread_lines, _next(reading)]


def _next(reading: Reading) -> str:
    """Return the next step: to write the configuration, if it manages nothing yet, else to plan."""
    settings = reading.config.desired.settings
    command = "plan" if any(getattr(settings, name) is not UNSET for name in ORG_SECTIONS) else "export --update"
    return f"Next: rolecall{_env(reading)} {command}"


def _env(reading: Reading) -> str:
    return f" -e {shell_word(reading.call.env)}" if reading.call.env else ""


def _section(reading: Reading, draft: Draft, section: str) -> Draft:
    from rolecall.cli.observe_metadata import with_metadata
    from rolecall.jobs.observe import with_section

    try:
        value = _value(reading, draft, section)
        if section == "sso":
            value = with_metadata(reading.config, value)
    except Skipped:
        say(f"  {section} is not recorded.")
        value = None
    return with_section(draft, section, value, reading.by, now())


def _value(reading: Reading, draft: Draft, section: str) -> Any:
    from rolecall.cli.observe_groups import ask_groups
    from rolecall.jobs.observe import questions

    last_value = draft.said.get(section) if draft.read(section) else None
    if section == "idp_groups":
        return ask_groups(reading.source, draft, last_value)
    if last_value is not None and _still(draft, section, last_value):
        return last_value
    if section == "teams":
        return _whole("team", last_value or (), _teams)
    if section == "domains":
        return _whole("domain", last_value or (), lambda: _domains(draft, last_value or {}))
    known = {"idp": draft.said["sso"]["idp"]} if section == "scim" and "idp" in draft.said.get("sso", {}) else {}
    return _fields(draft, questions(section), {**known, **(last_value or {})})


def _still(draft: Draft, section: str, last_value: Any) -> bool:
    """Ask whether what was recorded is still what the console shows."""
    from rolecall.jobs.observe import yes_no
    from rolecall.model.kinds import BY_SECTION

    by, at = draft.whose(section)
    title = BY_SECTION[section].label if section in BY_SECTION else "Teams"
    say(f"{title}, as recorded{f' by {by}' if by else ''}{f' on {at[:10]}' if at else ''}:")
    for line in _shown(last_value):
        say(f"  {line}")
    return ask("Is this still correct", lambda text: yes_no(text, draft.known), "yes")


def _shown(last_value: Any) -> Iterable[str]:
    from rolecall.model.kinds import KINDS
    from rolecall.report.phrases import visible

    if isinstance(last_value, list):
        return [", ".join(map(visible, last_value))]
    documents = {field.name for kind in KINDS for field in kind.fields if field.type == "document"}
    return [
        f"{visible(name)}: {_value_text(value)}" for name, value in last_value.items() if name not in documents
    ] or ["(none)"]


def _value_text(value: Any) -> str:
    from rolecall.report.phrases import visible

    if isinstance(value, dict):
        return ", ".join(f"{name} {_value_text(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(visible, value))
    return ("yes" if value else "no") if isinstance(value, bool) else visible(str(value))


def _whole(what: str, last: Iterable[str], ask_for: Callable[[], L]) -> L:
    """Ask for a list, again as long as the user says that it is not complete."""
    from rolecall.cli.observe_groups import were_cut

    while True:
        value = ask_for()
        missing = [name for name in last if name not in value]
        if not missing or not were_cut(what, missing):
            return value


def _teams() -> list[str]:
    from rolecall.model import normalise

    text = block("Enter all teams of the org, one per line. An empty line ends the list:")
    return sorted({normalise.name(line) for line in text.splitlines() if line.strip()})


def _domains(draft: Draft, last_domains: Mapping[str, Any]) -> dict[str, Any]:
    from rolecall.jobs.observe import questions

    default = ", ".join(last_domains) or None
    names = ask("Claimed domains, separated by commas, or none", _domain_list, default)
    return {name: _fields(draft, questions("domains"), last_domains.get(name, {}), f"{name}: ") for name in names}


def _domain_list(text: str) -> list[str]:
    from rolecall.jobs.observe import Draft, domain_names

    if not text:
        raise ValueError("enter the domains, or none")
    return [] if text.strip().casefold() == "none" else domain_names(text, Draft({}).known)


def _fields(draft: Draft, asks: Sequence[Ask], last_values: Mapping[str, Any], lead: str = "") -> dict[str, Any]:
    """Ask for each field; one that is skipped is not recorded. Raises Skipped if all were."""
    answers: dict[str, Any] = {}
    for question in asks:
        default = _value_text(last_values[question.field]) if question.field in last_values else None

        def taken(text: str, question: Ask = question) -> Any:
            return question.read(text, draft.known)

        try:
            answers[question.field] = ask(f"{lead}{question.text}", taken, default)
        except Skipped:
            continue
    if not answers:
        raise Skipped
    asked_fields = {question.field for question in asks}
    return {**{name: known for name, known in last_values.items() if name not in asked_fields}, **answers}


def _last(draft: Draft) -> str | None:
    from rolecall.jobs.observe import OBSERVED

    return next((by for section in OBSERVED if (by := draft.whose(section)[0])), None)


def _known_groups(draft: Draft, names: Sequence[str]) -> Mapping[str, Any]:
    groups = draft.said.get("idp_groups")
    return groups if isinstance(groups, dict) and groups else dict.fromkeys(names, "blank")


def _names(call: Invocation, config: Config) -> tuple[str, ...]:
    """Return the names of groups in the configuration, and in the IdP if users are read from one."""
    groups = config.desired.settings.idp_groups
    configured = set(groups) if isinstance(groups, Mapping) else set[str]()
    return tuple(sorted(configured | (wait_for(_pushed(call, config)) if config.people.kind != "org" else set())))


async def _pushed(call: Invocation, config: Config) -> set[str]:
    """Return the groups in the source of users; none if it cannot be read, which is reported."""
    from rolecall.live.port import IdpSource
    from rolecall.model.directory import EVERYBODY

    async with session(call, config) as opened:
        try:
            if isinstance(opened.people, IdpSource):
                return set((await opened.people.read_idp()).pushed)
            return set((await opened.people.read_people(EVERYBODY)).groups)
        except (ConfigError, OrgError) as error:
            say(f"The groups could not be read from {config.people.kind}: {error.problems[0].message}.")
            return set()
