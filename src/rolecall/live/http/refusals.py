"""What an answer that is not the one hoped for means to a person: what the org said, and what to do now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from rolecall.codec.api import ApiError, decode_error
from rolecall.errors import OrgError, Problem
from rolecall.live.http.endpoint_messages import ORG, Party
from rolecall.live.http.pace import retry_after
from rolecall.live.http.transport import Answer, Request

T = TypeVar("T")

NOT_IN_PLAN = "scim_not_in_plan"
LONGEST_WORDS = 300


class Refused(OrgError):
    """A read was answered with something else than 2xx; ``code`` is the problem's."""

    def __init__(self, request: Request, answer: Answer, party: Party = ORG) -> None:
        problem = refusal(request, answer, party)
        super().__init__(problem)
        self.status = answer.status
        self.code = problem.code


def accepted(request: Request, answer: Answer, party: Party = ORG) -> Any:
    """The JSON of a 2xx answer. Raises Refused for any other, OrgError for what is no JSON."""
    if not answer.ok:
        raise Refused(request, answer, party)
    return body_json(request, answer, party)


def refusal(request: Request, answer: Answer, party: Party = ORG) -> Problem:
    """The problem that an answer other than 2xx stands for."""
    said = _said(answer)
    words = f": {_short(said.message)}" if said.message else ""
    if 300 <= answer.status < 400:
        return _redirect(request, answer, party)
    code, name = party.code, party.name
    if answer.status == 401:
        return Problem(f"{code}_unauthorized", f"{name} does not accept the token{words}", None, party.token)
    if answer.status == 403 and said.key == NOT_IN_PLAN:
        return Problem(NOT_IN_PLAN, f"the org's plan tier has no SCIM{words}", None, "ask WRITER for a plan with SCIM")
    if answer.status == 403:
        return Problem(f"{code}_forbidden", f"{name} forbids {request}{words}", None, party.rights)
    if answer.status == 429:
        message = f"{name} is out of requests for us{words}{_asked(answer)}"
        return Problem(f"{code}_busy", message, None, "try again later")
    if answer.status >= 500:
        message = f"{name} failed at {request} with {answer.status}{words}{_asked(answer)}"
        return Problem(f"{code}_failed", message, None, f"try again later; if it stays so, tell whoever runs {name}")
    return Problem(f"{code}_{answer.status}", f"{name} refused {request} with {answer.status}{words}")


def contract(request: Request, why: str, party: Party = ORG) -> OrgError:
    """The error that an answer is not what the contract allows."""
    what = "an org's admin API" if party is ORG else party.name
    hint = f"check `{party.setting}`: something else than {what} may be answering there"
    return OrgError(Problem(f"{party.code}_contract", f"{request} was answered, but {why}", None, hint))


def body_json(request: Request, answer: Answer, party: Party = ORG) -> Any:
    """The JSON of a 2xx answer. Raises OrgError for HTML, half an answer, or anything else."""
    try:
        return answer.json()
    except ValueError:
        kind = answer.headers.get("content-type", "").partition(";")[0] or "no content type"
        raise contract(request, f"not with JSON ({_short(kind)}, {len(answer.body)} bytes)", party) from None


def decoded(request: Request, decode: Callable[[], T], party: Party = ORG) -> T:
    """What ``decode`` gives. Raises OrgError where an answer lacks what the contract promises."""
    try:
        return decode()
    except KeyError as error:
        raise contract(request, f"`{error.args[0]}` is missing", party) from None
    except ValueError as error:
        raise contract(request, f"not as the contract says ({_short(str(error))})", party) from None
    except (TypeError, AttributeError, ArithmeticError, IndexError, RecursionError):
        raise contract(request, "not as the contract says: a value is of another kind", party) from None


def _said(answer: Answer) -> ApiError:
    """What the contract's error says, or SCIM's ``detail`` (RFC 7644 §3.12)."""
    try:
        body = answer.json()
    except ValueError:
        return ApiError("", "", None, {})
    detail = body.get("detail") if isinstance(body, dict) else None
    return ApiError("", detail, None, {}) if isinstance(detail, str) else _api_error(body)


def _api_error(body: Any) -> ApiError:
    try:
        return decode_error(body)
    except ValueError:
        return ApiError("", "", None, {})


def _redirect(request: Request, answer: Answer, party: Party) -> Problem:
    try:
        to = urlsplit(answer.headers.get("location", ""))
        where = f"{to.scheme}://{to.netloc.rpartition('@')[2]}" if to.hostname else "another path"
    except ValueError:
        where = "another place"
    message = f"{party.name} answered {request} with a redirect to {_short(where)}"
    hint = f"a token is never sent on; if that is {party.name}, name it in `{party.setting}`"
    return Problem(f"{party.code}_redirect", message, None, hint)


def _asked(answer: Answer) -> str:
    wait = retry_after(answer.headers)
    return f" (it asks to wait {wait:.0f} s)" if wait else ""


def _short(words: str) -> str:
    """One line of printable text."""
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return line if len(line) <= LONGEST_WORDS else line[: LONGEST_WORDS - 1] + "…"
