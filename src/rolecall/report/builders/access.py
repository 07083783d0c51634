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
from rolecall.report.builders.unmanaged import released_fields, released_value
from rolecall.report.document import Table
from rolecall.report.line import Line, Span, Style, line
from rolecall.report.phrases import cells, count, inline_yaml, listed, mapping_words, place, visible

_COLUMN = 28


def access_lines(users: Iterable[tuple[str, Access]], coverage: Coverage = COMPLETE) -> Iterator[Line]:
    """Yield a line for each user: the e-mail, then each team role with its reason; then how many were read."""
    number = 0
    for email, access in users:
        number += 1
        shown = visible(email)
        pad = " " * (max(_COLUMN - cells(shown), 0) + 2)
        granted = ", ".join(
            f"{_role_words(item.team, item.role)} ({item.reasons[0].source})" for item in access.team_roles
        )
        admin = (Span("  org admin", "warn"),) if access.org_admin else ()
        yield Line((Span(shown, "bold"), Span(pad), Span(visible(granted)), *admin), hang=4)
    if coverage.state == "complete":
        yield line(f"{count(number, 'person')}.", "bold")
    elif coverage.state == "partial":
        yield line(f"At least {count(number, 'user')}: users were only partially read.", "error")
    else:
        yield line("Unknown: users were not read.", "error")


def _role_words(team: str, role: str) -> str:
    """Return ``Brand member``; org admin is of the whole org (R21): ``org_admin (org-wide, team IT)``."""
    return f"{role} (org-wide, team {team})" if role == ORG_ADMIN else f"{team} {role}"


def coverage_json(coverage: Coverage) -> dict[str, Any]:
    """Return ``{"state", "read", "total", "problem"}``: how much was read of the users that an answer needs."""
    return {name: getattr(coverage, name) for name in ("state", "read", "total", "problem")}


def access_json(users: Iterable[tuple[str, Access]], coverage: Coverage = COMPLETE) -> str:
    """Return ``{"coverage": {"state", "read", "total", "problem"}, "people": [{"email", "org_admin", "team roles":
    [{"team", "role", "reason", "reasons"}]}]}``. ``people`` holds those that were read; without ``complete`` there may
    be more."""
    body = {"coverage": coverage_json(coverage), "people": [encode_access(*user) for user in users]}
    return json.dumps(body, indent=2) + "\n"


def access_table(users: Iterable[tuple[str, Access]]) -> Table:
    """Return a table with a row for each team role: ``email,team,role,reason``."""
    granted = ((email, item) for email, access in users for item in access.team_roles)
    return Table(
        ("email", "team", "role", "reason"),
        ((email, item.team, item.role, item.reasons[0].source) for email, item in granted),
    )


def unmanaged_lines(unmanaged: Iterable[Unmanaged], released: Iterable[Released] = ()) -> Iterator[Line]:
    """Yield a line for each mapping that the config does not manage, and for each other setting it no longer does."""
    mappings, dropped = list(unmanaged), list(released)
    for mapping in mappings:
        users = "" if mapping.people is None else f"  {count(mapping.people, 'user')}"
        state = "  no longer managed" if mapping.released else "  new" if mapping.new else ""
        text = f"  {mapping_words(mapping.role, mapping.teams)}{users}{state}"
        style: Style = "warn" if mapping.role == ORG_ADMIN else "plain"
        yield Line((Span(visible(mapping.address), "bold"), Span(text, style)), hang=4)
    listed_above = {mapping.address for mapping in mappings}
    for item in (item for item in dropped if item.address not in listed_above):
        text = f"  {released_value(item)}  no longer managed"
        yield Line((Span(f"{visible(item.address)}{released_fields(item)}", "bold"), Span(text)), hang=4)
    more = f", {count(len(dropped), 'setting')} no longer managed" if dropped else ""
    yield line(f"{count(len(mappings), 'mapped group')} not managed here{more}.", "bold")


def unmanaged_json(unmanaged: Iterable[Unmanaged], released: Iterable[Released] = ()) -> str:
    """Return ``{"unmanaged": [{"address", "role", "teams", "people", "new", "released"}], "released": [...]}``; the
    entries of the second list are those of a plan's ``released``."""
    listing = [{**mapping._asdict(), "teams": list(mapping.teams)} for mapping in unmanaged]
    return json.dumps({"unmanaged": listing, "released": list(map(encode_released, released))}, indent=2) + "\n"


STATES = {"live": "live", "desired": "configuration", "plan": "after the plan"}
"""The states that can be asked, in words."""


def why_lines(answer: Why, at: str = "live") -> Iterator[Line]:
    """Yield each team role with the rule, the setting, its place and value, and what it beat; then what gave nothing.

    ``at`` is the state, of STATES. A line of the configuration that asks for something else is marked as not applied.
    """
    person, traits = answer.person, answer.person.traits
    who = visible(person.email) or "Somebody"
    state = "" if traits.active else " · inactive"
    groups = f" · in {listed(person.groups)}" if person.groups else " · in no group"
    about = f"{traits.origin}{state}{' · pending' if traits.pending else ''}{groups}"
    yield line(f"{who} · {about} · state: {STATES[at]}", "head", hang=2)
    if not answer.granted:
        yield line("has nothing.", "warn", indent=2)
    for grant in answer.granted:
        yield from _grant(grant)
    if answer.silent:
        yield line("Gave nothing:", "dim", indent=2)
        yield from (_cause(cause, indent=4) for cause in answer.silent)


def why_not_lines(answer: WhyNot) -> Iterator[Line]:
    """Yield why a role is not held, and each thing by itself that would give it."""
    role = visible(answer.role)
    if answer.has:
        yield line(f"They have {role} already:", "head")
        for grant in answer.has:
            yield from _grant(grant)
        return
    yield line(
        f"They do not have {role}. Each of these by itself would give it:"
        if answer.options
        else f"Nothing would give {role}.",
        "head",
    )
    for option in answer.options:
        yield Line(
            (Span("· "), Span(visible(option.sentence))),
            2,
            4,
            (Span(place(option.where), "dim"),) if option.where else (),
        )


def unread_json(email: str | None, coverage: Coverage) -> str:
    """Return what `why` tells, for machines, of a user who was not read: null is unknown, not nothing."""
    unknown = dict.fromkeys(("groups", "org_admin", "combos", "silent"))
    return json.dumps({"email": email, "coverage": coverage_json(coverage), **unknown}, indent=2)


def not_read_line(email: str, coverage: Coverage) -> Line:
    """Return the sentence about a user who is not among those that were read."""
    among = "users were not read" if coverage.state == "unread" else "not among the users that were read"
    return line(f"{visible(email)}: unknown, {among}.", "error")


def why_json(answer: Why, coverage: Coverage = COMPLETE, at: str = "live") -> dict[str, Any]:
    """Return what `why` tells, for machines. ``state`` is ``live``, ``desired`` or ``plan``; ``applied`` of a cause is
    false where its line of the configuration asks for ``asked`` instead of ``value``, null where there is no such
    line."""
    return {
        "state": at,
        "coverage": coverage_json(coverage),
        "email": answer.person.email or None,
        "groups": list(answer.person.groups),
        "org_admin": answer.org_admin,
        "combos": [
            {
                "team": grant.team_role.team,
                "role": grant.team_role.role,
                "because": [_cause_json(cause) for cause in (grant.winner, *grant.others)],
            }
            for grant in answer.granted
        ],
        "silent": [_cause_json(cause) for cause in answer.silent],
    }


def why_not_json(answer: WhyNot) -> dict[str, Any]:
    """Return what `why --not` tells, for machines."""
    return {
        "role": answer.role,
        "has": [grant.team_role._asdict() for grant in answer.has],
        "options": [
            {
                "way": option.way,
                "address": option.address,
                "where": place(option.where) or None,
                "sentence": option.sentence,
            }
            for option in answer.options
        ],
    }


def tests_lines(tests: Iterable[AccessTestResult]) -> Iterator[Line]:
    """Yield a line for each access test; then how many passed."""
    results = list(tests)
    for test in results:
        label = Span("ok      ", "ok") if test.passed else Span("FAILED  ", "error")
        label = Span("LATER   ", "dim") if test.later else label
        label = label if test.evaluated else Span("UNKNOWN ", "error")
        text = f"{visible(test.name)}{'' if test.passed else f': {visible(test.message)}'}"
        yield Line((label, Span(text)), hang=8, tail=(Span(place(test.source), "dim"),) if test.source else ())
    passed, unknown = sum(test.passed for test in results), sum(not test.evaluated for test in results)
    result = f"{passed:,} of {count(len(results), 'access test')} passed" if results else "There are no access tests"
    yield line(f"{result}{f'; {unknown:,} not evaluated' if unknown else ''}.", "bold")


def _grant(grant: Because) -> Iterator[Line]:
    team_role = Span(visible(_role_words(*grant.team_role)), "bold")
    yield Line((team_role,), 2, 6)
    yield _cause(grant.winner, indent=6)
    for cause in grant.others:
        beaten = "beats " if cause.role != grant.team_role.role else "and "
        yield _cause(cause, indent=6, before=beaten)


def _cause(cause: Cause, *, indent: int, before: str = "") -> Line:
    value = "" if cause.value is None else f": {inline_yaml(cause.value)}"
    gives = f" {cause.role}" if cause.role and before else ""
    text = f"{before}{cause.source}{gives} ({cause.rule}){value}"
    return Line(
        (Span(visible(text), "dim" if before else "plain"),),
        indent,
        indent + 2,
        _line_of(cause),
    )


def _line_of(cause: Cause) -> tuple[Span, ...]:
    """Return the line of the configuration; with what it asks for where that is something else."""
    if not cause.where:
        return ()
    where = Span(place(cause.where), "dim")
    if cause.applied is not False:
        return (where,)
    return (where, Span(f" (not applied: {visible(inline_yaml(cause.asked))})", "warn"))


def _cause_json(cause: Cause) -> dict[str, Any]:
    return {**cause._asdict(), "where": place(cause.where) or None}
