"""The tutorial of an admin without an API, run in a terminal as it is written."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from terminal import ROLECALL, Terminal

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial-observed.md"
_FENCE = re.compile(r"^```(console|session|diff)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LEAVES = re.compile(r"\s+# exits with (\d+)$")


class Block(NamedTuple):
    """One fenced block of the tutorial: its kind, the file it is about, and its lines."""

    kind: str
    file: str
    lines: list[str]


def blocks() -> list[Block]:
    return [Block(kind, file, body.splitlines()) for kind, file, body in _FENCE.findall(TUTORIAL.read_text("utf-8"))]


def commands(block: Block) -> Iterator[tuple[list[str], int, list[str]]]:
    """Each command of a block with its exit code and the lines below it."""
    starts = [at for at, line in enumerate(block.lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(block.lines)], strict=True):
        said = block.lines[start].removeprefix("$ ")
        leaves = _LEAVES.search(said)
        words = _LEAVES.sub("", said).split()
        assert words[0] == "rolecall"
        yield words[1:], int(leaves[1]) if leaves else 0, block.lines[start + 1 : end]


def in_a_pipe(folder: Path, words: list[str], leaves: int, lines: list[str]) -> None:
    done = subprocess.run([*ROLECALL, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == leaves, done.stdout + done.stderr
    place = 0
    for line in lines:
        found = done.stdout.find(line.strip(), place)
        assert found >= 0, f"{line!r} is not in what came:\n{done.stdout[place:]}\n{done.stderr}"
        place = found + len(line.strip())


def in_a_terminal(folder: Path, words: list[str], leaves: int, lines: list[str]) -> None:
    terminal = Terminal([*ROLECALL, *words], folder)
    try:
        for line in lines:
            prompt, types, answer = line.partition("▸")
            terminal.expect(prompt.strip())
            if types:
                terminal.type(answer.strip(" "))
    except AssertionError:
        terminal.kill()
        raise
    assert terminal.end() == leaves, terminal.seen


def change(folder: Path, block: Block) -> None:
    """A diff's lines, each found once and replaced, whatever else stands behind them."""
    path = folder / block.file
    text = path.read_text("utf-8")
    old, new = ("".join(f"\n{line[1:]}" for line in block.lines if line.startswith(sign)) for sign in "-+")
    assert text.count(old) == 1, text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_tutorial_runs_as_it_is_written(tmp_path: Path) -> None:
    ran = 0
    for block in blocks():
        if block.kind == "diff":
            change(tmp_path, block)
            continue
        for words, leaves, lines in commands(block):
            run = in_a_terminal if block.kind == "session" else in_a_pipe
            run(tmp_path, words, leaves, lines)
            ran += 1
    assert ran == 13
