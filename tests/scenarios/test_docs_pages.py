"""Every page of the docs with commands is run as it stands; what it shows is said, what it leaves is left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs_shell import ROOT, Page

ELSEWHERE = {"howto/drift.md": "test_howto_drift.py", "tutorial-observed.md": "test_tutorial_observed.py"}
"""Pages that need more than a shell, and the test that runs each."""

PAGES = {
    path.relative_to(ROOT).as_posix().removeprefix("docs/"): path
    for path in (*sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("examples/*/README.md")), ROOT / "README.md")
    if re.search(r"^```(console|session)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ELSEWHERE])
def test_the_page_does_what_it_says(name: str, tmp_path: Path) -> None:
    assert Page(PAGES[name], tmp_path).run() > 0


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_others_are_run_where_it_is_said(name: str) -> None:
    path = ROOT / "tests" / "scenarios" / ELSEWHERE[name]
    assert Path(name).name in path.read_text(encoding="utf-8")


def test_no_block_is_hidden_from_the_runner_in_a_list() -> None:
    pages = sorted(ROOT.glob("docs/**/*.md"))
    assert [
        path.name for path in pages if re.search(r"^ +```(console|session)", path.read_text("utf-8"), re.MULTILINE)
    ] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/**/*.md")), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_command_at_a_prompt_stands_in_a_block_that_is_run(path: Path) -> None:
    blocks = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert [block for kind, block in blocks if block.startswith("$ ") and kind not in ("console", "session")] == []


def test_the_runner_notices_what_is_not_so(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for number, block in enumerate(
        ("$ echo a\nb\n", "$ false\n", "$ true   # exits with 1\n", "$ printf 'b\\na\\n'\na\nb\n")
    ):
        page.write_text(f"```console\n{block}```\n", encoding="utf-8")
        scratch = tmp_path / str(number)
        scratch.mkdir()
        with pytest.raises(AssertionError):
            Page(page, scratch).run()
