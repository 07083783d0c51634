"""Test completion in bash, zsh and fish themselves."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shells import SHELLS, Shell, installed

from rolecall.cli.shells import in_bash, typed

CONFIG = """\
version: 1
org: {name: tinyco, url: https://rolecall.tiny.invalid, token: {exec: [touch, asked]}}
people: {file: people.csv}
defaults: {role: member, teams: [Everyone]}
domains: {tiny.co: {}}
idp_groups:
  Writer-Legal: {role: member, teams: [Legal]}
  Writer-Legal-Leads: {role: member, teams: [Legal]}
  "Brand: Anna's \\"A\\" team": {role: member, teams: [Brand]}
  "Ops, EU/West @ 9": {role: member, teams: [Ops & Co]}
  "Zürich $HOME `x`": {role: member, teams: [Everyone]}
"""
PEOPLE = "email,groups\nbo+test@tiny.co,\nmary.o'neil@tiny.co,\nzoë@tiny.co,\nlea@tiny.co,\nleo@tiny.co,\n"

TYPED = [
    ("rolecall ren", "render"),
    ("rolecall plan --det", "--detailed-exitcode"),
    ("rolecall plan --target dom", "domains/tiny.co"),
    ("rolecall plan --target idp_groups/Writer-L", "idp_groups/Writer-Legal"),
    ("rolecall plan --target=idp_groups/Writer-Legal-", "--target=idp_groups/Writer-Legal-Leads"),
    ("rolecall plan --target idp_groups/Br", 'idp_groups/Brand: Anna\'s "A" team'),
    ("rolecall plan --target idp_groups/Brand:", 'idp_groups/Brand: Anna\'s "A" team'),
    ("rolecall plan --target idp_groups/Brand:\\ An", 'idp_groups/Brand: Anna\'s "A" team'),
    ('rolecall plan --target "idp_groups/Brand: An', 'idp_groups/Brand: Anna\'s "A" team'),
    ("rolecall plan --target 'idp_groups/Ops, EU/West @", "idp_groups/Ops, EU/West @ 9"),
    ("rolecall plan --exclude=idp_groups/Ops", "--exclude=idp_groups/Ops, EU/West @ 9"),
    ("rolecall plan --target domains/tiny.co --target idp_groups/Z", "idp_groups/Zürich $HOME `x`"),
    ("rolecall access --team Op", "Ops & Co"),
    ("rolecall why bo", "bo+test@tiny.co"),
    ("rolecall why bo+", "bo+test@tiny.co"),
    ("rolecall why bo+test@ti", "bo+test@tiny.co"),
    ("rolecall why mary", "mary.o'neil@tiny.co"),
    ("rolecall why zo", "zoë@tiny.co"),
    ("rolecall -C . why le", "le"),
    ("rolecall -e st", "staging"),
    ("rolecall show pla", "plan.json"),
    ("rolecall plan --out=pla", "--out=plan.json"),
]


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shells")
    (folder / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (folder / "plan.json").write_text("{}", encoding="utf-8")
    (folder / "env").mkdir()
    (folder / "env" / "staging.yaml").write_text("{}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest, repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    made = Shell(request.param, repo, tmp_path_factory.mktemp("home") / request.param)
    yield made
    assert "Traceback" not in made.close()


@pytest.mark.parametrize(("keys", "became"), TYPED, ids=[keys for keys, _ in TYPED])
def test_tab_completes_the_word_so_that_the_shell_reads_it_back(shell: Shell, keys: str, became: str) -> None:
    assert shlex.split(shell.line(f"{keys}\t"))[-1] == became


@pytest.mark.parametrize("keys", ["rolecall nope ", "rolecall plan --target nothing", "rolecall why nobody"])
def test_where_nothing_fits_the_line_stays(shell: Shell, keys: str) -> None:
    assert shell.line(f"{keys}\t").strip() == keys.strip()


def test_nothing_was_asked_for_a_token(shell: Shell, repo: Path) -> None:
    shell.line("rolecall why \t")
    assert not (repo / "asked").exists()


def test_fish_shows_what_a_command_does(repo: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = 'rolecall completion fish | source; complete -C "rolecall val"'
    done = subprocess.run(
        [installed("fish"), "--no-config", "-c", script],
        cwd=repo,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.startswith("validate\tCheck the config"), done.stderr) == (True, "")


@pytest.mark.parametrize("word", ["a b", "it's", 'say "x"', "$HOME", "a:b@c=d", "back\\slash", "`x`", "ü(1)&2;*?[!]#~"])
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_what_bash_is_given_is_read_back_as_it_was(word: str, quote: str) -> None:
    breaks = " \t\n\"'@><=;|&(:"
    begun = typed(f"rolecall why {quote}", breaks)
    script = f"printf %s {quote}{in_bash(word, begun)}{quote}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == word
