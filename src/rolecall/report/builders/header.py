"""The first line of every plan, apply and drift: which org this is, and how much of it was seen."""

from __future__ import annotations

import re

from rolecall.model.kinds import KEYED
from rolecall.plan.coverage import USERS
from rolecall.plan.value import OrgRef, Plan
from rolecall.report.coverage import header
from rolecall.report.phrases import count, visible

REHEARSAL = "LOCAL REHEARSAL, not WRITER"


def org_line(org: OrgRef) -> str:
    """``acme · prod · org_8817 at rolecall.acme.net``; a local org says first that it is one."""
    names = [visible(part) for part in (org.name, org.env, org.id) if part]
    local = [REHEARSAL] if org.local or org.url.startswith("local:") else []
    return f"{' · '.join((*local, *names))} at {visible(_address(org.url))}"


def banner(plan: Plan) -> str:
    """The org line of a plan."""
    return org_line(plan.org)


def seen(plan: Plan) -> str:
    """``all read: 61 groups, 20,104 people``, or what was not read; over a network also what that took."""
    counted = [count(plan.counts[kind.section], kind.noun) for kind in KEYED if kind.section in plan.counts]
    whole, users = _users(plan)
    text = header(plan.coverage, [*counted, *users])
    return f"{text if whole else text.removeprefix('all ')}{_took(plan)}"


def _users(plan: Plan) -> tuple[bool, list[str]]:
    """Whether users were read whom the plan cannot affect, too; and how many of them, where the plan needs any."""
    known, total = plan.impact.people, plan.counts.get("people")
    if USERS in plan.unread or not known:
        return True, []
    if plan.scope.everybody or total is None or known >= total:
        return True, [count(known, "person")]
    return False, [f"{known:,} of {count(total, 'person')}"]


def _took(plan: Plan) -> str:
    """`` (7 requests)``: only those concerned are fetched."""
    if plan.org.local or not plan.requests.read or plan.unread:
        return ""
    return f" ({count(plan.requests.read, 'request')})"


def _address(url: str) -> str:
    """The host of a web address, port included and never a password; other addresses whole."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https"):
        return url
    return re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
