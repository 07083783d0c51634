"""Test the number, the limit and the target of each guard."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from small_org import ask, config, live, many, person, plan, verdict, words

from rolecall.errors import Where
from rolecall.model.desired import Applied
from rolecall.model.lineage import Lineage
from rolecall.model.live import Coverage
from rolecall.model.policy import Allow, Band, Guards, Limit, Policy
from rolecall.model.settings import Domain, Scim, Sso
from rolecall.plan.make import make
from rolecall.plan.value import GuardResult, Plan

ADMIN, MEMBER = "org_admin: IT", "member: X"
TEN = {f"G{n}": MEMBER for n in range(10)}
BOTH = Policy(manage={"domains": "authoritative"})
DOMAINS = {name: Domain(True, "approval") for name in ("a.io", "b.io", "c.io", "d.io")}


def losing(number: int, guards: Guards | None = None) -> Plan:
    people = [*many(number, "A", stem="a"), *many(100 - number, "B", stem="b")]
    return plan({"A": MEMBER, "B": MEMBER}, {"A": "member: Y", "B": MEMBER}, people, guards)


def admins(after: str, guards: Guards, people: tuple[str, ...] = ("ann", "bo")) -> Plan:
    groups = dict.fromkeys(people, ADMIN)
    return plan(groups, {**groups, people[-1]: after}, [person(name, name) for name in people], guards)


def stances(**kinds: str) -> Guards:
    return Guards(escalations={**Guards().escalations, **kinds})


def gaining(guards: Guards) -> Plan:
    """Two users become team admin, three org admin."""
    people = [*many(2, "T", stem="t"), *many(3, "O", stem="o"), *many(40, "Rest", stem="r")]
    before = {"T": MEMBER, "O": MEMBER, "Rest": ADMIN}
    return plan(before, {"T": "team_admin: X", "O": "org_admin: X", "Rest": ADMIN}, people, guards)


def removing(groups: int, domains: int, *lifts: Allow, guards: Guards | None = None) -> Plan:
    org = live(TEN)
    org = replace(org, settings=replace(org.settings, domains=DOMAINS))
    kept = dict(list(DOMAINS.items())[domains:])
    policy = BOTH._replace(guards=guards or Guards(max_removals=Band(Limit(1), Limit(3))))
    return make(ask(config(dict(list(TEN.items())[groups:]), policy, domains=kept), org, [], lifts=lifts))


def renaming(count: int) -> Plan:
    gone = {f"Old{n}": MEMBER for n in range(count)}
    return plan({**gone, "B": MEMBER}, {"New": MEMBER, "B": MEMBER}, [])


def of_commit(relation: str | None) -> Plan:
    lineage = Lineage(7, "0123456789abcdef", relation)
    return make(ask(config({"A": "member: Y"}), live({"A": MEMBER}), [], lineage=lineage))


def elsewhere(*names: str) -> Plan:
    applied = Applied(config={f"idp_groups/{name}": "git@example.com:other.git//rolecall.yaml" for name in names})
    return plan({"A": MEMBER, "B": MEMBER}, {"A": "member: Y", "B": "member: Y"}, [], applied=applied, config="mine")


def shutting_out(*needed: str) -> Plan:
    org = live({"A": MEMBER}, sso=Sso(True, "Okta", "okta", False, True))
    people = [person(name, "A", origin="invite") for name in ("ann", "bo", "cy")]
    guards = Guards(required_org_admins=tuple(f"{name}@acme.com" for name in needed))
    return make(ask(config({"A": MEMBER}, Policy(guards=guards), sso=Sso(allow_passwords=False)), org, people))


def upgrading(*, admins: int = 0, people: bool = True) -> Plan:
    org = live({"A": MEMBER}, scim=Scim(True, "okta", "upgrading", False), legacy_links={})
    users = [*many(3, "A"), *(person(f"admin{n}", "A", role_attribute="admin") for n in range(admins))]
    return make(ask(config({"A": MEMBER}, scim=Scim(endpoint="new")), org, users if people else None))


CASES: list[tuple[str, Callable[[], Plan], str, int | None, int, str | None, int | None]] = [
    # guard, plan, verdict, actual, found, target, line
    ("max_people_losing_access", lambda: losing(0), "pass", 0, 0, None, None),
    ("max_people_losing_access", lambda: losing(2), "pass", 2, 2, None, None),
    ("max_people_losing_access", lambda: losing(3), "block", 3, 3, "idp_groups/A", 10),
    ("min_org_admins", lambda: admins(ADMIN, Guards(min_org_admins=2)), "pass", None, 0, None, None),
    ("min_org_admins", lambda: admins("org_admin: Y", Guards(min_org_admins=2)), "pass", 2, 0, None, None),
    ("min_org_admins", lambda: admins("org_admin: Y", Guards(min_org_admins=5)), "pass", 2, 0, None, None),
    ("min_org_admins", lambda: admins(MEMBER, Guards(min_org_admins=2)), "block", 1, 1, "idp_groups/bo", 11),
    ("min_org_admins", lambda: admins(MEMBER, Guards(min_org_admins=5)), "block", 1, 1, "idp_groups/bo", 11),
    (
        "required_org_admins",
        lambda: admins("org_admin: Y", Guards(required_org_admins=("ann@acme.com", "bo@acme.com"))),
        "pass",
        2,
        0,
        None,
        None,
    ),
    (
        "required_org_admins",
        lambda: admins(MEMBER, Guards(required_org_admins=("ann@acme.com", "bo@acme.com"))),
        "block",
        1,
        1,
        "idp_groups/bo",
        11,
    ),
    (
        "required_org_admins",
        lambda: admins("org_admin: Y", Guards(required_org_admins=("ann@acme.com", "anm@acme.com", "boo@acme.com"))),
        "review",
        1,
        1,
        None,
        None,
    ),
    ("escalations", lambda: gaining(stances()), "review", 5, 5, None, None),
    ("escalations", lambda: gaining(stances(team_admin="allow")), "review", 3, 3, "idp_groups/O", None),
    ("escalations", lambda: gaining(stances(team_admin="allow", org_admin="allow")), "pass", 5, 0, None, None),
    ("escalations", lambda: gaining(stances(org_admin="deny")), "block", 3, 3, "idp_groups/O", None),
    ("max_removals", lambda: removing(1, 1), "pass", 2, 0, None, None),
    ("max_removals", lambda: removing(2, 0), "review", 2, 2, None, None),
    ("max_removals", lambda: removing(2, 2), "review", 4, 4, None, None),
    ("max_removals", lambda: removing(4, 2), "block", 6, 6, None, None),
    ("possible_rename", lambda: renaming(2), "review", 2, 2, None, 10),
    ("possible_rename", lambda: renaming(0), "pass", None, 0, None, None),
    ("older", lambda: of_commit("older"), "review", 1, 1, None, None),
    ("older", lambda: of_commit("diverged"), "review", 1, 1, None, None),
    ("older", lambda: of_commit("newer"), "pass", None, 0, None, None),
    ("older", lambda: of_commit("same"), "pass", None, 0, None, None),
    ("older", lambda: of_commit(None), "pass", None, 0, None, None),
    ("foreign", lambda: elsewhere("A"), "review", 1, 1, "idp_groups/A", 10),
    ("foreign", lambda: elsewhere("A", "B"), "review", 2, 2, None, 10),
    ("foreign", lambda: elsewhere(), "pass", None, 0, None, None),
    ("sign_in", lambda: shutting_out(), "review", 3, 3, "sso", 4),
    ("sign_in", lambda: shutting_out("bo"), "block", 3, 3, "sso", 4),
    ("upgrade", lambda: upgrading(), "pass", None, 0, None, None),
    ("upgrade", lambda: upgrading(admins=2), "block", 2, 2, None, 4),
    ("upgrade", lambda: upgrading(people=False), "block", None, 1, None, 4),
]


@pytest.mark.parametrize(
    ("name", "made", "said", "actual", "found", "target", "line"),
    CASES,
    ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)],
)
def test_what_a_guard_counts(name, made, said, actual, found, target, line):
    result = verdict(made(), name)
    assert (result.verdict, result.actual, result.found, result.target) == (said, actual, found, target)
    assert line is None or result.source == Where("rolecall.yaml", line, result.source.column)
    assert (result.ways == ()) is (said == "pass")


def numbers(result: GuardResult) -> list[int]:
    return [int(text.replace(",", "")) for text in re.findall(r"[\d,]*\d", str(result.limit))]


@pytest.mark.parametrize(
    ("name", "made", "limits"),
    [
        ("max_people_losing_access", lambda: losing(0), [2, 2, 100]),
        ("max_people_losing_access", lambda: losing(3), [2, 2, 100]),
        (
            "max_people_losing_access",
            lambda: losing(3, Guards(max_people_losing_access=Band(Limit(5), Limit(50)))),
            [5, 50],
        ),
        ("min_org_admins", lambda: admins(MEMBER, Guards(min_org_admins=2)), [2]),
        ("min_org_admins", lambda: admins("org_admin: Y", Guards(min_org_admins=0)), [1]),
        ("required_org_admins", lambda: admins(MEMBER, Guards(required_org_admins=("ann@acme.com",))), [1]),
        ("required_org_admins", lambda: admins(MEMBER, Guards(required_org_admins=("xy@acme.com",))), [1]),
        ("max_removals", lambda: removing(1, 0), [1, 3]),
        ("max_removals", lambda: removing(2, 2), [1, 3]),
        ("max_removals", lambda: removing(2, 2, guards=Guards()), [1, 2, 30, 4, 1, 3, 30, 10]),
    ],
)
def test_the_limit_that_a_guard_names(name, made, limits):
    assert numbers(verdict(made(), name)) == limits


def test_the_stance_on_each_kind_of_escalation_is_named():
    guards = stances(team_admin="allow", org_admin="deny")
    for made in (gaining(guards), plan({"A": MEMBER}, {"A": "team_admin: X"}, None, stances(team_admin="allow"))):
        words = str(verdict(made, "escalations").limit)
        assert re.findall(r"allow|review|deny", words)[0] == "allow"
        assert len(re.findall(r"allow|review|deny", words)) == 3
    assert re.findall(r"allow|review|deny", str(verdict(gaining(guards), "escalations").limit)) == [
        "allow",
        "deny",
        "review",
    ]


def test_removals_of_two_sections_need_an_override_for_both():
    groups = Allow("max_removals", "idp_groups/*", 9, None, "")
    domains = Allow("max_removals", "domains/*", 9, None, "")
    assert verdict(removing(2, 2, groups), "max_removals").verdict == "review"
    assert verdict(removing(2, 2, groups, domains), "max_removals").verdict == "allowed"
    assert verdict(removing(4, 2, domains), "max_removals").verdict == "block"
    said = " ".join(words(verdict(removing(4, 2), "max_removals")))
    assert "`G3`" in said
    assert "`b.io`" in said


def test_what_one_section_leaves_after_an_override_is_judged_by_its_limits():
    for up_to, expected in ((1, "review"), (3, "allowed")):
        lifts = tuple(Allow("max_removals", f"idp_groups/G{n}", 1, None, "") for n in range(up_to))
        assert verdict(removing(4, 0, *lifts), "max_removals").verdict == expected


def test_the_two_ways_to_be_behind_are_told_apart_by_run_and_commit():
    older, diverged = (verdict(of_commit(relation), "older").message for relation in ("older", "diverged"))
    assert "older" in older
    assert "older" not in diverged
    for message in (older, diverged):
        assert "run 7" in message
        assert "0123456789ab" in message
        assert "0123456789abc" not in message


def test_required_org_admins_who_were_none_and_who_are_unknown_are_named_apart():
    guards = Guards(required_org_admins=("cy@acme.com", "zed@other.example"))
    groups = {"A": ADMIN, "B": MEMBER}
    people = [person("ann", "A"), person("cy", "B")]
    said = verdict(plan(groups, {**groups, "B": "member: Y"}, people, guards), "required_org_admins")
    assert said.verdict == "pass"
    first, second = re.split(r"(?<=\.) (?=[A-Z]?)", said.message)[:2]
    assert "cy@acme.com" in first
    assert "zed@other.example" in second


def test_users_who_were_read_in_part_are_too_few_to_pass_and_may_be_enough_to_block():
    def made(losing: int) -> Plan:
        people = [*many(losing, "A", stem="a"), *many(100 - losing, "B", stem="b")]
        asked = ask(config({"A": "member: Y", "B": MEMBER}), live({"A": MEMBER, "B": MEMBER}), people)
        return make(asked._replace(directory=replace(asked.directory, coverage=Coverage("partial", 100, 400))))

    few, enough = (verdict(made(number), "max_people_losing_access") for number in (2, 30))
    assert (few.verdict, numbers(few)) == ("not judged", [2, 2, 100])
    assert (enough.verdict, enough.found) == ("block", 30)
