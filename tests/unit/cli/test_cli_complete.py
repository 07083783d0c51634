"""Test that shells complete commands, flags, addresses, overlays and the users in a configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.jobs.saved import read_plan
from rolecall.plan.saved.digest import digest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def completed(words: str, folder: Path, *heavy: str) -> list[str]:
    """What zsh is offered for a line that ends in the word to complete; of ``heavy``, nothing may be imported."""
    code = (
        "import sys\n"
        "from rolecall.cli.main import run\n"
        "run(sys.argv[1:])\n"
        f"sys.stderr.write(' '.join(name for name in {heavy!r} if name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split(" ")[1:]],
        cwd=folder,
        env={**os.environ, "_ROLECALL_COMPLETE": "zsh"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(row.startswith("plain ") for row in done.stdout.splitlines())
    return [row.removeprefix("plain ").partition("\t")[0] for row in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("rolecall ren", ["render"]),
        ("rolecall plan --det", ["--detailed-exitcode"]),
        (
            "rolecall plan --target idp_groups/Writer-Legal",
            ["idp_groups/Writer-Legal", "idp_groups/Writer-Legal-Leads"],
        ),
        ("rolecall plan --exclude domains/acme.c", ["domains/acme.co.uk", "domains/acme.com"]),
        ("rolecall plan --target ss", ["sso"]),
        ("rolecall plan -e ", ["prod", "staging"]),
        ("rolecall why bre", ["breakglass@acme.com"]),
        ("rolecall why BRE", ["breakglass@acme.com"]),
        ("rolecall -C . --snapshot live/prod.json -e prod why ADA", ["ada.wright@acme.com"]),
        ("rolecall why --groups=Writer-Labs,Writer-Legal-", ["--groups=Writer-Labs,Writer-Legal-Leads"]),
        ("rolecall -e staging plan --target domains/acme-s", ["domains/acme-sandbox.io"]),
        ("rolecall plan --target domains/acme-s", []),
        ("rolecall why --at de", ["desired"]),
        ("rolecall test --at l", ["live"]),
        ("rolecall access --role org", ["org_admin"]),
        ("rolecall why ann@acme.com --not te", ["Team admin", "team_admin"]),
        ("rolecall plan --allow max_r", ["max_removals="]),
        ("rolecall plan --allow max-people", ["max_people_losing_access="]),
        ("rolecall plan --allow require", ["required_org_admins="]),
        ("rolecall help ex", ["exit-codes", "export"]),
    ],
)
def test_what_is_offered(words: str, offered: list[str]) -> None:
    assert completed(words, EXAMPLES / "acme") == offered


@pytest.mark.parametrize("words", ["rolecall plan --target ", "rolecall plan -e ", "rolecall why "])
def test_without_a_config_nothing_is_offered_and_nothing_said(words: str, tmp_path: Path) -> None:
    assert completed(words, tmp_path) == []


def test_a_broken_config_does_not_disturb(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_bytes(b"\x00[[[")
    assert completed("rolecall plan --target ", tmp_path) == []


@pytest.mark.parametrize("words", ["rolecall -C nowhere plan --nope ", "rolecall plan -C", "rolecall --as-of x plan -"])
def test_a_line_that_cannot_be_read_disturbs_neither(words: str, tmp_path: Path) -> None:
    completed(words, tmp_path)


def test_it_is_quick_as_no_org_and_no_heavy_library_is_touched() -> None:
    heavy = ("httpx", "sqlalchemy", "jsonschema", "rich", "jinja2", "asyncio", "rolecall.live", "rolecall.journal")
    assert completed("rolecall plan --target idp_groups/Writer-Legal-", EXAMPLES / "acme", *heavy)
    assert completed("rolecall why bre", EXAMPLES / "acme", *heavy)


def test_a_name_that_would_break_the_terminal_is_not_offered(tmp_path: Path) -> None:
    text = 'version: 1\nidp_groups:\n  "a\\x1b[31m": {blank: true}\n  ab: {blank: true}\n'
    (tmp_path / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert completed("rolecall plan --target idp_groups/a", tmp_path) == ["idp_groups/ab"]


def test_runs_and_their_manual_steps_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = make_repo(tmp_path / "repo", CONFIG.replace("local:org.db", "observed:live.json"))
    monkeypatch.chdir(repo)
    for name in [name for name in os.environ if name.startswith("ROLECALL_")]:
        monkeypatch.delenv(name)
    assert run(["plan", "--out", "plan.json"]) == Exit.OK
    assert run(["apply", "--approve", digest(read_plan(repo / "plan.json"))]) == Exit.HUMAN
    for words in ("rolecall done ", "rolecall rollback ", "rolecall history ", "rolecall show 1", "rolecall runbook 1"):
        assert completed(words, repo) == ["1"]
    assert completed("rolecall done 1 ", repo) == ["1", "all"]
    assert completed("rolecall done 7 ", repo) == []
    assert run(["done", "1", "all"]) == Exit.OK
    assert completed("rolecall done 1 ", repo) == []
    (repo / ".rolecall" / "journal.db").write_bytes(b"no journal")
    assert completed("rolecall done ", repo) == []


def test_the_configuration_is_found_upwards(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "below").mkdir()
    (tmp_path / "rolecall.yaml").write_text("version: 1\norg: {name: a, url: local:o.db}\nsso: {enabled: true}\n")
    assert completed("rolecall plan --target s", tmp_path / "below") == ["sso"]
    assert completed("rolecall -C . plan --target s", tmp_path / "below") == []
