"""Turns a response that cannot be used into a problem, with the texts for the server that sent it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from rolecall.codec.api import ApiError, decode_error
from rolecall.errors import OrgError, Problem
from rolecall.live.http.pace import retry_after
from rolecall.live.http.transport import Answer, Request


class EndpointMessages(NamedTuple):
    """The texts for one server.

    ``code`` is the prefix of problem codes, ``name`` is the server's name, ``setting`` is the configuration key of its
    URL, ``token`` and ``rights`` are hints for a token that is refused or lacks permission. ``section`` is the part of
    the configuration that the hints name. ``fixed`` is for a server whose host a configuration cannot change.
    """

    code: str
    name: str
    setting: str
    token: str
    rights: str
    section: str = "people"
    fixed: bool = False

    def within(self, section: str) -> EndpointMessages:
        """Return the texts for a connection in another section, such as ``idp.okta``."""
        token, rights = (text.replace(f"`{self.section}.", f"`{section}.") for text in (self.token, self.rights))
        return EndpointMessages(self.code, self.name, f"{section}.url", token, rights, section)


ORG: Final = EndpointMessages(
    "org",
    "the org",
    "org.url",
    "check that the token is complete, not expired or revoked, and for this org's admin API instead of SCIM",
    "use the token of an org admin; only org admins can view and change these settings",
)

SCIM: Final = EndpointMessages(
    "scim",
    "the SCIM server",
    "people.scim",
    "check that `people.token` is complete, not expired or revoked",
    "use a token that can read users and groups",
)

OKTA: Final = EndpointMessages(
    "okta",
    "Okta",
    "people.okta",
    "check that `people.token` is complete, not expired or revoked",
    "use the token of an admin who can read apps, groups and users (okta.apps.read, okta.groups.read)",
)

OKTA_WRITE_RIGHTS: Final = (
    "grant the credential in `idp.okta.write` okta.apps.manage, and okta.groups.manage for pushed groups, and a role "
    "that may edit the app"
)

GRAPH_WRITE_RIGHTS: Final = "grant the app registration in `idp.entra.write` Synchronization.ReadWrite.All"

GRAPH: Final = EndpointMessages(
    "graph",
    "Microsoft Graph",
    "people.url",
    "check `people.token`, or `people.client_id` and `people.client_secret`",
    "grant the app registration Application.Read.All, GroupMember.Read.All and Synchronization.Read.All",
)

AUDIT: Final = EndpointMessages(
    "audit",
    "WRITER's audit log",
    "audit.url",
    "check that `audit.token` is complete, not expired or revoked",
    "use a key of the organization that `audit.writer` names; a key belongs to one organization",
    "audit",
    fixed=True,
)

USAGE: Final = EndpointMessages(
    "usage",
    "WRITER's usage data",
    "usage.url",
    "check that `usage.token` is complete, not expired or revoked",
    "use a key with access to all teams of the organization that `usage.writer` names",
    "usage",
    fixed=True,
)


T = TypeVar("T")

NOT_IN_PLAN = "scim_not_in_plan"
LONGEST_TEXT = 300


class ReadRefused(OrgError):
    """A read got a status other than 2xx; ``code`` is the problem's."""

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
    """Return the problem for a response other than 2xx."""
    error = _error_of(answer)
    detail = f": {_short(error.message)}" if error.message else ""
    if 300 <= answer.status < 400:
        return _redirect(request, answer, messages)
    code, name = messages.code, messages.name
    if answer.status == 401:
        return Problem(f"{code}_unauthorized", f"{name} does not accept the token{detail}", None, messages.token)
    if answer.status == 403 and error.key == NOT_IN_PLAN:
        message = f"the org's WRITER subscription does not include SCIM{detail}"
        return Problem(NOT_IN_PLAN, message, None, "ask WRITER to add SCIM to the subscription")
    if answer.status == 403:
        return Problem(f"{code}_forbidden", f"{name} does not allow {request}{detail}", None, messages.rights)
    if answer.status == 429:
        message = f"the rate limit of {name} is exceeded{detail}{_wait_note(answer)}"
        return Problem(f"{code}_busy", message, None, "run the command again later")
    if answer.status >= 500:
        message = f"{name} answered {request} with {answer.status}{detail}{_wait_note(answer)}"
        hint = f"run the command again later; if it fails again, contact the operator of {name}"
        return Problem(f"{code}_failed", message, None, hint)
    return Problem(f"{code}_{answer.status}", f"{name} refused {request} with {answer.status}{detail}")


def contract(request: Request, why: str, messages: EndpointMessages = ORG) -> OrgError:
    """Return the error for a response that does not follow the API contract."""
    what = "an org's admin API" if messages is ORG else messages.name
    hint = f"check that `{messages.setting}` is the URL of {what}"
    if messages.fixed:
        hint = "check that no proxy answers in WRITER's place; if none does, report the form of the response"
    return OrgError(Problem(f"{messages.code}_contract", f"the response to {request} is not valid: {why}", None, hint))


def body_json(request: Request, answer: Answer, messages: EndpointMessages = ORG) -> Any:
    """Return the JSON of a 2xx response. Raises OrgError for HTML, an incomplete body, or anything else."""
    try:
        return answer.json()
    except ValueError:
        kind = answer.headers.get("content-type", "").partition(";")[0] or "no content type"
        raise contract(request, f"it is not JSON ({_short(kind)}, {len(answer.body)} bytes)", messages) from None


def decoded(request: Request, decode: Callable[[], T], messages: EndpointMessages = ORG) -> T:
    """Return what ``decode`` returns. Raises OrgError if a response lacks what the contract promises."""
    try:
        return decode()
    except KeyError as error:
        raise contract(request, f"`{error.args[0]}` is missing", messages) from None
    except ValueError as error:
        raise contract(request, f"it does not follow the API contract ({_short(str(error))})", messages) from None
    except (TypeError, AttributeError, ArithmeticError, IndexError, RecursionError):
        raise contract(request, "it does not follow the API contract (a value has the wrong type)", messages) from None


def _error_of(answer: Answer) -> ApiError:
    """Return the error in the contract's format, or SCIM's ``detail`` (RFC 7644 §3.12); an empty one for no JSON."""
    try:
        return decode_error(answer.json())
    except ValueError:
        return decode_error(None)


def _redirect(request: Request, answer: Answer, messages: EndpointMessages) -> Problem:
    try:
        to = urlsplit(answer.headers.get("location", ""))
        where = f"{to.scheme}://{to.netloc.rpartition('@')[2]}" if to.hostname else "another path"
    except ValueError:
        where = "an invalid location"
    message = f"{messages.name} redirected {request} to {_short(where)}"
    hint = f"tokens are not sent to redirect targets; if the target is {messages.name}, set `{messages.setting}` to it"
    if messages.fixed:
        hint = "tokens are not sent to redirect targets; check that no proxy answers in WRITER's place"
    return Problem(f"{messages.code}_redirect", message, None, hint)


def _wait_note(answer: Answer) -> str:
    wait = retry_after(answer.headers)
    return f" (it asks to wait {wait:.0f} s)" if wait else ""


def _short(text: str) -> str:
    """Return one line of printable text."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"
