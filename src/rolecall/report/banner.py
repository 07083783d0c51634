"""The first line of every plan, apply and drift: which org this is, and how much of it was seen."""

from __future__ import annotations

import re

from rolecall.plan.value import OrgRef, Plan
from rolecall.report.phrases import count
from rolecall.report.visible import visible

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
    if plan.unread:
        return f"NOT READ: {', '.join(plan.unread)}"
    nouns = (("domains", "domain", None), ("idp_groups", "group", None), ("people", "person", "people"))
    counted = [count(plan.counts[key], noun, plural) for key, noun, plural in nouns if key in plan.counts]
    said = f"all read: {', '.join(counted)}" if counted else "all read"
    return f"{said}{_took(plan)}"


def _took(plan: Plan) -> str:
    """`` (48 people looked at, 7 requests)``: only those concerned are fetched."""
    if plan.org.local or not plan.requests.read:
        return ""
    looked = "" if plan.impact.people is None else f"{count(plan.impact.people, 'person')} looked at, "
    return f" ({looked}{count(plan.requests.read, 'request')})"


def _address(url: str) -> str:
    """The host of a web address, port included and never a password; other addresses whole."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https"):
        return url
    return re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
