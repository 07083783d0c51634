"""Many clients at once, two processes on one database, and a server killed in the middle of a push."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from scim_org import GROUP, PATCH_OP, USER, Client, fresh, served

from rolecall.localorg.scim.handle import PREFIX
from rolecall.localorg.store import Database, open_database

CLIENTS = 64

SERVER = """
import sys
from rolecall.localorg.serve import serve
from rolecall.localorg.store import open_database
serve(open_database(sys.argv[1]), port=0, announce=lambda url: print(url, flush=True))
"""


def everybody(work: Callable[[int], int]) -> list[int]:
    """The answers to 64 clients that all start at once."""
    start = threading.Barrier(CLIENTS)

    def one(number: int) -> int:
        start.wait(30)
        return work(number)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, range(CLIENTS)))


def test_64_clients_lose_no_update(scim_db: Database) -> None:
    scim = Client(scim_db)
    group, shared = scim.group("Writers"), scim.user("shared@acme.com")

    def push(number: int) -> int:
        """A joiner, their membership, and a phone number of their own on one shared user."""
        mine = scim.user(f"u{number}@acme.com")
        add = {"op": "Add", "path": "members", "value": [{"value": mine}]}
        phone = {"op": "Add", "path": "phoneNumbers", "value": [{"value": str(number), "type": "work"}]}
        answers = (scim.patch(f"/Groups/{group}", add), scim.patch(f"/Users/{shared}", phone))
        return max(answer.status for answer in answers)

    assert set(everybody(push)) == {200}
    assert len(scim.members(group)) == CLIENTS
    phones = {one["value"] for one in scim.get(f"/Users/{shared}").body["phoneNumbers"]}
    assert phones == {str(number) for number in range(CLIENTS)}
    assert scim.get("/Users", count=0).body["totalResults"] == CLIENTS + 1


def test_64_clients_make_one_user_once(scim_db: Database) -> None:
    scim = Client(scim_db)
    made = everybody(lambda number: scim.post("/Users", {"schemas": [USER], "userName": "Ann@acme.com"}).status)
    assert sorted(made) == [201] + [409] * (CLIENTS - 1)


def test_with_if_match_one_of_64_wins(scim_db: Database) -> None:
    scim = Client(scim_db)
    ann = scim.user("ann@acme.com")
    etag = scim.get(f"/Users/{ann}").headers["etag"]

    def title(number: int) -> int:
        change = {"op": "replace", "path": "title", "value": str(number)}
        return scim.patch(f"/Users/{ann}", change, if_match=etag).status

    assert sorted(everybody(title)) == [200] + [412] * (CLIENTS - 1)


@contextmanager
def process(path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server process of its own on a database file, and its base URL."""
    started = subprocess.Popen([sys.executable, "-c", SERVER, str(path)], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    try:
        yield started.stdout.readline().strip(), started
    finally:
        started.kill()
        started.wait(20)
        started.stdout.close()


def http(url: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    return httpx.Client(base_url=url + PREFIX, headers=headers, timeout=60, trust_env=False)


def test_two_processes_share_one_database(tmp_path: Path) -> None:
    scim = Client(fresh(tmp_path / "org.db"))
    group = scim.group("Writers")

    def push(client: httpx.Client, number: int) -> int:
        made = client.post("/Users", json={"schemas": [USER], "userName": f"u{number}@acme.com"})
        add = {"op": "add", "path": "members", "value": [{"value": made.json()["id"]}]}
        return client.patch(f"/Groups/{group}", json={"schemas": [PATCH_OP], "Operations": [add]}).status_code

    path = tmp_path / "org.db"
    with (
        process(path) as (first, _),
        process(path) as (second, _),
        http(first, scim.token) as one,
        http(second, scim.token) as two,
        ThreadPoolExecutor(8) as pool,
    ):
        done = list(pool.map(lambda number: push(one if number % 2 else two, number), range(40)))
        cursor = one.get("/Users", params={"cursor": "", "count": 10}).json()["nextCursor"]
        page = two.get("/Users", params={"cursor": cursor, "count": 10}).json()
    assert done == [200] * 40
    assert len(page["Resources"]) == 10
    assert len(scim.members(group)) == 40


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_kill_in_the_middle_of_a_push_loses_nothing_answered(tmp_path: Path) -> None:
    path = tmp_path / "org.db"
    scim = Client(fresh(path))
    group = scim.group("Writers", *[scim.user(f"old{number}@acme.com") for number in range(20)])
    answered: list[str] = []
    with process(path) as (url, server), http(url, scim.token) as client:
        for number in range(60):
            if number == 30:
                threading.Timer(0.02, os.kill, (server.pid, signal.SIGKILL)).start()
            try:
                made = client.post("/Users", json={"schemas": [USER], "userName": f"u{number}@acme.com"}).json()
                add = {"op": "add", "path": "members", "value": [{"value": made["id"]}]}
                body = {"schemas": [PATCH_OP], "Operations": [add]}
                assert client.patch(f"/Groups/{group}", json=body).status_code == 200
            except httpx.TransportError:
                break
            answered.append(made["id"])
    scim.db.close()
    after = Client(open_database(path))
    assert 30 <= len(answered) < 60
    assert set(answered) <= after.members(group)
    assert after.patch(f"/Groups/{group}", {"op": "remove", "path": "members"}).status == 200
    after.db.close()


def test_64_connections_at_once(scim_db: Database) -> None:
    scim = Client(scim_db)
    scim.user("ann@acme.com")
    with served(scim_db) as url, http(url, scim.token) as client:
        body = {"schemas": [GROUP], "displayName": "Writers"}
        made = everybody(lambda number: client.post("/Groups", json=body).status_code)
        assert made == [201] * CLIENTS
        assert client.get("/Groups", params={"count": 100}).json()["totalResults"] == CLIENTS
