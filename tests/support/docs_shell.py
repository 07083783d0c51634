"""Runs a page of the docs: its `console` blocks in a scratch copy of an example, its `diff` and `yaml` blocks as edits.

A page names its example in `<!-- test: example NAME -->`; `<!-- test: sh COMMAND -->` is a command that readers do
not see, `test: push GROUP` and `test: join EMAIL GROUP` are actions of the IdP. Lines below a command must occur in its
output in this order, with `…` for any text; `# exits with N` after a command is its exit code, 0 without it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import meddler

ROOT = Path(__file__).resolve().parents[2]
_PART = re.compile(
    r"^```(?P<kind>console|diff|yaml)(?: (?P<file>[\w./-]+))?\n(?P<block>.*?)^```$"
    r"|^<!-- test: (?P<hidden>\w+) (?P<said>.*?) -->$",
    re.DOTALL | re.MULTILINE,
)


class Shown(NamedTuple):
    """A command, the lines of its output that the page shows, and its exit code."""

    command: str
    lines: list[str]
    code: int


class Page:
    """One page, run from its top to its end in a folder of its own."""

    def __init__(self, path: Path, scratch: Path) -> None:
        self.text = path.read_text(encoding="utf-8")
        self.folder = scratch / "access"
        self.folder.mkdir()
        keep = {name: said for name, said in os.environ.items() if name in ("LANG", "TMPDIR")}
        tools = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        (scratch / "gitconfig").write_text(
            "[user]\nname = Ann Admin\nemail = ann@acme.com\n[init]\ndefaultBranch = main\n"
        )
        examples = str(ROOT / "examples")
        self.environ = {
            **keep,
            "ROLECALL_EXAMPLES": examples,
            "PATH": tools,
            "HOME": str(scratch),
            "GIT_CONFIG_GLOBAL": str(scratch / "gitconfig"),
        }
        self.told = ""

    def run(self) -> int:
        """Run every command and return their number; an assertion fails if output or exit code differ from the page."""
        number = 0
        for part in _PART.finditer(self.text):
            if part["hidden"] == "example":
                shutil.copytree(ROOT / "examples" / part["said"], self.folder, dirs_exist_ok=True)
                shutil.rmtree(self.folder / ".rolecall", ignore_errors=True)
                self._sh("git init -q . && git add . && git commit -qm 'Start'")
            elif part["hidden"] == "sh":
                ended = self._sh(part["said"])
                assert ended.returncode == 0, (part["said"], ended.stdout, ended.stderr)
            elif part["hidden"] in ("push", "join"):
                self._idp(part["hidden"], *part["said"].split())
            elif part["kind"] == "console":
                for shown in commands(part["block"]):
                    self._check(shown)
                    number += 1
            elif part["file"]:
                self._edit(part["kind"], part["file"], part["block"])
        return number

    def _check(self, shown: Shown) -> None:
        digest = re.search(r"--approve ([0-9a-f-]{19})", self.told)
        ended = self._sh(shown.command, DIGEST=digest[1] if digest else "")
        self.told = ended.stdout + ended.stderr
        assert ended.returncode == shown.code, (shown.command, self.told)
        lines = iter(self.told.splitlines())
        for line in shown.lines:
            assert any(_says(told, line) for told in lines), (shown.command, line, self.told)

    def _idp(self, what: str, *said: str) -> None:
        """Push a group from the IdP, or add a user to one."""
        with meddler.idp(self.folder / ".rolecall" / "org.db") as idp:
            if what == "push":
                idp.pushes(*said)
            else:
                idp.moves(said[0], into=said[1])

    def _edit(self, kind: str, name: str, block: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "yaml":
            path.write_text(block, encoding="utf-8")
            return
        before, after = (_side(block, mark) for mark in "-+")
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, (name, before)
        path.write_text(text.replace(before, after), encoding="utf-8")

    def _sh(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env={**self.environ, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def commands(block: str) -> Iterator[Shown]:
    """Yield each command of a block; a command that ends in a backslash continues on the next line."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *rest = re.sub(r"\\\n\s*", "", part).splitlines()
        exits = re.search(r"# exits with (\d+)", command)
        yield Shown(command, rest, int(exits[1]) if exits else 0)


def _says(told: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, line.strip().split("…"))), told.strip()) is not None


def _side(block: str, mark: str) -> str:
    return "".join(line[1:] for line in block.splitlines(keepends=True) if line[0] in (mark, " "))
