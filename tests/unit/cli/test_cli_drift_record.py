"""Test `drift` without a record of an apply: drift is unknown in every format, and no pipeline passes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import jsonschema
import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.cli.report_options import FORMATS
from rolecall.errors import Exit
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]
SENTENCE = "drift cannot be determined: no apply is recorded"
MATCHING = {**SNAPSHOT, "idp_groups": {**SNAPSHOT["idp_groups"], "Marketing": {"role": "member", "teams": ["Brand"]}}}


@pytest.fixture(params=["matches", "differs"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """An org to which nothing was ever applied, that is as the config says or is not."""
    made = make_repo(tmp_path / "repo", snapshot=MATCHING if request.param == "matches" else SNAPSHOT)
    monkeypatch.chdir(made)
    capsys.readouterr()
    return made


def test_each_check_exits_with_7(fresh: Path, capsys: Capture) -> None:
    for _ in range(2):
        assert run(["drift", "--detailed-exitcode"]) == Exit.UNSEEN
        out = capsys.readouterr().out.splitlines()
        assert out[3] == "  Drift cannot be determined: no apply is recorded."
        assert any(line.startswith("  Drift is unknown.") for line in out)
    assert run(["drift"]) == Exit.OK
    assert run(["drift", "--detailed-exitcode", "--accept"]) == Exit.UNSEEN
    assert run(["drift", "--detailed-exitcode", "--revert", "--out", "revert.json"]) == Exit.UNSEEN
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_so(fresh: Path, capsys: Capture, form: str) -> None:
    assert run(["drift", "--detailed-exitcode", "--format", form]) == Exit.UNSEEN
    out = capsys.readouterr().out
    assert "No drift" not in out
    assert "✅" not in out
    if form == "csv":
        assert list(csv.reader(out.splitlines()))[-1][:3] == ["settings", "unknown", "no"]
    else:
        assert SENTENCE in out.lower()
    if form == "json":
        document = json.loads(out)
        jsonschema.validate(document, json.loads(schema_text("drift.schema.json")))
        assert document["undetermined"] == SENTENCE


def test_metrics_give_no_zero_for_what_is_unknown(fresh: Path, capsys: Capture) -> None:
    run(["drift", "--metrics-file", "before.prom"])
    before = Path("before.prom").read_text(encoding="utf-8")
    assert 'rolecall_drift_determined{org="org_1",env=""} 0\n' in before
    assert "rolecall_drift_counted{" not in before
    assert 'class="console"' not in before
    run(["apply", "--auto-approve"])
    run(["drift", "--metrics-file", "after.prom"])
    after = Path("after.prom").read_text(encoding="utf-8")
    assert 'rolecall_drift_determined{org="org_1",env=""} 1\n' in after
    assert 'rolecall_drift_counted{org="org_1",env=""} 0\n' in after
    assert 'class="console"' in after


def test_a_baseline_is_a_record(fresh: Path, capsys: Capture) -> None:
    assert run(["drift", "--detailed-exitcode", "--baseline", "live.json"]) == Exit.OK


def test_a_variable_that_has_no_effect_is_reported(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("ROLECALL_JOURNAL", "sqlite:shared.db")
    run(["drift"])
    assert "ROLECALL_JOURNAL is set, but the configuration does not use it" in capsys.readouterr().err
    assert not Path("shared.db").exists()


@pytest.mark.parametrize("command", [["drift"], ["apply", "--auto-approve"], ["rollback", "1"], ["done", "1", "1"]])
def test_a_pipeline_needs_a_journal_that_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, command: list[str]
) -> None:
    remote = CONFIG.replace("url: local:org.db", "url: 'http://127.0.0.1:9', token: {env: T}")
    (tmp_path / "rolecall.yaml").write_text(remote, encoding="utf-8")
    for name, value in {"CI": "true", "ROLECALL_TOKEN_HOST": "127.0.0.1", "T": "x"}.items():
        monkeypatch.setenv(name, value)
    assert run(command) == Exit.ERROR
    assert "a journal that is a local file is lost with the runner" in capsys.readouterr().err
    monkeypatch.setenv("ROLECALL_JOURNAL", "sqlite:journal.db")
    run(command)
    assert "two runners have no common lock" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["plan"], ["drift"], ["history"], ["apply", "--auto-approve"], ["access"]])
def test_in_a_pipeline_the_runner_chooses_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, command: list[str]
) -> None:
    repo = make_repo(tmp_path / "repo", snapshot=MATCHING)
    monkeypatch.chdir(repo)
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("ROLECALL_JOURNAL", "sqlite:../shared.db")
    if command == ["drift"]:
        assert run(["drift", "--detailed-exitcode"]) == Exit.UNSEEN
        assert (tmp_path / "shared.db").is_file()
    for url in ("sqlite:other.db", "sqlite:.rolecall/journal.db", "postgresql://127.0.0.1:9/x"):
        (repo / "rolecall.yaml").write_text(f"{CONFIG}journal: {{url: '{url}'}}\n", encoding="utf-8")
        assert run(command) == Exit.USAGE
        assert "must be the journal in the variable ROLECALL_JOURNAL" in capsys.readouterr().err
    for url in ("'sqlite:../../tmp/../shared.db'", "{env: OTHER}"):
        monkeypatch.delenv("ROLECALL_JOURNAL", raising=False)
        monkeypatch.setenv("OTHER", "postgresql://127.0.0.1:9/x")
        (repo / "rolecall.yaml").write_text(f"{CONFIG}journal: {{url: {url}}}\n", encoding="utf-8")
        assert run(command) == Exit.USAGE
        assert "may only name a journal file in the checkout" in capsys.readouterr().err
