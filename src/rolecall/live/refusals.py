"""What an answer that is not the one hoped for means to a person: what the org said, and what to do now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from rolecall.codec.api import ApiError, decode_error
from rolecall.errors import OrgError, Problem
from rolecall.live.pace import retry_after
from rolecall.live.transport import Answer, Request

T = TypeVar("T")

NOT_IN_PLAN = "scim_not_in_plan"
CHECK_TOKEN = "check that it is whole, not expired or revoked, and for this org's admin API rather than for SCIM"
ASK_ADMIN = "use the token of an org admin: only org admins may see and change these settings"
LONGEST_WORDS = 300


class Refused(OrgError):
    """The org answered a read with something else than 2xx; ``code`` is the problem's."""

    def __init__(self, request: Request, answer: Answer) -> None:
        problem = refusal(request, answer)
        super().__init__(problem)
        self.status = answer.status
        self.code = problem.code


def accepted(request: Request, answer: Answer) -> Any:
    """The JSON of a 2xx answer. Raises Refused for any other, OrgError for what is no JSON."""
    if not answer.ok:
        raise Refused(request, answer)
    return body_json(request, answer)


def refusal(request: Request, answer: Answer) -> Problem:
    """The problem that an answer other than 2xx stands for."""
    said = _said(answer)
    words = f": {_short(said.message)}" if said.message else ""
    if 300 <= answer.status < 400:
        return _redirect(request, answer)
    if answer.status == 401:
        return Problem("org_unauthorized", f"the org does not accept the token{words}", None, CHECK_TOKEN)
    if answer.status == 403 and said.key == NOT_IN_PLAN:
        return Problem(NOT_IN_PLAN, f"the org's plan tier has no SCIM{words}", None, "ask WRITER for a plan with SCIM")
    if answer.status == 403:
        return Problem("org_forbidden", f"the org forbids {request}{words}", None, ASK_ADMIN)
    if answer.status == 429:
        return Problem("org_busy", f"the org is out of requests for us{words}{_asked(answer)}", None, "try again later")
    if answer.status >= 500:
        message = f"the org failed at {request} with {answer.status}{words}{_asked(answer)}"
        return Problem("org_failed", message, None, "try again later; if it stays so, tell whoever runs the org")
    return Problem(f"org_{answer.status}", f"the org refused {request} with {answer.status}{words}")


def contract(request: Request, why: str) -> OrgError:
    """The error that an answer is not what the contract allows."""
    hint = "check `org.url`: something else than an org's admin API may be answering there"
    return OrgError(Problem("org_contract", f"{request} was answered, but {why}", None, hint))


def body_json(request: Request, answer: Answer) -> Any:
    """The JSON of a 2xx answer. Raises OrgError for HTML, half an answer, or anything else."""
    try:
        return answer.json()
    except ValueError:
        kind = answer.headers.get("content-type", "").partition(";")[0] or "no content type"
        raise contract(request, f"not with JSON ({_short(kind)}, {len(answer.body)} bytes)") from None


def decoded(request: Request, decode: Callable[[], T]) -> T:
    """What ``decode`` gives. Raises OrgError where an answer lacks what the contract promises."""
    try:
        return decode()
    except KeyError as error:
        raise contract(request, f"`{error.args[0]}` is missing") from None
    except ValueError as error:
        raise contract(request, f"not as the contract says ({_short(str(error))})") from None
    except (TypeError, AttributeError):
        raise contract(request, "not as the contract says: a value is of another kind") from None


def _said(answer: Answer) -> ApiError:
    try:
        return decode_error(answer.json())
    except ValueError:
        return ApiError("", "", None, {})


def _redirect(request: Request, answer: Answer) -> Problem:
    try:
        to = urlsplit(answer.headers.get("location", ""))
        where = f"{to.scheme}://{to.netloc.rpartition('@')[2]}" if to.hostname else "another path"
    except ValueError:
        where = "another place"
    message = f"the org answered {request} with a redirect to {_short(where)}"
    return Problem("org_redirect", message, None, "a token is never sent on; if that is the org, name it in `org.url`")


def _asked(answer: Answer) -> str:
    wait = retry_after(answer.headers)
    return f" (it asks to wait {wait:.0f} s)" if wait else ""


def _short(words: str) -> str:
    """One line of printable text."""
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return line if len(line) <= LONGEST_WORDS else line[: LONGEST_WORDS - 1] + "…"
