"""Headless Chromium over its debugging pipe: real pages, real keys, pictures; no driver to install."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)


def program() -> str:
    """Chromium's path; without it the test is skipped, or fails where Chromium is required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and "chromium" in os.environ.get("ROLECALL_REQUIRE", ""):
        pytest.fail("Chromium is required and not installed")
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


class Tab:
    """One page, with scripts of the page itself switched off. ``events`` is what the browser told unasked."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self.events: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        self._rest = b""
        self._session: str | None = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "DOM"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setScriptExecutionDisabled", value=True)

    def send(self, method: str, **params: Any) -> Any:
        """One command and its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def open(self, url: str) -> None:
        """Go to an address and wait until the page stands."""
        self.send("Page.navigate", url=url)
        self.settle()

    def settle(self) -> None:
        """Wait until the page that is loading has loaded."""
        end = time.monotonic() + 20
        while self._poll("document.readyState") != "complete" or self._poll("location.href") == "about:blank":
            assert time.monotonic() < end, "the page did not load"

    def look(self, expression: str) -> Any:
        """The value of a JavaScript expression over the page, or of the promise that it gives."""
        said = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return said["result"].get("value")

    def scripts(self, *, on: bool) -> None:
        """Whether the pages opened from now on may run their own scripts."""
        self.send("Emulation.setScriptExecutionDisabled", value=not on)

    def told(self, method: str) -> list[dict[str, Any]]:
        """What the browser told unasked, of one kind."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def text(self) -> str:
        """What the page says."""
        return str(self.look("document.body.innerText"))

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.send("Input.insertText", text=text)

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key."""
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **named)
        self.send("Input.dispatchKeyEvent", type="keyUp", **named)

    def enter(self) -> None:
        """Press Enter and wait for the page that comes."""
        self.leave(lambda: self.press("Enter", 13, "\r"))

    def click(self, selector: str) -> None:
        """Click the first element of a selector, where it is on the page."""
        self.look(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        where = self.look(
            f"(() => {{const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]})()"
        )
        at = {"x": where[0], "y": where[1], "button": "left", "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type="mousePressed", **at)
        self.send("Input.dispatchMouseEvent", type="mouseReleased", **at)

    def follow(self, selector: str) -> None:
        """Click a link or a button and wait for the page that comes."""
        self.leave(lambda: self.click(selector))

    def shape(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """A window of a size, light or dark."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=scheme)

    def picture(self, path: Path) -> None:
        """The whole page as a PNG file."""
        taken = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def leave(self, act: Any) -> None:
        """Do something that opens another page, and wait for it."""
        self.look("window.stale = true")
        act()
        end = time.monotonic() + 20
        while self._poll("window.stale === true"):
            assert time.monotonic() < end, "no other page came"
        self.settle()

    def _poll(self, expression: str) -> Any:
        """The value of an expression while pages change; None when the page went away under it."""
        try:
            return self.look(expression)
        except AssertionError as error:
            if "navigated" not in str(error):
                raise
            return None

    def _message(self) -> Any:
        while b"\0" not in self._rest:
            piece = os.read(self._back, 1 << 20)
            assert piece, "Chromium went away"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)


@contextmanager
def tab(folder: Path) -> Iterator[Tab]:
    """A browser of its own with one page."""
    there_read, there_write = os.pipe()
    back_read, back_write = os.pipe()

    def place() -> None:
        os.dup2(os.dup(there_read), 3)
        os.dup2(os.dup(back_write), 4)

    command = [program(), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(
        command, preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(there_read)
    os.close(back_write)
    try:
        yield Tab(there_write, back_read)
    finally:
        process.kill()
        process.wait(20)
        os.close(there_write)
        os.close(back_read)
