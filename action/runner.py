"""The runner's side: inputs, step outputs, the job's summary, annotations, and calls of rolecall."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_KEY = re.compile(r"<!-- rolecall:key:([0-9a-f]{16}) -->")

SUMMARY = 1024 * 1024
"""The bytes that a job's summary may have."""


class Failed(Exception):
    """The step cannot do its work; said in words for whoever reads the log."""


@dataclass(frozen=True, slots=True)
class Job:
    """One step of a job. ``reports`` is a folder for what is written; ``folder`` that of the config."""

    environ: Mapping[str, str]
    folder: Path
    reports: Path

    @property
    def directory(self) -> str:
        """Return the directory of the configuration, from the repository's root; ``.`` for the root itself."""
        root = Path(self.environ.get("GITHUB_WORKSPACE", ".")).resolve()
        return self.folder.relative_to(root).as_posix() if self.folder.is_relative_to(root) else str(self.folder)

    @property
    def key(self) -> str:
        """A name for this directory and environment that no other of the repository has, in 16 hex digits."""
        return hashlib.sha256(f"{self.directory}\0{self.env}".encode()).hexdigest()[:16]

    @property
    def marker(self) -> str:
        """The line by which a comment or an issue of this directory and environment is found again."""
        return f"<!-- rolecall:key:{self.key} -->"

    def owns(self, body: str | None) -> bool:
        """Return whether a comment or an issue belongs to this directory. Those of 0.1.0 have no key and belong to the
        root."""
        keys = _KEY.findall(body or "")
        return keys[0] == self.key if keys else self.directory == "."

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Job:
        """The job as the runner describes it: inputs are variables named ``INPUT_…``."""
        folder = Path(environ.get("GITHUB_WORKSPACE", "."), environ.get("INPUT_DIRECTORY") or ".")
        temp = Path(environ.get("RUNNER_TEMP", ".")).resolve()
        if not folder.is_dir():
            raise Failed(f"there is no directory {environ.get('INPUT_DIRECTORY')!r}; correct the input `directory`")
        job = cls(environ, folder.resolve(), temp)
        reports = temp / f"rolecall-{_plain(job.env) or 'reports'}-{job.key}"
        reports.mkdir(parents=True, exist_ok=True)
        return replace(job, reports=reports)

    def input(self, name: str) -> str:
        """An input's text, empty where it was left out."""
        return self.environ.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip()

    @property
    def env(self) -> str:
        return self.input("env")

    def event(self) -> dict[str, Any]:
        """Return the event that started the job."""
        path = self.environ.get("GITHUB_EVENT_PATH")
        try:
            event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        except (OSError, ValueError) as error:
            raise Failed(f"the event file {path} cannot be read: {error}") from None
        if not isinstance(event, dict):
            raise Failed(f"the event file {path} is not a JSON object")
        return event

    def output(self, **values: object) -> None:
        """Write step outputs. A value may have lines."""
        path = self.environ.get("GITHUB_OUTPUT")
        if path:
            with Path(path).open("a", encoding="utf-8") as file:
                for name, value in values.items():
                    end = f"end-{secrets.token_hex(8)}"
                    file.write(f"{name}<<{end}\n{value}\n{end}\n")

    def summary(self, text: str) -> None:
        """Add Markdown to the job's summary, as much as fits."""
        path = self.environ.get("GITHUB_STEP_SUMMARY")
        if path:
            held = Path(path).stat().st_size if Path(path).exists() else 0
            room = max(0, SUMMARY - held - 2)
            cut = text.encode()[:room].decode("utf-8", "ignore")
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(f"{cut}\n")

    def rolecall(self, *args: str, ok: Sequence[int] = (0,), more: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run rolecall in the config's folder; its exit code and stdout. Raises Failed for a code not in ``ok``."""
        command = [sys.executable, "-m", "rolecall", *args, *(["--env", self.env] if self.env else [])]
        environ = {name: text for name, text in self.environ.items() if not name.startswith("INPUT_")}
        ended = subprocess.run(
            command, cwd=self.folder, env={**environ, **(more or {})}, stdout=subprocess.PIPE, text=True, check=False
        )
        if ended.returncode not in ok:
            log(ended.stdout)
            raise Failed(
                f"`rolecall {args[0]}` left with {ended.returncode}: {MEANING.get(ended.returncode, 'an error')}"
            )
        return ended.returncode, ended.stdout


MEANING = {
    1: "an error, see above",
    3: "a guard, an assertion or an access test says no",
    4: "it did not come to its end; run it again, it goes on where it stopped",
    5: "the plan that was approved no longer fits; plan and approve afresh",
    64: "incorrect usage, or no approval",
    130: "it was interrupted",
}


def log(text: str) -> None:
    """Show text in the job's log as it is: no line of it is taken for a command to the runner."""
    stop = secrets.token_hex(8)
    sys.stdout.write(f"::stop-commands::{stop}\n{text}")
    sys.stdout.write(f"{'' if text.endswith(chr(10)) else chr(10)}::{stop}::\n")
    sys.stdout.flush()


def commands(text: str) -> None:
    """Hand the runner commands that rolecall wrote, such as annotations."""
    sys.stdout.write(text)
    sys.stdout.flush()


def annotate(level: str, message: str) -> None:
    """A notice, warning or error on the job."""
    told = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    sys.stdout.write(f"::{level} title=rolecall::{told}\n")
    sys.stdout.flush()


def fenced(text: str) -> str:
    """Text as a block of code, in a fence that is longer than any in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}"


def _plain(text: str) -> str:
    return "".join(char for char in text if char.isalnum() or char in "-_")
