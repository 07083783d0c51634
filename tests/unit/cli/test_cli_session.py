"""How a command's work is run: on a loop, or at once where it reads nothing but files; the collector on, and rarely."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from rolecall.cli.session import collect_rarely, wait_for


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector as it was, afterwards."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


async def answer(pause: float | None = None) -> int:
    if pause is not None:
        await asyncio.sleep(pause)
    return 42


async def refuse() -> int:
    raise LookupError("not there")


@pytest.mark.parametrize("files_only", [False, True])
def test_the_result_comes_back_and_so_does_an_error(files_only: bool):
    assert wait_for(answer(), files_only=files_only) == 42
    with pytest.raises(LookupError, match="not there"):
        wait_for(refuse(), files_only=files_only)


def test_work_that_waits_gets_its_loop():
    assert wait_for(answer(0.0)) == 42


def test_work_that_waits_is_not_left_half_done_without_one():
    with pytest.raises(AssertionError, match="needs a loop"):
        wait_for(answer(0.0), files_only=True)


def test_a_result_is_never_written_out_as_text():
    class Large:
        def __repr__(self) -> str:
            raise AssertionError("a plan is no small text")

    async def large() -> Large:
        return Large()

    assert isinstance(wait_for(large()), Large)


def test_the_collector_is_on_and_passes_over_little(collector: None):
    collect_rarely()
    assert gc.isenabled()
    assert gc.get_threshold()[0] >= 100_000
    assert gc.get_freeze_count() > 0
