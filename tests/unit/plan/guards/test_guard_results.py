"""Test every word of the results of guards: what is wrong, the causes with their lines, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orgs
import pytest
from saml import METADATA
from small_org import ask, config, crowd, live, many, person, plan, verdict, words
from test_guard_numbers import CASES

from rolecall.errors import Where
from rolecall.model.change import Change
from rolecall.model.desired import Applied, Intent
from rolecall.model.lineage import LogCheck, UnknownApply
from rolecall.model.live import ChangedSince, Coverage
from rolecall.model.policy import Allow, Band, Guards, Limit, Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Sso
from rolecall.plan.guards.precondition_rules import Moment, Unmet, Unread, demands
from rolecall.plan.make import make
from rolecall.plan.value import GuardResult, Plan

GOLDEN = Path(__file__).parents[3] / "fixtures" / "guard_results.txt"
ADMIN, MEMBER = "org_admin: IT", "member: X"
TEAMS = frozenset({"Everyone", "IT"})
OFF = Sso(False, "Okta", "okta", False, False, None)
ON = Sso(True, "Okta", "okta", False, False, METADATA)
SCIM_OFF, LEGACY = Scim(False, "okta", "new", False), Scim(True, "okta", "legacy", False)


def by_other_configs() -> Plan:
    """Five addresses, the first of a config outside any repository."""
    groups = {f"G{n}": MEMBER for n in range(5)}
    recorded = {f"idp_groups/{name}": "org_1 git:0123456789abcdef//it.yaml" for name in groups}
    applied = Applied(config=recorded | {"idp_groups/G0": "org_1 /home/ann/rolecall.yaml"})
    return plan(groups, dict.fromkeys(groups, "member: Y"), [], applied=applied, config="mine")


def looser(settings: int) -> Plan:
    names = ("min_org_admins", "require_self", "escalations", "max_removals", "observed_age")[:settings]
    strict = Guards(
        min_org_admins=3, require_self=True, max_removals=Band(None, Limit(1)), observed_age=Band(None, Limit(1))
    )
    lax = {
        "min_org_admins": 2,
        "require_self": False,
        "escalations": {**Guards().escalations, "org_admin": "allow"},
        "max_removals": Band(None, Limit(9)),
        "observed_age": Band(None, Limit(9)),
    }
    guards = strict._replace(**{name: lax[name] for name in names})
    policy = Policy(sources={f"guards.{names[-1]}": Where("rolecall.yaml", 30, 3)})
    managed = {"idp_groups": "authoritative"}
    return plan({}, {}, [], guards, policy, applied=Applied(policy=Policy(guards=strict, manage=managed)))


def unrecorded(journal: str, at: datetime | None) -> Plan:
    unknown = None if at is None else UnknownApply("j-2", "7", at)
    applied = Applied(policy=Policy(), journal=journal)
    log = LogCheck("e9", 1950, unknown) if unknown else LogCheck("e9", 1950, whole=False)
    return make(ask(config({}), live({}), [])._replace(applied=applied, log=log))


def one_left() -> Plan:
    """A user that no override covers, besides 20 that one covers."""
    people = [*many(20, "A", stem="a"), *many(1, "B", stem="b"), *many(9, "C", stem="c")]
    allow = Allow("max_people_losing_access", "idp_groups/A", 20, None, "CHG-1", Where("rolecall.yaml", 50, 5))
    groups = dict.fromkeys("ABC", MEMBER)
    guards = Guards(max_people_losing_access=Band(None, Limit(0)))
    after = {**groups, "A": "member: Y", "B": "member: Y"}
    return plan(groups, after, people, guards, Policy(allow=(allow,)))


def one_falls_back() -> Plan:
    people = [person("ann", "A"), person("bo", "B", origin="invite"), *many(8, "C")]
    groups = dict.fromkeys("ABC", "member: X")
    limits = Guards(max_people_losing_access=Band(Limit(0), None))
    return plan(groups, {**groups, "A": "", "B": ""}, people, limits)


def of_self() -> Plan:
    groups = {"A": ADMIN, "B": ADMIN}
    return plan(groups, {**groups, "A": "member: IT"}, [person("ann", "A"), person("bo", "B")], caller="ann@acme.com")


def unread_users(**guards: object) -> Plan:
    return plan({"A": ADMIN}, {"A": MEMBER}, None, Guards(**guards), caller="ann@acme.com")


def misspelt_of_some() -> Plan:
    """Users were partially read: a required org admin may be among the others, but no user has this address."""
    some = crowd([person("ann", "A"), person("bo", "A")])
    some = replace(some, coverage=Coverage("partial", 2, 9))
    policy = Policy(guards=Guards(required_org_admins=("boo@acme.com",)))
    return make(ask(config({"A": "org_admin: IT, X"}, policy), live({"A": ADMIN}), None)._replace(directory=some))


def changed_since(name: str) -> Plan:
    org = live({"A": MEMBER}, observed=True, can=frozenset())
    change = ChangedSince(datetime(2026, 11, 21, 9, 5, tzinfo=UTC), "ann@acme.com")
    read = orgs.NOW - timedelta(days=2)
    org = replace(org, coverage={name: Coverage(taken_at=read, changed_since=change)})
    policy = Policy(guards=Guards(max_people_losing_access=Band(Limit(0))))
    desired = config({"A": "member: Y"}, policy, sso=Sso(allow_passwords=True))
    return make(ask(desired, org, many(2, "A")))


def observed(days: int) -> Plan:
    org = replace(
        live({"A": MEMBER}, observed=True, can=frozenset()),
        coverage={"idp_groups": Coverage(taken_at=orgs.NOW - timedelta(days=days))},
    )
    policy = Policy(guards=Guards(observed_age=Band(Limit(30), Limit(1060))))
    return make(ask(config({"A": "member: Y"}, policy), org, []))


def unread_sections() -> Plan:
    org = live({"A": MEMBER})
    coverage = {name: Coverage("unread", problem=f"{name}: no answer") for name in ("sso", "scim")}
    org = replace(org, settings=replace(org.settings, sso=UNSET, scim=UNSET), coverage=coverage)
    return make(ask(config({"A": "member: Y"}, sso=Sso(enabled=True), scim=Scim(enabled=True)), org, None))


def protected(after: str) -> Plan:
    intents = {"A": Intent(protect=True)}
    return plan({"A": ADMIN}, {"A": after}, [person("ann", "A")], intents=intents)


MORE: list[tuple[str, Callable[[], Plan]]] = [
    ("foreign", by_other_configs),
    ("policy", lambda: looser(1)),
    ("policy", lambda: looser(5)),
    ("policy", lambda: unrecorded("j-1", datetime(2026, 11, 20, 8, 13, tzinfo=UTC))),
    ("policy", lambda: unrecorded("j-2", datetime(2026, 11, 20, 8, 13, tzinfo=UTC))),
    ("policy", lambda: unrecorded("j-1", None)),
    ("approval", lambda: plan({"A": MEMBER}, {"A": "member: Y"}, [], Guards(approval="recorded"))),
    ("approval", lambda: plan({"A": MEMBER}, {"A": "member: Y"}, [], Guards(approval="other_person"))),
    ("max_people_losing_access", one_left),
    ("max_people_losing_access", one_falls_back),
    ("require_self", of_self),
    ("require_self", unread_users),
    ("min_org_admins", unread_users),
    ("required_org_admins", lambda: unread_users(required_org_admins=("ann@acme.com",))),
    ("required_org_admins", misspelt_of_some),
    ("escalations", unread_users),
    ("sign_in", lambda: changed_since("sso")),
    ("max_people_losing_access", lambda: changed_since("people")),
    ("max_removals", lambda: changed_since("idp_groups")),
    ("observed_age", lambda: observed(29)),
    ("observed_age", lambda: observed(31)),
    ("observed_age", lambda: observed(1061)),
    ("observed_age", lambda: changed_since("sso")),
    ("unread", unread_sections),
    ("unread", unread_users),
    ("protect", lambda: protected(MEMBER)),
    ("protect", lambda: protected("")),
]


MANY = frozenset(f"T{n}" for n in range(1001))

STEPS: list[tuple[Change, dict[str, object]]] = [
    (Change("domains/acme.com", "delete", Domain(), None), {"sso": ON}),
    (Change("domains/acme.com", "delete", Domain(), None), {"sso": UNSET}),
    (Change("sso", "update", OFF, Sso(enabled=True)), {"sso": OFF, "domains": {}}),
    (Change("sso", "update", OFF, Sso(enabled=True)), {"sso": replace(OFF, metadata=UNSET)}),
    (Change("sso", "update", ON, Sso(metadata=None)), {"sso": ON}),
    (Change("sso", "update", ON, Sso(metadata="")), {"sso": ON}),
    (Change("sso", "update", ON, Sso(metadata="<html/>")), {"sso": ON}),
    (Change("sso", "update", ON, Sso(metadata="x" * 2_000_000)), {"sso": ON}),
    (Change("sso", "update", ON, Sso(name="")), {"sso": ON}),
    (Change("sso", "update", ON, Sso(name="x" * 1201)), {"sso": ON}),
    (Change("sso", "update", ON, Sso(name="a\tb")), {"sso": ON}),
    (Change("sso", "update", ON, Sso(enabled=False)), {"sso": ON}),
    (Change("sso", "update", ON, Sso(enabled=False)), {"sso": ON, "scim": UNSET}),
    (Change("scim", "update", SCIM_OFF, Scim(enabled=True)), {"sso": OFF, "scim": SCIM_OFF}),
    (Change("scim", "update", LEGACY, Scim(manual_editing=True)), {"sso": OFF, "scim": LEGACY}),
    (Change("scim", "update", SCIM_OFF, Scim(enabled=True)), {"sso": UNSET, "scim": SCIM_OFF}),
    (Change("scim", "update", LEGACY, Scim(idp="x")), {"sso": OFF, "scim": replace(LEGACY, enabled=UNSET)}),
    (Change("scim", "upgrade", None, Scim(endpoint="upgrading")), {}),
    (Change("scim", "upgrade", None, Scim(endpoint="new")), {"scim": LEGACY}),
    (Change("scim", "upgrade", None, Scim(endpoint="new")), {"scim": replace(LEGACY, endpoint=UNSET)}),
    (Change("scim", "upgrade", None, Scim(endpoint="upgrading")), {"scim": replace(LEGACY, enabled=False)}),
    (Change("scim", "upgrade", None, Scim(endpoint="upgrading")), {"scim": replace(LEGACY, enabled=UNSET)}),
    (Change("defaults", "update", None, Defaults(role="org_admin")), {}),
    (Change("defaults", "update", None, Defaults(role="team_admim")), {}),
    (Change("defaults", "update", None, Defaults(teams=frozenset())), {}),
    (Change("defaults", "update", None, Defaults(teams=frozenset({"Everyome", "Legal"}))), {}),
    (Change("idp_groups/A", "update", BLANK, GroupMapping("member", TEAMS)), {"scim": LEGACY}),
    (Change("idp_groups/A", "delete", GroupMapping("member", TEAMS), None), {"scim": LEGACY}),
    (Change("idp_groups/A", "update", BLANK, GroupMapping("member", frozenset())), {}),
    (Change("idp_groups/A", "update", BLANK, GroupMapping("auditor", TEAMS)), {}),
    (Change("idp_groups/A", "update", BLANK, GroupMapping("member", MANY)), {"teams": MANY}),
    (Change("idp_groups/A", "update", BLANK, GroupMapping("member", TEAMS)), {"scim": UNSET}),
    (Change("idp_groups/A", "update", BLANK, GroupMapping("member", frozenset({"IT", "Legal"}))), {"teams": None}),
]


def shown(result: GuardResult) -> Iterator[str]:
    source = f", {result.source.file}:{result.source.line}" if result.source else ""
    counts = f"limit {result.limit}, actual {result.actual}, {result.found} found, target {result.target}"
    yield f"{result.name}: {result.verdict}, {counts}{source}"
    yield from (f"    {line}" for line in words(result) if line)
    yield from (f"    > {way}" for way in result.ways)


def refused(step: Change, org: dict[str, object]) -> Iterator[str]:
    more = dict(org)
    teams = more.pop("teams", TEAMS)
    state = live({"A": ADMIN}, teams=teams)
    state = replace(state, settings=replace(state.settings, **more))
    yield f"{step.action} of {step.address}"
    for demand in demands(step, Moment(state.settings, state.facts, state, teams or TEAMS)):
        if isinstance(demand, Unread):
            yield f"    not read: {demand.name}"
        elif isinstance(demand, Unmet):
            yield f"    {demand.message}\n    > {demand.fix}"


def test_results_are_as_written_down(request: pytest.FixtureRequest) -> None:
    made = [(case[0], case[1]) for case in CASES] + MORE
    lines = [line for name, case in made for line in shown(verdict(case(), name))]
    lines += [line for step, org in STEPS for line in refused(step, org)]
    text = "\n".join(lines) + "\n"
    if request.config.getoption("--update"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
