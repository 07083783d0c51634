"""The laws of usage, on random orgs and random data: what a plan claims follows from rows of one user, and nothing else
of the plan changes."""

from __future__ import annotations

import json

import jsonschema_rs
from access_orgs import Org
from hypothesis import given
from hypothesis import strategies as st
from test_prop_impact import any_org
from test_prop_order import planned

from rolecall.model.directory import Directory, Profile
from rolecall.model.usage import UsageRow
from rolecall.plan.impact.usage import losing_users, usage_of
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.saved.privacy import Shown, redact
from rolecall.plan.value import Plan
from rolecall.report.builders.plan import plan_document
from rolecall.schema_files import schema_text

SCHEMA = jsonschema_rs.validator_for(json.loads(schema_text("plan.schema.json")))
NAMES = ("Ann Jones", "ann  jones", "Bo Smith", "José", "Jose\u0301", "Cy", "")


@st.composite
def data(draw: st.DrawFn, org: Org) -> tuple[Directory, list[UsageRow]]:
    """Users with names, of which some are alike, and rows with names, addresses, or neither."""
    emails = [person.email for person in org.people]
    names = {number: name for number in range(len(emails)) if (name := draw(st.sampled_from(NAMES)))}
    name = st.sampled_from([*NAMES, *emails, *(email.upper() for email in emails), "stranger@acme.com"])
    rows = draw(st.lists(st.builds(UsageRow, name, st.sampled_from([0, 0, 3])), max_size=8))
    profiles = {number: Profile(name) for number, name in names.items()}
    return Directory(emails, emails, profiles=profiles), rows


def plain(name: str) -> str:
    return " ".join(name.lower().replace("e\u0301", "é").split())


def naive_row(email: str, directory: Directory, rows: list[UsageRow], *, whole: bool) -> UsageRow | None:
    """The row of a user, if it is certain: by address, or by a name that no other user and no other row has."""
    own = [row for row in rows if row.name.lower() == email.lower()]
    if own:
        return own[0] if len(own) == 1 else None
    if not whole:
        return None
    names = [plain(profile.name) for profile in directory.profiles.values()]
    name = plain(directory.profiles.get(list(directory.emails).index(email), Profile()).name)
    alike = [row for row in rows if plain(row.name) == name]
    return alike[0] if name and names.count(name) == 1 and len(alike) == 1 else None


def losers(plan: Plan) -> dict[str, set[str]]:
    """The users who lose something, with the teams that they are in no more."""
    users = {}
    for move in plan.impact.moves:
        before, after = ({team for team, _ in roles if team} for roles in (move.before, move.after))
        users |= {who.email: before - after for who in move.people if who.email and move.kind != "gain"}
    return users


@given(any_org, st.data(), st.booleans())
def test_usage_is_what_the_rows_show_of_those_who_lose(org: Org, draw: st.DataObject, whole: bool) -> None:
    plan, _ = planned(org)
    directory, rows = draw.draw(data(org))
    usage = usage_of(losing_users(plan.impact), "2026-11", rows, directory, whole=whole)
    certain = {email: naive_row(email, directory, rows, whole=whole) for email in losers(plan)}
    assert usage.losing == plan.impact.losing <= len(certain)
    teams = {(team.team, team.losing, team.matched, team.used) for team in usage.teams}
    for name in {team for lost in losers(plan).values() for team in lost}:
        listed = [certain[email] for email, lost in losers(plan).items() if name in lost]
        matched = [row for row in listed if row is not None]
        assert (name, len(listed), len(matched), sum(row.tokens > 0 for row in matched)) in teams
    assert usage.used <= usage.matched <= usage.losing
    assert usage.matched <= sum(row is not None for row in certain.values())
    assert usage.used <= sum(row is not None and row.tokens > 0 for row in certain.values())


@given(any_org, st.data(), st.sampled_from(["names", "masked", "counts"]))
def test_nothing_but_the_users_section_of_a_plan_changes(org: Org, draw: st.DataObject, mode: Shown) -> None:
    plan, _ = planned(org)
    directory, rows = draw.draw(data(org))
    usage = usage_of(losing_users(plan.impact), "2026-11", rows, directory, whole=True)
    more = plan._replace(usage=usage)
    assert digest(more) == digest(plan)
    assert "usage" not in encode_plan(plan)
    encoded = encode_plan(redact(more, mode, b"key"))
    assert not list(SCHEMA.iter_errors(encoded))
    assert decode_plan(encoded).usage == usage
    before, after = plan_document(plan), plan_document(more)
    assert after.users[: len(before.users)] == before.users
    assert (after.headline, after.changes, after.checks, after.status) == (
        before.headline,
        before.changes,
        before.checks,
        before.status,
    )
    assert not {row.name for row in rows if " " in row.name} & set(json.dumps(encoded["usage"]).split('"'))
