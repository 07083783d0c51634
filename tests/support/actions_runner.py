"""Runs a composite action's steps as GitHub's runner does: expressions filled in, outputs read back from files."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "PYTHONDONTWRITEBYTECODE")


class Ran(NamedTuple):
    """What a step left: its exit code, the log, the action's outputs, and the job's summary."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


def run_action(
    folder: Path, workspace: Path, inputs: Mapping[str, str], environ: Mapping[str, str], event: Mapping[str, Any]
) -> Ran:
    """Run the action in ``folder`` on a checked-out repository. ``environ`` adds to what the runner itself sets."""
    action = yaml.safe_load((folder / "action.yml").read_text(encoding="utf-8"))
    temp = workspace.parent / f"{workspace.name}-runner"
    temp.mkdir(exist_ok=True)
    (temp / "event.json").write_text(json.dumps(event), encoding="utf-8")
    summary = temp / "summary.md"
    summary.unlink(missing_ok=True)
    known = {f"inputs.{name}": str(said.get("default", "")) for name, said in action["inputs"].items()}
    known |= {f"inputs.{name}": text for name, text in inputs.items()}
    unknown = set(inputs) - set(action["inputs"])
    assert not unknown, f"the action has no inputs {unknown}"
    base = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(folder),
        "GITHUB_WORKSPACE": str(workspace),
        "GITHUB_EVENT_PATH": str(temp / "event.json"),
        "GITHUB_STEP_SUMMARY": str(summary),
        "RUNNER_TEMP": str(temp),
        **environ,
    }
    log, code = "", 0
    for step in action["runs"]["steps"]:
        output = temp / f"output-{step['id']}"
        output.write_text("", encoding="utf-8")
        own = {name: _filled(str(text), known) for name, text in step.get("env", {}).items()}
        ended = subprocess.run(
            [step["shell"], "-e", "-c", _filled(step["run"], known)],
            cwd=workspace,
            env={**base, **own, "GITHUB_OUTPUT": str(output)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        log += ended.stdout
        code = ended.returncode
        known |= {f"steps.{step['id']}.outputs.{name}": text for name, text in _outputs(output).items()}
        if code:
            break
    outputs = {name: _filled(said["value"], known) for name, said in action["outputs"].items()}
    return Ran(code, log, outputs, summary.read_text(encoding="utf-8") if summary.exists() else "")


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: _filled(known.get(found[1], ""), known), text)


def _outputs(path: Path) -> dict[str, str]:
    lines, found = iter(path.read_text(encoding="utf-8").splitlines()), {}
    for line in lines:
        if "<<" in line:
            name, _, end = line.partition("<<")
            rows = []
            while (row := next(lines)) != end:
                rows.append(row)
            found[name] = "\n".join(rows)
        else:
            name, _, found_text = line.partition("=")
            found[name] = found_text
    return found
