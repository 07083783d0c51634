"""The admin API of a served local org at size, on SQLite and on PostgreSQL; prints a Markdown table.

bench/bench_org_api.py [--people 100000]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from postgres_server import programs, server
from served_org import Server, speak

from rolecall.codec.people import decode_people
from rolecall.codec.snapshot import decode_snapshot
from rolecall.localorg.load import load
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database

GROUPS, TEAMS, HELD, PARTS, WRITES = 200, 20, 5, 8, 200


class Org(NamedTuple):
    """A served org: the process, and a token for it."""

    process: Server
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> bytes:
        with closing(self.process.connect()) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            reply = speak(connection, self.token, method, path, body, named)
        assert reply.status == 200, reply
        return reply.body


def main() -> None:
    """Measure both databases."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=100_000)
    people: int = options.parse_args().people
    print(f"| {people:,} people, {HELD} groups each | load | read all, {PARTS} parts | mapping PUT p50 | access p50 |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"{folder}/org.db", people)
    if (found := programs()) is not None:
        with server(found) as url:
            measure("PostgreSQL", url, people)


def measure(name: str, database: str, people: int) -> None:
    """One row of the table."""
    with loaded(database, people) as (org, seconds):
        first = json.loads(org.ask("GET", "/v1/people?limit=1"))["data"][0]["id"]
        group = json.loads(org.ask("GET", "/v1/idp-groups?limit=1"))["data"][0]["id"]
        all_of_them = min(walk(org, people) for _ in range(3))
        put = p50(lambda: org.ask("PUT", f"/v1/idp-groups/{group}/mapping", {"teams": ["T1"]}, if_match="*"))
        access = p50(lambda: org.ask("GET", f"/v1/people/{first}/access"))
    print(
        f"| {name} | {seconds:.1f} s | {all_of_them:.2f} s | {put * 1000:.1f} ms | {access * 1000:.1f} ms |", flush=True
    )


@contextmanager
def loaded(database: str, people: int) -> Iterator[tuple[Org, float]]:
    """An org of that size, and how long it took to load."""
    groups = {f"G{n}": {"role": "member", "teams": [f"T{n % TEAMS}"]} for n in range(GROUPS)}
    raw = {"snapshot": 1, "org": {"id": "o", "name": "o"}, "teams": [f"T{n}" for n in range(TEAMS)]}
    live = decode_snapshot({**raw, "idp_groups": groups, "scim": {"enabled": True}}).live
    luck = random.Random(1)
    rows = ({"email": f"p{n}@acme.com", "groups": luck.sample(list(groups), HELD)} for n in range(people))
    directory = decode_people(rows, groups)
    db = open_database(database)
    began = time.perf_counter()
    load(db, live, directory)
    seconds = time.perf_counter() - began
    token = make_token(db, "admin").secret
    db.close()
    process = Server(database)
    try:
        yield Org(process, token), seconds
    finally:
        process.stop()


def walk(org: Org, people: int) -> float:
    """Seconds to read everybody, all parts side by side, decoded."""

    def part(number: int) -> int:
        seen, after = 0, ""
        with closing(org.process.connect()) as connection:
            while True:
                path = f"/v1/people?partition={number}/{PARTS}&limit=1000{after}"
                page = speak(connection, org.token, "GET", path).json()
                seen += len(page["data"])
                if not page["has_more"]:
                    return seen
                after = f"&after={page['last_id']}"

    began = time.perf_counter()
    with ThreadPoolExecutor(PARTS) as pool:
        assert sum(pool.map(part, range(PARTS))) == people
    return time.perf_counter() - began


def p50(work: Callable[[], object]) -> float:
    """The median of many times, in seconds; a new connection each."""
    times = []
    for _ in range(WRITES):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
