"""A list whose pages shift under the reader while an apply verifies: a group is pushed between two pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_proxy import FaultyProxy
from scim_org import GROUP, Client
from workbench import PLANNED, WANTED, Workbench

from rolecall.errors import RolecallError
from rolecall.live.connect import connect
from rolecall.localorg.manage import Knobs, set_knobs
from rolecall.localorg.store import open_database


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    made = Workbench(tmp_path)
    database = open_database(tmp_path / "org.db")
    set_knobs(database, Knobs(page_limit=1))
    made.idp = Client(database)
    with made.served() as port:
        made.port, made.secret = port, made.token()
        made.approved = made.plan(WANTED)
        yield made
    database.close()


def through(bench: Workbench, fault):
    """Apply through a proxy that tells ``fault`` of every request; gives the report or the error."""
    with FaultyProxy(bench.port, fault) as proxy:
        bench.way = lambda: connect(f"http://127.0.0.1:{proxy.port}", lambda: bench.secret)
        try:
            return bench.apply(bench.approved), None
        except RolecallError as error:
            return None, error
        finally:
            bench.way = None


def pushing(bench: Workbench, times: int):
    """At each request for a later page of the groups, as often as told, the IdP pushes one more group first."""
    pushed: list[str] = []

    def fault(_: int, seen) -> None:
        if seen.path.startswith("/v1/idp-groups?") and "after=" in seen.path and len(pushed) < times:
            name = f"00-new-{len(pushed)}"
            assert bench.idp.call("POST", "/Groups", {"schemas": [GROUP], "displayName": name}).status == 201
            pushed.append(name)

    return fault, pushed


def writes(bench: Workbench) -> Counter[str]:
    return Counter(address for address, key in bench.events() if key and key.startswith("rolecall/"))


def test_a_list_that_shifts_once_is_read_again_and_the_run_is_whole(bench: Workbench) -> None:
    fault, pushed = pushing(bench, 1)
    report, error = through(bench, fault)
    assert error is None, error
    assert pushed
    assert report.run.outcome == "done"
    assert writes(bench) == Counter(dict.fromkeys(PLANNED, 1))
    assert bench.plan(WANTED).changes == ()


def test_a_list_that_never_stands_still_is_unread_and_nothing_is_written(bench: Workbench) -> None:
    fault, pushed = pushing(bench, 1000)
    report, error = through(bench, fault)
    assert report is None
    assert "idp_groups" in str(error)
    assert len(pushed) >= 2
    assert writes(bench) == Counter()
    quiet, error = through(bench, lambda number, seen: None)
    assert error is None, error
    assert quiet.run.outcome == "done"
    assert writes(bench) == Counter(dict.fromkeys(PLANNED, 1))
