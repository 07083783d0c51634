"""The storage, held to the contract suite that scim2-server ships for storages, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scim2_models import ScimProvider
from scim2_server.testing import ScimStorageContract

from rolecall.localorg.scim.models import provider as org_provider
from rolecall.localorg.scim.shapes import ScimSession
from rolecall.localorg.scim.storage import SqlStorage
from rolecall.localorg.store import Database


class TestSqlStorage(ScimStorageContract):
    @pytest.fixture
    def provider(self) -> ScimProvider:
        return org_provider()

    @pytest.fixture
    def storage(self, scim_db: Database, provider: ScimProvider) -> Iterator[Any]:
        with scim_db.write() as tx:
            yield SqlStorage(ScimSession(tx), provider)
