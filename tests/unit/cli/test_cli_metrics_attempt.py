"""Test that `--metrics-file` has the last attempt, also one that failed before anything was read."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from cli_repo import make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

LINE = re.compile(r'(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[0-9.]+)')


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    return made


def samples(name: str = "m.prom") -> dict[str, float]:
    """The values of a metrics file by name, each name with one HELP and one TYPE line before its samples."""
    text = Path(name).read_text(encoding="utf-8")
    lines = text.splitlines()
    assert text.endswith("\n")
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    kinds = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(kinds) == len(set(kinds))
    rows = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    assert {row[0].partition("{")[0] for row in rows} == set(kinds)
    assert len(rows) == len({row[0] for row in rows})
    return {row[0]: float(row[2]) for row in rows}


def attempt(command: str, name: str = "m.prom") -> tuple[float, float]:
    """The exit code of the last attempt, and whether it failed."""
    labels = f'{{command="{command}",config="{Path("rolecall.yaml").absolute()}",env=""}}'
    values = samples(name)
    assert abs(values[f"rolecall_last_attempt_timestamp_seconds{labels}"] - time.time()) < 60
    return values[f"rolecall_last_attempt_exit_code{labels}"], values[f"rolecall_last_attempt_failed{labels}"]


@pytest.mark.parametrize("command", [["drift"], ["apply", "--auto-approve"]])
@pytest.mark.parametrize("broken", ["rolecall.yaml", "org"])
def test_an_attempt_that_failed_keeps_what_was_measured_before(repo: Path, command: list[str], broken: str) -> None:
    run(["apply", "--auto-approve"])
    line = [*command, "--metrics-file", "m.prom"]
    code = run(line)
    assert attempt(command[0]) == (code, 0)
    before = samples()
    assert len(before) > 8
    if broken == "org":
        text = Path("rolecall.yaml").read_text(encoding="utf-8")
        changed = re.sub(r"local:\S+", "local:missing.db", text)
        assert changed != text
        Path("rolecall.yaml").write_text(changed, encoding="utf-8")
    else:
        Path("rolecall.yaml").write_text("org: [", encoding="utf-8")
    code = run(line)
    assert code not in (Exit.OK, Exit.CHANGES, Exit.UNSEEN)
    assert attempt(command[0]) == (code, 1)
    changed_ones = {name for name, value in samples().items() if before.get(name) != value}
    assert {name.partition("{")[0] for name in changed_ones} <= {
        "rolecall_last_attempt_timestamp_seconds",
        "rolecall_last_attempt_exit_code",
        "rolecall_last_attempt_failed",
    }
    assert samples().keys() == before.keys()


def test_an_attempt_is_written_where_there_was_no_file(repo: Path) -> None:
    Path("rolecall.yaml").unlink()
    code = run(["drift", "--metrics-file", "m.prom"])
    assert attempt("drift") == (code, 1)
    assert len(samples()) == 3


def test_drift_that_was_found_is_no_failure(repo: Path) -> None:
    assert run(["drift", "--detailed-exitcode", "--metrics-file", "m.prom"]) == Exit.UNSEEN
    assert attempt("drift") == (Exit.UNSEEN, 0)


def test_drift_and_apply_have_the_same_counts(repo: Path) -> None:
    text = Path("rolecall.yaml").read_text(encoding="utf-8")
    assert "idp_groups:\n" in text
    extra = "idp_groups:\n  Not yet pushed: {role: member, teams: [Brand]}\n"
    Path("rolecall.yaml").write_text(text.replace("idp_groups:\n", extra), encoding="utf-8")
    run(["drift", "--metrics-file", "d.prom"])
    run(["apply", "--auto-approve", "--metrics-file", "a.prom"])
    drift, apply = samples("d.prom"), samples("a.prom")
    pending = next(name for name in apply if name.startswith("rolecall_pending_groups{"))
    assert drift[pending] == apply[pending] == 1
    expiring = [name for name in apply if name.startswith("rolecall_expiring_mappings{")]
    assert len(expiring) == 2
    assert [drift[name] for name in expiring] == [apply[name] for name in expiring]
    size = next(name for name in apply if name.startswith("rolecall_journal_bytes{"))
    assert 0 < drift[size] <= apply[size]


def test_a_file_that_cannot_be_written_does_not_hide_why_the_command_failed(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("rolecall.yaml").write_text("org: [", encoding="utf-8")
    Path("m.prom").mkdir()
    run(["drift", "--metrics-file", "m.prom"])
    assert "rolecall.yaml" in capsys.readouterr().err
