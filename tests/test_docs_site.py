"""The docs site: it builds without a warning, its reference is whole, and it asks nobody for anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rolecall.cli.program import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
MADE = {
    "reference/cli.md",
    "reference/messages.md",
    "reference/config.md",
    "reference/snapshot.md",
    "reference/plan.md",
    "reference/drift.md",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `script/docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    environ = {**os.environ, "ROLECALL_VENV": sys.prefix}
    command = [str(ROOT / "script" / "docs"), str(folder)]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    return folder


def test_every_command_is_in_the_reference(site: Path) -> None:
    text = (site / "reference" / "cli" / "index.html").read_text(encoding="utf-8")
    for name in (name for rows in COMMANDS.values() for name in rows):
        assert f">rolecall {name}<" in text, name
    assert "Examples:" in text


@pytest.mark.parametrize("kind", ["config", "snapshot", "plan", "drift"])
def test_every_key_of_a_schema_is_in_the_reference(site: Path, kind: str) -> None:
    text = (site / "reference" / kind / "index.html").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    assert [key for key in schema["properties"] if f"<code>{key}</code>" not in text] == []
    assert re.findall(r"<td><code>([^<]+)</code></td>\s*<td>.*?</td>\s*<td></td>", text) == [], "a key without a word"


def test_keys_below_a_name_are_in_the_reference_too(site: Path) -> None:
    text = (site / "reference" / "config" / "index.html").read_text(encoding="utf-8")
    assert "<code>idp_groups.NAME.expires</code>" in text
    assert "<code>guards.max_people_losing_access.review</code>" in text


def test_every_page_can_be_reached_from_the_menu() -> None:
    nav = yaml.safe_load(re.sub(r"!!python\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))["nav"]
    listed = set(_leaves(nav))
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert listed - pages - MADE == set()
    lost = {page for page in pages - listed if not page.startswith("decisions/")}
    assert lost == set(), "name it under `nav` in mkdocs.yml"


def _leaves(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    rows = nav if isinstance(nav, list) else list(nav.values()) if isinstance(nav, dict) else []
    return [leaf for row in rows for leaf in _leaves(row)]


def test_llms_txt_lists_every_page_with_its_first_sentence(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    assert text.startswith("# rolecall\n\n> ")
    rows = re.findall(r"^- \[(.+?)\]\((.+?)\): ?(.*)$", text, re.MULTILINE)
    assert {title for title, _, _ in rows} >= {"Your first plan", "Guards", "Pipelines", "Command reference"}
    assert [said for _, _, said in rows if not said or "](" in said or "**" in said] == [], "words, not markup"
    assert [url for _, url, _ in rows if not (site / url / "index.html").is_file()] == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    wanted = re.compile(
        r'<(?:script|img|iframe)[^>]+src="(https?:)?//|<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="http'
    )
    assert [page for page in site.rglob("*.html") if wanted.search(page.read_text(encoding="utf-8"))] == []


def test_no_link_leads_out_of_the_site_to_a_file_that_is_not_there(site: Path) -> None:
    lost = []
    for page in site.rglob("index.html"):
        for target in re.findall(r'href="([^"#:?]+)"', page.read_text(encoding="utf-8")):
            there = site / target.lstrip("/") if target.startswith("/") else page.parent / target
            if not (there.is_file() or (there / "index.html").is_file()):
                lost.append((page.relative_to(site).as_posix(), target))
    assert lost == []
