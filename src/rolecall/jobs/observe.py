"""Record an observed org: what an admin sees in the console becomes a snapshot, section by section.

A new reading of the groups is compared with the last one: missing entries, removed mappings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.codec.snapshot import decode_roles, moment_text
from rolecall.desired.edit.snapshot import merged_snapshot, snapshot_yaml
from rolecall.jobs.config_files import replaced
from rolecall.jobs.observe_table import Known, split_teams
from rolecall.live.snapshot.file import read_snapshot
from rolecall.model import normalise
from rolecall.model.desired import Desired
from rolecall.model.fields import Field
from rolecall.model.kinds import BY_SECTION, DECIDING_ACCESS, ORG_KINDS, ORG_SECTIONS
from rolecall.model.roles import MEMBER, TEAM_ADMIN, role_id
from rolecall.model.settings import UNSET
from rolecall.outside.files import write_file
from rolecall.plan.coverage import section_of

Json = Any

PROGRESS = ".rolecall/observe.json"


class Tab(NamedTuple):
    """A tab of the console and the sections that are on it."""

    name: str
    sections: tuple[str, ...]


TEAMS_TAB = "Access"
OBSERVED = ("teams", *ORG_SECTIONS)


def tabs() -> list[Tab]:
    """Return the tabs in the order in which they are read."""
    tab_of = {"teams": TEAMS_TAB, **{kind.section: kind.tab for kind in ORG_KINDS}}
    return [Tab(name, tuple(s for s in OBSERVED if tab_of[s] == name)) for name in dict.fromkeys(tab_of.values())]


class Ask(NamedTuple):
    """A question about a field. ``read`` converts the answer to JSON, or raises ValueError with what is wrong."""

    field: str
    text: str
    read: Callable[[str, Known], Json]


@dataclass(frozen=True, slots=True)
class Draft:
    """An observed org while it is being recorded: the snapshot's JSON, and the sections that this reading has done."""

    said: Mapping[str, Json]
    done: frozenset[str] = field(default_factory=frozenset)

    @property
    def known(self) -> Known:
        """The teams and roles that are recorded."""
        teams = self.said.get("teams")
        named = None if teams is None else frozenset(map(normalise.name, teams))
        return Known(named, decode_roles(self.said.get("roles")))

    def read(self, section: str) -> bool:
        """Return whether a section was recorded, now or earlier."""
        coverage = self.said.get("coverage", {}).get(section)
        state = coverage.get("state") if isinstance(coverage, dict) else coverage
        return section in self.said and state != "unread"

    def whose(self, section: str) -> tuple[str | None, str | None]:
        """Return who read a section, and when, as text."""
        coverage = self.said.get("coverage", {}).get(section)
        entry = coverage if isinstance(coverage, dict) else {}
        return entry.get("taken_by", self.said.get("taken_by")), entry.get("taken_at", self.said.get("taken_at"))


def open_draft(path: Path, root: Path, org: Mapping[str, Json]) -> Draft:
    """Return the observed org in a file; a new one if it does not exist. Raises ConfigError for an invalid file."""
    snapshot = read_snapshot(path).value if path.exists() else {"snapshot": 1, "org": dict(org)}
    return Draft(snapshot, frozenset(_progress(root).get(path.name, ())))


def with_section(draft: Draft, section: str, value: Json, by: str, at: datetime) -> Draft:
    """Return the draft with a section as read; None makes it unread, whatever was recorded before."""
    snapshot = {name: entries for name, entries in draft.said.items() if name != section}
    snapshot["reported"] = {
        at: report for at, report in snapshot.get("reported", {}).items() if section_of(at) != section
    }
    coverage = {**_whose_kept(draft), section: "unread"}
    if value is not None:
        snapshot[section] = value
        coverage[section] = {"state": "complete", "taken_at": moment_text(at.replace(microsecond=0)), "taken_by": by}
    return replace(draft, said=_ordered({**snapshot, "coverage": coverage}), done=draft.done | {section})


def needed(draft: Draft, desired: Desired) -> tuple[str, ...]:
    """Return the sections to ask for: in a first reading all, later those that plans need; none twice in one."""
    spoken = {name for name in ORG_SECTIONS if getattr(desired.settings, name) is not UNSET}
    first = not spoken or not any(map(draft.read, OBSERVED))
    sections = set(OBSERVED) if first else spoken | DECIDING_ACCESS
    return tuple(section for section in OBSERVED if section in sections and section not in draft.done)


def write_draft(draft: Draft, path: Path, root: Path, *, finished: bool = False) -> None:
    """Write the snapshot, check it against its schema, and keep which sections this reading has done."""
    with replaced(path.parent, {path.name: _text(draft, path)}):
        read_snapshot(path)
    progress = _progress(root)
    progress.pop(path.name, None)
    if not finished:
        progress[path.name] = sorted(draft.done)
    (root / PROGRESS).parent.mkdir(parents=True, exist_ok=True)
    write_file(root / PROGRESS, json.dumps(progress))


def _text(draft: Draft, path: Path) -> str:
    """Return the new text of the file; comments and order of an existing one are kept."""
    if path.suffix == ".json":
        return json.dumps(draft.said, ensure_ascii=False, indent=1) + "\n"
    if not path.exists():
        return snapshot_yaml(draft.said, NOTES)
    return merged_snapshot(path.read_text("utf-8-sig"), draft.said, NOTES)


NOTES = (
    "The org as shown in WRITER's console, recorded by `rolecall observe`.",
    "`rolecall observe` updates this file, and so does `rolecall done`.",
)


def _progress(root: Path) -> dict[str, list[str]]:
    try:
        progress = json.loads((root / PROGRESS).read_bytes())
    except (OSError, ValueError):
        return {}
    return progress if isinstance(progress, dict) else {}


def _whose_kept(draft: Draft) -> dict[str, Json]:
    """Return the coverage with each section's own reader and time, so that those of the file can change."""
    coverage: dict[str, Json] = {}
    for section in (*OBSERVED, "people"):
        section_coverage = draft.said.get("coverage", {}).get(section)
        if not draft.read(section):
            coverage[section] = section_coverage if section_coverage is not None else "unread"
            continue
        by, at = draft.whose(section)
        entry = section_coverage if isinstance(section_coverage, dict) else {"state": section_coverage or "complete"}
        coverage[section] = {**entry, **({"taken_at": at} if at else {}), **({"taken_by": by} if by else {})}
    return coverage


def _ordered(snapshot: Mapping[str, Json]) -> dict[str, Json]:
    first = ("snapshot", "org", "coverage", "reported", "teams", "roles", *ORG_SECTIONS)
    ordered = {name: snapshot[name] for name in (*first, *snapshot) if name in snapshot}
    return {name: value for name, value in ordered.items() if name != "reported" or value}


def yes_no(text: str, _known: Known) -> bool:
    """Convert yes or no, on or off. Raises ValueError for any other answer."""
    answer = text.strip().casefold()
    if answer in ("y", "yes", "on", "true"):
        return True
    if answer in ("n", "no", "off", "false"):
        return False
    raise ValueError("enter yes or no")


def choice(*choices: str) -> Callable[[str, Known], str]:
    """Return a function that converts one of a few answers, or the beginning of only one of them."""

    def read(text: str, _known: Known) -> str:
        """Return the only choice that starts with the answer. Raises ValueError for none or several."""
        answer = text.strip().casefold()
        near = [candidate for candidate in choices if candidate == answer] or [
            candidate for candidate in choices if answer and candidate.startswith(answer)
        ]
        if len(near) != 1:
            raise ValueError(f"enter {', '.join(choices[:-1])} or {choices[-1]}")
        return near[0]

    return read


def any_text(text: str, _known: Known) -> str:
    """Convert any text. Raises ValueError for an empty one."""
    if not text.strip():
        raise ValueError("enter a text, or skip")
    return text.strip()


def email(text: str, _known: Known) -> str:
    """Convert an email address, such as that of the reader. Raises ValueError for any other text."""
    name, at, domain = text.strip().partition("@")
    if not name or not at or "." not in domain or "@" in domain or len(text.split()) != 1:
        raise ValueError("enter an email address, such as ann@acme.com")
    return text.strip()


def default_role(text: str, known: Known) -> str:
    """Convert the role of the default access (R3). Raises ValueError for any other role."""
    role = role_id(text, known.roles)
    if role not in (MEMBER, TEAM_ADMIN):
        raise ValueError("the default role must be Member or Team admin")
    return role


def team_names(text: str, known: Known) -> list[str]:
    """Convert names of teams, separated by commas. Raises ValueError for an unknown team."""
    from rolecall.jobs.observe_table import mapping

    teams = mapping("", split_teams(text, known), known).get("teams")
    if not teams:
        raise ValueError("enter at least one team")
    return list(teams)


def domain_names(text: str, _known: Known) -> list[str]:
    """Convert domains, separated by commas or spaces."""
    return sorted({normalise.domain(name) for name in text.replace(",", " ").split()})


def questions(section: str) -> tuple[Ask, ...]:
    """Return the questions about a singleton, or about each entry of a section."""
    fields = BY_SECTION[section].fields
    return tuple(Ask(field.name, field.question, _reader(field)) for field in fields if field.question is not None)


def _reader(field: Field) -> Callable[[str, Known], Json]:
    match field.type:
        case "flag":
            return yes_no
        case "choice":
            return lambda text, known: choice(*field.choices)(field.entered(text), known)
        case "role":
            return default_role
        case "teams":
            return team_names
        case _:
            return lambda text, known: field.entered(any_text(text, known))


_SHOWN = 5


class Differences(NamedTuple):
    """The differences of a new reading of groups from the last one, as names of groups.

    ``roleless`` groups had a role and now have teams only. ``none_mapped``: there were mapped groups, and there are
    none now.
    """

    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    roleless: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    none_mapped: bool = False

    @property
    def doubtful(self) -> bool:
        """True if the list may have been cut, or pasted without its columns."""
        return bool(self.missing or self.roleless) or self.none_mapped


def differences(last: Mapping[str, Any], groups: Mapping[str, Any]) -> Differences:
    """Compare two readings of the IdP groups, each as in a snapshot."""
    both = [name for name in last if name in groups]
    before, after = ({name: gives(entry) for name, entry in groups_read.items()} for groups_read in (last, groups))
    roleless = tuple(name for name in both if _has_role(before[name]) and after[name] and not _has_role(after[name]))
    return Differences(
        tuple(name for name in last if name not in groups),
        tuple(name for name in groups if name not in last),
        tuple(name for name in both if before[name] and not after[name]),
        roleless,
        tuple(name for name in both if after[name] and before[name] != after[name] and name not in roleless),
        any(before.values()) and not any(after.values()),
    )


def gives(entry: Any) -> tuple[str, tuple[str, ...]] | None:
    """Return the role and teams of an entry; None if it is not mapped."""
    fields = entry if isinstance(entry, dict) else {}
    teams = tuple(sorted(fields.get("teams", ())))
    return (fields.get("role", ""), teams) if teams or fields.get("role") else None


def _has_role(mapping: tuple[str, tuple[str, ...]] | None) -> bool:
    return mapping is not None and bool(mapping[0])


def difference_lines(compared: Differences) -> Iterator[str]:
    """Yield a line for each kind of difference; none if the two readings are equal."""
    kinds = (
        (compared.missing, "of the last reading", "missing"),
        (compared.unmapped, "", "no longer mapped"),
        (compared.roleless, "", "without the former role"),
        (compared.changed, "", "mapped differently"),
        (compared.new, "", "new"),
    )
    for names, of_which, what in kinds:
        if names:
            verb = "is" if len(names) == 1 else "are"
            which = f" {of_which}" if of_which else ""
            yield f"{len(names):,} group{'' if len(names) == 1 else 's'}{which} {verb} {what}: {some(names)}"


def some(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are, as text."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
