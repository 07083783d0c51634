"""Test how a command runs: on an event loop, or directly if it reads only files; with few garbage collections."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_repo import copy_example

from rolecall.cli.main import run
from rolecall.cli.program import in_env
from rolecall.cli.session import collect_rarely, wait_for
from rolecall.errors import Exit, Problem


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
    with pytest.raises(AssertionError, match="needs an event loop"):
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


def test_a_file_that_is_missing_is_said_before_an_overlay_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_example("acme", tmp_path / "acme")
    monkeypatch.chdir(tmp_path / "acme")
    assert run(["-c", "nope.yaml", "plan"]) == Exit.ERROR
    told = capsys.readouterr().err
    assert "nope.yaml" in told
    assert "--env" not in told


def test_a_hint_names_the_overlay_of_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_example("acme", tmp_path / "acme")
    monkeypatch.chdir(tmp_path / "acme")
    assert run(["-e", "prod", "plan"]) == Exit.ERROR
    assert "create one: rolecall -e prod local load SNAPSHOT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("run `rolecall plan`, then `rolecall apply`", "run `rolecall -e prod plan`, then `rolecall -e prod apply`"),
        ("to resolve it: rolecall apply", "to resolve it: rolecall -e prod apply"),
        ("run `rolecall apply -e prod`", "run `rolecall apply -e prod`"),
        ("`rolecall init` starts one", "`rolecall init` starts one"),
        ("`rolecall --help` lists the commands", "`rolecall --help` lists the commands"),
    ],
)
def test_only_commands_that_read_an_org_get_the_overlay(hint: str, said: str) -> None:
    assert in_env(Problem("x", "y", None, hint), "prod").hint == said
    assert in_env(Problem("x", "y", None, hint), None).hint == hint
