"""Which request of the contract a change is, and which one reads the same thing back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import quote

from rolecall.codec import api
from rolecall.codec.settings import encode_value
from rolecall.live.http.transport import Request, json_request
from rolecall.model.change import Change
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.live import Group
from rolecall.model.settings import Scim, Section, Value

UPGRADE = f"{BY_SECTION['scim'].api_path}/upgrade"


class Exchangeable(NamedTuple):
    """A change as requests: ``write`` without its headers, ``read`` for what stands there. ``creates``: what is
    written does not exist yet, so there is no ETag to match."""

    section: Section
    write: Request
    read: Request
    creates: bool = False


class NoSuchGroup(Exception):
    """A mapping was to be changed of a group that the org has not told us of."""


def requests_of(change: Change, groups: Mapping[str, Group]) -> Exchangeable:
    """The requests of a change. Raises NoSuchGroup for a mapping of a group that is not among ``groups``."""
    section, key = split_address(change.address)
    if section == "idp_groups":
        return _mapping(change, cast(str, key), groups)
    if section == "domains":
        return _domain(change, cast(str, key))
    path = BY_SECTION[section].api_path
    read = Request("GET", path)
    if change.action == "upgrade":
        complete = isinstance(change.after, Scim) and change.after.endpoint == "new"
        return Exchangeable(section, Request("POST", f"{UPGRADE}/complete" if complete else UPGRADE), read)
    return Exchangeable(section, json_request("PUT", path, _body(section, change.after)), read)


def with_headers(request: Request, key: str, match: str | None) -> Request:
    """The request under an Idempotency-Key, and only if that ETag still stands."""
    said = (("idempotency-key", key), *((("if-match", match),) if match is not None else ()))
    return request._replace(headers=(*request.headers, *said))


def _mapping(change: Change, name: str, groups: Mapping[str, Group]) -> Exchangeable:
    group_id = change.id or (groups[name].id if name in groups else change.intent.id)
    if not group_id:
        raise NoSuchGroup(name)
    read = Request("GET", f"{BY_SECTION['idp_groups'].api_path}/{quote(group_id, safe='')}")
    path = f"{read.path}/mapping"
    deletes = change.action == "delete" or change.after is None
    write = Request("DELETE", path) if deletes else json_request("PUT", path, _body("idp_groups", change.after))
    return Exchangeable("idp_groups", write, read)


def _domain(change: Change, name: str) -> Exchangeable:
    domains = BY_SECTION["domains"].api_path
    read = Request("GET", f"{domains}/{quote(name, safe='')}")
    if change.action == "create":
        body = {"name": name, **_body("domains", change.after)}
        return Exchangeable("domains", json_request("POST", domains, body), read, creates=True)
    if change.action == "delete":
        return Exchangeable("domains", Request("DELETE", read.path), read)
    return Exchangeable("domains", json_request("PUT", read.path, _body("domains", change.after)), read)


def _body(section: Section, value: Value | None) -> dict[str, Any]:
    return api.encode_body(section, cast(Value, value)) if encode_value(section, value) is not None else {}
