"""Ask for the IdP groups: as a paste of the table, as CSV, or one by one for names that are known already."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rolecall.cli.prompts import ask, block, say
from rolecall.errors import ConfigError, Problem, Where
from rolecall.jobs.observe import Differences, Draft, choice, difference_lines, differences, yes_no
from rolecall.jobs.observe_table import ALONE, Table, mapping, read_csv, read_paste, split_teams, with_ids
from rolecall.model.desired import Desired
from rolecall.model.kinds import BY_SECTION
from rolecall.model.roles import role_words
from rolecall.model.settings import UNSET
from rolecall.report.phrases import visible
from rolecall.source.files import read_file

PASTE = "Copy the whole table from the page and paste it here. An empty line ends it:"


@dataclass(frozen=True, slots=True)
class GroupInput:
    """The way in which groups are entered. ``names`` are those that the configuration or the IdP has."""

    paste: bool
    table: Path | None
    names: Sequence[str]
    desired: Desired


def by_table(text: str, draft: Draft, table: Path | None) -> Table:
    """Return the groups in the text of a CSV file, or in a paste if there is no file."""
    known, last_groups = draft.known, draft.said.get("idp_groups")
    groups_table = read_paste(text, known) if table is None else read_csv(text, known, str(table))
    return (
        groups_table._replace(groups=with_ids(groups_table.groups, last_groups))
        if isinstance(last_groups, dict)
        else groups_table
    )


def table_text(table: Path | None) -> str:
    """Return the text of a CSV file, or of stdin if there is no file. Raises ConfigError if it is not UTF-8."""
    try:
        if table is not None:
            return read_file(table).decode("utf-8-sig")
        text = sys.stdin.read()
        text.encode("utf-8")
    except UnicodeError as error:
        hint = "save it as CSV UTF-8"
        raise ConfigError(Problem("observed_table", "is not UTF-8 text", Where(str(table or "stdin")), hint)) from error
    return text


def ask_groups(source: GroupInput, draft: Draft, last_groups: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return each pushed group with its mapping. Raises Skipped or Left."""
    if source.table is not None:
        return _checked(by_table(table_text(source.table), draft, source.table), draft, source.table)
    if source.paste:
        return _pasted(draft)
    if last_groups is not None:
        return _gone_over(source, draft, last_groups)
    known = f" ({len(source.names)} names are known)" if source.names else ""
    how = ask(f"Paste the table, or enter the groups one by one{known}: paste or one", _how, "paste")
    return _pasted(draft) if how == "paste" else _one_by_one(source, draft)


def _how(text: str) -> str:
    answer = text.strip().casefold()
    return choice("paste", "one")("one" if answer.startswith("one") else answer, Draft({}).known)


def _pasted(draft: Draft) -> dict[str, Any]:
    return _checked(by_table(block(PASTE), draft, None), draft)


def _checked(groups_table: Table, draft: Draft, table: Path | None = None) -> dict[str, Any]:
    """Return a table's groups once the user confirms them; ask for each row that could not be read.

    Raises ConfigError for a CSV file that lacks groups which still exist.
    """
    groups = dict(groups_table.groups)
    for problem in groups_table.problems:
        say(f"  {problem.where.line if problem.where else ''}: {problem.message}")
        name = problem.message.partition("`")[2].partition("`")[0]
        if problem.code == ALONE and not ask("  Is it a group", lambda text: yes_no(text, draft.known), "no"):
            continue
        if name and problem.message.startswith("`") and name not in groups:
            alone = problem.code == ALONE
            groups[name] = _ask_one(name, draft, None, default="blank" if alone else None)
    _list(groups, draft)
    compared = to_last_reading(groups, draft)
    for text in difference_lines(compared):
        say(f"  {visible(text)}")
    if compared.missing and were_cut("group", compared.missing):
        if table is not None:
            raise ConfigError(missing_problem(compared))
        return _pasted(draft)
    default = None if compared.doubtful else "yes"
    if ask(f"{groups_and_mapped(groups)}. Is this correct", lambda text: yes_no(text, draft.known), default):
        return groups
    return _pasted(draft)


def to_last_reading(groups: Mapping[str, Any], draft: Draft) -> Differences:
    """Return how the groups differ from the last reading; no differences if there is none."""
    last = draft.said.get("idp_groups") if draft.read("idp_groups") else None
    return differences(last, groups) if isinstance(last, dict) else Differences()


def were_cut(what: str, missing: Sequence[str]) -> bool:
    """Ask whether missing entries were removed; return whether the list was cut instead."""
    number = f"{len(missing):,} {what}{'' if len(missing) == 1 else 's'}"
    question = f"{number} of the last reading missing. Enter removed, or cut if the list is not complete"
    return ask(question, lambda text: choice("removed", "cut")(text, Draft({}).known), "cut") == "cut"


def missing_problem(compared: Differences) -> Problem:
    """Return the problem of a table that would erase mappings of the last reading."""
    unmapped = compared.none_mapped and not compared.missing
    lines = "no group in this table is mapped, but some were" if unmapped else "; ".join(difference_lines(compared))
    hint = "copy the whole table with its columns; if the page really shows this, add --accept-missing"
    return Problem("observe_missing", lines, None, hint)


def groups_and_mapped(groups: Mapping[str, Any]) -> str:
    """Return how many groups there are, and how many of them are mapped, as text."""
    what = "group" if len(groups) == 1 else "groups"
    return f"{len(groups):,} {what}, {sum(map(_gives, groups.values())):,} of them mapped"


def _one_by_one(source: GroupInput, draft: Draft) -> dict[str, Any]:
    names = list(source.names)
    if not names:
        names = [
            line.strip() for line in block("Enter all groups, one per line. An empty line ends the list:").splitlines()
        ]
    say("Enter the role and teams of each, such as Member: Marketing, Legal. Press Enter if it is not mapped.")
    return {name: _ask_one(name, draft, None) for name in names if name}


def _gone_over(source: GroupInput, draft: Draft, last_groups: Mapping[str, Any]) -> dict[str, Any]:
    """Confirm only what a plan needs: groups that are mapped, in the last reading or in the configuration."""
    names = [name for name, entry in last_groups.items() if name in source.names or _gives(entry)]
    by, at = draft.whose("idp_groups")
    say(f"IdP groups that plans use, as recorded{f' by {by}' if by else ''}{f' on {at[:10]}' if at else ''}:")
    _list({name: last_groups[name] for name in names}, draft, numbered=True)
    numbers = ask(
        "Is this still correct? Enter yes, paste (the whole table), or the numbers that differ", _numbers(names), "yes"
    )
    if numbers is None:
        return _pasted(draft)
    changed = {
        names[number - 1]: _ask_one(names[number - 1], draft, last_groups[names[number - 1]]) for number in numbers
    }
    missing = [name for name in source.names if name not in last_groups and _mapped(source.desired, name)]
    for name in missing:
        if ask(f"{visible(name)} did not exist. Does it exist now", lambda text: yes_no(text, draft.known), "no"):
            changed[name] = _ask_one(name, draft, None)
    return {**last_groups, **changed}


def _numbers(names: Sequence[str]) -> Any:
    def read(text: str) -> list[int] | None:
        """Return the numbers of the groups to ask for, none if all are as before; None to paste the list."""
        answer = text.strip().casefold()
        if answer in ("y", "yes"):
            return []
        if answer == "paste":
            return None
        numbers = [int(part) for part in answer.replace(",", " ").split() if part.isdecimal()]
        if not numbers or not all(1 <= number <= len(names) for number in numbers):
            raise ValueError(f"enter yes, paste, or numbers from 1 to {len(names)}")
        return numbers

    return read


def _ask_one(name: str, draft: Draft, last_entry: Any, *, default: str | None = "blank") -> Any:
    fields = {field.name for field in BY_SECTION["idp_groups"].fields}
    facts = {
        key: value for key, value in (last_entry if isinstance(last_entry, dict) else {}).items() if key not in fields
    }

    def read(text: str) -> Any:
        role, colon, teams = text.partition(":")
        if text.strip().casefold() == "blank":
            return facts or "blank"
        if not colon:
            raise ValueError("enter role and teams, such as Member: Marketing, or blank if it is not mapped")
        return {**mapping(role.strip(), split_teams(teams, draft.known), draft.known), **facts} or "blank"

    return ask(f"  {visible(name)}", read, _entry_text(last_entry, draft) if last_entry is not None else default)


def _list(groups: Mapping[str, Any], draft: Draft, *, numbered: bool = False) -> None:
    wide = max((len(name) for name in groups), default=0)
    for number, (name, entry) in enumerate(groups.items(), 1):
        lead = f"{number:>4}  " if numbered else "  "
        say(f"{lead}{visible(name):<{min(wide, 40)}}  {_entry_text(entry, draft)}")


def _entry_text(entry: Any, draft: Draft) -> str:
    if not _gives(entry):
        return "blank"
    role = role_words(entry["role"], draft.known.roles) if "role" in entry else "(default role)"
    return f"{role}: {', '.join(map(visible, sorted(entry.get('teams', ()))))}"


def _gives(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(entry.get("role") or entry.get("teams"))


def _mapped(desired: Desired, name: str) -> bool:
    groups = desired.settings.idp_groups
    return groups is not UNSET and name in groups and not groups[name].blank
