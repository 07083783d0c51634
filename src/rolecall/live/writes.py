"""Sends one change as one write, and returns the outcome, whatever the org responds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import quote

from rolecall.codec import api
from rolecall.codec.api import Item
from rolecall.codec.settings import encode_value
from rolecall.errors import OrgError, Problem
from rolecall.live.http.exchange import Exchange, Exchanged, may_be_done, no_response
from rolecall.live.http.refusals import accepted, decoded, refusal
from rolecall.live.http.transport import Answer, Request, json_request
from rolecall.model.change import Change
from rolecall.model.kinds import BY_SECTION, agrees, split_address, unread_fields
from rolecall.model.live import Group
from rolecall.model.outcome import Done, Failed, Moved, Outcome, Refused, Unknown
from rolecall.model.roles import Role
from rolecall.model.settings import BLANK, Scim, Section, Value

UPGRADE = f"{BY_SECTION['scim'].api_path}/upgrade"


class ChangeRequests(NamedTuple):
    """A change as requests: ``write`` without its headers, and ``read`` for the current value.

    ``creates``: the entry does not exist yet, so there is no ETag to match.
    """

    section: Section
    write: Request
    read: Request
    creates: bool = False


class NoSuchGroup(Exception):
    """The org does not have the group of a mapping."""


def requests_of(change: Change, groups: Mapping[str, Group]) -> ChangeRequests:
    """Return the requests of a change. Raises NoSuchGroup if ``groups`` does not have the group of a mapping."""
    section, key = split_address(change.address)
    if section == "idp_groups":
        return _mapping(change, cast(str, key), groups)
    if section == "domains":
        return _domain(change, cast(str, key))
    path = BY_SECTION[section].api_path
    read = Request("GET", path)
    if change.action == "upgrade":
        complete = isinstance(change.after, Scim) and change.after.endpoint == "new"
        return ChangeRequests(section, Request("POST", f"{UPGRADE}/complete" if complete else UPGRADE), read)
    return ChangeRequests(section, json_request("PUT", path, _body(section, change.after)), read)


def with_headers(request: Request, key: str, match: str | None) -> Request:
    """Return the request with an Idempotency-Key, conditional on an ETag if there is one."""
    conditions = (("idempotency-key", key), *((("if-match", match),) if match is not None else ()))
    return request._replace(headers=(*request.headers, *conditions))


def _mapping(change: Change, name: str, groups: Mapping[str, Group]) -> ChangeRequests:
    group_id = change.id or (groups[name].id if name in groups else change.intent.id)
    if not group_id:
        raise NoSuchGroup(name)
    read = Request("GET", f"{BY_SECTION['idp_groups'].api_path}/{quote(group_id, safe='')}")
    path = f"{read.path}/mapping"
    deletes = change.action == "delete" or change.after is None
    write = Request("DELETE", path) if deletes else json_request("PUT", path, _body("idp_groups", change.after))
    return ChangeRequests("idp_groups", write, read)


def _domain(change: Change, name: str) -> ChangeRequests:
    domains = BY_SECTION["domains"].api_path
    read = Request("GET", f"{domains}/{quote(name, safe='')}")
    if change.action == "create":
        body = {"name": name, **_body("domains", change.after)}
        return ChangeRequests("domains", json_request("POST", domains, body), read, creates=True)
    if change.action == "delete":
        return ChangeRequests("domains", Request("DELETE", read.path), read)
    return ChangeRequests("domains", json_request("PUT", read.path, _body("domains", change.after)), read)


def _body(section: Section, value: Value | None) -> dict[str, Any]:
    return api.encode_body(section, cast(Value, value)) if encode_value(section, value) is not None else {}


class WriteContext(NamedTuple):
    """The results of earlier reads that writes need: the groups by their keys in settings, and the roles."""

    groups: Mapping[str, Group]
    roles: Mapping[str, Role]


class Standing(NamedTuple):
    """The current state of an address; ``value`` is None for no entry and for an unmapped group."""

    value: Value | None
    version: str | None


async def write_change(
    exchange: Exchange, known: WriteContext, change: Change, version: str | None, key: str
) -> Outcome:
    """Send one write with If-Match and an Idempotency-Key, as specified by ``port.Writer``."""
    try:
        requests = requests_of(change, known.groups)
        if version is None and not requests.creates:
            standing = await _standing(exchange, known, requests)
            if standing.value is not None or standing.version is None:
                return Moved(*standing)
            version = standing.version
    except NoSuchGroup:
        return Refused(_not_pushed(change))
    except OrgError as error:
        return Refused(error.problems[0])
    sent = await exchange.send(with_headers(requests.write, key, version), changes=True)
    return await _outcome(exchange, known, change, requests, sent)


async def _outcome(
    exchange: Exchange, known: WriteContext, change: Change, requests: ChangeRequests, sent: Exchanged
) -> Outcome:
    answer = sent.answer
    if answer is None:
        problem = sent.lost.problems[0] if sent.lost else no_response(exchange.transport.name, requests.write)
        return _unknown(problem, sent) if sent.doubtful else Refused(_tried(problem, sent))
    if answer.ok:
        return await _accepted_outcome(exchange, known, change, requests, answer)
    if _is_stale(requests, answer):
        return await _stale_outcome(exchange, known, requests, answer)
    problem = _brief(requests, answer)
    doubtful = sent.doubtful or may_be_done(answer)
    return _unknown(problem, sent) if doubtful else Refused(_tried(problem, sent))


def _is_stale(requests: ChangeRequests, answer: Answer) -> bool:
    """Return whether the entry has changed, was removed, or already exists."""
    removed = answer.status in (404, 410) and BY_SECTION[requests.section].keyed
    return answer.status == 412 or (answer.status == 409 and requests.creates) or removed


async def _accepted_outcome(
    exchange: Exchange, known: WriteContext, change: Change, requests: ChangeRequests, answer: Answer
) -> Outcome:
    """Return the outcome of a write that the org accepted: compare what it now has with what was requested.

    The entry is read again if the response does not have it.
    """
    try:
        standing = _answered(known, change, requests, answer)
        if standing is None or _absent(standing.value, change.after):
            standing = await _standing(exchange, known, requests)
    except OrgError as error:
        message = (
            f"the org accepted {requests.write}, but its current value cannot be read: {error.problems[0].message}"
        )
        return Unknown(Problem("org_contract", message, None, _RESOLVE))
    if absent := _absent(standing.value, change.after):
        message = f"the org accepted {requests.write}, but its response does not have {', '.join(absent)}"
        return Unknown(Problem("org_contract", message, None, _RESOLVE))
    return Done(*standing) if _same(standing.value, change.after) else Failed(standing.value)


def _answered(known: WriteContext, change: Change, requests: ChangeRequests, answer: Answer) -> Standing | None:
    """Return what the response body has; None if it has nothing usable."""
    body = _object(answer)
    if change.after is None:
        etag = _etag(answer.headers.get("etag") or body.get("etag"))
        return Standing(None, etag) if body.get("deleted") is True and (etag or requests.section == "domains") else None
    try:
        return _standing_of(decoded(requests.write, lambda: api.decode_item(requests.section, body, known.roles)))
    except OrgError:
        return None


def _etag(value: Any) -> str | None:
    try:
        return api.decode_etag(value)
    except ValueError:
        return None


def _object(answer: Answer) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def _stale_outcome(exchange: Exchange, known: WriteContext, requests: ChangeRequests, answer: Answer) -> Outcome:
    try:
        standing = await _standing(exchange, known, requests)
    except OrgError as error:
        return Unknown(error.problems[0])
    if standing.value is None and requests.creates:
        return Refused(refusal(requests.write, answer))
    return Moved(*standing)


async def _standing(exchange: Exchange, known: WriteContext, requests: ChangeRequests) -> Standing:
    """Return what the org has now. Raises OrgError when it cannot be read."""
    answer = await exchange.read(requests.read)
    if answer.status in (404, 410):
        return Standing(None, None)
    body = accepted(requests.read, answer)
    return _standing_of(decoded(requests.read, lambda: api.decode_item(requests.section, body, known.roles)))


def _standing_of(item: Item) -> Standing:
    return Standing(None if item.value == BLANK else item.value, item.etag)


def _absent(live: Value | None, requested: Value | None) -> tuple[str, ...]:
    """Return the fields of the requested value that a response does not have."""
    return () if live is None or requested is None else unread_fields(live, requested)


def _same(live: Value | None, requested: Value | None) -> bool:
    if live is None or requested is None or requested == BLANK:
        return live is None and (requested is None or requested == BLANK)
    return agrees(live, requested)


_RESOLVE = "to find out whether the write took effect: rolecall apply"


def _unknown(problem: Problem, sent: Exchanged) -> Unknown:
    return Unknown(_tried(problem, sent)._replace(hint=_RESOLVE))


def _brief(requests: ChangeRequests, answer: Answer) -> Problem:
    """Return in short why a write failed. Steps name what was written, so `503 from the org` is enough."""
    problem = refusal(requests.write, answer)
    long = f"the org answered {requests.write} with {answer.status}"
    if not problem.message.startswith(long):
        return problem
    detail = problem.message.removeprefix(long).partition(" (it asks to wait")[0]
    return problem._replace(message=f"{answer.status} from the org{detail}")


def _tried(problem: Problem, sent: Exchanged) -> Problem:
    if sent.answer is None or sent.tries == 1:  # the error of a lost response has the number already
        return problem
    return problem._replace(message=f"{problem.message} ({sent.tries} attempts)")


def _not_pushed(change: Change) -> Problem:
    message = f"the org has no group for {change.address}"
    return Problem("group_not_pushed", message, None, "push the group from the IdP, then: rolecall apply")
