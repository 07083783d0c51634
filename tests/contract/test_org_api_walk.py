"""The walk through the upgrade in the docs, pasted into a shell as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs/org-api.md"


def test_the_walk_through_the_upgrade_comes_out_as_the_docs_say(tmp_path: Path) -> None:
    walk = "\n".join(re.findall(r"^```sh\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE))
    script = f"set -eu\ntrap 'kill %1; wait' EXIT\n{walk}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = [
        line
        for line in ran.stdout.splitlines()
        if line.startswith(("[", "{", "legacy", "upgrading", "new", "wrong")) or line.isdigit()
    ]
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (
        gus,
        ann,
        refused,
        started,
        groups,
        ann_during,
        marketing,
        admins,
        gus_during,
        new,
        gus_after,
        ann_after,
        again,
        log,
    ) = said
    assert held(gus) == held(gus_during) == [("Everyone", "org_admin", "attribute")]
    assert held(ann) == held(ann_during)
    assert [team_role[:2] for team_role in held(ann)] == [("Everyone", "member"), ("Marketing", "member")]
    assert (refused, started, groups) == ("legacy_endpoint", "upgrading", "0")
    assert (marketing, admins) == (
        "{'role': 'member', 'teams': ['Marketing']}",
        "{'role': 'org_admin', 'teams': ['IT']}",
    )
    assert (new, again) == ("new", "wrong_endpoint")
    assert held(gus_after) == [("IT", "org_admin", "group:Writer-Admins")]
    assert held(ann_after) == [("Marketing", "member", "group:Marketing")]
    assert int(log) >= 6


def held(line: str) -> list[tuple[str, str, str]]:
    """Team, role and reason of each team role as Python prints it."""
    return re.findall(r"'team': '([^']*)', 'role': '([^']*)', 'reason': '([^']*)'", line)


TABLE = DOCS.read_text().partition("| status")[2].partition("## A walk")[0]
MADE = {"unknown_team", "unknown_role"}
"""Keys that are put together from a word."""


@pytest.mark.parametrize("key", sorted(set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", TABLE)) - MADE))
def test_every_key_the_docs_name_is_one_the_org_gives(key: str) -> None:
    sources = (Path(__file__).parents[2] / "src/rolecall/localorg").rglob("*.py")
    assert any(f'"{key}"' in source.read_text() for source in sources)
