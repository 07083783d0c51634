"""Test the sentences about temporary access changes."""

from __future__ import annotations

import pytest
from small_org import many, person, plan

from rolecall.model.policy import TeamRole
from rolecall.plan.order.transients import LIMITED, SPLIT_HINT, transient_sentences
from rolecall.plan.value import Impact, Transient, Who

CROSSED = ({"A": "member: X", "B": "member: Y"}, {"A": "member: Y", "B": "member: X"})


def test_people_alike_are_one_sentence_and_the_way_out_comes_last():
    made = plan(*CROSSED, many(5, "A", "B"))
    assert list(transient_sentences(made.impact)) == [
        "5 users temporarily lose X member from step 1 to step 2: "
        "p000@acme.com, p001@acme.com, p002@acme.com and 2 more.",
        SPLIT_HINT,
    ]


def test_one_person_and_a_spike():
    rows = (Transient(Who("u", "ann@acme.com"), "has", TeamRole("X", "team_admin"), 1, 3),)
    assert next(transient_sentences(Impact(1, transients=rows))) == (
        "1 user temporarily gains X team admin from step 1 to step 3: ann@acme.com."
    )
    unnamed = (rows[0]._replace(who=Who("u", None)),)
    assert next(transient_sentences(Impact(1, transients=unnamed))).endswith("to step 3.")


def test_none_found_is_not_none_there_is():
    made = plan({"A": "member: X", "B": "member: Y"}, {"A": "member: Z", "B": "member: X"}, [person("ann", "A", "B")])
    assert list(transient_sentences(made.impact)) == [
        "Steps are ordered so that no user temporarily loses or gains access (1 user checked)."
    ]


def test_nothing_is_claimed_of_users_who_were_not_read():
    made = plan({"A": "member: X", "B": "member: Y"}, {"A": "member: Z", "B": "member: X"}, [person("ann", "A", "B")])
    assert list(transient_sentences(made.impact._replace(problem="Users were partially read."))) == [
        "Steps are ordered so that no user that was read temporarily loses or gains access (1 user checked)."
    ]


def test_nobody_at_risk_is_nothing_to_say():
    assert list(transient_sentences(plan(*CROSSED, many(3, "A")).impact)) == []


def test_many_kinds_are_counted():
    rows = tuple(Transient(Who("u", "a@b.c"), "lacks", TeamRole(f"T{n}", "member"), 1, 2) for n in range(9))
    told = list(transient_sentences(Impact(1, transients=rows)))
    assert len(told) == 7
    assert told[-2] == "And 4 more temporary access changes."


def test_a_search_that_reached_its_limit_is_reported_beside_what_it_could_not_avoid():
    rows = (Transient(Who("1", "ann@acme.com"), "lacks", TeamRole("X", "member"), 1, 2),)
    assert list(transient_sentences(Impact(1, transients=rows, order_limited=True)))[1:] == [LIMITED, SPLIT_HINT]
    assert LIMITED not in transient_sentences(Impact(1, transients=rows))


@pytest.mark.parametrize("kind", ["lacks", "has"])
def test_the_verb_agrees_with_the_number_of_users(kind):
    rows = tuple(Transient(Who(email, email), kind, TeamRole("X", "member"), 1, 2) for email in ("a@b.c", "d@e.f"))
    several, one = (next(transient_sentences(Impact(1, transients=rows[:number]))) for number in (2, 1))
    assert several.startswith("2 users ")
    assert one.startswith("1 user ")
    verbs = [text.split("temporarily ")[1].split()[0] for text in (several, one)]
    assert verbs[1] == f"{verbs[0]}s"


def test_transients_are_sorted_by_user_and_then_by_step():
    before, after = {"A": "member: X", "B": "member: Y"}, {"A": "member: Y", "B": "member: X"}
    people = [person(name, "A", "B")._replace(id=f"u-{99 - number}") for number, name in enumerate(("ann", "bo", "cy"))]
    made = plan(before, after, people)
    emails = [transient.who.email for transient in made.impact.transients]
    assert emails == sorted(emails)
    assert len(set(emails)) == 3
