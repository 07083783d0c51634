"""SCIM over a socket with 10,000 users and a group of all of them; prints a Markdown table."""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.localorg.scim import groups
from rolecall.localorg.scim.documents import loaded_user
from rolecall.localorg.scim.models import GROUP, USER, Group
from rolecall.localorg.scim.shapes import ScimSession
from rolecall.localorg.store import Database, open_database, tokens
from rolecall.localorg.store.keys import bucket, new_id, now
from rolecall.localorg.store.singletons import empty, read_value, seed, write_singleton
from rolecall.localorg.store.tables import USERS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

PREFIX = "/api/scim/v2"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SERVER = """
import sys
from rolecall.localorg.serve import serve
from rolecall.localorg.store import open_database
serve(open_database(sys.argv[1]), port=0, announce=lambda url: print(url, flush=True))
"""


class Org(NamedTuple):
    """A filled org: its SCIM token, the big group, and the ids of everybody."""

    token: str
    group: str
    users: list[str]


def fill(db: Database, count: int) -> Org:
    """``count`` users with full documents, all of them in one group."""
    with db.write() as tx:
        empty(tx, keep_tokens=False)
        seed(tx)
        write_singleton(tx, "scim", {**read_value(tx, "scim"), "enabled": True})
        rows = [_row(number) for number in range(count)]
        tx.execute(USERS.insert(), rows)
        ids = [row["id"] for row in rows]
        made = groups.create_group(ScimSession(tx), Group(display_name="Everybody"), ids)
        org = Org(tokens.issue_token(tx, "scim").secret, made.id, ids)
    db.settle()
    return org


def _row(number: int) -> dict[str, Any]:
    one = new_id()
    fixed = {"id": one, "origin": "scim", "pending": False, "manual": "[]", "version": 1, "bucket": bucket(one)}
    return {**fixed, **loaded_user(f"person{number}@acme.com"), "created": now(), "modified": now()}


class Client:
    """One keep-alive connection; reads answers whole, and parses them only where asked."""

    def __init__(self, url: str, token: str) -> None:
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"))
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        raw = None if body is None else json.dumps(body)
        self.connection.request(method, PREFIX + path, raw, self.headers)
        answer = self.connection.getresponse()
        read = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {answer.status} {read[:200]!r}")
        return read


def timed(times: int, work: Callable[[int], object]) -> list[float]:
    """Milliseconds of each of ``times`` calls, after two that do not count."""
    found = []
    for number in range(-2, times):
        start = time.perf_counter()
        work(number)
        found.append((time.perf_counter() - start) * 1000)
    return found[2:]


def measure(client: Client, org: Org, seconds: float) -> Iterator[tuple[str, str, str]]:
    """What was measured, its figure, and its aim."""
    count = len(org.users)
    last = max(1, count - 100)
    pages = timed(60, lambda n: client.call("GET", f"/Users?startIndex={1 + (n * 997) % last}&count=100"))
    yield "page of 100 users", millis(pages), "p50 < 50 ms"

    def member(number: int) -> bytes:
        one = org.users[(number // 2 * 131) % count]
        if number % 2:
            operation = {"op": "Add", "path": "members", "value": [{"$ref": None, "value": one}]}
        else:
            operation = {"op": "Remove", "path": f'members[value eq "{one}"]'}
        return client.call("PATCH", f"/Groups/{org.group}", {"schemas": [PATCH_OP], "Operations": [operation]})

    yield f"PATCH one member of {count:,}, whole group answered", millis(timed(60, member)), "p50 < 20 ms"
    without = f"/Groups/{org.group}?excludedAttributes=members"

    def quiet(number: int) -> bytes:
        one = org.users[(number // 2 * 113) % count]
        op = "Remove" if number % 2 == 0 else "Add"
        operation = {"op": op, "path": "members", "value": [{"value": one}]}
        return client.call("PATCH", without, {"schemas": [PATCH_OP], "Operations": [operation]})

    yield "the same, `excludedAttributes=members`", millis(timed(60, quiet)), ""
    found = timed(60, lambda n: client.call("GET", f"/Users?filter=userName%20eq%20%22PERSON{n % count}%40acme.com%22"))
    yield "find by userName", millis(found), ""
    found = timed(20, lambda n: client.call("GET", f"/Users?filter=displayName%20co%20%22person{n}%22&count=1"))
    yield f"filter without an index over {count:,}", millis(found), ""
    made, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        name = f"new{made}.{time.time_ns()}@acme.com"
        emails = [{"value": name, "type": "work", "primary": True}]
        body = {"schemas": [USER], "userName": name, "active": True, "emails": emails, "displayName": "New Person"}
        client.call("POST", "/Users", body)
        made += 1
    yield "users created a second, one POST each", f"{made / spent:,.0f}", "≥ 300"
    walked, cursor, start = 0, "", time.perf_counter()
    while cursor is not None:
        page = json.loads(client.call("GET", f"/Users?count=500&cursor={cursor}"))
        walked, cursor = walked + len(page["Resources"]), page.get("nextCursor")
    yield "users walked a second, by cursor", f"{walked / (time.perf_counter() - start):,.0f}", "≥ 10,000"
    walked, start = 0, time.perf_counter()
    while page := json.loads(client.call("GET", f"/Users?count=500&startIndex={walked + 1}"))["Resources"]:
        walked += len(page)
    yield "users walked a second, by index", f"{walked / (time.perf_counter() - start):,.0f}", "≥ 10,000"
    body = {"schemas": [GROUP], "displayName": "Everybody", "members": [{"value": one} for one in org.users]}
    yield (
        f"PUT of the group of {count:,}",
        millis(timed(5, lambda _: client.call("PUT", f"/Groups/{org.group}", body))),
        "",
    )


def millis(found: list[float]) -> str:
    """Median and 95th percentile."""
    return f"p50 {statistics.median(found):.1f} ms, p95 {statistics.quantiles(found, n=20)[-1]:.1f} ms"


@contextmanager
def served(where: str) -> Iterator[str]:
    """A server process on a database, and its base URL."""
    server = subprocess.Popen([sys.executable, "-c", SERVER, where], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """SQLite, and PostgreSQL where it is installed."""
    import postgres_server

    with tempfile.TemporaryDirectory() as folder:
        found = {"SQLite": str(Path(folder) / "org.db")}
        programs = postgres_server.programs()
        if programs is None:
            yield found
            return
        with postgres_server.server(programs) as url:
            yield {**found, "PostgreSQL": url}


def main() -> None:
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--users", type=int, default=10_000)
    said.add_argument("--seconds", type=float, default=5.0)
    options = said.parse_args()
    figures: dict[str, dict[str, str]] = {}
    aims: dict[str, str] = {}
    with databases() as found:
        for name, where in found.items():
            db = open_database(where)
            org = fill(db, options.users)
            db.close()
            gc.collect()
            with served(where) as url:
                for what, figure, aim in measure(Client(url, org.token), org, options.seconds):
                    figures.setdefault(what, {})[name] = figure
                    aims[what] = aim
    print(f"| {options.users:,} users, one group of all | {' | '.join(found)} | aim |")
    print(f"|---|{'---|' * len(found)}---|")
    for what, by_name in figures.items():
        print(f"| {what} | {' | '.join(by_name[name] for name in found)} | {aims[what]} |")


if __name__ == "__main__":
    main()
