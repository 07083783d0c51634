"""The laws of a what-if: it answers what the plan answers once the memberships have really changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import meddler
import orgs
import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.access.person import effective
from rolecall.access.rules import compile_access
from rolecall.cli.main import run
from rolecall.codec.people import decode_people, encode_person
from rolecall.model.desired import Desired
from rolecall.model.directory import EVERYBODY, PLAIN, Directory, Person, Traits
from rolecall.model.live import Live
from rolecall.model.policy import AccessTest, TeamRole
from rolecall.model.settings import UNSET, Scim
from rolecall.plan.make import make
from rolecall.plan.saved.digest import document
from rolecall.plan.saved.encode import encode_plan
from rolecall.plan.value import MembershipChange, Plan

GROUPS = (*orgs.GROUPS, "Unknown")
USERS = tuple(f"{name}@acme.com" for name in ("ann", "bo", "cy", "dee"))
NEW = "new@acme.com"
TRAITS = st.sampled_from(
    [
        PLAIN,
        PLAIN,
        PLAIN,
        Traits(active=False),
        Traits(origin="invite", manual=(TeamRole("Legal", "team_admin"),)),
        Traits(manual=(TeamRole("IT", "team_admin"),)),
        Traits(role_attribute="admin"),
    ]
)
Moves = tuple[MembershipChange, ...]
Access = Mapping[str, frozenset[TeamRole]]


@st.composite
def people(draw: st.DrawFn) -> list[Person]:
    groups = st.lists(st.sampled_from(GROUPS), max_size=4, unique=True).map(tuple)
    return [Person(email, f"id-{email}", draw(groups), draw(TRAITS)) for email in USERS]


@st.composite
def moves(draw: st.DrawFn, people: Sequence[Person]) -> Moves:
    """Memberships that can change: users leave groups that they are in, and join others."""
    changes: list[MembershipChange] = []
    for person in (*people, Person(NEW)):
        groups = draw(st.lists(st.sampled_from(GROUPS), max_size=2, unique=True))
        changes += [MembershipChange(person.email, group, group not in person.groups) for group in groups]
    return tuple(changes)


def moved(people: Sequence[Person], changes: Moves) -> list[Person]:
    """Return the users after the memberships have changed; a new one is provisioned."""
    after = []
    new = Person(NEW, f"id-{NEW}")
    listed = [*people, *([new] if any(change.email == NEW for change in changes) else [])]
    for person in listed:
        own = [change for change in changes if change.email == person.email]
        left = {change.group for change in own if not change.joins}
        joined = tuple(change.group for change in own if change.joins)
        after.append(person._replace(groups=(*(g for g in person.groups if g not in left), *joined)))
    return after


def directory_of(people: Sequence[Person]) -> Directory:
    return decode_people(map(encode_person, people))


def live_with(live: Live, scim: Scim) -> Live:
    return replace(live, settings=replace(live.settings, scim=scim))


LIVES = st.builds(
    live_with, orgs.lives(), st.builds(Scim, st.just(True), st.just("okta"), st.just("new"), st.booleans())
)
TESTS = st.lists(
    st.one_of(
        st.builds(lambda user: AccessTest("t", person=user, never=("org_admin",)), st.sampled_from((*USERS, NEW))),
        st.just(AccessTest("r", role="team_admin", granted_by_only=("Admins",))),
    ),
    max_size=2,
).map(tuple)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Desired, Live, list[Person], Moves]:
    desired = draw(orgs.desireds())
    desired = desired._replace(
        policy=desired.policy._replace(access_tests=draw(TESTS)),
        settings=desired.settings if draw(st.booleans()) else replace(desired.settings, **_NOTHING),
    )
    users = draw(people())
    return desired, draw(LIVES), users, draw(moves(users))


_NOTHING = dict.fromkeys(("domains", "defaults", "sso", "scim", "idp_groups"), UNSET)


def plan_of(desired: Desired, live: Live, users: Sequence[Person], what_if: Moves = ()) -> Plan:
    directory = directory_of(users)
    return make(orgs.question(desired, live, directory=directory, scope=EVERYBODY, what_if=what_if))


def access_now(live: Live, users: Sequence[Person]) -> dict[str, frozenset[TeamRole]]:
    rules = compile_access(live.settings, live.facts)
    return {user.email: frozenset(effective(rules, user).pairs) for user in users}


def after(plan: Plan, before: Access) -> Access:
    """Return the access of all users after a plan, by email address."""
    ends = {who.email or "": frozenset(move.after) for move in plan.impact.moves for who in move.people}
    return {**before, **ends}


@given(cases())
@settings(max_examples=settings.default.max_examples // 4)
def test_a_what_if_is_the_plan_after_the_memberships_have_changed(
    case: tuple[Desired, Live, list[Person], Moves],
) -> None:
    desired, live, users, changes = case
    supposed, real = plan_of(desired, live, users, changes), plan_of(desired, live, moved(users, changes))
    assert supposed.changes == real.changes or {c.address for c in supposed.changes} == {
        c.address for c in real.changes
    }
    if supposed.impact.problem or real.impact.problem:
        assert supposed.impact.problem
        return
    before, really = access_now(live, users), access_now(live, moved(users, changes))
    assert _present(after(supposed, before)) == _present(after(real, really))
    assert [test._replace(source=None) for test in supposed.access_tests] == [
        test._replace(source=None) for test in real.access_tests
    ]
    if changes and real.impact.org_admins:
        assert supposed.impact.org_admins is not None
        assert supposed.impact.org_admins[1] == real.impact.org_admins[1]


@given(cases())
@settings(max_examples=settings.default.max_examples // 4)
def test_a_what_if_names_exactly_the_users_whose_access_differs_and_why(
    case: tuple[Desired, Live, list[Person], Moves],
) -> None:
    desired, live, users, changes = case
    plan = plan_of(desired, live, users, changes)
    if plan.impact.problem:
        return
    before = access_now(live, users)
    known = {change.address for change in plan.changes}
    own = {email: {c.group for c in changes if c.email == email} for email in (*USERS, NEW)}
    for move in plan.impact.moves:
        for who in move.people:
            assert frozenset(move.before) == before.get(who.email or "", frozenset()) != frozenset(move.after)
            supposed = {at for at in move.because if at not in known}
            assert move.because
            assert {at.partition("/")[2] for at in supposed} <= own[who.email or ""]


@given(cases(), st.data())
@settings(max_examples=settings.default.max_examples // 4)
def test_leaving_out_a_cause_of_a_what_if_avoids_what_it_causes(
    case: tuple[Desired, Live, list[Person], Moves], data: st.DataObject
) -> None:
    """Of memberships alone: no change of the plan is among the causes here."""
    desired, live, users, changes = case
    desired = desired._replace(settings=replace(desired.settings, **_NOTHING))
    plan = plan_of(desired, live, users, changes)
    singles = [move for move in plan.impact.moves if len(move.because) == 1]
    if plan.impact.problem or not singles:
        return
    move = data.draw(st.sampled_from(singles))
    verb, _, group = move.because[0].partition("/")
    emails = {who.email for who in move.people}
    rest = tuple(c for c in changes if not (c.email in emails and c.group == group and c.joins == (verb == "join")))
    again = plan_of(desired, live, users, rest)
    if NEW not in emails:
        assert not emails & {who.email for other in again.impact.moves for who in other.people}


def _present(access: Access) -> Access:
    return {email: has for email, has in access.items() if has}


def test_plans_without_memberships_have_the_same_digest_and_keys() -> None:
    plan = plan_of(Desired(), Live(), [])
    assert "what_if" not in document(plan)
    assert "what_if" not in encode_plan(plan)


def test_a_what_if_is_what_follows_in_a_local_org(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ann leaves Admins, Cy joins it and leaves Marketing, and a new user joins both."""
    snapshot = {**SNAPSHOT, "scim": {**SNAPSHOT["scim"], "manual_editing": True}}
    config = CONFIG.replace("guards: {", "guards: {min_org_admins: 2, ").replace("[Brand]", "[Brand, Marketing]")
    monkeypatch.chdir(make_repo(tmp_path / "repo", config, snapshot))
    flags = ["ann@tiny.co-Admins", "cy@tiny.co+Admins", "cy@tiny.co-Marketing"]
    flags += ["ed@tiny.co+Admins", "ed@tiny.co+Marketing"]
    what_if = _json(capsys, "plan", *(part for flag in flags for part in ("--if", flag)))
    before = _json(capsys, "access")
    with meddler.idp(tmp_path / "repo" / "org.db") as idp:
        idp.moves("ann@tiny.co", out="Admins")
        idp.moves("cy@tiny.co", out="Marketing", into="Admins")
        idp.joins("ed@tiny.co", "Admins", "Marketing")
    real, live = _json(capsys, "plan"), _json(capsys, "access")
    assert what_if["changes"] == [
        {**change, "people": supposed["people"]}
        for change, supposed in zip(real["changes"], what_if["changes"], strict=True)
    ]
    assert what_if["impact"]["org_admins"] == {"before": 2, "after": 3}
    assert _after(what_if, before) == _after(real, live)
    assert what_if["digest"] != real["digest"]


def _json(capsys: pytest.CaptureFixture[str], *line: str) -> Any:
    capsys.readouterr()
    run([*line, "--format", "json"])
    return json.loads(capsys.readouterr().out)


def _after(plan: Any, access: Any) -> dict[str, set[tuple[str, str]]]:
    held = {user["email"]: {(r["team"], r["role"]) for r in user["combos"]} for user in access["people"]}
    for detail in plan["impact"]["details"]:
        held[detail["email"]] = {(r["team"], r["role"]) for r in detail["after"]}
    return {email: roles for email, roles in held.items() if roles}
