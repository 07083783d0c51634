"""A program in a terminal of its own, answered as a person would: wait for a prompt, type, go on."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROLECALL = (sys.executable, "-m", "rolecall")
_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def answered(command: Sequence[str], folder: Path, *exchange: tuple[str, str]) -> str:
    """Run a program that asks, with these prompts and answers; return all that it wrote. It must succeed."""
    terminal = Terminal(command, folder)
    try:
        for prompt, answer in exchange:
            terminal.expect(prompt)
            terminal.type(answer)
    except AssertionError:
        terminal.kill()
        raise
    assert terminal.end() == 0, terminal.seen
    return terminal.seen


class Terminal:
    """One run of a program with a pseudo-terminal as stdin, stdout and stderr. ``seen`` is all that it wrote."""

    def __init__(self, command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self._fd, inner = pty.openpty()
        settings = termios.tcgetattr(inner)
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(inner, termios.TCSANOW, settings)
        keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        self._program = subprocess.Popen(
            command,
            cwd=folder,
            env={**keep, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "200", **(environ or {})},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        self.seen = ""
        self._read = 0

    def expect(self, text: str, timeout: float = 30) -> str:
        """Wait for a text that comes after what was expected before; answers what came up to its end."""
        deadline = time.monotonic() + timeout
        while (at := self.seen.find(text, self._read)) < 0:
            if not self._more(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} did not come; after what was expected before there is:\n{self.rest}")
        start, self._read = self._read, at + len(text)
        return self.seen[start : self._read]

    def type(self, line: str) -> None:
        """A line and Enter."""
        os.write(self._fd, f"{line}\n".encode())

    def press(self, keys: str) -> None:
        """Keys as they are, without Enter."""
        os.write(self._fd, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._program.send_signal(signal.SIGINT)

    def end(self, timeout: float = 60) -> int:
        """Wait until the program ends; answers its exit code."""
        deadline = time.monotonic() + timeout
        while self._more(deadline - time.monotonic()):
            pass
        os.close(self._fd)
        return self._program.wait(max(0.1, deadline - time.monotonic()))

    @property
    def rest(self) -> str:
        """What was written and not expected yet."""
        return self.seen[self._read :]

    def kill(self) -> None:
        """End the program, whatever it waits for."""
        self._program.kill()
        self.end()

    def _more(self, seconds: float) -> bool:
        """Read what there is; false at the end, or when nothing comes in time."""
        ready, _, _ = select.select([self._fd], [], [], max(0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return False
        self.seen += _SEQUENCES.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
        return bool(data)
