"""The forges' answers have a limit in time and in size, in both scripts that ask a forge without rolecall."""

from __future__ import annotations

import importlib.util
import itertools
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from faulty_org import Close, faulty_org, reply
from pipeline_site import ROOT

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
Ask = Callable[[str], Any]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("forge_script", ROOT / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["action/github.py", "pipelines/gitlab/rolecall_gitlab.py"])
def script(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, Ask]:
    """A script with short limits, and a function that asks the forge at an address."""
    monkeypatch.syspath_prepend(str(ROOT / "action"))
    module: Any = load(request.param)
    monkeypatch.setattr(module, "_WHOLE", 1.0)
    monkeypatch.setattr(module, "_LARGEST", 3_000_000)

    def ask(base: str) -> Any:
        if "github" in request.param:
            environ = {"GITHUB_API_URL": base, "GITHUB_REPOSITORY": "acme/access"}
            return module.GitHub(environ)._send("GET", f"{base}/x")[0]
        monkeypatch.setenv("CI_API_V4_URL", base)
        monkeypatch.setenv("CI_PROJECT_ID", "5")
        monkeypatch.setenv("ROLECALL_GITLAB_TOKEN", "t")
        return module.send("GET", "x")[0]

    return module, ask


def slowly(part: bytes) -> Any:
    """The part for ever, again before the time between two bytes is over."""
    while True:
        time.sleep(0.05)
        yield part


def test_a_large_answer_within_the_limits_is_read_whole(script: tuple[ModuleType, Ask]) -> None:
    rows = [{"id": number, "text": "x" * 100} for number in range(10_000)]
    with faulty_org(lambda asked: reply(rows)) as server:
        assert script[1](server.base) == rows


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda: itertools.chain([HEAD], slowly(b" ")), "the whole answer took too long"),
        (
            lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], slowly(b"x-a: b\r\n")),
            "took too long|more than 100 headers",
        ),
        (lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nx: "], slowly(b"y")), "the whole answer took too long"),
        (lambda: itertools.chain([HEAD], itertools.repeat(bytes(1 << 20))), "the answer is larger than 3 MB"),
        (lambda: Close(b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"a":'), "could not be asked"),
        (lambda: Close(b"SSH-2.0\r\n"), "could not be asked"),
    ],
)
def test_an_answer_without_end_ends_in_an_error(script: tuple[ModuleType, Ask], answer: Any, reason: str) -> None:
    module, ask = script
    started = time.monotonic()
    with faulty_org(lambda asked: answer()) as server, pytest.raises(module.Failed, match=reason):
        ask(server.base)
    assert time.monotonic() - started < 10
