"""Claimed domains."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Connection, func, select

from rolecall.codec.api import Item, encode_item
from rolecall.codec.settings import decode_value
from rolecall.localorg.api.call import Call, Written, check_parameters
from rolecall.localorg.api.fields import body_object, checks_of, text
from rolecall.localorg.api.lists import list_table
from rolecall.localorg.api.writes import check_match, etag
from rolecall.localorg.store import counters, keys
from rolecall.localorg.store.singletons import read_value
from rolecall.localorg.store.tables import DOMAINS, NEW_DOMAIN, AnyRow, domain_columns, domain_value
from rolecall.localorg.web import Response, json_response, refuse
from rolecall.model import normalise
from rolecall.model.settings import Value


def list_domains(call: Call, tx: Connection) -> Response:
    """List the claimed domains, by name."""
    return list_table(call, tx, "domains", select(DOMAINS), DOMAINS.c.name, _item)


def read_domain(call: Call, tx: Connection) -> Response:
    """Return one domain."""
    check_parameters(call)
    row = _domain(call, tx)
    return json_response(200, _item(row), (("ETag", etag(row.version)),))


def create_domain(call: Call, tx: Connection) -> Written:
    """Claim a domain: only a user with an address at that domain may; other claims go through WRITER support."""
    check_parameters(call)
    body = body_object(call, {"name": text(253, 1), **checks_of("domains")}, ("name",))
    name = _normal(body["name"])
    _check_claim(call, name)
    if tx.execute(select(DOMAINS.c.name).where(DOMAINS.c.name == name)).first() is not None:
        raise refuse(409, "domain_exists", f"{name} is already claimed by this org", name=name)
    at = keys.now()
    tx.execute(
        DOMAINS.insert().values(
            name=name,
            **domain_columns({**NEW_DOMAIN, **body}),
            version=counters.bump(tx, "version"),
            created=at,
            modified=at,
        )
    )
    counters.bump(tx, "domains")
    return _written(tx, name, "create", None, 201)


def update_domain(call: Call, tx: Connection) -> Written:
    """Change the fields that the body names."""
    check_parameters(call)
    row = _domain(call, tx)
    check_match(call, etag(row.version))
    body = body_object(call, checks_of("domains"))
    tx.execute(
        DOMAINS.update()
        .where(DOMAINS.c.name == row.name)
        .values(
            **domain_columns({**domain_value(row), **body}),
            version=counters.bump(tx, "version"),
            modified=keys.now(),
        )
    )
    counters.bump(tx, "domains")
    return _written(tx, row.name, "update", domain_value(row))


def delete_domain(call: Call, tx: Connection) -> Written:
    """Remove a claim; refused for the last one while SSO is on (R33)."""
    check_parameters(call)
    row = _domain(call, tx)
    check_match(call, etag(row.version))
    if read_value(tx, "sso")["enabled"] and tx.execute(select(func.count()).select_from(DOMAINS)).scalar_one() == 1:
        raise refuse(409, "last_domain", f"{row.name} is the last claimed domain; switch SSO off first (R33)")
    tx.execute(DOMAINS.delete().where(DOMAINS.c.name == row.name))
    counters.bump(tx, "domains")
    return Written(f"domains/{row.name}", "delete", domain_value(row), None, {"id": row.name, "deleted": True})


def _check_claim(call: Call, name: str) -> None:
    own = normalise.domain_of(call.who.email or "")
    if own != name:
        who = f"you are {call.who.email}" if own else "a service has no address"
        raise refuse(
            403,
            "not_your_domain",
            f"An admin can claim only the domain of the address that they are signed in with, and {who}; "
            f"let an org admin with an address at {name} claim it, or ask WRITER support",
            name=name,
        )


def _domain(call: Call, tx: Connection) -> AnyRow:
    name = call.params["name"]
    row = tx.execute(select(DOMAINS).where(DOMAINS.c.name == _lookup(name))).first()
    if row is None:
        raise refuse(404, "no_such_domain", f"This org has not claimed {name[:253]}")
    return row


def _lookup(name: str) -> str:
    try:
        return normalise.domain(name)
    except ValueError:
        return ""


def _normal(name: str) -> str:
    try:
        return normalise.domain(name)
    except ValueError as error:
        raise refuse(422, "bad_domain", str(error), field="name") from error


def _written(tx: Connection, name: str, action: str, before: Any, status: int = 200) -> Written:
    row = tx.execute(select(DOMAINS).where(DOMAINS.c.name == name)).one()
    location = f"/v1/domains/{name}" if status == 201 else None
    return Written(
        f"domains/{name}", action, before, domain_value(row), _item(row), etag(row.version), status, location
    )


def _item(row: AnyRow) -> dict[str, Any]:
    value = cast(Value, decode_value("domains", domain_value(row)))
    return encode_item("domains", Item(row.name, value, etag(row.version)))
