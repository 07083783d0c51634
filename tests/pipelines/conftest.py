"""What the tests of pipelines share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline_site import Site, serve_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A company's repository, its served org, and the forge."""
    with serve_site(tmp_path) as made:
        yield made
