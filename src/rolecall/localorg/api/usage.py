"""Serves WRITER's consumption API for users: the usage data that was set for a month, in pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rolecall.localorg.api.call import decode_query
from rolecall.localorg.api.handle import Route, guarded, with_headers
from rolecall.localorg.api.writer_key import admit_key
from rolecall.localorg.store import Database
from rolecall.localorg.store.usage import user_usage
from rolecall.localorg.web import Request, Response, Router, json_response, refuse

PATH = "/api/billing/v1/organization/{id}/consumption/breakdown/{scope}"

ROUTER = Router((Route("GET", PATH),))

SCOPES: Final = ("user", "team", "playbook", "billing_group")
"""Only users have rows here."""
_LIMIT = 50
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


def handle_usage(request: Request, db: Database) -> Response:
    """Answer a request for usage data. Never raises for a request."""
    return guarded(request, lambda: _answer(request, db))


def _answer(request: Request, db: Database) -> Response:
    admitted = admit_key(request, db, ROUTER)
    scope, query = admitted.params["scope"], decode_query(request.query)
    if scope not in SCOPES:
        raise refuse(400, "bad_scope", f"The scope must be one of {', '.join(SCOPES)}")
    month = query.get("month", f"{datetime.now(UTC):%Y-%m}")
    if not _MONTH.fullmatch(month):
        raise refuse(400, "bad_parameter", "`month` must be a month, such as 2026-11", field="month")
    offset = _number(query, "offset", 0, 0)
    limit = min(_number(query, "limit", min(_LIMIT, admitted.org.page_limit), 1), admitted.org.page_limit)
    with db.read() as tx:
        user_records = user_usage(tx, month) if scope == "user" else []
    body = {
        "scope": scope,
        "currency": "USD",
        "data": [record._asdict() for record in user_records[offset : offset + limit]],
        "pagination": {"limit": limit, "offset": offset, "total": len(user_records)},
    }
    return with_headers(json_response(200, body), admitted.pace)


def _number(query: Mapping[str, Any], name: str, default: int, least: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < least:
        raise refuse(400, "bad_parameter", f"`{name}` must be a whole number of {least} or more", field=name)
    return int(text)
