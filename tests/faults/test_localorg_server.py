"""The local org as a running server: hostile bodies, many clients, two processes, and kill -9."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path

import pytest
from org_client import fill
from served_org import Reply, Server, speak

from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database

CLIENTS = 64
SSO = "/v1/access/sso"


class Site:
    """A database with servers on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._servers: list[Server] = []
        db = open_database(url)
        fill(db)
        self.token = make_token(db, "admin", email="ann@acme.com").secret
        db.close()

    def serve(self) -> Server:
        self._servers.append(Server(self.url))
        return self._servers[-1]

    def ask(self, server: Server, method: str, path: str, body: object = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(server.connect()) as connection:
            return speak(connection, self.token, method, path, body, named)

    def logs(self) -> str:
        return "".join(server.stop() for server in self._servers)


@pytest.fixture
def site(org_url: str) -> Iterator[Site]:
    made = Site(org_url)
    yield made
    log = made.logs()
    assert made.token not in log
    assert "Traceback" not in log


def memory(server: Server) -> int:
    """The most memory the process has had so far, in MiB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def chunks(size: int, count: int) -> Iterator[bytes]:
    return (b" " * size for _ in range(count))


def test_hostile_bodies_are_refused_and_cost_nothing(site: Site) -> None:
    server = site.serve()
    assert site.ask(server, "GET", "/v1/org").status == 200
    before = memory(server)
    assert site.ask(server, "PUT", SSO, b" " * 50_000_000, if_match="*").status == 413
    with closing(server.connect()) as connection:
        endless = speak(connection, site.token, "PUT", SSO, chunks(1 << 16, 800), {"If-Match": "*"}, chunked=True)
    assert (endless.status, endless.json()["tpe"]) == (413, "PayloadTooLarge")
    bomb = gzip.compress(b"0" * 100_000_000)
    assert site.ask(server, "PUT", SSO, bomb, if_match="*", content_encoding="gzip").status == 415
    assert site.ask(server, "PUT", SSO, b"{}", if_match="*", content_type="text/xml").status == 415
    assert memory(server) - before < 40
    assert site.ask(server, "GET", SSO).json()["name"] == "Okta"


def test_a_body_that_is_cut_short_writes_nothing(site: Site) -> None:
    server = site.serve()
    etag = site.ask(server, "GET", "/v1/access/scim").json()["etag"]
    connection = server.connect()
    connection.putrequest("PUT", "/v1/access/scim")
    for name, value in (("Authorization", f"Bearer {site.token}"), ("If-Match", "*"), ("Content-Length", "40")):
        connection.putheader(name, value)
    connection.putheader("Content-Type", "application/json")
    connection.endheaders(b'{"manual_editing": true}')
    connection.close()
    assert site.ask(server, "GET", "/v1/access/scim").json()["etag"] == etag


def test_many_clients_at_once_lose_no_update(site: Site) -> None:
    server = site.serve()

    def work(number: int) -> list[int]:
        reads = (SSO, "/v1/people?limit=1000", "/v1/idp-groups")
        statuses = [site.ask(server, "GET", path).status for path in reads]
        done = site.ask(server, "PUT", SSO, {"name": f"n{number}"}, if_match="*", idempotency_key=f"k{number}")
        return [*statuses, done.status]

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = [status for answers in pool.map(work, range(CLIENTS)) for status in answers]
    assert statuses == [200] * (4 * CLIENTS)
    log = site.ask(server, "GET", "/v1/audit-log?limit=1000").json()["data"]
    writes = [event for event in log if event["address"] == "sso"]
    assert {event["key"] for event in writes} == {f"k{number}" for number in range(CLIENTS)}
    chain = [(event["before"]["name"], event["after"]["name"]) for event in writes]
    assert all(later[0] == earlier[1] for earlier, later in pairwise(chain))
    assert site.ask(server, "GET", SSO).json()["name"] == chain[-1][1]


def test_two_processes_on_one_database_let_one_of_two_writers_win(site: Site) -> None:
    servers = (site.serve(), site.serve())
    for turn in range(10):
        etag = site.ask(servers[turn % 2], "GET", SSO).json()["etag"]

        def write(server: Server, etag: str = etag, turn: int = turn) -> int:
            return site.ask(server, "PUT", SSO, {"name": f"{server.pid} {turn}"}, if_match=etag).status

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(write, servers)) == [200, 412]


def test_two_processes_do_the_same_keyed_write_once(site: Site) -> None:
    servers = (site.serve(), site.serve())

    def write(number: int) -> bytes:
        done = site.ask(servers[number % 2], "PUT", SSO, {"name": "x"}, if_match="*", idempotency_key="same")
        assert done.status == 200
        return done.body

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(write, range(8)))) == 1
    assert site.ask(servers[0], "GET", "/v1/audit-log?key=same").json()["total"] == 1


def test_kill_9_loses_nothing_that_was_answered(site: Site) -> None:
    server = site.serve()
    answered: list[int] = []
    under_way = threading.Event()

    def push() -> None:
        with closing(server.connect()) as connection, suppress(OSError, HTTPException):
            for number in range(10_000):
                headers = {"If-Match": "*", "Idempotency-Key": f"k{number}"}
                assert speak(connection, site.token, "PUT", SSO, {"name": str(number)}, headers).status == 200
                answered.append(number)
                if number == 20:
                    under_way.set()

    pusher = threading.Thread(target=push)
    pusher.start()
    assert under_way.wait(60)
    server.kill()
    pusher.join(60)
    assert not pusher.is_alive()

    again = site.serve()
    log = read_all(lambda path: site.ask(again, "GET", path), "/v1/audit-log")
    kept = [int(key[1:]) for event in log if (key := event["key"])]
    assert kept[: len(answered)] == answered
    assert len(kept) <= len(answered) + 1
    assert site.ask(again, "GET", SSO).json()["name"] == str(kept[-1])


def read_all(get: Callable[[str], Reply], path: str) -> list[dict[str, str]]:
    """All pages of a list."""
    rows: list[dict[str, str]] = []
    page = get(f"{path}?limit=1000").json()
    while True:
        rows += page["data"]
        if not page["has_more"]:
            return rows
        page = get(f"{path}?limit=1000&after={page['last_id']}").json()
