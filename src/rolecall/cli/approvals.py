"""Decide whether a plan may be applied: what blocks it, who approved it, and the answer at the prompt.

Approvals that were given elsewhere are in the file of `--approval`; not all of them count.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.cli.facts import actor, authors, ci_run, names_in
from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation, root_of
from rolecall.cli.prompts import agrees, can_ask
from rolecall.cli.session import now
from rolecall.errors import Blocked, ConfigError, Exit, Misuse, Problem, RolecallError, Where
from rolecall.model.run import Approval
from rolecall.outside.git import committed_at, head
from rolecall.plan.saved.digest import digest, short
from rolecall.plan.saved.summary import failed_test, renames_as_one, reviews
from rolecall.plan.value import GuardResult, Plan
from rolecall.report.builders.checks import guard_words
from rolecall.report.phrases import visible

PIPELINE = " (the pipeline itself)"
"""Suffix for the name of an approval that was given by whoever runs the pipeline."""

CLOCK_SKEW = timedelta(minutes=5)
"""The furthest in the future that an approval, or a plan, may be dated, since clocks differ."""

_KEYS = frozenset({"by", "at", "url", "source", "commit", "pushed_at"})
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that print nothing although Unicode does not class them as invisible."""


class Approvals(NamedTuple):
    """The approvals that count, and for each other one why it does not."""

    counted: tuple[Approval, ...] = ()
    rejected: tuple[Problem, ...] = ()

    def by_people(self) -> tuple[Approval, ...]:
        """Return the approvals that were not given by whoever runs the pipeline."""
        return tuple(approval for approval in self.counted if not approval.by.endswith(PIPELINE))


class _Entry(NamedTuple):
    """An approval in the file. ``commit`` is the approved commit, ``pushed_at`` when it was pushed."""

    approval: Approval
    commit: str | None
    pushed_at: datetime | None


def read_approvals(call: Invocation, path: Path) -> Approvals:
    """Return the approvals in a file, ``[{by, at, url, source}]``, and those that do not count.

    An approval counts if it is dated between the commit it approves and five minutes from now. ``commit`` and
    ``pushed_at`` name that commit where it is not the one checked out, as for a pull request that was squashed. An
    approval of the deployment environment of this very run needs no date. Raises ConfigError, naming every entry, for
    a file of another form and for a name with invisible characters.
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
        raise ConfigError(_problem(path, "is not a list of approvals: [{by, at, url, source}]"))
    problems = [
        _problem(path, f"entry {number}: {fault}") for number, item in enumerate(content, 1) for fault in _faults(item)
    ]
    if problems:
        raise ConfigError(*problems)
    return [_entry(item) for item in content]


def _faults(item: Any) -> list[str]:
    """Return what is wrong with the form of an entry."""
    if not isinstance(item, Mapping):
        return ["is not an object {by, at, url, source}"]
    faults = [f"unknown key `{visible(str(key))}`" for key in item if key not in _KEYS]
    for key in ("by", "url", "source"):
        value = item.get(key)
        if not isinstance(value, str) or not value.strip():
            faults.append(f"`{key}` is missing" if value is None else f"`{key}` is not text")
        elif hidden := _hidden(value):
            faults.append(f"`{key}` contains invisible characters ({hidden}): {visible(value.strip())}")
    if item.get("at") is None and not _of_environment(item):
        faults.append("`at` is missing")
    faults += [
        f"`{key}` is not a time with a time zone, such as 2030-01-31T09:00:00Z"
        for key in ("at", "pushed_at")
        if item.get(key) is not None and _instant(item[key]) is None
    ]
    if not isinstance(item.get("commit"), str | None):
        faults.append("`commit` is not text")
    return faults


def _hidden(text: str) -> str:
    """Return the invisible characters in a text as escapes; spaces at its ends do not count."""
    inner = text.strip()
    marks = {char for char in inner if visible(char) != char or char in _BLANK or _selects(char)}
    return ", ".join(f"U+{ord(char):04X}" for char in sorted(marks))


def _selects(char: str) -> bool:
    return unicodedata.name(char, "").startswith("VARIATION SELECTOR")


def _of_environment(item: Mapping[str, Any]) -> bool:
    return str(item.get("source") or "").startswith("environment ")


def _instant(text: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None


def _entry(item: Mapping[str, Any]) -> _Entry:
    approval = Approval(item["by"].strip(), _instant(item.get("at")), item["url"], item["source"])
    return _Entry(approval, item.get("commit"), _instant(item.get("pushed_at")))


def _rejection(call: Invocation, path: Path, number: int, entry: _Entry) -> Problem | None:
    """Return why an approval does not count; None if it does."""
    approval = entry.approval
    who = f"entry {number}: the approval by {visible(approval.by)} does not count: it"
    if approval.at is None:
        own = approval.url == ci_run(call.environ)
        return None if own else _problem(path, f"{who} has no `at` and is not from this pipeline run")
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
    """Return the approval, with the suffix if it was given by whoever runs the pipeline."""
    own = call.ci and not names_in(approval.by).isdisjoint(names_in(actor(call.environ)))
    return approval._replace(by=f"{approval.by}{PIPELINE}") if own else approval


def _problem(path: Path, message: str) -> Problem:
    hint = "an approval needs by, at, url and source; its time must be after the commit and not in the future"
    return Problem("approval_file", message, Where(str(path)), hint)


class ApprovalFlags(NamedTuple):
    """The options for approval: ``auto`` is `--auto-approve`, ``digest`` `--approve`, ``file`` `--approval`."""

    auto: bool = False
    digest: str | None = None
    file: Path | None = None

    @property
    def asks(self) -> bool:
        """Return whether approval is asked for at the prompt."""
        return not self.auto and self.digest is None


class Declined(RolecallError):
    """The user declined at the prompt. Nothing was written."""

    exit = Exit.ERROR


def consent(call: Invocation, plan: Plan, flags: ApprovalFlags, caller: str | None = None) -> tuple[Approval, ...]:
    """Return the approvals to record.

    Raises Blocked, Stale for a digest of another plan, Misuse if there is no terminal to ask, and Declined. ``caller``
    is the user that the org knows the token as, if known: their own approval does not count as one by another user.
    """
    from rolecall.jobs.apply import check_digest

    approvals = read_approvals(call, flags.file) if flags.file else Approvals()
    refuse_blocked(plan)
    _check_recorded(call, plan, approvals, caller)
    tell(approvals.rejected, as_json=call.log_format == "json", color=call.color)
    if flags.digest is not None:
        check_digest(flags.digest, plan)
    open_reviews = [guard for guard in reviews(plan) if guard.name != _APPROVAL]
    if flags.digest is not None and (not call.ci or approvals.by_people()):
        return (*approvals.counted, _self(call, "--approve"))
    if flags.digest is not None or flags.auto:
        if open_reviews:
            raise Blocked(*(_unanswered(call, flags, guard) for guard in open_reviews))
        return (*approvals.counted, _self(call, "--auto-approve" if flags.digest is None else "--approve"))
    return (*approvals.counted, _ask_person(call, plan, open_reviews))


_APPROVAL = "approval"


def _check_recorded(call: Invocation, plan: Plan, approvals: Approvals, caller: str | None) -> None:
    """Raise Blocked unless there is the recorded approval that `guards.approval` requires."""
    for guard in plan.guards:
        if guard.name == _APPROVAL and guard.verdict == "review":
            by_people = approvals.by_people()
            own = authors(call, caller)
            independent = [approval for approval in by_people if own.isdisjoint(names_in(approval.by))]
            if not (independent if guard.limit == "other_person" else by_people):
                raise Blocked(_not_recorded(guard, by_people), *approvals.rejected)


def _not_recorded(guard: GuardResult, approvals: Sequence[Approval]) -> Problem:
    names = ", ".join(sorted({approval.by for approval in approvals}))
    message = "no approval is recorded"
    if approvals:
        message = f"approved only by {names}; the authors of the change and the user who applies it do not count"
    needs = " by another user" if guard.limit == "other_person" else ""
    hint = f"add --approval FILE with an approval{needs}"
    return Problem("guard.approval", message, guard.source, hint)


def refuse_blocked(plan: Plan) -> None:
    """Raise Blocked, naming every guard that blocks and every access test that fails."""
    problems = [
        Problem(f"guard.{guard.name}", f"blocked by {guard_words(guard)}", guard.source, " ".join(guard.ways) or None)
        for guard in plan.guards
        if guard.verdict == "block"
    ]
    problems += [failed_test(test) for test in plan.access_tests if test.refuses]
    if problems:
        raise Blocked(*problems)


def _unanswered(call: Invocation, flags: ApprovalFlags, guard: GuardResult) -> Problem:
    """Return the problem of a review that is not approved. In CI a digest alone is only the pipeline's own approval."""
    hint = "approve it with --approve DIGEST, or override the guard with --allow; --auto-approve is not enough"
    if guard.verdict == "not judged":
        hint = "approve the plan with --approve DIGEST; --auto-approve and overrides are not enough"
    if call.ci:
        hint = "in CI, --approve counts only with --approval FILE, which records who approved the plan"
    message = f"requires approval: {guard_words(guard)}"
    if call.ci and flags.digest is not None:
        message = f"no approval by a reviewer is recorded: {guard_words(guard)}"
    return Problem(f"guard.{guard.name}", message, guard.source, hint)


def _ask_person(call: Invocation, plan: Plan, open_reviews: list[GuardResult]) -> Approval:
    if not can_ask(call):
        hint = f"add --approve {short(digest(plan))}, or --auto-approve if no guard requires approval"
        raise Misuse(Problem("no_approval", "approval is required, and there is no terminal to ask", None, hint))
    if not agrees(_request(plan, len(open_reviews))):
        raise Declined(Problem("declined", "not approved; nothing was written"))
    return _self(call, "prompt")


def _request(plan: Plan, number_of_reviews: int) -> str:
    """Return the question of the prompt, which says what a yes does."""
    number = len(renames_as_one((*plan.writes, *plan.human)))
    org = f"{plan.org.name} ({plan.org.id})"
    if not number:
        changes = sum(change.loosens for change in plan.policy_changes)
        return f"Approve {changes:,} less strict policy setting{'s' if changes != 1 else ''} for {org}?"
    noun = "change" if number == 1 else "changes"
    plural = "s" if number_of_reviews != 1 else ""
    many = f"{number_of_reviews} " if number_of_reviews > 1 else ""
    review = f" and approve the {many}review{plural} above" if number_of_reviews else ""
    return f"Apply {number:,} {noun} to {org}{review}?"


def _self(call: Invocation, source: str) -> Approval:
    by = actor(call.environ)
    return Approval(f"{by}{PIPELINE}" if call.ci else by, now(), ci_run(call.environ), source)
