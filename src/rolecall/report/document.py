"""A report as a value: the content of a plan, a drift check or a configuration, before a renderer lays it out.

Every text in a document is visible and safe to print, but not escaped for any markup. What only some formats need is a
function, so that the others do not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from rolecall.errors import Problem, Where
from rolecall.report.escalation import EscalationText as EscalationText
from rolecall.report.phrases import place

if TYPE_CHECKING:
    from rolecall.plan.value import TeamTally, Unmanaged

Subject = Literal["plan", "drift", "validate", "test", "runbook", "run", "history", "access", "why", "audit"]
Mark = Literal["+", "~", "-", "↑"]
Tone = Literal["detail", "dim", "plain", "strong", "ok", "more", "risk", "warn", "error"]
"""The importance of a sentence: shown on request only, secondary, plain, a heading or a name, done, a user gains rights
above member, a user loses access, a warning, an error."""

Sense = Literal["same", "more", "less", "new"]
"""The meaning of a part of a value for access: unchanged, more rights, fewer rights, or different in another way."""

Level = Literal["error", "warning", "note"]
Status = Literal["ok", "attention", "incomplete", "refused"]

REHEARSAL = "LOCAL REHEARSAL, not WRITER"


class Banner(NamedTuple):
    """The org of a report, and how much of it was read; a local org is marked as one."""

    org: str
    local: bool = False
    read: str = ""
    incomplete: bool = False

    @property
    def text(self) -> str:
        return f"{REHEARSAL} · {self.org}" if self.local else self.org


class Note(NamedTuple):
    """A sentence and how much it matters."""

    text: str
    tone: Tone = "plain"


class Part(NamedTuple):
    """A part of a value, such as one of several teams, and what it means for access."""

    text: str
    sense: Sense = "same"


class Diff(NamedTuple):
    """One field in words. ``before`` is None where only one side matters: in a create or a delete.

    ``before_parts`` and ``after_parts`` are the two sides in parts, to be joined with commas, so that only what differs
    is colored.
    """

    path: str
    before: str | None
    after: str
    before_parts: tuple[Part, ...] = ()
    after_parts: tuple[Part, ...] = ()

    def __str__(self) -> str:
        arrow = f"{self.before} → " if self.before is not None else ""
        return f"{self.path}: {arrow}{self.after}"


class Entry(NamedTuple):
    """One change as a reader sees it; a rename, which is two changes, is one entry.

    ``notes`` are its users, then why it is planned, one idea each. ``rule`` and ``level`` are those of its finding.
    """

    mark: Mark
    address: str
    diffs: tuple[Diff, ...]
    where: Where | None
    notes: tuple[Note, ...]
    rule: str
    level: Level = "note"

    @property
    def sentence(self) -> str:
        """Return the whole entry in one line, for formats that have one line for each finding."""
        texts = (f"{self.mark} {self.address}", *map(str, self.diffs), *(note.text for note in self.notes))
        return " · ".join(texts)


class ChangeTable(NamedTuple):
    """Entries that belong together: those of a section, or those under a title, such as manual steps (``titled``).

    ``notes`` apply to several entries. ``counts`` is false where they are neither drift nor part of the plan's counts.
    """

    key: str
    title: str
    entries: tuple[Entry, ...]
    notes: tuple[Note, ...] = ()
    titled: bool = False
    counts: bool = True


class ChangeColumns(NamedTuple):
    """The titles of the columns of changes: in a short table, and both in a wide one."""

    short: str
    fields: str
    notes: str


class CheckDetail(NamedTuple):
    """A line below the message of a check: a cause or an override, and its place."""

    text: str
    where: Where | None = None


class CheckResult(NamedTuple):
    """The result of a guard, of an access test, or a policy violation.

    ``figures`` are shown where a guard has no message. ``level`` is that of its finding, None where there is none.
    ``where`` is the place of the finding, ``set_at`` where the config sets the guard. ``details`` are causes and
    overrides, ``ways`` what to do, one action each.
    """

    kind: Literal["guard", "access test", "violation"]
    name: str
    label: str
    message: str = ""
    level: Level | None = None
    rule: str = ""
    where: Where | None = None
    figures: str = ""
    ways: tuple[str, ...] = ()
    set_at: Where | None = None
    details: tuple[CheckDetail, ...] = ()

    @property
    def passed(self) -> bool:
        return self.label in ("pass", "ok")

    @property
    def text(self) -> str:
        """Return the name and the message, or the message alone where that is a whole sentence."""
        if self.kind == "violation":
            return self.message
        return f"{self.name}: {self.message}" if self.message else f"{self.name} {self.figures}".rstrip()

    @property
    def sentences(self) -> str:
        """Return the name, the message and the details in one line."""
        lines = (f"{self.text.rstrip('.')}{_in_brackets(self.set_at)}", *map(_detail_text, self.details))
        return " ".join(map(_sentence, lines))

    @property
    def detail(self) -> str:
        """Return the whole result in one line, for formats that have one line for each finding."""
        if self.kind != "guard":
            return "; ".join((self.message or "failed", *map(_detail_text, self.details)))
        return " ".join((f"{self.label}: {self.sentences}", *map(_sentence, self.ways)))


def _in_brackets(where: Where | None) -> str:
    return f" ({place(where)})" if where else ""


def _detail_text(detail: CheckDetail) -> str:
    return f"{detail.text.rstrip('.')}{_in_brackets(detail.where)}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


class Gap(NamedTuple):
    """Something that could not be read or determined. ``case`` is its name among test cases, if it has one there."""

    rule: str
    level: Level
    text: str
    case: str = ""


class NextStep(NamedTuple):
    """An action to take next: its purpose (``label``), words, the command, and a note about it.

    ``refused``: apply would refuse the plan as it is.
    """

    label: str
    words: str = ""
    command: str = ""
    note: str = ""
    refused: bool = False


class UserMove(NamedTuple):
    """Users whose access changes in the same way. ``unnamed`` counts those that must not be named."""

    kind: str
    before: tuple[Part, ...]
    after: tuple[Part, ...]
    because: tuple[str, ...]
    on_default: bool
    names: tuple[str, ...]
    unnamed: int


class Flow(NamedTuple):
    """Users who lose one thing and gain another.

    ``kind`` is admin (they gain org admin), more (they gain another role above member), lose, change or gain.
    """

    left: str
    right: str
    size: int
    kind: str


class Table(NamedTuple):
    """A table for a spreadsheet."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]


class Piece(NamedTuple):
    """A part of a phrase: plain text, a label as the console has it, or code such as a command or a value to enter."""

    text: str
    kind: Literal["plain", "label", "code"] = "plain"


Phrase = tuple[Piece, ...]
"""A text with labels and code in it."""


class Paragraph(NamedTuple):
    """A sentence; ``label`` is printed before it."""

    text: Phrase
    label: str = ""
    strong: bool = False


class Items(NamedTuple):
    """Sentences of a list: actions to tick off, in their order if it is numbered, or facts to know."""

    kind: Literal["numbered", "checklist", "bullets"]
    texts: tuple[Phrase, ...]


class GridRow(NamedTuple):
    """A row of a grid. ``number`` is that of the item of a step, empty for none; ``done`` if it was reported done."""

    cells: tuple[Phrase, ...]
    number: str = ""
    done: bool = False


class Grid(NamedTuple):
    """Values of a step before and after it, by setting or by group."""

    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]


Block = Paragraph | Items | Grid


class Row(NamedTuple):
    """A line of a listing: cells, each with its tone, and a place. ``depth`` is that below other rows."""

    cells: tuple[Note, ...]
    place: str = ""
    depth: int = 0


class Listing(NamedTuple):
    """Rows under a title, if any. A terminal aligns their cells at these ``widths``; the last cell has no width.

    ``rows`` may be read once only, as there may be very many.
    """

    rows: Iterable[Row]
    widths: tuple[int, ...] = ()
    title: str = ""


class Chapter(NamedTuple):
    """A heading and what follows it.

    ``step`` if it is a step, for which a page has fields to enter who did it and when. ``done`` says who reported it
    done and when, if all of it was.
    """

    title: str
    blocks: tuple[Block, ...]
    step: bool = False
    done: str = ""


_SEVERITY = {"block": 0, "not judged": 1, "review": 2, "allowed": 3}


def _empty() -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True)
class Document:
    """A report in reading order: summary, changes, users, guards, what to do next.

    ``title`` is that of a page, ``idp`` the line about the IdP, ``org_id`` and ``env`` identify the org in a comment of
    a pipeline. The summary is ``escalations``, org admins first, with their ``totals``, ``overview``, one idea each and
    the most severe first, and ``summary``, the counts of changes; ``headline`` is the overview as one text. ``effects``
    says what drift did, ``basis`` what was compared, ``validity`` when the report was made and until when it is valid.
    ``passed`` counts the guards that passed. ``compared`` has each section of a drift check, with the reason where it
    is unknown. ``users``, ``policy``, ``left``, ``news`` and ``inventory`` are notes: about users of several changes,
    guards that change, settings that a plan does not change, what is not drift, what is not managed. ``naming`` is the
    command that names users, where some are only counted, ``naming_lead`` the words before it. ``supposed`` has the
    memberships that a plan only supposes. ``unread`` has what was not read, ``undetermined`` the reason
    why drift is unknown. ``moves``, ``flows``, ``table`` are functions. Names in ``teams`` and ``unmanaged`` are not
    made visible.
    """

    subject: Subject
    title: str = ""
    org_id: str = ""
    env: str | None = None
    banner: Banner = Banner("")
    idp: Banner | None = None
    status: Status = "ok"
    headline: str = ""
    escalations: tuple[EscalationText, ...] = ()
    totals: tuple[str, ...] = ()
    overview: tuple[Note, ...] = ()
    effects: tuple[str, ...] = ()
    basis: str = ""
    validity: str = ""
    digest: str = ""
    summary: str = ""
    columns: ChangeColumns = ChangeColumns("change", "Before and after", "Users and reasons")
    changes: tuple[ChangeTable, ...] = ()
    users: tuple[Note, ...] = ()
    policy: tuple[Note, ...] = ()
    left: tuple[Note, ...] = ()
    news: tuple[Note, ...] = ()
    inventory: tuple[Note, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    passed: str = ""
    gaps: tuple[Gap, ...] = ()
    problems: tuple[Problem, ...] = ()
    compared: tuple[tuple[str, str], ...] = ()
    naming_lead: str = ""
    naming: str = ""
    supposed: tuple[str, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    unread: tuple[str, ...] = ()
    undetermined: str = ""
    chapters: tuple[Chapter, ...] = ()
    listings: tuple[Listing, ...] = ()
    teams: Sequence[TeamTally] = ()
    unmanaged: Sequence[Unmanaged] = ()
    moves: Callable[[], Sequence[UserMove]] = _empty
    flows: Callable[[], Sequence[Flow]] = _empty
    table: Callable[[], Table] | None = None

    @property
    def leads(self) -> bool:
        """Return whether the summary is the first sentence: of a drift check that has drift."""
        return self.subject == "drift" and any(table.counts for table in self.changes)

    def unresolved(self) -> list[CheckResult]:
        """Return the guards that did not pass, the most severe first, then the access tests that failed."""
        checks = (check for check in self.checks if check.kind != "violation" and not check.passed)
        return sorted(checks, key=lambda check: _SEVERITY.get(check.label, len(_SEVERITY)))

    def violations(self) -> tuple[CheckResult, ...]:
        """Return the policy violations that were found."""
        return tuple(check for check in self.checks if check.kind == "violation" and check.level)

    def worst(self, most: int) -> tuple[Sequence[Problem], int]:
        """Return the first problems, errors before warnings, and how many more there are."""
        ordered = sorted(self.problems, key=lambda problem: problem.severity != "error")
        return ordered[:most], max(len(ordered) - most, 0)
