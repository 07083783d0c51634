"""Report the access that users have and its reasons. `access` and `why` always name users."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rolecall.access.encode import encode_access
from rolecall.access.person import ORG_LEVEL, Access
from rolecall.model.live import COMPLETE, Coverage
from rolecall.model.policy import OrgRole
from rolecall.model.roles import ORG_ADMIN, ORG_ROLES, role_words
from rolecall.plan.explain.why import Because, Cause, Why, WhyNot, at_org_level
from rolecall.plan.saved.encode import encode_released
from rolecall.plan.value import OrgRef, Released, Unmanaged
from rolecall.report.builders.header import org_banner
from rolecall.report.builders.unmanaged import released_fields, released_value
from rolecall.report.document import Document, Listing, Note, Row, Table
from rolecall.report.phrases import count, inline_yaml, listed, mapping_words, place, visible

_EMAIL = 28
"""Columns of an email address in a listing."""


def access_document(org: OrgRef, users: Iterable[tuple[str, Access]], coverage: Coverage = COMPLETE) -> Document:
    """Return a row for each user: the email address, then each team role with its reason; then how many were read."""
    listing = Listing(_access_rows(users, coverage), (_EMAIL,))
    return Document("access", banner=org_banner(org, coverage), listings=(listing,))


def _access_rows(users: Iterable[tuple[str, Access]], coverage: Coverage) -> Iterator[Row]:
    number = 0
    for email, access in users:
        number += 1
        granted = ", ".join(
            f"{_role_words(item.team, item.role)} ({item.reasons[0].source})" for item in access.team_roles
        )
        admin = (Note("org admin", "more"),) if access.org_admin else ()
        yield Row((Note(visible(email), "strong"), Note(visible(granted)), *admin, *_org_role_notes(access.org_role)))
    if coverage.state == "complete":
        yield Row((Note(f"{count(number, 'user')}.", "strong"),))
    elif coverage.state == "partial":
        yield Row((Note(f"At least {count(number, 'user')}: users were only partially read.", "error"),))
    else:
        yield Row((Note("Unknown: users were not read.", "error"),))


def _org_role_notes(org_role: OrgRole | None) -> Iterator[Note]:
    if org_role is not None:
        yield Note(f"at org level: {visible(org_role_name(org_role))}", "more")


def _role_words(team: str, role: str) -> str:
    """Return ``Brand member``; org admin is of the whole org (R21): ``org_admin (org-wide, team IT)``. A role without a
    team is at org level (R36)."""
    if not team:
        return f"{org_role_name(OrgRole(role))} at org level"
    return f"{role} (org-wide, team {team})" if role == ORG_ADMIN else f"{team} {role}"


def org_role_name(org_role: OrgRole) -> str:
    """Return the console's name of a role at org level: ``IT admin``."""
    return role_words(org_role.role, ORG_ROLES)


def coverage_json(coverage: Coverage) -> dict[str, Any]:
    """Return ``{"state", "read", "total", "problem"}``: how much was read of the users that an answer needs."""
    return {name: getattr(coverage, name) for name in ("state", "read", "total", "problem")}


def access_json(users: Iterable[tuple[str, Access]], coverage: Coverage = COMPLETE) -> str:
    """Return ``{"coverage": {"state", "read", "total", "problem"}, "people": [{"email", "org_admin", "combos":
    [{"team", "role", "reason", "reasons"}]}]}``. ``people`` holds those that were read; without ``complete`` there may
    be more."""
    body = {"coverage": coverage_json(coverage), "people": [encode_access(*user) for user in users]}
    return json.dumps(body, indent=2) + "\n"


def access_table(users: Iterable[tuple[str, Access]]) -> Table:
    """Return a table with a row for each team role: ``email,team,role,reason``."""
    return Table(
        ("email", "team", "role", "reason"),
        ((email, *columns) for email, access in users for columns in _access_columns(access)),
    )


def _access_columns(access: Access) -> Iterator[tuple[str, str, str]]:
    """Yield team, role and reason of each role; one at org level has no team."""
    yield from ((item.team, item.role, item.reasons[0].source) for item in access.team_roles)
    if access.org_role is not None:
        yield "", access.org_role.role, ORG_LEVEL


def unmanaged_document(org: OrgRef, unmanaged: Iterable[Unmanaged], released: Iterable[Released] = ()) -> Document:
    """Return a row for each mapping that is not managed, and for each other setting that is no longer managed."""
    lines = tuple(_unmanaged_rows(list(unmanaged), list(released)))
    return Document("access", banner=org_banner(org), listings=(Listing(lines),))


def _unmanaged_rows(mappings: Sequence[Unmanaged], dropped: Sequence[Released]) -> Iterator[Row]:
    for mapping in mappings:
        access = Note(mapping_words(mapping.role, mapping.teams), "more" if mapping.role == ORG_ADMIN else "plain")
        users = () if mapping.people is None else (Note(count(mapping.people, "user")),)
        state = "no longer managed" if mapping.released else "new" if mapping.new else ""
        yield Row((Note(visible(mapping.address), "strong"), access, *users, *((Note(state),) if state else ())))
    listed_above = {mapping.address for mapping in mappings}
    for item in (item for item in dropped if item.address not in listed_above):
        name = Note(f"{visible(item.address)}{released_fields(item)}", "strong")
        yield Row((name, Note(released_value(item)), Note("no longer managed")))
    more = f", {count(len(dropped), 'setting')} no longer managed" if dropped else ""
    yield Row((Note(f"{count(len(mappings), 'unmanaged mapped group')}{more}.", "strong"),))


def unmanaged_json(unmanaged: Iterable[Unmanaged], released: Iterable[Released] = ()) -> str:
    """Return ``{"unmanaged": [{"address", "role", "teams", "people", "new", "released"}], "released": [...]}``; the
    entries of the second list are those of a plan's ``released``."""
    listing = [{**mapping._asdict(), "teams": list(mapping.teams)} for mapping in unmanaged]
    return json.dumps({"unmanaged": listing, "released": list(map(encode_released, released))}, indent=2) + "\n"


STATES = {"live": "live", "desired": "configuration", "plan": "after the plan"}
"""The states that can be asked, in words."""


def why_document(org: OrgRef, answer: Why, against: WhyNot | None, coverage: Coverage, at: str = "live") -> Document:
    """Return each team role with the rule, the setting, its place and value, and what it overrides; then the settings
    that gave nothing; then, with ``against``, what would give a role.

    ``at`` is the state, of STATES. A line of the configuration that asks for another value is marked as not applied.
    """
    lines = (*_why_rows(answer), *(_why_not_rows(against) if against else ()))
    banner, title = org_banner(org, coverage), _about(answer, at)
    return Document("why", title=title, banner=banner, listings=(Listing(lines),))


def unknown_user_document(org: OrgRef, email: str, coverage: Coverage) -> Document:
    """Return that a user is not among those that were read."""
    among = "users were not read" if coverage.state == "unread" else "not among the users that were read"
    unknown = Row((Note(f"{visible(email)}: unknown, {among}.", "error"),))
    return Document("why", banner=org_banner(org, coverage), listings=(Listing((unknown,)),))


def _about(answer: Why, at: str) -> str:
    """Return ``ann@acme.com · scim · in Writer-Legal · state: live``."""
    person, traits = answer.person, answer.person.traits
    parts = [visible(person.email) or "Any user", traits.origin, *([] if traits.active else ["inactive"])]
    parts += ["pending"] if traits.pending else []
    parts += [f"seat: {visible(person.profile.seat)}"] if person.profile.seat else []
    parts += [f"billing group: {visible(person.profile.billing_group)}"] if person.profile.billing_group else []
    parts += [f"in {listed(person.groups)}" if person.groups else "in no group", f"state: {STATES[at]}"]
    return " · ".join(parts)


def _why_rows(answer: Why) -> Iterator[Row]:
    if not answer.granted and answer.org_role is None:
        yield Row((Note("No access.", "risk"),), depth=1)
    if answer.org_role is not None:
        yield from _grant(at_org_level(answer.org_role))
    for grant in answer.granted:
        yield from _grant(grant)
    if answer.silent:
        yield Row((Note("Settings that give nothing:", "dim"),), depth=1)
        yield from (_cause(cause, depth=2) for cause in answer.silent)


def _why_not_rows(answer: WhyNot) -> Iterator[Row]:
    """Yield why a role is not held, and each option that alone would give it."""
    role = visible(answer.role)
    if answer.has:
        yield Row((Note(f"Already has {role}:", "strong"),))
        for grant in answer.has:
            yield from _grant(grant)
        return
    options = "Any one of these gives it:" if answer.options else "Nothing would give it."
    yield Row((Note(f"Does not have {role}. {options}", "strong"),))
    for option in answer.options:
        yield Row((Note(f"· {visible(option.sentence)}"),), place(option.where), 1)


def unread_json(email: str | None, coverage: Coverage) -> str:
    """Return what `why` tells, for machines, of a user who was not read: null is unknown, not nothing."""
    unknown = dict.fromkeys(("groups", "org_admin", "combos", "silent"))
    return json.dumps({"email": email, "coverage": coverage_json(coverage), **unknown}, indent=2)


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
        **({} if answer.org_role is None else {"org_role": answer.org_role.role}),
        **{name: text for name in ("seat", "billing_group") if (text := getattr(answer.person.profile, name))},
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


def _grant(grant: Because) -> Iterator[Row]:
    yield Row((Note(visible(_role_words(*grant.team_role)), "strong"),), depth=1)
    yield _cause(grant.winner, depth=3)
    for cause in grant.others:
        yield _cause(cause, depth=3, before="overrides " if cause.role != grant.team_role.role else "and ")


def _cause(cause: Cause, *, depth: int, before: str = "") -> Row:
    """Return the setting behind a team role, with its line; and what that line asks for where it is not applied."""
    value = "" if cause.value is None else f": {inline_yaml(cause.value)}"
    gives = f" {cause.role}" if cause.role and before else ""
    text = Note(visible(f"{before}{cause.source}{gives} ({cause.rule}){value}"), "dim" if before else "plain")
    if not cause.where or cause.applied is not False:
        return Row((text,), place(cause.where), depth)
    return Row((text, Note(f"not applied: {visible(inline_yaml(cause.asked))}", "warn")), place(cause.where), depth)


def _cause_json(cause: Cause) -> dict[str, Any]:
    return {**cause._asdict(), "where": place(cause.where) or None}
