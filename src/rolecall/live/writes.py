"""Sends one change as one write, and says how it ended. What the org answers never raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from rolecall.codec import api
from rolecall.codec.api import Item
from rolecall.errors import OrgError, Problem
from rolecall.live.http.exchange import NOT_DONE, Exchange, Exchanged
from rolecall.live.http.refusals import accepted, decoded, refusal
from rolecall.live.http.transport import Answer
from rolecall.live.requests import Exchangeable, NoSuchGroup, requests_of, with_headers
from rolecall.model.change import Change
from rolecall.model.comparison import agrees, unread_fields
from rolecall.model.kinds import BY_SECTION
from rolecall.model.live import Group
from rolecall.model.outcome import Done, Failed, Moved, Outcome, Refused, Unknown
from rolecall.model.roles import Role
from rolecall.model.settings import BLANK, Value


class Known(NamedTuple):
    """What the last reads told and writes need: the groups by the key of settings, and the roles."""

    groups: Mapping[str, Group]
    roles: Mapping[str, Role]


class Standing(NamedTuple):
    """What stands at an address now; ``value`` is None for no entry and for a blank mapping."""

    value: Value | None
    version: str | None


async def write_change(exchange: Exchange, known: Known, change: Change, version: str | None, key: str) -> Outcome:
    """One write under If-Match and an Idempotency-Key, as ``port.Writer`` has it."""
    try:
        means = requests_of(change, known.groups)
        if version is None and not means.creates:
            found = await _standing(exchange, known, means)
            if found.value is not None or found.version is None:
                return Moved(*found)
            version = found.version
    except NoSuchGroup:
        return Refused(_not_pushed(change))
    except OrgError as error:
        return Refused(error.problems[0])
    sent = await exchange.send(with_headers(means.write, key, version), changes=True)
    return await _outcome(exchange, known, change, means, sent)


async def _outcome(exchange: Exchange, known: Known, change: Change, means: Exchangeable, sent: Exchanged) -> Outcome:
    answer = sent.answer
    if answer is None:
        problem = sent.lost.problems[0] if sent.lost else Problem("org_silent", "no answer came")
        return _unknown(problem, sent) if sent.doubtful else Refused(_tried(problem, sent))
    if answer.ok:
        return await _taken(exchange, known, change, means, answer)
    if _is_stale(means, answer):
        return await _moved(exchange, known, means, answer)
    problem = _brief(means, answer)
    doubtful = sent.doubtful or (answer.status >= 500 and answer.status not in NOT_DONE)
    return _unknown(problem, sent) if doubtful else Refused(_tried(problem, sent))


def _is_stale(means: Exchangeable, answer: Answer) -> bool:
    """Whether the entry is not as it was: changed, gone, or already there."""
    gone = answer.status in (404, 410) and BY_SECTION[means.section].keyed
    return answer.status == 412 or (answer.status == 409 and means.creates) or gone


async def _taken(exchange: Exchange, known: Known, change: Change, means: Exchangeable, answer: Answer) -> Outcome:
    """The org says that it did it: hold what it now has against what was asked; read back if it does not say."""
    try:
        found = _answered(known, change, means, answer)
        if found is None or _absent(found.value, change.after):
            found = await _standing(exchange, known, means)
    except OrgError as error:
        message = f"the org took {means.write}, but what it now holds cannot be read: {error.problems[0].message}"
        return Unknown(Problem("org_contract", message, None, "read the org again: plan"))
    if absent := _absent(found.value, change.after):
        message = f"the org took {means.write}, and its answer does not have {', '.join(absent)}"
        return Unknown(Problem("org_contract", message, None, "read the org again: plan"))
    return Done(*found) if _same(found.value, change.after) else Failed(found.value)


def _answered(known: Known, change: Change, means: Exchangeable, answer: Answer) -> Standing | None:
    """What the answer's own body says; None when it says nothing that can be used."""
    body = _object(answer)
    if change.after is None:
        etag = _etag(answer.headers.get("etag") or body.get("etag"))
        return Standing(None, etag) if body.get("deleted") is True and (etag or means.section == "domains") else None
    try:
        return _stands(decoded(means.write, lambda: api.decode_item(means.section, body, known.roles)))
    except OrgError:
        return None


def _etag(said: Any) -> str | None:
    try:
        return api.decode_etag(said)
    except ValueError:
        return None


def _object(answer: Answer) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


async def _moved(exchange: Exchange, known: Known, means: Exchangeable, answer: Answer) -> Outcome:
    try:
        found = await _standing(exchange, known, means)
    except OrgError as error:
        return Unknown(error.problems[0])
    if found.value is None and means.creates:
        return Refused(refusal(means.write, answer))
    return Moved(*found)


async def _standing(exchange: Exchange, known: Known, means: Exchangeable) -> Standing:
    """What stands there now. Raises OrgError when it cannot be read."""
    answer = await exchange.read(means.read)
    if answer.status in (404, 410):
        return Standing(None, None)
    body = accepted(means.read, answer)
    return _stands(decoded(means.read, lambda: api.decode_item(means.section, body, known.roles)))


def _stands(item: Item) -> Standing:
    return Standing(None if item.value == BLANK else item.value, item.etag)


def _absent(found: Value | None, wanted: Value | None) -> tuple[str, ...]:
    """Return the fields of the wanted value that an answer does not have."""
    return () if found is None or wanted is None else unread_fields(found, wanted)


def _same(found: Value | None, wanted: Value | None) -> bool:
    if found is None or wanted is None or wanted == BLANK:
        return found is None and (wanted is None or wanted == BLANK)
    return agrees(found, wanted)


def _unknown(problem: Problem, sent: Exchanged) -> Unknown:
    return Unknown(_tried(problem, sent)._replace(hint="the write may or may not stand; apply again settles it"))


def _brief(means: Exchangeable, answer: Answer) -> Problem:
    """Why a write did not work. A step says what was written, so `503 from the org` is all there is to say."""
    problem = refusal(means.write, answer)
    long = f"the org failed at {means.write} with {answer.status}"
    if not problem.message.startswith(long):
        return problem
    said = problem.message.removeprefix(long).partition(" (it asks to wait")[0]
    return problem._replace(message=f"{answer.status} from the org{said}")


def _tried(problem: Problem, sent: Exchanged) -> Problem:
    return problem._replace(message=f"{problem.message}, {sent.tries} tries") if sent.tries > 1 else problem


def _not_pushed(change: Change) -> Problem:
    message = f"the org has no group for {change.address}"
    return Problem("group_not_pushed", message, None, "the IdP must push it first")
