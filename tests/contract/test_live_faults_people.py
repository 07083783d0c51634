"""Reading people from an org that misbehaves, or where somebody comes or goes meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest
from faulty_client import HTML, run
from faulty_org import ORG, Asked, Reply, at, error, faulty_org, page, reply, script, well

from rolecall.live.people.org_api import MOST_NAMED
from rolecall.model.directory import EVERYBODY, PeopleScope


def person(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"p{number}", "email": f"p{number}@acme.com", "groups": [], **more}


@pytest.mark.parametrize(
    "answer",
    [
        error(403),
        error(500),
        reply(HTML),
        page([person(1), person(1)]),
        page([person(1), person(2, email="P1@acme.com")]),
        page([person(1)], total=9),
        page([{"id": "p1"}]),
        page([person(1, groups="A")]),
        page([person(1)], more=True, total=1),
    ],
    ids=["403", "500", "html", "twice", "same e-mail", "total", "no e-mail", "groups", "no end"],
)
def test_people_that_cannot_be_read_are_unread(answer: Reply) -> None:
    with faulty_org(at("/v1/people", script(answer))) as faulty:
        found = run(faulty, lambda org: org.read_people(EVERYBODY))
    assert (len(found), found.coverage.state) == (0, "unread")
    assert found.coverage.problem


def test_people_may_come_and_go_while_they_are_read() -> None:
    pages = script(
        page([person(1), person(2)], more=True, total=4),
        page([person(4)], total=3, revision="2"),
    )
    with faulty_org(at("/v1/people", pages)) as faulty:
        found = run(faulty, lambda org: org.read_people(EVERYBODY))
    assert list(found.ids) == ["p1", "p2", "p4"]
    assert found.coverage[:3] == ("complete", 3, 3)


def test_a_list_of_people_without_an_end_is_given_up() -> None:
    def endless(asked: Asked) -> Reply:
        if asked.path != "/v1/people":
            return well(asked)
        start = int(asked.target.rpartition("after=p")[2]) if "after=" in asked.target else 0
        rows = [person(number) for number in range(start + 1, start + 3001)]
        return page(rows, more=True, total=2, revision=str(start))

    with faulty_org(endless) as faulty:
        found = run(faulty, lambda org: org.read_people(EVERYBODY))
        assert len(faulty.paths("/v1/people")) < 12
    assert found.coverage.state == "unread"


def test_everybody_of_a_large_org_is_read_in_parts() -> None:
    def parts(asked: Asked) -> Reply:
        if asked.path == "/v1/org":
            return reply(ORG | {"limits": {"page": 10}, "counts": {"people": 1000, "active_people": 9}})
        part = asked.target.partition("partition=")[2].partition("%2F")[0]
        return page([person(int(part))]) if asked.path == "/v1/people" else well(asked)

    with faulty_org(parts) as faulty:
        found = run(faulty, lambda org: org.read_people(EVERYBODY))
        assert len(faulty.paths("/v1/people")) == 8
    assert sorted(found.ids) == [f"p{number}" for number in range(8)]


def test_a_person_in_two_parts_is_a_list_that_is_not_believed() -> None:
    large = reply(ORG | {"limits": {"page": 10}, "counts": {"people": 1000, "active_people": 9}})
    answers = {"/v1/org": large, "/v1/people": page([person(1)])}
    with faulty_org(lambda asked: answers.get(asked.path) or well(asked)) as faulty:
        found = run(faulty, lambda org: org.read_people(EVERYBODY))
    assert found.coverage.state == "unread"


def test_an_org_that_cannot_search_is_asked_for_everybody() -> None:
    answer = at("/v1/org", script(reply(ORG | {"capabilities": ["people.read"]})))
    with faulty_org(answer) as faulty:
        run(faulty, lambda org: org.read_people(PeopleScope(org_admins=True)))
        assert faulty.paths("/v1/people")
        assert not faulty.paths("/v1/people/search")


def test_a_scope_that_names_many_is_searched_in_parts() -> None:
    found = iter([page([person(1), person(2)]), page([person(2), person(3)])])
    emails = frozenset(f"p{number}@acme.com" for number in range(MOST_NAMED + 1))
    with faulty_org(at("/v1/people/search", lambda asked: next(found))) as faulty:
        directory = run(faulty, lambda org: org.read_people(PeopleScope(emails=emails, org_admins=True)))
        bodies = [json.loads(asked.body) for asked in faulty.paths("/v1/people/search")]
    assert sorted(directory.ids) == ["p1", "p2", "p3"]
    assert directory.coverage[:3] == ("complete", 3, 3)
    assert {email for body in bodies for email in body["emails"]} == emails
    assert sum("org_admins" in body for body in bodies) == 1
    assert directory.requests >= len(bodies) == 2


def test_nobody_is_asked_for_when_nobody_is_in_scope() -> None:
    with faulty_org(well) as faulty:
        found = run(faulty, lambda org: org.read_people(PeopleScope()))
        assert not [asked for asked in faulty.asked if "people" in asked.path]
    assert (len(found), found.coverage.state) == (0, "complete")
