"""Every test of the journal's contract runs over SQLite and over a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import Ticking

from rolecall.journal.opened import open_journal
from rolecall.journal.port import Journal


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return "sqlite:.rolecall/journal.db"


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def journal(url: str, tmp_path: Path, clock: Ticking) -> Iterator[Journal]:
    with open_journal(url, tmp_path, clock=clock) as opened:
        yield opened


@pytest.fixture
def other(url: str, tmp_path: Path, journal: Journal, clock: Ticking) -> Iterator[Journal]:
    """The same journal, as another process would have it open."""
    with open_journal(url, tmp_path, clock=clock) as opened:
        yield opened
