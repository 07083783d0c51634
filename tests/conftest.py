"""What every test shares: how hard hypothesis tries, and a PostgreSQL of their own."""

from __future__ import annotations

import logging
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from postgres_server import programs as postgres_programs
from postgres_server import server as run_postgres
from well_formed import check_records

if TYPE_CHECKING:
    from rolecall.localorg.store import Database

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile(
    "ci", max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=_SLOW
)
settings.register_profile("soak", max_examples=20_000, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("ROLECALL_HYPOTHESIS", "ci"))

for _name in list(os.environ):
    if _name in ("CI", "NO_COLOR", "FORCE_COLOR") or _name.startswith(("GITHUB_", "GITLAB_", "CI_")):
        del os.environ[_name]  # the same tests on a laptop and in a pipeline; what a pipeline changes is set by a test

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs behind, and by its children

START = Path.cwd()


def pytest_collection_finish() -> None:
    """Check problems and findings from now on, when the tests have imported what they need."""
    check_records()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin each test in the folder that pytest was started in: `-C` leaves a process in a folder that may be gone. And
    begin it with loggers as they are at first: a command that an earlier test ran has configured them."""
    os.chdir(START)
    for name, log in logging.root.manager.loggerDict.items():
        if isinstance(log, logging.Logger) and name.partition(".")[0] in ("rolecall", "uvicorn", "asyncio", "py"):
            log.handlers.clear()
            log.propagate = True
            log.setLevel(logging.NOTSET)


REQUIRED = set(filter(None, os.environ.get("ROLECALL_REQUIRE", "").split(",")))
"""What must be there: without it tests fail, where they would be skipped and say so."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The url of a PostgreSQL server of this session's own, at its database ``postgres``."""
    programs = postgres_programs()
    if programs is None:
        if "postgres" in REQUIRED:
            pytest.fail("PostgreSQL is required and not installed")
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with run_postgres(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The url of an empty PostgreSQL database of this test's own."""
    name = f"t_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield postgres_server.replace("/postgres", f"/{name}")
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update`` writes golden files anew."""
    parser.addoption("--update", action="store_true", help="write golden files anew instead of comparing with them")


@pytest.fixture(params=["sqlite", "postgresql"])
def org_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The url of a new, empty database for a local org: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'org.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def shared_postgres_org(postgres_server: str) -> Iterator[Database]:
    """One PostgreSQL database for all tests that want a new org: emptying one is quicker than making one."""
    from rolecall.localorg.store import open_database

    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE shared_org")
    database = open_database(postgres_server.replace("/postgres", "/shared_org"))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def org_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A new local org's database: the test runs once on SQLite and once on PostgreSQL."""
    from rolecall.localorg.store import open_database
    from rolecall.localorg.store.singletons import seed
    from rolecall.localorg.store.tables import METADATA, MIGRATED

    if request.param == "sqlite":
        database = open_database(tmp_path / "org.db")
        yield database
        database.close()
        return
    shared: Database = request.getfixturevalue("shared_postgres_org")
    with shared.write() as tx:
        names = ", ".join(table.name for table in METADATA.sorted_tables if table is not MIGRATED)
        tx.exec_driver_sql(f"TRUNCATE {names}")
        seed(tx)
    yield shared
