"""A local org to talk to without a socket, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from org_client import Client, fill

from rolecall.localorg.store import Database


@pytest.fixture
def new_org(org_db: Database) -> Client:
    """An org that was just made."""
    return Client(org_db)


@pytest.fixture
def org(org_db: Database) -> Client:
    """The org of the snapshot above."""
    fill(org_db)
    return Client(org_db)
