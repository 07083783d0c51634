"""Test `init --ci`: pipeline files next to a configuration, filled in, without overwriting any."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from rolecall import __version__
from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.jobs.init import FILES, init_ci

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("forge", FILES)
def test_the_files_are_yaml_and_name_this_version(tmp_path: Path, forge: str) -> None:
    written = init_ci(tmp_path, forge, "git@github.com:acme/access.git")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in written) == sorted(FILES[forge])
    text = "".join(path.read_text(encoding="utf-8") for path in written)
    assert __version__ in text
    assert "OWNER" not in text
    assert all(yaml.safe_load(path.read_text(encoding="utf-8")) for path in written if path.suffix != ".py")
    assert all(compile(path.read_text(encoding="utf-8"), path, "exec") for path in written if path.suffix == ".py")


@pytest.mark.parametrize(
    "remote", ["git@github.com:acme/access.git", "https://github.com/acme/access", "ssh://git@host:22/acme/access.git/"]
)
def test_the_action_is_looked_for_beside_the_repository(tmp_path: Path, remote: str) -> None:
    init_ci(tmp_path, "github", remote)
    text = (tmp_path / ".github/workflows/rolecall-plan.yml").read_text(encoding="utf-8")
    assert f"uses: acme/rolecall@v{__version__}\n" in text


def test_without_a_remote_the_place_is_left_to_be_filled_in(tmp_path: Path) -> None:
    init_ci(tmp_path, "github")
    assert "uses: OWNER/rolecall@" in (tmp_path / ".github/workflows/rolecall-plan.yml").read_text(encoding="utf-8")


def test_without_a_remote_it_is_said_what_to_fill_in_and_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q", "."], check=True)
    assert run(["init", "--no-input", "--name", "acme", "--ci", "github"]) == Exit.OK
    said = capsys.readouterr().out
    assert "Not ready yet: this repository has no remote `origin`" in said
    (way,) = (line.strip() for line in said.splitlines() if line.strip().startswith("sed "))
    subprocess.run(["sh", "-c", way.replace("ACCOUNT", "acme")], check=True)
    text = "".join(path.read_text(encoding="utf-8") for path in Path(".github/workflows").iterdir())
    assert "OWNER" not in text
    assert f"uses: acme/rolecall@v{__version__}\n" in text


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".pre-commit-config.yaml").write_text("repos: []\n", encoding="utf-8")
    assert tmp_path / ".pre-commit-config.yaml" not in init_ci(tmp_path, "gitlab")
    assert (tmp_path / ".pre-commit-config.yaml").read_text(encoding="utf-8") == "repos: []\n"
    assert init_ci(tmp_path, "gitlab") == []


def test_a_new_repo_gets_a_journal_that_a_runner_can_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q", "."], check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://github.com/acme/access.git"], check=True)
    url = "https://rolecall.example.com"
    assert run(["init", "--no-input", "--name", "acme", "--url", url, "--ci", "github"]) == Exit.OK
    assert "Wrote .github/workflows/rolecall-apply.yml\n" in capsys.readouterr().out
    assert yaml.safe_load(Path("rolecall.yaml").read_text(encoding="utf-8"))["journal"] == {
        "url": {"env": "ROLECALL_JOURNAL"}
    }
    assert "acme/rolecall@" in Path(".github/workflows/rolecall-drift.yml").read_text(encoding="utf-8")
    assert run(["validate"]) == Exit.OK
    assert run(["fmt", "--check"]) == Exit.OK, "what init writes is what the hook lets pass"


def test_a_repo_that_has_a_config_gets_the_pipeline_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "--no-input"]) == Exit.OK
    before = Path("rolecall.yaml").read_bytes()
    capsys.readouterr()
    assert run(["init", "--no-input", "--ci", "gitlab"]) == Exit.OK
    told = capsys.readouterr().out
    assert "Wrote .gitlab-ci.yml\n" in told
    assert "ROLECALL_TOKEN_HOST" in told
    assert Path("rolecall.yaml").read_bytes() == before
