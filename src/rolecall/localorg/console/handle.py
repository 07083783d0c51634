"""The table of pages and forms, and ``handle_page``, which checks the session and serves one; errors are pages too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from rolecall.localorg.api.call import Who, decode_path
from rolecall.localorg.api.handle import admit, org_row
from rolecall.localorg.api.rights import require_right
from rolecall.localorg.console import idp_groups, pages, scim, session, settings
from rolecall.localorg.console.desk import Desk, form_of
from rolecall.localorg.console.pages import page, redirect, stylesheet
from rolecall.localorg.store import Busy, Database
from rolecall.localorg.web import Refusal, Request, Response, Router, refuse
from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION, SINGLETONS


class PageRoute(NamedTuple):
    """A page or a form of the console: what serves a method at a path."""

    method: str
    path: str
    serve: Callable[[Desk], Response]


def _singleton_routes(kind: Kind) -> tuple[PageRoute, PageRoute]:
    """Return the tab of a singleton and its form."""
    path = pages.path_of(kind)
    show, save = partial(settings.tab, path=path), partial(settings.save_singleton, section=kind.section)
    return PageRoute("GET", path, show), PageRoute("POST", f"{path}/{kind.section}", save)


_ACCESS = pages.path_of(BY_SECTION["domains"])
_SSO = pages.path_of(BY_SECTION["sso"])

ROUTER = Router(
    (
        PageRoute("GET", "/", pages.overview),
        PageRoute("GET", scim.PATH, scim.show_tab),
        PageRoute("POST", f"{scim.PATH}/scim", scim.save_settings),
        *(route for kind in SINGLETONS for route in _singleton_routes(kind)),
        PageRoute("POST", f"{_ACCESS}/domains", settings.claim_domain),
        PageRoute("POST", f"{_ACCESS}/domains/{{name}}", settings.save_domain),
        PageRoute("GET", f"{_SSO}/set-up", settings.set_up_sso),
        PageRoute("POST", f"{_SSO}/remove", settings.remove_sso),
        PageRoute("POST", f"{scim.PATH}/set-up", scim.set_up),
        PageRoute("POST", f"{scim.PATH}/token", scim.create_token),
        PageRoute("POST", f"{scim.PATH}/token/{{id}}", scim.revoke_token),
        PageRoute("POST", f"{scim.PATH}/test", scim.test_connection),
        PageRoute("POST", f"{scim.PATH}/remove", scim.remove_configuration),
        PageRoute("POST", f"{scim.PATH}/upgrade", scim.start_upgrade),
        PageRoute("POST", f"{scim.PATH}/complete", scim.complete_upgrade),
        PageRoute("GET", idp_groups.PATH, idp_groups.show_tab),
        PageRoute("POST", idp_groups.PATH, idp_groups.save),
        PageRoute("GET", f"{idp_groups.PATH}/{{id}}", idp_groups.group),
        PageRoute("GET", "/people", pages.people),
        PageRoute("GET", "/people/{id}", pages.person),
        PageRoute("GET", "/audit", pages.audit),
    )
)


def handle_page(request: Request, db: Database) -> Response:
    """Answer one request of a browser. Blocking; safe to call from many threads."""
    try:
        return _answer(request, db)
    except Refusal as refusal:
        return _refused(refusal)
    except Busy:
        return _refused(refuse(503, "busy", "The org's database is busy; try again"))


def _answer(request: Request, db: Database) -> Response:
    segments = decode_path(request.path)
    if segments == ["console.css"]:
        return stylesheet()
    if segments == ["sign-in"]:
        return _sign_in(request, db)
    opened = session.session_of(request, db)
    if opened is None:
        return redirect("/sign-in")
    if segments == ["sign-out"] and request.method == "POST":
        _check_proof(request, opened.id)
        session.close_session(db, opened)
        return redirect("/sign-in", session.signed_out())
    return _page(request, db, opened, segments)


def _page(request: Request, db: Database, opened: session.ConsoleSession, segments: list[str]) -> Response:
    try:
        who = _admitted(request, db, opened.token)
    except Refusal as refusal:
        if refusal.status != 401:
            raise
        session.close_session(db, opened)
        return redirect("/sign-in", session.signed_out())
    match = ROUTER.find("GET" if request.method == "HEAD" else request.method, segments)
    if match is None:
        raise refuse(404, "no_such_page", "There is no such page")
    route, params = match
    if request.method == "POST":
        _check_proof(request, opened.id)
    with db.read() as tx:
        org = org_row(tx)
    return route.serve(Desk(request, db, opened, who, org, params))


def _admitted(request: Request, db: Database, token: str) -> Who:
    """Return the caller of a token, who may read all settings. Raises Refusal 401 or 403 (R34)."""
    with_token = replace(request, headers={"authorization": f"Bearer {token}"}, embedded=False)
    with db.read() as tx:
        who = admit(tx, with_token)
    require_right(who, "GET", "/v1/access")
    return who


def _sign_in(request: Request, db: Database) -> Response:
    secure = request.headers.get("x-forwarded-proto", "") == "https"
    if request.method != "POST":
        return _sign_in_page(secure=secure)
    form = form_of(request)
    if not session.proven(session.sign_in_secret(request), form.get(session.FIELD, [""])[0]):
        return _sign_in_page(
            403, "This form is not from this browser's sign-in page. Enter the token again", secure=secure
        )
    token = form.get("token", [""])[0].strip()
    try:
        _admitted(request, db, token)
    except Refusal as refusal:
        return _sign_in_page(refusal.status, refusal.faults[0].description, secure=secure)
    return redirect("/", session.signed_in(session.open_session(db, token), secure=secure))


def _sign_in_page(status: int = 200, problem: str | None = None, *, secure: bool) -> Response:
    """Return the form with the proof of a new secret, which is sent along as a cookie."""
    secret = session.new_secret()
    proof = session.proof(secret)
    return page("sign_in", status, (session.signing_in(secret, secure=secure),), problem=problem, proof=proof)


def _check_proof(request: Request, secret: str) -> None:
    if not session.proven(secret, form_of(request, files=True).get(session.FIELD, [""])[0]):
        raise refuse(403, "bad_proof", "This form is not from your session. Open the page again and repeat the change")


def _refused(refusal: Refusal) -> Response:
    return page("refused", refusal.status, problems=[fault.description for fault in refusal.faults])
