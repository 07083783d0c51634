"""Write the first line of every report: its org, and how much of it was read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rolecall.model.kinds import IDP_KINDS, IDP_SECTIONS, ORG_KEYED
from rolecall.model.live import COMPLETE, UNREAD, Coverage
from rolecall.plan.coverage import USERS, changed_sentence, incomplete_sentence, outdated
from rolecall.plan.headline import enumerate_words
from rolecall.plan.value import IdpPart, OrgRef, Plan
from rolecall.report.document import Banner
from rolecall.report.phrases import count, visible

_MOST = 9


def org_banner(org: OrgRef, coverage: Coverage = COMPLETE) -> Banner:
    """Return the banner of a report about users: ``acme · prod · org_8817 at rolecall.acme.net``, and how many of the
    users were read."""
    return _banner(org, users_read(coverage), incomplete=True)


def plan_banner(plan: Plan) -> Banner:
    """Return the banner of a plan: ``all read: 61 groups, 20,104 users``, ``all settings read: 61 groups`` where users
    are not needed, or what was not read; over a network also how many requests that took."""
    counts = [count(plan.counts[kind.section], kind.noun) for kind in ORG_KEYED if kind.section in plan.counts]
    whole, users = _users(plan)
    unread = {name: UNREAD for name in plan.impact.missing if name not in plan.coverage}
    coverage = {name: part for name, part in plan.coverage.items() if name not in IDP_SECTIONS}
    text = read_words({**unread, **coverage}, [*counts, *users])
    incomplete = bool(plan.unread or unread)
    requests = "" if plan.org.local or not plan.requests.read or incomplete else count(plan.requests.read, "request")
    if not users and USERS not in plan.coverage:
        text = text.replace("all read", "all settings read", 1)
    text = f"{text if whole else text.removeprefix('all ')}{f' ({requests})' if requests else ''}"
    return _banner(plan.org, text, incomplete=incomplete)


def idp_banner(side: IdpPart | None, coverage: Mapping[str, Coverage], counts: Mapping[str, int]) -> Banner | None:
    """Return ``IdP: Okta, acme.okta.com, app 0oa1``, and how much was read: ``read: 41 assigned groups``; or None."""
    sections = [kind.section for kind in IDP_KINDS if kind.section in coverage]
    if not sections:
        return None
    counted = [count(counts[kind.section], kind.noun) for kind in IDP_KINDS if kind.section in counts]
    of_idp = {name: coverage[name] for name in sections}
    where = visible(side.where) if side else "not read"
    read = read_words(of_idp, counted).removeprefix("all ")
    return Banner(f"IdP: {where}", False, read, any(part.state != "complete" for part in of_idp.values()))


def scan_banner(
    org: OrgRef, coverage: Mapping[str, Coverage], counts: Mapping[str, int], *, incomplete: bool
) -> Banner:
    """Return the banner of a drift check."""
    nouns = (*((kind.section, kind.noun) for kind in ORG_KEYED), (USERS, "user"))
    counted = [count(counts[key], noun) for key, noun in nouns if key in counts]
    return _banner(org, read_words(coverage, counted), incomplete=incomplete)


def _banner(org: OrgRef, read: str, *, incomplete: bool) -> Banner:
    names = " · ".join(visible(part) for part in (org.name, org.env, org.id) if part)
    local = org.local or org.url.startswith("local:")
    return Banner(f"{names} at {visible(_address(org.url))}", local, read, incomplete)


def _address(url: str) -> str:
    """Return the host of a web address, with its port and without a password; other addresses whole."""
    scheme, _, location = url.partition("://")
    if scheme not in ("http", "https"):
        return url
    return re.split("[/?#]", location, maxsplit=1)[0].rpartition("@")[2]


def _users(plan: Plan) -> tuple[bool, list[str]]:
    """Return whether all users were read, also those the plan cannot affect, and how many, where it needs any."""
    known, total = plan.impact.people, plan.counts.get("people")
    if USERS in plan.unread or not known:
        return True, []
    if plan.scope.everybody or total is None or known >= total:
        return True, [count(known, "user")]
    return False, [f"{known:,} of {count(total, 'user')}"]


def read_words(coverage: Mapping[str, Coverage], counts: Sequence[str]) -> str:
    """Return ``all read: 61 groups``, or ``read: 61 groups; NOT READ: users``. ``counts`` are counts in words."""
    users = coverage.get(USERS, COMPLETE)
    sections = unread_sections(coverage)
    unread = [*sections, *(["users"] if users.state == "unread" else [])]
    old = ["users" if name == USERS else name for name in outdated(coverage)]
    if not unread and not old and users.state == "complete":
        return f"all read: {', '.join(counts)}" if counts else "all read"
    parts = [f"read: {', '.join(counts)}"] if counts and not sections else []
    parts += [f"NOT READ: {', '.join(unread)}"] if unread else []
    parts += [users_read(users)] if users.state == "partial" else []
    parts += [f"OUT OF DATE: {', '.join(old)}"] if old else []
    return "; ".join(parts)


def users_read(coverage: Coverage) -> str:
    """Return ``NOT READ: users`` or ``PARTIALLY READ: users (48 of 97)``; nothing where all were read."""
    if coverage.state == "complete":
        return ""
    known = coverage.read is not None and coverage.total is not None
    part = f" ({coverage.read:,} of {coverage.total:,})" if known else ""
    return "NOT READ: users" if coverage.state == "unread" else f"PARTIALLY READ: users{part}"


def unread_sections(coverage: Mapping[str, Coverage]) -> list[str]:
    """Return the sections of settings that were not read completely."""
    return [name for name, section in coverage.items() if name != USERS and section.state != "complete"]


def outdated_sentence(coverage: Mapping[str, Coverage]) -> str:
    """Return the sentences about sections that were changed after they were read, or nothing."""
    changes = ((name, part.changed_since) for name, part in coverage.items())
    return " ".join(visible(changed_sentence(name, change)) for name, change in changes if change is not None)


def sections_sentence(coverage: Mapping[str, Coverage]) -> str:
    """Return ``Incomplete read: sso could not be read, so it is unknown.``, or nothing."""
    sections = unread_sections(coverage)
    about = "it" if len(sections) == 1 else "them"
    return f"{_incomplete(sections)}, so nothing is known about {about}." if sections else ""


def planned_sentence(coverage: Mapping[str, Coverage]) -> str:
    """Return ``Incomplete read: sso could not be read, so it is not part of this plan.``, or nothing."""
    sections = unread_sections(coverage)
    are = "it is" if len(sections) == 1 else "they are"
    return f"{_incomplete(sections)}, so {are} not part of this plan." if sections else ""


def _incomplete(sections: Sequence[str]) -> str:
    return f"Incomplete read: {enumerate_words(sections, _MOST)} could not be read"


def users_sentence(coverage: Mapping[str, Coverage]) -> str:
    """Return ``Users were not read: 403 Forbidden.``, or nothing."""
    return visible(incomplete_sentence(coverage.get(USERS, COMPLETE)) or "")
