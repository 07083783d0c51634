"""What the tests of pipelines share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline_site import Loaded, Site, load_org, serve_site


@pytest.fixture(scope="session")
def org(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The example's org, loaded once."""
    return load_org(tmp_path_factory.mktemp("org"))


@pytest.fixture
def site(tmp_path: Path, org: Loaded) -> Iterator[Site]:
    """A company's repository, its served org, and the forge."""
    with serve_site(tmp_path, org) as made:
        yield made
