"""Finds new holders of watched roles in WRITER's audit log, without reading users.

A record shows a new holder if it succeeded, names the user by email address, has the words of a role change, and states
the new role. Roles that IdP groups give are not in the log, so silence does not prove that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from rolecall.codec.audit_table import role_effect, words_of
from rolecall.drift.value import Violation
from rolecall.errors import Problem
from rolecall.model import normalise
from rolecall.model.audit import USERS, AuditLog, AuditRecord
from rolecall.model.roles import Role, role_words
from rolecall.plan.dates import moment_words
from rolecall.plan.headline import role_word
from rolecall.plan.saved.digest import fingerprint
from rolecall.plan.value import Who


class RoleChange(NamedTuple):
    """A change of a user's role by a record, in the ``org`` or a ``team``; ``none`` if the user leaves.

    ``role`` is the new role as stated, empty if it is not.
    """

    at: datetime
    by: str
    scope: str
    role: str


class RoleLog(NamedTuple):
    """The audit log with its records since a moment: that of the access record that watched roles are compared with, or
    of the last apply."""

    log: AuditLog
    since: datetime


def new_holders(
    roles: RoleLog, watched: Collection[str], known: Mapping[str, Role], before: Collection[tuple[str, str]]
) -> Iterator[Violation]:
    """Yield each user who got a watched role since a moment and did not lose it again, by email address.

    ``known`` are the org's roles. ``before`` are pairs of role and user who had it before, or are reported already.
    """
    for user, changes in sorted(_changes(roles).items()):
        for role in sorted(watched):
            granted = [place for place, change in enumerate(changes) if _is(change.role, role, known)]
            if not granted or (role, user) in before:
                continue
            last = changes[granted[-1]]
            later = [change for change in changes if change.at > last.at]
            if any(_ends(change, last) for change in later):
                continue
            again = next((change for change in later if change.scope == last.scope and not change.role), None)
            message = f"is now {role_word(role)}, by {last.by or 'an unknown user'}, {moment_words(last.at)}"
            more = f"; the role was changed again, {moment_words(again.at)}" if again else ""
            print_ = fingerprint("watch", role, user, last.at.isoformat())
            yield Violation("watch", role, f"{message} (audit log){more}", print_, Who("", user))


def _ends(change: RoleChange, grant: RoleChange) -> bool:
    """Return whether a change certainly ends an earlier grant: the user left, or has another role in the org.

    A role in a team may be one in another team.
    """
    return change.scope == "none" or (change.scope == grant.scope == "org" and change.role != "")


def unclear_roles(roles: RoleLog) -> Problem | None:
    """Return a warning about role changes that do not show who has which role; None if there are none."""
    untimed = (record for record in roles.log.records if record.at is None)
    unclear = [record for record in (*untimed, *(record for _, record in _since(roles))) if _is_unclear(record)]
    if not unclear:
        return None
    count = "1 role change" if len(unclear) == 1 else f"{len(unclear):,} role changes"
    missing = "the user, the new role, the time or the result is not stated"
    message = f"{count} in the audit log could not be evaluated ({missing}), so watched roles may have new holders"
    return Problem("watch_unclear", message, None, "to list them: rolecall audit --address users", "warning")


def _changes(roles: RoleLog) -> dict[str, list[RoleChange]]:
    """Return the role changes of each user, oldest first."""
    changes: dict[str, list[RoleChange]] = {}
    for at, record in sorted(_since(roles), key=lambda item: (item[0], item[1].key)):
        effect = role_effect(record.area, record.action)
        if record.counts and effect and "@" in record.object:
            change = RoleChange(at, record.actor, effect, record.role if effect != "none" else "")
            changes.setdefault(normalise.email(record.object), []).append(change)
    return changes


def _since(roles: RoleLog) -> Iterator[tuple[datetime, AuditRecord]]:
    """Yield the records after the moment, with their times by this machine's clock."""
    for record in roles.log.records:
        at = roles.log.time_of(record)
        if at is not None and at > roles.since:
            yield at, record


def _is_unclear(record: AuditRecord) -> bool:
    if record.result == "failure" or USERS not in record.sections or not words_of("role") <= words_of(record.action):
        return False
    certain = role_effect(record.area, record.action) in ("org", "team") and record.role and "@" in record.object
    return not (record.counts and certain)


def _is(stated: str, role: str, known: Mapping[str, Role]) -> bool:
    """Return whether a role of a record is this one: its id, or its name in the console."""
    return _plain(stated) in {_plain(role), _plain(role_words(role, known))} - {""}


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().casefold()
