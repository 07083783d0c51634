"""Who has what, and why, as lines, JSON and CSV. `access` and `why` always name people: that is what they are for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rolecall.access.encode import encode_access
from rolecall.access.person import Access
from rolecall.model.live import COMPLETE, Coverage
from rolecall.model.roles import ORG_ADMIN
from rolecall.plan.explain.why import Because, Cause, Why, WhyNot
from rolecall.plan.saved.encode import encode_released
from rolecall.plan.value import AccessTestResult, Released, Unmanaged
from rolecall.report.builders.unmanaged import released_value
from rolecall.report.document import Table
from rolecall.report.line import Line, Span, line
from rolecall.report.phrases import cells, count, inline_yaml, listed, mapping_words, place, visible

_COLUMN = 28


def access_lines(rows: Iterable[tuple[str, Access]], seen: Coverage = COMPLETE) -> Iterator[Line]:
    """A line for each person: the e-mail, then each combo with its reason; then how many, as far as they were read."""
    people = 0
    for email, access in rows:
        people += 1
        shown = visible(email)
        pad = " " * (max(_COLUMN - cells(shown), 0) + 2)
        told = ", ".join(f"{_role_held(row.team, row.role)} ({row.reasons[0].source})" for row in access.combos)
        admin = (Span("  org admin", "warn"),) if access.org_admin else ()
        yield Line((Span(shown, "bold"), Span(pad), Span(visible(told)), *admin), hang=4)
    if seen.state == "complete":
        yield line(f"{count(people, 'person')}.", "bold")
    elif seen.state == "partial":
        yield line(f"At least {count(people, 'user')}: users were only partially read.", "error")
    else:
        yield line("Unknown: users were not read.", "error")


def _role_held(team: str, role: str) -> str:
    """``Brand member``; org admin is of the whole org (R21): ``org_admin (org-wide, team IT)``."""
    return f"{role} (org-wide, team {team})" if role == ORG_ADMIN else f"{team} {role}"


def coverage_json(seen: Coverage) -> dict[str, Any]:
    """``{"state", "read", "total", "problem"}``: how much was read of the users that an answer needs."""
    return {name: getattr(seen, name) for name in ("state", "read", "total", "problem")}


def access_json(rows: Iterable[tuple[str, Access]], seen: Coverage = COMPLETE) -> str:
    """``{"coverage": {"state", "read", "total", "problem"}, "people": [{"email", "org_admin", "combos": [{"team",
    "role", "reason", "reasons"}]}]}``. ``people`` holds those that were read; without ``complete`` there may be more.
    """
    body = {"coverage": coverage_json(seen), "people": [encode_access(*row) for row in rows]}
    return json.dumps(body, indent=2) + "\n"


def access_table(rows: Iterable[tuple[str, Access]]) -> Table:
    """Return a table with a row for each combo: ``email,team,role,reason``."""
    told = ((email, row.team, row.role, row.reasons[0].source) for email, access in rows for row in access.combos)
    return Table(("email", "team", "role", "reason"), told)


def unmanaged_lines(rows: Iterable[Unmanaged], released: Iterable[Released] = ()) -> Iterator[Line]:
    """Yield a line for each mapping that the config does not manage, and for each other setting it no longer does."""
    mapped, let_go = list(rows), list(released)
    for row in mapped:
        users = "" if row.people is None else f"  {count(row.people, 'user')}"
        state = "  no longer managed" if row.released else "  new" if row.new else ""
        text = f"  {mapping_words(row.role, row.teams)}{users}{state}"
        yield Line(
            (Span(visible(row.address), "bold"), Span(text, "warn" if row.role == "org_admin" else "plain")), hang=4
        )
    for item in (row for row in let_go if row.address not in {other.address for other in mapped}):
        fields = f" ({', '.join(item.fields)})" if item.fields else ""
        text = f"  {released_value(item)}  no longer managed"
        yield Line((Span(f"{visible(item.address)}{fields}", "bold"), Span(text)), hang=4)
    more = f", {count(len(let_go), 'setting')} no longer managed" if let_go else ""
    yield line(f"{count(len(mapped), 'mapped group')} not managed here{more}.", "bold")


def unmanaged_json(rows: Iterable[Unmanaged], released: Iterable[Released] = ()) -> str:
    """``{"unmanaged": [{"address", "role", "teams", "people", "new", "released"}], "released": [...]}``; the rows of
    the second list are those of a plan's ``released``."""
    listing = [{**row._asdict(), "teams": list(row.teams)} for row in rows]
    return json.dumps({"unmanaged": listing, "released": list(map(encode_released, released))}, indent=2) + "\n"


STATES = {"live": "live", "desired": "configuration", "plan": "after the plan"}
"""The states that can be asked, in words."""


def why_lines(told: Why, at: str = "live") -> Iterator[Line]:
    """Each combo with the rule, the setting, its place and value, and what it beat; then what gave nothing. ``at`` is
    the state, of STATES. A line of the configuration that asks for something else is marked as not applied."""
    person, traits = told.person, told.person.traits
    who = visible(person.email) or "Somebody"
    state = "" if traits.active else " · inactive"
    groups = f" · in {listed(person.groups)}" if person.groups else " · in no group"
    about = f"{traits.origin}{state}{' · pending' if traits.pending else ''}{groups}"
    yield line(f"{who} · {about} · state: {STATES[at]}", "head", hang=2)
    if not told.granted:
        yield line("has nothing.", "warn", indent=2)
    for row in told.granted:
        yield from _held(row)
    if told.silent:
        yield line("Gave nothing:", "dim", indent=2)
        yield from (_cause(cause, indent=4) for cause in told.silent)


def why_not_lines(told: WhyNot) -> Iterator[Line]:
    """Why a role is not held, and each thing by itself that would give it."""
    role = visible(told.role)
    if told.has:
        yield line(f"They have {role} already:", "head")
        for row in told.has:
            yield from _held(row)
        return
    yield line(
        f"They do not have {role}. Each of these by itself would give it:"
        if told.options
        else f"Nothing would give {role}.",
        "head",
    )
    for option in told.options:
        yield Line(
            (Span("· "), Span(visible(option.sentence))),
            2,
            4,
            (Span(place(option.where), "dim"),) if option.where else (),
        )


def unread_json(email: str | None, seen: Coverage) -> str:
    """Return what `why` tells, for machines, of a user who was not read: null is unknown, not nothing."""
    unknown = dict.fromkeys(("groups", "org_admin", "combos", "silent"))
    return json.dumps({"email": email, "coverage": coverage_json(seen), **unknown}, indent=2)


def not_read_line(email: str, seen: Coverage) -> Line:
    """Return the sentence about a user who is not among those that were read."""
    among = "users were not read" if seen.state == "unread" else "not among the users that were read"
    return line(f"{visible(email)}: unknown, {among}.", "error")


def why_json(told: Why, seen: Coverage = COMPLETE, at: str = "live") -> dict[str, Any]:
    """What `why` tells, for machines. ``state`` is ``live``, ``desired`` or ``plan``; ``applied`` of a cause is false
    where its line of the configuration asks for ``asked`` instead of ``value``, null where there is no such line."""
    return {
        "state": at,
        "coverage": coverage_json(seen),
        "email": told.person.email or None,
        "groups": list(told.person.groups),
        "org_admin": told.org_admin,
        "combos": [
            {
                "team": row.combo.team,
                "role": row.combo.role,
                "because": [_cause_json(cause) for cause in (row.winner, *row.others)],
            }
            for row in told.granted
        ],
        "silent": [_cause_json(cause) for cause in told.silent],
    }


def why_not_json(told: WhyNot) -> dict[str, Any]:
    """What `why --not` tells, for machines."""
    return {
        "role": told.role,
        "has": [row.combo._asdict() for row in told.has],
        "options": [
            {
                "way": option.way,
                "address": option.address,
                "where": place(option.where) or None,
                "sentence": option.sentence,
            }
            for option in told.options
        ],
    }


def tests_lines(tests: Iterable[AccessTestResult]) -> Iterator[Line]:
    """A line for each access test; then how many passed."""
    found = list(tests)
    for test in found:
        label = Span("ok      ", "ok") if test.passed else Span("FAILED  ", "error")
        label = Span("LATER   ", "dim") if test.later else label
        label = label if test.evaluated else Span("UNKNOWN ", "error")
        told = f"{visible(test.name)}{'' if test.passed else f': {visible(test.message)}'}"
        yield Line((label, Span(told)), hang=8, tail=(Span(place(test.source), "dim"),) if test.source else ())
    passed, unknown = sum(test.passed for test in found), sum(not test.evaluated for test in found)
    result = f"{passed:,} of {count(len(found), 'access test')} passed" if found else "There are no access tests"
    yield line(f"{result}{f'; {unknown:,} not evaluated' if unknown else ''}.", "bold")


def _held(row: Because) -> Iterator[Line]:
    combo = Span(visible(_role_held(*row.combo)), "add")
    yield Line((combo,), 2, 6)
    yield _cause(row.winner, indent=6)
    for cause in row.others:
        beaten = "beats " if cause.role != row.combo.role else "and "
        yield _cause(cause, indent=6, before=beaten)


def _cause(cause: Cause, *, indent: int, before: str = "") -> Line:
    value = "" if cause.value is None else f": {inline_yaml(cause.value)}"
    gives = f" {cause.role}" if cause.role and before else ""
    told = f"{before}{cause.source}{gives} ({cause.rule}){value}"
    return Line(
        (Span(visible(told), "dim" if before else "plain"),),
        indent,
        indent + 2,
        _line_of(cause),
    )


def _line_of(cause: Cause) -> tuple[Span, ...]:
    """The line of the configuration; with what it asks for where that is something else."""
    if not cause.where:
        return ()
    where = Span(place(cause.where), "dim")
    if cause.applied is not False:
        return (where,)
    return (where, Span(f" (not applied: {visible(inline_yaml(cause.asked))})", "warn"))


def _cause_json(cause: Cause) -> dict[str, Any]:
    return {**cause._asdict(), "where": place(cause.where) or None}
