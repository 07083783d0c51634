"""Test `rolecall export`: a new config for which a plan is empty, and one merged into existing files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run


def test_an_exported_config_plans_empty_in_a_directory_of_its_own(tmp_path: Path, capsys) -> None:
    make_repo(tmp_path / "repo")
    assert run(["-C", str(tmp_path / "repo"), "export", "--out", "../out"]) == 0
    assert "Next: rolecall -C ../out plan" in capsys.readouterr().out
    text = (tmp_path / "out/rolecall.yaml").read_text()
    assert "  id: org_1\n" in text
    assert 'url: "local:../repo/org.db"' in text
    assert (tmp_path / "out/.rolecall/config.schema.json").exists()
    assert "!.rolecall/*.schema.json" in (tmp_path / "out/.gitignore").read_text()
    assert run(["-C", str(tmp_path / "out"), "validate"]) == 0
    assert run(["-C", str(tmp_path / "out"), "plan", "--detailed-exitcode"]) == 0
    assert "No changes." in capsys.readouterr().out


def test_groups_are_pinned_by_the_orgs_ids(tmp_path: Path) -> None:
    make_repo(tmp_path / "repo")
    assert run(["-C", str(tmp_path / "repo"), "export", "--out", "../out", "--split"]) == 0
    assert "include: [idp_groups/*.yaml]" in (tmp_path / "out/rolecall.yaml").read_text()
    text = (tmp_path / "out/idp_groups/marketing.yaml").read_text()
    assert text.startswith("idp_groups:\n  Marketing:") or "Marketing: {role: member" in text
    assert "id: " in text


def test_a_config_that_is_there_is_not_written_over(tmp_path: Path, capsys) -> None:
    make_repo(tmp_path / "repo")
    assert run(["-C", str(tmp_path / "repo"), "export", "--out", "."]) == 1
    assert "a configuration already exists here" in capsys.readouterr().err
    assert (tmp_path / "repo/rolecall.yaml").read_text() == CONFIG


def test_update_brings_the_config_to_the_org_and_leaves_the_rest(tmp_path: Path, capsys) -> None:
    config = CONFIG.replace("  Marketing:\n", "  # the marketing people\n  Marketing:\n")
    repo = make_repo(tmp_path / "repo", config)
    assert run(["-C", str(repo), "export", "--update"]) == 0
    text = (repo / "rolecall.yaml").read_text()
    assert "  # the marketing people\n  Marketing:\n    role: member\n    teams: [Marketing]\n" in text
    assert "    owner: lead@tiny.co\n" in text
    assert text.startswith("version: 1\norg: {name: tinyco, url: local:org.db}\n")
    capsys.readouterr()
    assert run(["-C", str(repo), "plan", "--detailed-exitcode"]) == 0
    assert run(["-C", str(repo), "export", "--update"]) == 0
    assert "No changes. The configuration matches the org." in capsys.readouterr().out
    assert (repo / "rolecall.yaml").read_text() == text


def test_a_snapshot_alone_becomes_a_repo(tmp_path: Path, capsys) -> None:
    """What an admin without an API has: a file, and no config yet."""
    make_repo(tmp_path / "repo")
    (tmp_path / "repo/live.json").rename(tmp_path / "org.json")
    assert run(["-C", str(tmp_path), "--snapshot", "org.json", "export", "--out", "out"]) == 0
    assert 'url: "observed:org.json"' in (tmp_path / "out/rolecall.yaml").read_text()
    assert run(["-C", str(tmp_path / "out"), "plan"]) == 0
    assert "No changes." in capsys.readouterr().out


@pytest.mark.parametrize("flags", [["--update", "--split"], ["--update", "--out", "x"]])
def test_flags_that_contradict_each_other_are_refused(tmp_path: Path, flags: list[str]) -> None:
    make_repo(tmp_path / "repo")
    assert run(["-C", str(tmp_path / "repo"), "export", *flags]) == 64


def test_what_a_config_cannot_say_is_told(tmp_path: Path, capsys) -> None:
    snapshot = {**SNAPSHOT, "scim": {"enabled": True, "idp": "okta", "endpoint": "legacy", "manual_editing": False}}
    snapshot["idp_groups"] = {"Marketing": {"teams": ["Marketing"]}}
    config = "version: 1\norg: {name: tinyco, url: local:org.db}\n"
    repo = make_repo(tmp_path / "repo", config, snapshot)
    assert run(["-C", str(repo), "export", "--out", "../out"]) == 0
    assert "Not exported: idp_groups: the legacy endpoint has group links" in capsys.readouterr().out
    assert "# Left out: idp_groups:" in (tmp_path / "out/rolecall.yaml").read_text()
    assert run(["-C", str(tmp_path / "out"), "plan", "--detailed-exitcode"]) == 0


def test_an_update_replaces_the_samples_of_a_new_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--no-input", "--name", "tinyco", "--url", "observed:live.json"]) == 0
    (tmp_path / "live.json").write_text(json.dumps(SNAPSHOT))
    capsys.readouterr()
    assert run(["export", "--update"]) == 0
    assert capsys.readouterr().out.endswith("Next: review the diff, then run rolecall plan\n")
    text = (tmp_path / "rolecall.yaml").read_text()
    for section in ("domains", "defaults", "sso", "scim", "idp_groups"):
        assert f"\n# {section}:" not in text
        assert text.count(f"\n{section}:") == 1
    assert text.index("\nidp_groups:") < text.index("\n# guards:")
    assert run(["plan", "--detailed-exitcode"]) == 7, "no changes, as far as an observed org can be read"


@pytest.mark.parametrize("endpoint", ["new", "legacy"])
def test_the_role_attribute_is_exported_for_the_legacy_endpoint_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], endpoint: str
) -> None:
    scim = {"enabled": True, "idp": "okta", "endpoint": endpoint, "manual_editing": False, "role_attribute": "role"}
    config = "version: 1\norg: {name: tinyco, url: observed:live.json}\n"
    snapshot = {**SNAPSHOT, "scim": scim, "idp_groups": {}}
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "live.json").write_text(json.dumps(snapshot))
    (folder / "rolecall.yaml").write_text(config)
    assert run(["-C", str(folder), "export", "--out", "../out"]) == 0
    assert run(["-C", str(folder), "export", "--update"]) == 0
    for text in ((tmp_path / "out/rolecall.yaml").read_text(), (folder / "rolecall.yaml").read_text()):
        assert ("role_attribute" in text) == (endpoint == "legacy")
    capsys.readouterr()
    run(["-C", str(folder), "plan"])
    assert "the role attribute `role` is ignored" not in "".join(capsys.readouterr())


def test_an_update_of_an_upgraded_org_does_not_add_the_role_attribute(tmp_path: Path) -> None:
    config = CONFIG + "scim: {enabled: false, idp: entra, role_attribute: role}\n"
    repo = make_repo(tmp_path / "repo", config)
    assert run(["-C", str(repo), "export", "--out", "../out"]) == 0
    assert "role_attribute" not in (tmp_path / "out/rolecall.yaml").read_text()
    assert run(["-C", str(repo), "export", "--update"]) == 0


@pytest.mark.parametrize(
    ("content", "text"), [("email,groups\n", "no users"), (None, "users could not be read: people.csv")]
)
def test_a_people_file_without_users_is_not_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, text: str
) -> None:
    repo = make_repo(tmp_path / "repo", CONFIG + "people: {file: people.csv}\n")
    if content is not None:
        (repo / "people.csv").write_text(content)
    assert run(["-C", str(repo), "export", "--out", "../out"]) == 1
    assert text in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
