"""Test that `doctor` finds each of the thirteen mistakes, suggests an action, and changes nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo
from served_org import Server

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.jobs.doctor import NAMES
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]
HEALTHY = CONFIG.replace("{name: tinyco,", "{name: tinyco, id: org_1,")
REMOTE = HEALTHY.replace("url: local:org.db", "url: 'https://org.invalid', token: {env: ROLECALL_TOKEN}")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config repo in which nothing is wrong."""
    folder = make_repo(tmp_path / "repo", HEALTHY)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".gitignore").write_text(".rolecall/*\n!.rolecall/*.schema.json\n", encoding="utf-8")
    (folder / ".rolecall").mkdir(exist_ok=True)
    (folder / ".rolecall" / "config.schema.json").write_text(schema_text("config.schema.json"), encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def found(capsys: Capture, *args: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and what was found by the check's name."""
    capsys.readouterr()
    code = run([*args, "doctor", "--format", "json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["name"] for check in checks] == list(NAMES)
    return code, {check["name"]: check for check in checks}


def test_a_healthy_repo_is_healthy(repo: Path, capsys: Capture) -> None:
    code, checks = found(capsys)
    assert code == Exit.OK
    assert {name: check["state"] for name, check in checks.items()} == dict.fromkeys(NAMES, "ok")
    assert run(["doctor"]) == Exit.OK
    assert capsys.readouterr().out.endswith("\n13 ok.\n")


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8") and None


def state_in_git(folder: Path) -> None:
    (folder / ".rolecall" / "mask.key").write_text("x", encoding="utf-8")
    subprocess.run(["git", "-C", str(folder), "add", "--force", ".rolecall/mask.key"], check=True)


BROKEN: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    "config": (
        lambda folder: (folder / "rolecall.yaml").unlink(),
        "wrong",
        "rolecall.yaml not found",
        "rolecall init",
    ),
    "valid": (write("rolecall.yaml", HEALTHY + "idp_grups: {}\n"), "wrong", "idp_grups", "idp_groups"),
    "schema": (write(".rolecall/config.schema.json", "{}"), "warning", "of another version", "rolecall schema"),
    "git": (state_in_git, "wrong", ".rolecall/mask.key", "git rm --cached"),
    "token": (write("rolecall.yaml", REMOTE), "wrong", "ROLECALL_TOKEN is not set", "set ROLECALL_TOKEN"),
    "journal": (write("journal.db", "not a database"), "wrong", "cannot be opened: file is not a database", "journal"),
    "org": (
        write("rolecall.yaml", HEALTHY.replace("org.db", "none/org.db")),
        "wrong",
        "no local org in none/org.db",
        "local load",
    ),
    "pin": (
        write("rolecall.yaml", HEALTHY.replace("org_1", "org_2")),
        "wrong",
        "org_2, but this org is org_1",
        "org.url",
    ),
    "names": (write("rolecall.yaml", HEALTHY.replace("[Brand]", "[Brnad]")), "wrong", "Brnad", "Brand"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_mistake_is_found_and_what_to_do_is_said(name: str, repo: Path, capsys: Capture) -> None:
    spoil, state, message, hint = BROKEN[name]
    if name == "journal":
        write("rolecall.yaml", HEALTHY + "journal: {url: 'sqlite:journal.db'}\n")(repo)
    spoil(repo)
    code, checks = found(capsys)
    assert checks[name]["state"] == state
    told = checks[name]["problems"][0]
    assert message in told["message"]
    assert hint in (told["hint"] or "")
    assert code == (Exit.ERROR if any(check["state"] == "wrong" for check in checks.values()) else Exit.OK)


def test_a_misspelt_variable_is_told_from_one_that_there_is(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLECALL_PLAN_OUT", "plan.json")
    monkeypatch.setenv("ROLECALL_TOKN_HOST", "org.invalid")
    code, checks = found(capsys)
    assert code == Exit.OK
    (problem,) = checks["variables"]["problems"]
    assert problem["message"] == "rolecall does not read the variable ROLECALL_TOKN_HOST"
    assert problem["hint"] == "did you mean `ROLECALL_TOKEN_HOST`?"


def test_a_required_admin_who_is_nobody_is_found(repo: Path, capsys: Capture) -> None:
    config = HEALTHY.replace("guards: {", "guards: {required_org_admins: [ann@tiny.co, gone@tiny.co], ")
    (repo / "rolecall.yaml").write_text(config, encoding="utf-8")
    _, checks = found(capsys)
    assert [problem["message"] for problem in checks["people"]["problems"]] == [
        "gone@tiny.co must be an org admin but is not an active user"
    ]


def test_a_pin_that_is_missing_is_a_warning_with_the_line_to_write(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    code, checks = found(capsys)
    assert (code, checks["pin"]["state"]) == (Exit.OK, "warning")
    assert "`id: org_1`" in checks["pin"]["problems"][0]["hint"]


def test_in_a_pipeline_the_host_has_to_be_pinned_and_the_journal_kept(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / "rolecall.yaml").write_text(REMOTE, encoding="utf-8")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("ROLECALL_TOKEN", "s3cret-token")
    _, checks = found(capsys)
    assert "ROLECALL_TOKEN_HOST" in checks["token"]["problems"][0]["message"]
    assert "is lost with the runner" in checks["journal"]["problems"][0]["message"]
    assert "s3cret" not in json.dumps(checks)


def test_an_extra_that_is_missing_is_named(repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    _, checks = found(capsys)
    assert checks["extras"]["problems"][0]["hint"] == "install it: pip install 'rolecall[local]'"


def test_an_overlay_has_to_be_chosen_and_be_there(repo: Path, capsys: Capture) -> None:
    (repo / "env").mkdir()
    (repo / "env" / "prod.yaml").write_text("guards: {min_org_admins: 2}\n", encoding="utf-8")
    _, checks = found(capsys)
    assert checks["config"]["problems"][0]["hint"] == "choose one with --env or ROLECALL_ENV: prod"
    _, checks = found(capsys, "-e", "prd")
    assert checks["config"]["problems"][0]["hint"] == "did you mean `prod`?"
    assert checks["org"]["state"] == "skipped"
    code, _ = found(capsys, "-e", "prod")
    assert code == Exit.OK


def test_nothing_is_written(repo: Path, capsys: Capture) -> None:
    before = {path: path.stat().st_mtime_ns for path in repo.rglob("*") if ".git/" not in str(path)}
    found(capsys)
    after = {path: path.stat().st_mtime_ns for path in repo.rglob("*") if ".git/" not in str(path)}
    assert {path for path in after if path not in before} == set()
    assert not (repo / ".rolecall" / "journal.db").exists()
    assert SNAPSHOT["org"]["id"] == "org_1"


@pytest.fixture
def served(repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """The repo's org over HTTP; gives what makes a token for somebody and writes the config."""
    server = Server(str(repo / "org.db"))
    url = f"url: 'http://127.0.0.1:{server.port}', token: {{env: ROLECALL_TOKEN}}"
    write("rolecall.yaml", HEALTHY.replace("url: local:org.db", url))(repo)

    def token(email: str) -> str:
        assert run(["local", "token", "--admin", "--as", email, "--database", "org.db"]) == Exit.OK
        return capsys.readouterr().out.splitlines()[-1]

    yield token
    server.stop()


def test_an_org_that_takes_us_for_an_org_admin(
    served: Callable[[str], str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLECALL_TOKEN", served("ann@tiny.co"))
    monkeypatch.setenv("ROLECALL_TOKEN_HOST", "127.0.0.1")
    code, checks = found(capsys)
    assert (code, checks["org"]["said"]) == (Exit.OK, "tinyco answers; the token belongs to ann@tiny.co")


@pytest.mark.parametrize(
    ("email", "hint"),
    [("cy@tiny.co", "org admin"), (None, "expired or revoked")],
    ids=["no org admin (R34)", "a token that nobody made"],
)
def test_a_token_that_does_not_open_the_org_is_told_apart(
    served: Callable[[str], str],
    email: str | None,
    hint: str,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROLECALL_TOKEN", served(email) if email else "rolecall_admin_made-up")
    code, checks = found(capsys)
    assert (code, checks["org"]["state"]) == (Exit.ERROR, "wrong")
    assert hint in (checks["org"]["problems"][0]["hint"] or "")
    assert "made-up" not in json.dumps(checks)


def test_an_org_that_does_not_answer(repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "url: 'http://127.0.0.1:9', token: {env: ROLECALL_TOKEN}"
    write("rolecall.yaml", HEALTHY.replace("url: local:org.db", url))(repo)
    monkeypatch.setenv("ROLECALL_TOKEN", "s3cret-token")
    code, checks = found(capsys)
    assert (code, checks["org"]["state"]) == (Exit.ERROR, "wrong")
    assert checks["org"]["problems"][0]["hint"]
    assert [checks[name]["state"] for name in ("pin", "names", "people")] == ["skipped"] * 3


def test_a_gitignore_that_forgets_the_state(repo: Path, capsys: Capture) -> None:
    (repo / ".gitignore").unlink()
    code, checks = found(capsys)
    assert (code, checks["git"]["state"]) == (Exit.OK, "warning")
    assert "`.rolecall/*`" in checks["git"]["problems"][0]["hint"]


def test_people_whose_file_is_missing_or_another_table(repo: Path, capsys: Capture) -> None:
    write("rolecall.yaml", HEALTHY + "people: {file: people.csv}\n")(repo)
    _, checks = found(capsys)
    assert "people.csv" in json.dumps(checks["valid"]), "a file that is missing is a mistake of the config"
    write("people.csv", "name;team\nann;IT\n")(repo)
    _, checks = found(capsys)
    assert checks["people"]["state"] == "wrong"
    assert checks["people"]["problems"][0]["file"].endswith("people.csv")


def test_from_a_directory_beside_it_the_way_there_is_named(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.parent)
    _, checks = found(capsys)
    assert "use -C repo" in checks["config"]["problems"][0]["hint"]


EVERY = {name: spoil for name, (spoil, *_) in BROKEN.items()}


@pytest.mark.parametrize("name", EVERY)
def test_whatever_is_wrong_there_is_something_to_do(name: str, repo: Path, capsys: Capture) -> None:
    EVERY[name](repo)
    _, checks = found(capsys)
    told = [problem for check in checks.values() for problem in check["problems"]]
    assert [problem["message"] for problem in told if not problem["hint"]] == []


def test_each_of_the_thirteen_has_its_mistake_made_here() -> None:
    made = {*BROKEN, "variables", "people", "extras", "pipeline"}
    assert made == set(NAMES)
