"""Where the org and its source of users disagree about groups and their members: warnings, one of a kind. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rolecall.errors import Problem, did_you_mean
from rolecall.model.settings import UNSET
from rolecall.plan.headline import enumerate_words
from rolecall.plan.question import Question
from rolecall.plan.users_read import members_words

_SHOWN = 5
_COMPARED = 50
"""Names that near matches are looked for, at most."""


def disagreements(question: Question) -> Iterator[Problem]:
    """Yield a warning each for groups that the source has no user in, whose counts differ, and that only it has."""
    directory, facts = question.directory, question.live.facts
    if directory is None:
        return
    missing, differing, unknown = directory.gaps
    wanted = question.desired.settings.idp_groups
    strange = [name for name in unknown if wanted is UNSET or name not in wanted]
    if missing:
        message = f"The people source has no user in {members_words(missing, facts.observed)}"
        hint = _near(sorted(missing), strange) or "check the name of the group in the people source"
        yield _warning("people_group_missing", message, hint)
    if differing:
        who = "the console" if facts.observed else "the org"
        counts = [
            f"{name} ({who} {org:,}, the people source {own:,})" for name, (org, own) in sorted(differing.items())
        ]
        message = f"Members are counted differently: {enumerate_words(counts, _SHOWN)}"
        yield _warning("people_counts_differ", message, "if the numbers should agree, export or observe again")
    if strange:
        known = [*facts.groups, *(() if wanted is UNSET else wanted)]
        message = f"Only the people source has {enumerate_words([f'`{name}`' for name in strange], _SHOWN)}"
        hint = _near(strange, known) or "neither the org nor the configuration has a group of that name"
        yield _warning("people_group_unknown", message, hint)


def _near(names: Sequence[str], known: Collection[str]) -> str | None:
    """Return ``did you mean `Writer-Legal` by `writer-legal`?`` for the first names that are near to a known one."""
    hints = ((name, did_you_mean(name, known)) for name in names[:_COMPARED])
    near = [hint.replace("?", f" by `{name}`?") for name, hint in hints if hint]
    return "; ".join(near[:_SHOWN]) or None


def _warning(code: str, message: str, hint: str) -> Problem:
    return Problem(code, message, None, hint, "warning")
