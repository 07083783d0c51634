"""Turns an answer that cannot be used into a problem: what the server said, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from rolecall.codec.api import ApiError, decode_error
from rolecall.errors import OrgError, Problem
from rolecall.live.http.endpoint_messages import ORG, EndpointMessages
from rolecall.live.http.pace import retry_after
from rolecall.live.http.transport import Answer, Request

T = TypeVar("T")

NOT_IN_PLAN = "scim_not_in_plan"
LONGEST_TEXT = 300


class ReadRefused(OrgError):
    """A read was answered with a status other than 2xx; ``code`` is the problem's."""

    def __init__(self, request: Request, answer: Answer, messages: EndpointMessages = ORG) -> None:
        problem = refusal(request, answer, messages)
        super().__init__(problem)
        self.status = answer.status
        self.code = problem.code


def accepted(request: Request, answer: Answer, messages: EndpointMessages = ORG) -> Any:
    """Return the JSON of a 2xx answer. Raises ReadRefused for other statuses, OrgError for a body that is not JSON."""
    if not answer.ok:
        raise ReadRefused(request, answer, messages)
    return body_json(request, answer, messages)


def refusal(request: Request, answer: Answer, messages: EndpointMessages = ORG) -> Problem:
    """Return the problem that an answer other than 2xx stands for."""
    error = _error_of(answer)
    detail = f": {_short(error.message)}" if error.message else ""
    if 300 <= answer.status < 400:
        return _redirect(request, answer, messages)
    code, name = messages.code, messages.name
    if answer.status == 401:
        return Problem(f"{code}_unauthorized", f"{name} does not accept the token{detail}", None, messages.token)
    if answer.status == 403 and error.key == NOT_IN_PLAN:
        return Problem(NOT_IN_PLAN, f"the org's plan tier has no SCIM{detail}", None, "ask WRITER for a plan with SCIM")
    if answer.status == 403:
        return Problem(f"{code}_forbidden", f"{name} forbids {request}{detail}", None, messages.rights)
    if answer.status == 429:
        message = f"{name} is out of requests for us{detail}{_wait_note(answer)}"
        return Problem(f"{code}_busy", message, None, "try again later")
    if answer.status >= 500:
        message = f"{name} failed at {request} with {answer.status}{detail}{_wait_note(answer)}"
        return Problem(f"{code}_failed", message, None, f"try again later; if it stays so, tell whoever runs {name}")
    return Problem(f"{code}_{answer.status}", f"{name} refused {request} with {answer.status}{detail}")


def contract(request: Request, why: str, messages: EndpointMessages = ORG) -> OrgError:
    """Return the error that an answer is not what the contract allows."""
    what = "an org's admin API" if messages is ORG else messages.name
    hint = f"check `{messages.setting}`: something else than {what} may be answering there"
    return OrgError(Problem(f"{messages.code}_contract", f"{request} was answered, but {why}", None, hint))


def body_json(request: Request, answer: Answer, messages: EndpointMessages = ORG) -> Any:
    """Return the JSON of a 2xx answer. Raises OrgError for HTML, half an answer, or anything else."""
    try:
        return answer.json()
    except ValueError:
        kind = answer.headers.get("content-type", "").partition(";")[0] or "no content type"
        raise contract(request, f"not with JSON ({_short(kind)}, {len(answer.body)} bytes)", messages) from None


def decoded(request: Request, decode: Callable[[], T], messages: EndpointMessages = ORG) -> T:
    """Return what ``decode`` returns. Raises OrgError where an answer lacks what the contract promises."""
    try:
        return decode()
    except KeyError as error:
        raise contract(request, f"`{error.args[0]}` is missing", messages) from None
    except ValueError as error:
        raise contract(request, f"not as the contract says ({_short(str(error))})", messages) from None
    except (TypeError, AttributeError, ArithmeticError, IndexError, RecursionError):
        raise contract(request, "not as the contract says: a value is of another kind", messages) from None


def _error_of(answer: Answer) -> ApiError:
    """Return the error of the contract, or SCIM's ``detail`` (RFC 7644 §3.12)."""
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


def _redirect(request: Request, answer: Answer, messages: EndpointMessages) -> Problem:
    try:
        to = urlsplit(answer.headers.get("location", ""))
        where = f"{to.scheme}://{to.netloc.rpartition('@')[2]}" if to.hostname else "another path"
    except ValueError:
        where = "another place"
    message = f"{messages.name} answered {request} with a redirect to {_short(where)}"
    hint = f"a token is never sent on; if that is {messages.name}, name it in `{messages.setting}`"
    return Problem(f"{messages.code}_redirect", message, None, hint)


def _wait_note(answer: Answer) -> str:
    wait = retry_after(answer.headers)
    return f" (it asks to wait {wait:.0f} s)" if wait else ""


def _short(text: str) -> str:
    """Return one line of printable text."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"
