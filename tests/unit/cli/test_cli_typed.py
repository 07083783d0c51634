"""Test what is answered to values that were typed almost right: dates, runs, checklists, topics of help."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
APP = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    capsys.readouterr()
    return made


def output(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "--as-of", "30.11.2026"],
        ["audit", "--since", "30.11.2026"],
        ["local", "token", "--admin", "--expires", "30.11.2026"],
    ],
)
def test_each_date_is_answered_in_one_form(folder: Path, capsys: Capture, command: list[str]) -> None:
    text = output(capsys, *command, code=Exit.USAGE)
    assert "'30.11.2026' is not a date; write it as 2026-11-30" in text
    assert output(capsys, "plan", "--as-of", "2026-11-30")


@pytest.mark.parametrize("command", [["done", "RUN", "1"], ["rollback", "RUN"], ["history", "RUN"]])
@pytest.mark.parametrize("typed", ["#12", "run 12", "run12", "12."])
def test_a_run_that_is_written_otherwise(folder: Path, capsys: Capture, command: list[str], typed: str) -> None:
    text = output(capsys, *(typed if part == "RUN" else part for part in command), code=Exit.USAGE)
    assert f"{typed!r} is not the number of a run; did you mean `12`?" in text


@pytest.mark.parametrize("command", [["done", "last", "1"], ["rollback", "last"], ["history", "last"]])
def test_what_is_no_run_names_the_list(folder: Path, capsys: Capture, command: list[str]) -> None:
    text = output(capsys, *command, code=Exit.USAGE)
    assert "'last' is not the number of a run; for the list of runs: rolecall history" in text


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (["show", "#12"], "12"),
        (["runbook", "run-12"], "12"),
        (["runbook", "setupp"], "setup"),
        (["runbook", "otka"], "okta"),
    ],
)
def test_a_file_or_a_run_that_is_neither(folder: Path, capsys: Capture, command: list[str], meant: str) -> None:
    text = output(capsys, *command, code=Exit.USAGE)
    assert f"{command[1]!r} is neither a file nor the number of a run; did you mean `{meant}`?" in text


def test_a_file_that_does_not_exist_is_still_a_file(folder: Path, capsys: Capture) -> None:
    assert "setupp.json: cannot be read" in output(capsys, "runbook", "./setupp.json", code=Exit.ERROR)
    (folder / "setupp").write_text("{}", encoding="utf-8")
    assert "neither" not in output(capsys, "runbook", "setupp", code=Exit.ERROR)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (["config", "guards"], "max_removals"),
        (["idp"], "okta"),
        (["env"], "ROLECALL_TOKEN"),
        (["R7"], "R7  Without a mapped group: default access."),
        (["r7"], "R7  Without a mapped group: default access."),
        (["rules", "R7"], "R7  Without a mapped group: default access."),
        (["guards", "max_removals"], "Number of deleted domains and unmapped groups."),
        (["max-removals"], "Number of deleted domains and unmapped groups."),
    ],
)
def test_help_of_a_part(capsys: Capture, subject: list[str], words: str) -> None:
    text = output(capsys, "help", *subject)
    assert words in text
    assert len(text) < len(output(capsys, "help", "config"))


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (["config", "gards"], "'config' has no part 'gards'; for all of them: rolecall help config"),
        (["env", "x"], "'environment' is a topic without parts: rolecall help environment"),
        (["R99"], "no command or topic 'R99'"),
        (["guards", "max_removals", "x"], "'guards' is a topic without parts"),
    ],
)
def test_help_of_what_there_is_not(capsys: Capture, subject: list[str], words: str) -> None:
    assert words in output(capsys, "help", *subject, code=Exit.USAGE)


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("{okta: 'https://acme-admin.okta.com', app: 0oa1, token: {env: T}}", "write https://acme.okta.com"),
        (
            "{okta: 'https://acme-admin.oktapreview.com', app: 0oa1, token: {env: T}}",
            "write https://acme.oktapreview.com",
        ),
        (f"{{entra: acme corp, app: {APP}, token: {{env: T}}}}", "such as acme.onmicrosoft.com"),
        (f"{{entra: acme.onmicrosoft.com, app: {APP}}}", "Entra requires credentials"),
        (
            "{okta: 'https://acme.okta.com', token: {env: T}}",
            "`people` has no `app`; add `app`; for what it takes: rolecall help config people",
        ),
    ],
)
def test_what_to_write_for_an_idp(folder: Path, capsys: Capture, people: str, words: str) -> None:
    (folder / "rolecall.yaml").write_text(f"{CONFIG}people: {people}\n", encoding="utf-8")
    text = output(capsys, "validate", code=Exit.ERROR)
    assert words in text
    assert f"error: rolecall.yaml:{CONFIG.count(chr(10)) + 1}:" in text


@pytest.mark.parametrize(
    ("idp", "words"),
    [
        ("{okta: {url: 'https://acme-admin.okta.com', app: 0oa1, token: {env: T}}}", "write https://acme.okta.com"),
        (f"{{entra: {{tenant: acme corp, app: {APP}, token: {{env: T}}}}}}", "such as acme.onmicrosoft.com"),
    ],
)
def test_the_same_in_the_section_of_the_idp(folder: Path, capsys: Capture, idp: str, words: str) -> None:
    (folder / "rolecall.yaml").write_text(f"{CONFIG}idp: {idp}\n", encoding="utf-8")
    assert words in output(capsys, "validate", code=Exit.ERROR)


def test_a_bad_private_key_has_its_place(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "canary-2f81")
    idp = "{okta: {url: 'https://acme.okta.com', app: 0oa1, client_id: x, private_key: {env: KEY}}}"
    (folder / "rolecall.yaml").write_text(f"{CONFIG}idp: {idp}\npeople: idp\n", encoding="utf-8")
    text = output(capsys, "plan", code=Exit.ERROR)
    assert f"error: rolecall.yaml:{CONFIG.count(chr(10)) + 1}:" in text
    assert "`idp.okta.private_key` is not an RSA private key; use the private key that Okta showed" in text
    assert "canary" not in text


def test_groups_are_an_option_of_why(folder: Path, capsys: Capture) -> None:
    text = output(capsys, "access", "--groups", "Admins", code=Exit.USAGE)
    assert "no such option: --groups; use rolecall why --groups A,B" in text


def test_removals_of_mappings_name_blank(folder: Path, capsys: Capture) -> None:
    groups = {**SNAPSHOT["idp_groups"], **{f"G{n}": {"role": "member", "teams": ["Brand"]} for n in range(4)}}
    make_repo(folder, CONFIG, {**SNAPSHOT, "idp_groups": groups})
    text = output(capsys, "plan", code=Exit.REFUSED)
    assert "add them to the config with a role and teams; `GROUP: blank` unmaps a group, too." in text
