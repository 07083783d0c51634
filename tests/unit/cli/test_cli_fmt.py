"""Test `rolecall fmt`."""

from __future__ import annotations

from pathlib import Path

from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run

UGLY = "version:   1\norg: {name: a, url: local:org.db}\ndefaults:\n    teams: [Everyone]   # all\n"
TIDY = "version: 1\norg: {name: a, url: local:org.db}\ndefaults:\n  teams: [Everyone]     # all\n"


def test_check_tells_and_leaves_1_and_writes_nothing(tmp_path: Path, capsys) -> None:
    (tmp_path / "rolecall.yaml").write_text(UGLY)
    assert run(["fmt", "--check"]) == 1
    assert capsys.readouterr().out == "Would change rolecall.yaml\n"
    assert run(["fmt", "--diff"]) == 0
    said = capsys.readouterr().out
    assert "-version:   1\n" in said
    assert "+version: 1\n" in said
    assert (tmp_path / "rolecall.yaml").read_text() == UGLY


def test_fmt_writes_every_file_overlays_too(tmp_path: Path, capsys) -> None:
    (tmp_path / "rolecall.yaml").write_text(f"{UGLY}include: [groups/*]\n")
    for name in ("groups/a.yaml", "env/prod.yaml"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("idp_groups:\n      A: blank\n")
    assert run(["fmt"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Formatted rolecall.yaml",
        "Formatted groups/a.yaml",
        "Formatted env/prod.yaml",
    ]
    assert (tmp_path / "rolecall.yaml").read_text().startswith(TIDY)
    assert (tmp_path / "env/prod.yaml").read_text() == "idp_groups:\n  A: blank\n"
    assert run(["fmt", "--check", "--diff"]) == 0
    assert capsys.readouterr().out == ""


def test_a_file_that_is_no_yaml_is_told_and_the_rest_is_done(tmp_path: Path, capsys) -> None:
    (tmp_path / "rolecall.yaml").write_text(f"{UGLY}include: [a.yaml]\n")
    (tmp_path / "a.yaml").write_text("idp_groups: [\n")
    assert run(["fmt"]) == 1
    assert "a.yaml:" in capsys.readouterr().err
    assert (tmp_path / "rolecall.yaml").read_text().startswith(TIDY)


def test_renames_follow_the_org_by_the_pinned_id(tmp_path: Path) -> None:
    snapshot = {**SNAPSHOT, "idp_groups": {"Brand-Writers": {"role": "member", "teams": ["Brand"], "id": "g-1"}}}
    config = CONFIG.replace("    owner: lead@tiny.co\n", "    id: g-1  # pinned\n")
    repo = make_repo(tmp_path / "repo", config, snapshot)
    live = ["-C", str(repo), "--snapshot", "live.json"]
    assert run([*live, "fmt", "--renames"]) == 0
    text = (repo / "rolecall.yaml").read_text()
    assert "  Brand-Writers:\n    role: member\n    teams: [Brand]\n    id: g-1  # pinned\n" in text
    assert run([*live, "fmt", "--renames", "--check"]) == 0
