"""Reading an org that misbehaves: never a hang, never a leak, nothing believed that contradicts itself."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest
from faulty_client import HTML, TOKEN, FakeClock, client, run
from faulty_org import ORG, Asked, Close, Reply, Silence, at, error, faulty_org, page, reply, script, well

from rolecall.errors import OrgError, SecretError
from rolecall.live.client import OrgClient
from rolecall.live.http.exchange import RETRIES, RETRIES_BUSY
from rolecall.live.http.httpx_transport import LARGEST_ANSWER, HttpTransport, base_url
from rolecall.live.http.lists import LARGEST_PAGE
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, Defaults, Domain, Sso


def read(answer: Callable[[Asked], Reply], clock: FakeClock | None = None, timeout: float = 5.0) -> Live:
    with faulty_org(answer) as faulty:
        return run(faulty, lambda org: org.read(), clock, timeout)


def refused(answer: Callable[[Asked], Reply], clock: FakeClock | None = None, timeout: float = 5.0) -> OrgError:
    with pytest.raises(OrgError) as caught:
        read(answer, clock, timeout)
    assert TOKEN not in str(caught.value)
    assert len(caught.value.problems) == 1
    return caught.value


def test_an_org_that_is_well_is_read() -> None:
    live = read(well)
    assert live.settings.defaults == Defaults("member", frozenset({"Everyone"}))
    assert live.requests == 8


def test_an_org_that_nobody_listens_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    clock = FakeClock()
    with pytest.raises(OrgError) as caught:
        asyncio.run(client(f"http://127.0.0.1:{port}", clock).read())
    assert caught.value.problems[0].code == "org_unreachable"
    assert len(clock.slept) == RETRIES


@pytest.mark.parametrize(
    "answer, code",
    [
        (reply(HTML, content_type="text/html"), "org_contract"),
        (reply(b'{"id": "org_1", "na'), "org_contract"),
        (reply(b"[" * 200_000), "org_contract"),
        (reply(b"\xff\xfe"), "org_contract"),
        (reply({"name": "no id"}), "org_contract"),
        (reply([]), "org_contract"),
        (reply(ORG | {"caller": 3}), "org_contract"),
        (error(401, "bad token"), "org_unauthorized"),
        (error(403, "no"), "org_forbidden"),
        (reply(HTML, 404, content_type="text/html"), "org_contract"),
        (error(500), "org_failed"),
        (reply(HTML, 502, content_type="text/html"), "org_failed"),
        (error(429), "org_busy"),
        (reply(b"", 302, location="http://evil.example.com/v1/org"), "org_redirect"),
        (reply(b"", 301, location="//[broken"), "org_redirect"),
        (reply(b"", 308), "org_redirect"),
        (error(418, "teapot"), "org_418"),
        (Close(), "org_cut"),
        (Close(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"), "org_cut"),
        (Close(b"HTTP/1.1 200 OK\r\ncontent-"), "org_cut"),
        (Close(b"SSH-2.0-OpenSSH_9.6\r\n"), "org_cut"),
        (reply(b"not gzip", content_encoding="gzip"), "org_cut"),
        (reply(gzip.compress(bytes(LARGEST_ANSWER + 1)), content_encoding="gzip"), "org_too_large"),
        (reply(ORG | {"caller": {"email": "bo@acme.com", "rights": "none"}}), "org_forbidden"),
    ],
    ids=range(24),
)
def test_an_org_whose_first_answer_is_wrong(answer: Reply, code: str) -> None:
    problem = refused(lambda asked: answer).problems[0]
    assert problem.code == code
    assert problem.message
    assert problem.hint or code in ("org_418", "org_too_large")


@pytest.mark.parametrize("body", [[], None, "x", 7, ORG | {"caller": 3}, ORG | {"id": 7}, {"name": "no id"}])
def test_what_is_wrong_with_an_answer_is_said_in_words_of_the_contract(body: Any) -> None:
    (problem,) = refused(lambda asked: reply(body)).problems
    assert problem.message.startswith("the response to GET /v1/org is not valid: ")
    assert not any(word in problem.message for word in ("object", "indices", "NoneType", "'str'", "int"))


def test_a_redirect_names_the_very_place() -> None:
    (problem,) = refused(lambda asked: reply(b"", 307, location="http://u:pw@127.0.0.1:8/x?token=canary")).problems
    assert "redirected GET /v1/org to http://127.0.0.1:8" in problem.message
    assert "pw" not in problem.message
    assert "canary" not in problem.message


def test_an_org_that_says_nothing() -> None:
    assert refused(lambda asked: Silence(), timeout=0.05).problems[0].code == "org_timeout"


def test_an_answer_that_trickles_is_not_waited_for_for_ever() -> None:
    def trickle() -> Any:
        yield b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n"
        while True:
            yield b" "

    assert refused(lambda asked: trickle(), timeout=0.2).problems[0].code == "org_timeout"


def test_a_redirect_is_never_followed_with_the_token() -> None:
    with faulty_org(well) as other:
        to_other = script(reply(b"", 307, location=f"{other.base}/v1/org"))
        assert "redirect" in str(refused(to_other))
        assert other.asked == []


def test_an_error_that_quotes_the_token_does_not_carry_it_on() -> None:
    assert "***" in str(refused(script(error(401, f"unknown token {TOKEN}"))))


def test_control_characters_of_the_org_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in str(refused(script(error(403, "\x1b[2J\nno"))))


def test_the_token_is_sent_and_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with faulty_org(script(error(503), error(401), reply(ORG))) as faulty:
        with pytest.raises(OrgError):
            run(faulty, lambda org: org.read())
        assert {asked.headers["authorization"] for asked in faulty.asked} == {f"Bearer {TOKEN}"}
    shown = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert shown
    assert not [line for line in shown if TOKEN in line]
    own = [record.__dict__ for record in caplog.records if record.name == "rolecall.live.http.exchange"]
    assert [(row["code"], row["method"], row["path"], row["status"]) for row in own] == [
        ("answered", "GET", "/v1/org", 503),
        ("trying_again", "GET", "/v1/org", 503),
        ("answered", "GET", "/v1/org", 401),
    ]
    assert all(isinstance(row["seconds"], float) for row in own)


@pytest.mark.parametrize("token", ["", "with space", "line\nbreak", "smörgås"])
def test_a_token_that_cannot_be_sent_is_refused_before_anything_is(token: str) -> None:
    with faulty_org(well) as faulty:
        org = OrgClient(HttpTransport(base_url(faulty.base), lambda: token))
        with pytest.raises(SecretError) as caught:
            asyncio.run(org.read())
        assert faulty.asked == []
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "headers, wait",
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"date": "Sun, 22 Nov 2026 10:00:00 GMT", "retry_after": "Sun, 22 Nov 2026 10:00:12 GMT"}, 12.0),
        ({"date": "Sun, 22 Nov 2026 10:00:00 GMT", "retry_after": "Sun, 22 Nov 2026 09:00:00 GMT"}, 0.0),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:12 GMT"}, 0.25),
        ({"retry_after": "soon"}, 0.25),
        ({"retry_after": "-5"}, 0.25),
        ({}, 0.25),
    ],
    ids=range(8),
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_org_asks_for_is_kept(status: int, headers: dict[str, str], wait: float) -> None:
    clock = FakeClock()
    live = read(at("/v1/org", script(error(status, **headers), reply(ORG))), clock)
    assert live.facts.org_id == "org_1"
    assert sum(clock.slept) == pytest.approx(wait)


def test_a_wait_that_is_too_long_is_told_instead() -> None:
    clock = FakeClock()
    assert "86400 s" in str(refused(script(error(429, retry_after="86400")), clock))
    assert clock.slept == []


@pytest.mark.parametrize("status, again", [(429, RETRIES_BUSY), (500, RETRIES), (503, RETRIES)])
def test_an_org_that_is_busy_or_broken_for_ever_is_given_up(status: int, again: int) -> None:
    clock = FakeClock()
    refused(script(error(status)), clock)
    assert len(clock.slept) == again


def test_requests_keep_to_the_orgs_budget() -> None:
    clock = FakeClock()
    live = read(at("/v1/org", script(reply(ORG | {"limits": {"per_minute": 3}}))), clock)
    assert live.requests == 8
    assert 120 <= clock.at < 180


ONE = {"name": "acme.com", "etag": '"1"'}

UNREADABLE: list[Reply] = [
    error(401),
    error(403),
    error(404),
    error(500),
    reply(HTML),
    reply({"data": []}),
    reply(b"", 302, location="https://evil.example.com"),
    page([ONE], more=True, total=1),
    page([ONE, ONE]),
    page([ONE, {"name": "ACME.com", "etag": '"2"'}]),
    page([ONE], total=2),
    page([ONE], total=0),
    page([], more=True, total=3),
    page([{"name": "acme.com"}]),
    page([{"etag": '"1"'}]),
    page([{"name": "not a domain", "etag": '"1"'}]),
    page(["acme.com"]),
    reply({"data": [], "has_more": False, "last_id": None, "total": 0, "revision": "1", "next": "/v1/domains?after=1"}),
    reply({"data": [], "has_more": False, "total": 0, "revision": "1"}, link='</v1/domains?after=1>; rel="next"'),
    Close(),
]


@pytest.mark.parametrize("answer", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_section_that_cannot_be_read_whole_is_unread_and_says_why(answer: Reply) -> None:
    live = read(at("/v1/domains", lambda asked: answer))
    assert live.settings.domains is UNSET
    assert live.covered("domains").state == "unread"
    assert live.covered("domains").problem
    assert live.covered("defaults").state == "complete"


def test_a_field_that_an_answer_does_not_have_is_not_read() -> None:
    live = read(at("/v1/access/sso", lambda asked: reply({"enabled": True, "allow_passwords": False, "etag": '"1"'})))
    assert live.settings.sso == Sso(enabled=True, allow_passwords=False)
    domains = page([{"name": "acme.com", "join": "approval", "etag": '"1"'}])
    live = read(at("/v1/domains", lambda asked: domains))
    assert live.settings.domains == {"acme.com": Domain(join="approval")}


@pytest.mark.parametrize("absent", ["role", "teams"])
def test_groups_of_which_a_mapping_lacks_a_part_are_unread(absent: str) -> None:
    mapping = {"role": "member", "teams": ["Everyone"]}
    del mapping[absent]
    row = {"id": "g1", "name": "A", "external_id": None, "member_count": 1, "mapping": mapping, "etag": '"1"'}
    live = read(at("/v1/idp-groups", lambda asked: page([row])))
    assert live.settings.idp_groups is UNSET
    assert f"`{absent}`" in (live.covered("idp_groups").problem or "")


def test_a_list_that_shifts_once_is_read_again() -> None:
    rows = [{"name": f"d{number}.com", "etag": f'"{number}"'} for number in range(4)]
    shifting = script(
        page(rows[:2], more=True, total=4),
        page(rows[2:], total=4, revision="2"),
        page(rows[:2], more=True, total=4, revision="2"),
        page(rows[2:], total=4, revision="2"),
    )
    with faulty_org(at("/v1/domains", shifting)) as faulty:
        live = run(faulty, lambda org: org.read())
        targets = [asked.target for asked in faulty.paths("/v1/domains")]
    assert set(live.settings.domains or ()) == {"d0.com", "d1.com", "d2.com", "d3.com"}
    assert targets == ["/v1/domains?limit=100", "/v1/domains?limit=100&after=d1.com"] * 2


@pytest.mark.parametrize(
    "second",
    [
        page([{"name": "b.com", "etag": '"1"'}], total=2, revision="2"),
        page([ONE], total=2),
        page([{"name": "b.com", "etag": '"1"'}], total=3),
        page([], total=2),
    ],
    ids=["revision", "overlap", "total", "shrinks"],
)
def test_a_list_that_shifts_twice_is_unread(second: bytes) -> None:
    first = page([ONE], more=True, total=2)
    live = read(at("/v1/domains", script(first, second, first, second)))
    assert live.covered("domains").state == "unread"


def test_an_org_that_falls_silent_after_its_first_answer() -> None:
    silent = refused(lambda asked: reply(ORG) if asked.path == "/v1/org" else Close())
    assert silent.problems[0].code == "org_cut"


def test_a_plan_without_scim_means_that_scim_is_off() -> None:
    refuse = error(403, "not in this plan", key="scim_not_in_plan")
    live = read(lambda asked: refuse if asked.path in ("/v1/access/scim", "/v1/idp-groups") else well(asked))
    assert live.settings.idp_groups == {}
    assert live.settings.scim is not UNSET
    assert live.settings.scim.enabled is False
    assert "scim" not in live.facts.features


def test_one_client_serves_one_loop_after_another() -> None:
    with faulty_org(well) as faulty:
        org = client(faulty.base, FakeClock())

        async def read_and_close() -> Live:
            try:
                return await org.read()
            finally:
                await org.close()

        assert asyncio.run(read_and_close()) == asyncio.run(read_and_close())


@pytest.mark.parametrize("said, asked", [(500, 500), (0, 1), (10**9, LARGEST_PAGE)])
def test_pages_are_as_large_as_the_org_takes_within_reason(said: int, asked: int) -> None:
    with faulty_org(at("/v1/org", script(reply(ORG | {"limits": {"page": said}})))) as faulty:
        run(faulty, lambda org: org.read())
        assert {one.target for one in faulty.paths("/v1/teams")} == {f"/v1/teams?limit={asked}"}


@pytest.mark.parametrize(
    "facts, named",
    [
        ({"limits": {"page": -3}}, "`limits.page`: expected a count, not -3"),
        ({"limits": {"per_minute": "60"}}, '`limits.per_minute`: expected a count, not "60"'),
        ({"counts": {"people": -3}}, "`counts.people`: expected a count, not -3"),
        ({"counts": {"active_people": True}}, "`counts.active_people`: expected a count, not true"),
    ],
)
def test_a_count_that_is_none_is_refused_by_name(facts: dict[str, Any], named: str) -> None:
    problem = refused(at("/v1/org", script(reply(ORG | facts)))).problems[0]
    assert problem.code == "org_contract"
    assert named in problem.message


def test_a_group_whose_name_is_that_of_another_with_its_id_leaves_the_groups_unread() -> None:
    def group(number: str, name: str) -> dict[str, Any]:
        return {"id": number, "name": name, "external_id": None, "member_count": 1, "mapping": None, "etag": '"1"'}

    groups = [group("1", "A"), group("2", "A"), group("3", "A [2]")]
    coverage = read(at("/v1/idp-groups", lambda _: page(groups))).covered("idp_groups")
    assert coverage.state == "unread"
    assert "/v1/idp-groups" in (coverage.problem or "")
