"""Writing to an org that misbehaves: the same request again, and never a guess at whether it stands."""

from __future__ import annotations

import asyncio

import pytest
from faulty_client import HTML, FakeClock, client, run
from faulty_org import DEFAULTS, Asked, Close, Faulty, Reply, Silence, at, error, faulty_org, page, reply, script, well

from rolecall.live.client import OrgClient
from rolecall.live.http.exchange import RETRIES, RETRIES_BUSY
from rolecall.model.change import Change
from rolecall.model.outcome import Done, Failed, Moved, Outcome, Refused, Unknown
from rolecall.model.settings import Address, Defaults, Domain, GroupMapping

UPDATE = Change(Address("defaults"), "update", Defaults("member"), Defaults("team_admin"))
WRITTEN = DEFAULTS | {"role": "team_admin", "etag": '"2"'}
WRITE_PATH = "/v1/access/defaults"


def write(*answers: Reply, clock: FakeClock | None = None, timeout: float = 5.0) -> tuple[Outcome, Faulty]:
    """The outcome of UPDATE when its PUT gets these answers and everything else is well."""
    said = script(*answers)
    with faulty_org(lambda asked: said(asked) if asked.method == "PUT" else well(asked)) as faulty:
        return run(faulty, lambda org: org.write(UPDATE, '"1"', "the/key"), clock, timeout), faulty


def puts(faulty: Faulty) -> list[Asked]:
    return [asked for asked in faulty.asked if asked.method == "PUT"]


def test_a_write_is_one_request_that_says_what_must_stand() -> None:
    outcome, faulty = write(reply(WRITTEN))
    assert outcome == Done(Defaults("team_admin", frozenset({"Everyone"})), '"2"')
    (put,) = puts(faulty)
    assert put.body == b'{"role":"team_admin"}'
    assert (put.headers["if-match"], put.headers["idempotency-key"]) == ('"1"', "the/key")


LOST: list[Reply] = [Close(), Close(b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{"), error(500), reply(HTML, 502)]
KINDS = ["closed", "cut", "500", "502"]


@pytest.mark.parametrize("lost", LOST, ids=KINDS)
def test_a_write_whose_answer_is_lost_is_sent_again_as_it_was(lost: Reply) -> None:
    outcome, faulty = write(lost, lost, lost, reply(WRITTEN))
    assert isinstance(outcome, Done)
    assert len(puts(faulty)) == 1 + RETRIES
    same = {(asked.body, asked.headers["idempotency-key"], asked.headers["if-match"]) for asked in puts(faulty)}
    assert same == {(b'{"role":"team_admin"}', "the/key", '"1"')}


@pytest.mark.parametrize("lost", LOST, ids=KINDS)
def test_a_write_that_never_gets_an_answer_is_unknown(lost: Reply) -> None:
    outcome, faulty = write(lost)
    assert isinstance(outcome, Unknown)
    assert "4 attempts" in outcome.problem.message
    assert len(puts(faulty)) == 1 + RETRIES


def test_a_write_that_times_out_is_unknown() -> None:
    outcome, faulty = write(Silence(), timeout=0.1)
    assert isinstance(outcome, Unknown)
    assert len(puts(faulty)) == 1 + RETRIES


@pytest.mark.parametrize("status, tries", [(429, 1 + RETRIES_BUSY), (503, 1 + RETRIES)])
def test_a_write_that_the_org_had_no_time_for_was_not_done(status: int, tries: int) -> None:
    outcome, faulty = write(error(status))
    assert isinstance(outcome, Refused)
    assert f"{tries} attempts" in outcome.problem.message
    assert len(puts(faulty)) == tries


def test_a_write_that_may_have_been_done_before_the_org_got_busy_is_unknown() -> None:
    assert isinstance(write(Close(), error(503))[0], Unknown)


def test_a_write_waits_as_the_org_asks_and_sends_the_same() -> None:
    clock = FakeClock()
    outcome, faulty = write(error(429, retry_after="3"), error(503, retry_after="2"), reply(WRITTEN), clock=clock)
    assert isinstance(outcome, Done)
    assert sum(clock.slept) == pytest.approx(5.0)
    assert len({asked.headers["idempotency-key"] for asked in puts(faulty)}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422, 428])
def test_what_the_org_says_no_to_is_refused_in_its_words(status: int) -> None:
    outcome, faulty = write(error(status, "because of reasons"))
    assert isinstance(outcome, Refused)
    assert "because of reasons" in outcome.problem.message
    assert len(puts(faulty)) == 1


def test_a_redirect_of_a_write_is_refused() -> None:
    assert isinstance(write(reply(b"", 307, location="https://evil.example.com"))[0], Refused)


def test_a_stale_write_says_what_stands_now() -> None:
    assert write(error(412))[0] == Moved(Defaults("member", frozenset({"Everyone"})), '"1"')


def test_an_org_that_takes_a_write_and_holds_something_else() -> None:
    assert write(reply(DEFAULTS))[0] == Failed(Defaults("member", frozenset({"Everyone"})))


@pytest.mark.parametrize("said", [b"", HTML, b"[]", b'{"role": 3}'], ids=["nothing", "html", "list", "no etag"])
def test_an_answer_without_the_item_is_read_back(said: bytes) -> None:
    outcome, faulty = write(reply(said))
    assert isinstance(outcome, Failed)
    assert [asked.method for asked in faulty.paths(WRITE_PATH)][-1] == "GET"


@pytest.mark.parametrize("stands, outcome_type", [(WRITTEN, Done), ({"teams": ["Everyone"], "etag": '"2"'}, Unknown)])
def test_an_answer_without_the_field_that_was_written_is_read_back(
    stands: dict[str, object], outcome_type: type
) -> None:
    partial = reply({"teams": ["Everyone"], "etag": '"2"'})
    with faulty_org(
        lambda asked: partial if asked.method == "PUT" else at(WRITE_PATH, lambda _: reply(stands))(asked)
    ) as faulty:
        outcome = run(faulty, lambda org: org.write(UPDATE, '"1"', "k"))
    assert isinstance(outcome, outcome_type)


@pytest.mark.parametrize("status", [200, 412])
def test_what_cannot_be_read_back_is_unknown(status: int) -> None:
    unreadable = at(WRITE_PATH, script(error(403)))
    with faulty_org(lambda asked: reply(b"", status) if asked.method == "PUT" else unreadable(asked)) as faulty:
        outcome = run(faulty, lambda org: org.write(UPDATE, '"1"', "k"))
    assert isinstance(outcome, Unknown)


def test_a_write_that_was_never_sent_is_refused() -> None:
    with faulty_org(well) as faulty:
        org = client(faulty.base, FakeClock())

        async def read() -> None:
            await org.read()
            await org.close()

        asyncio.run(read())
    outcome = asyncio.run(org.write(UPDATE, '"1"', "k"))
    assert isinstance(outcome, Refused)
    assert outcome.problem.code == "org_unreachable"


def test_a_write_that_needs_a_read_that_fails_is_refused() -> None:
    mapping = Change(Address("idp_groups/A"), "create", None, GroupMapping("member", frozenset({"B"})))
    with faulty_org(lambda asked: error(401)) as faulty:
        outcome = run(faulty, lambda org: org.write(mapping, None, "k"))
        assert not puts(faulty)
    assert isinstance(outcome, Refused)
    assert outcome.problem.code == "org_unauthorized"


def test_groups_once_read_are_known_though_a_later_read_fails() -> None:
    group = {"id": "g1", "name": "A", "mapping": None, "etag": '"3"'}
    mapped = {**group, "mapping": {"role": "member", "teams": ["B"]}, "etag": '"4"'}
    lists = script(page([group]), error(500))

    def answer(asked: Asked) -> Reply:
        if asked.method == "PUT":
            return reply(mapped)
        return lists(asked) if asked.path == "/v1/idp-groups" else well(asked)

    async def work(org: OrgClient) -> Outcome:
        await org.read()
        assert (await org.read()).covered("idp_groups").state == "unread"
        mapping = GroupMapping("member", frozenset({"B"}))
        return await org.write(Change(Address("idp_groups/A"), "create", None, mapping), '"3"', "k")

    with faulty_org(answer) as faulty:
        outcome = run(faulty, work)
        assert [asked.path for asked in puts(faulty)] == ["/v1/idp-groups/g1/mapping"]
    assert outcome == Done(GroupMapping("member", frozenset({"B"})), '"4"')


def test_a_claim_that_conflicts_with_nothing_the_org_has_is_refused_in_its_words() -> None:
    claim = Change(Address("domains/acme.io"), "create", None, Domain(True, "approval"))

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return error(409, "taken by another org")
        return error(404) if asked.path.endswith("acme.io") else well(asked)

    with faulty_org(answer) as faulty:
        outcome = run(faulty, lambda org: org.write(claim, None, "the/key"))
    assert isinstance(outcome, Refused)
    assert outcome.problem.code == "org_409"
    assert "taken by another org" in outcome.problem.message


def test_what_a_step_reports_of_a_failure_is_short() -> None:
    outcome, _ = write(error(503, "down for maintenance", retry_after="1"), clock=FakeClock())
    assert isinstance(outcome, Refused)
    message = outcome.problem.message
    assert message.startswith("503 from the org: down for maintenance")
    assert "wait" not in message
    assert WRITE_PATH not in message


def test_an_unknown_outcome_says_what_to_do() -> None:
    partial = reply({"teams": ["Everyone"], "etag": '"2"'})
    with faulty_org(
        lambda asked: partial if asked.method == "PUT" else at(WRITE_PATH, lambda _: partial)(asked)
    ) as faulty:
        outcomes = [write(Close())[0], run(faulty, lambda org: org.write(UPDATE, '"1"', "the/key"))]
    with faulty_org(
        lambda asked: reply(b"") if asked.method == "PUT" else at(WRITE_PATH, lambda _: error(403))(asked)
    ) as faulty:
        outcomes.append(run(faulty, lambda org: org.write(UPDATE, '"1"', "the/key")))
    for outcome in outcomes:
        assert isinstance(outcome, Unknown)
        assert outcome.problem.hint
