"""The file behind `--approval`: who approved a change, and which of these approvals count."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.cli.facts import actor, ci_run, names_in
from rolecall.cli.options import Invocation
from rolecall.cli.root import root_of
from rolecall.cli.session import now
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model.run import Approval
from rolecall.outside.git import committed_at, head
from rolecall.report.phrases import visible

PIPELINE = " (the pipeline itself)"
"""What is added to the name of an approval that whoever runs the pipeline gave."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future an approval, or a plan, may be dated: clocks differ."""

_KEYS = frozenset({"by", "at", "url", "source", "commit", "pushed_at"})
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that print nothing although Unicode does not class them as invisible."""


class Approvals(NamedTuple):
    """The approvals that count, and why each of the others does not."""

    counted: tuple[Approval, ...] = ()
    rejected: tuple[Problem, ...] = ()

    def by_people(self) -> tuple[Approval, ...]:
        """Return the approvals by somebody other than whoever runs the pipeline."""
        return tuple(approval for approval in self.counted if not approval.by.endswith(PIPELINE))


class _Entry(NamedTuple):
    """One approval of the file. ``commit`` is what was approved, ``pushed_at`` when that was pushed."""

    approval: Approval
    commit: str | None
    pushed_at: datetime | None


def read_approvals(call: Invocation, path: Path) -> Approvals:
    """Return the approvals in a file, ``[{by, at, url, source}]``, and which of them do not count.

    An approval counts if it is dated between the commit it approves and five minutes from now. ``commit`` and
    ``pushed_at`` name that commit where it is not the one checked out, as for a pull request that was squashed. An
    approval of the deployment environment of this very run needs no date. Raises ConfigError, naming every entry, for
    a file of another form and for a name with characters that cannot be seen.
    """
    counted, rejected = [], []
    for number, entry in enumerate(_entries(path), 1):
        problem = _rejection(call, path, number, entry)
        if problem is None:
            counted.append(_with_pipeline_named(call, entry.approval))
        else:
            rejected.append(problem._replace(severity="warning"))
    return Approvals(tuple(counted), tuple(rejected))


def _entries(path: Path) -> list[_Entry]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(_problem(path, f"cannot be read: {error.strerror}")) from error
    except ValueError as error:
        raise ConfigError(_problem(path, f"is not JSON: {error}")) from error
    if not isinstance(content, list):
        raise ConfigError(_problem(path, "is not a list of approvals, [{by, at, url, source}]"))
    problems = [
        _problem(path, f"entry {number}: {fault}") for number, row in enumerate(content, 1) for fault in _faults(row)
    ]
    if problems:
        raise ConfigError(*problems)
    return [_entry(row) for row in content]


def _faults(row: Any) -> list[str]:
    """Return what is wrong with the form of an entry, in words."""
    if not isinstance(row, Mapping):
        return ["is not an object {by, at, url, source}"]
    faults = [f"unknown key `{visible(str(key))}`" for key in row if key not in _KEYS]
    for key in ("by", "url", "source"):
        value = row.get(key)
        if not isinstance(value, str) or not value.strip():
            faults.append(f"`{key}` is missing" if value is None else f"`{key}` is not a text")
        elif hidden := _hidden(value):
            faults.append(f"`{key}` contains characters that cannot be seen ({hidden}): {visible(value.strip())}")
    if row.get("at") is None and not _of_environment(row):
        faults.append("`at` is missing")
    faults += [
        f"`{key}` is not a time with a zone, such as 2030-01-31T09:00:00Z"
        for key in ("at", "pushed_at")
        if row.get(key) is not None and _instant(row[key]) is None
    ]
    if not isinstance(row.get("commit"), str | None):
        faults.append("`commit` is not a text")
    return faults


def _hidden(text: str) -> str:
    """Return the invisible characters in a text as escapes; blanks at its ends do not count."""
    inner = text.strip()
    marks = {char for char in inner if visible(char) != char or char in _BLANK or _selects(char)}
    return ", ".join(f"U+{ord(char):04X}" for char in sorted(marks))


def _selects(char: str) -> bool:
    return unicodedata.name(char, "").startswith("VARIATION SELECTOR")


def _of_environment(row: Mapping[str, Any]) -> bool:
    return str(row.get("source") or "").startswith("environment ")


def _instant(text: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None


def _entry(row: Mapping[str, Any]) -> _Entry:
    approval = Approval(row["by"].strip(), _instant(row.get("at")), row["url"], row["source"])
    return _Entry(approval, row.get("commit"), _instant(row.get("pushed_at")))


def _rejection(call: Invocation, path: Path, number: int, entry: _Entry) -> Problem | None:
    """Return why an approval does not count; None if it does."""
    approval = entry.approval
    who = f"entry {number}: the approval by {visible(approval.by)} does not count: it"
    if approval.at is None:
        own = approval.url == ci_run(call.environ)
        return None if own else _problem(path, f"{who} has no date and is not of this pipeline run")
    if approval.at > now() + CLOCK_SKEW:
        return _problem(path, f"{who} is dated {approval.at:%d %b %Y %H:%M} UTC, in the future")
    pushed = _pushed(call, entry)
    if entry.commit is not None and pushed is None:
        return _problem(path, f"{who} is for commit {entry.commit[:12]}, which is not in this clone")
    if pushed is not None and approval.at < pushed:
        return _problem(path, f"{who} is older than the commit ({pushed:%d %b %Y %H:%M} UTC)")
    return None


def _pushed(call: Invocation, entry: _Entry) -> datetime | None:
    """Return when what was approved was committed, or pushed if that is later; None if unknown."""
    folder = root_of(call).folder.resolve()
    committed = committed_at(folder, entry.commit) if entry.commit else head(folder).committed
    return max(filter(None, (committed, entry.pushed_at)), default=None)


def _with_pipeline_named(call: Invocation, approval: Approval) -> Approval:
    """Return the approval with whoever runs the pipeline called that."""
    own = call.ci and not names_in(approval.by).isdisjoint(names_in(actor(call.environ)))
    return approval._replace(by=f"{approval.by}{PIPELINE}") if own else approval


def _problem(path: Path, message: str) -> Problem:
    hint = "each approval needs by, at, url and source; its time must be after the commit and not in the future"
    return Problem("approval_file", message, Where(str(path)), hint)
