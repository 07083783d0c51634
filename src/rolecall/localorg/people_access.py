"""What one person of the org has, by the access rules over what the store holds."""

from __future__ import annotations

import json
from typing import NamedTuple

from sqlalchemy import Connection, select

from rolecall.access import Access, compile_access, effective
from rolecall.localorg.state import State, read_rules
from rolecall.localorg.store.keys import address
from rolecall.localorg.store.tables import MEMBERSHIPS, USERS, AnyRow
from rolecall.model.directory import Person, Traits
from rolecall.model.policy import Combo


class Found(NamedTuple):
    """A person and their access."""

    person: Person
    access: Access


def access_of(tx: Connection, user_id: str) -> Found | None:
    """The person under an id, and what they have with the reasons (R1 to R33); None when there is nobody."""
    row = tx.execute(_PEOPLE.where(USERS.c.id == user_id)).first()
    return None if row is None else _found(tx, row)


def access_by_email(tx: Connection, email: str) -> Found | None:
    """The same by e-mail, compared without case (R28)."""
    row = tx.execute(_PEOPLE.where(USERS.c.email_key == address(email))).first()
    return None if row is None else _found(tx, row)


_PEOPLE = select(
    USERS.c.id,
    USERS.c.email,
    USERS.c.origin,
    USERS.c.active,
    USERS.c.pending,
    USERS.c.role_attribute,
    USERS.c.manual,
)


def _found(tx: Connection, row: AnyRow) -> Found:
    member_of = select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.user_id == row.id)
    ids = set(tx.execute(member_of).scalars())
    state = read_rules(tx, ids)
    person = person_of(row, ids, state)
    return Found(person, effective(compile_access(state.settings, state.facts), person))


def person_of(row: AnyRow, group_ids: set[str], state: State) -> Person:
    """A row of ``users`` and the ids of their groups as the model's person."""
    groups = tuple(sorted(state.groups[group].key for group in group_ids if group in state.groups))
    manual = tuple(Combo(edit["team"], edit["role"]) for edit in json.loads(row.manual))
    return Person(row.email, row.id, groups, Traits(row.origin, row.active, row.pending, row.role_attribute, manual))
