"""Commands of the docs that are no session at a prompt: each is run as it stands, or held to what CI runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import site
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from docs_shell import ROOT

SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = {
    "docs/apply.md": "tests/faults/test_faults_docs.py",
    "docs/org-api.md": "tests/contract/test_org_api_walk.py",
    "docs/howto/audit.md": "tests/unit/cli/test_cli_audit.py",
    "docs/howto/drift.md": "tests/scenarios/test_howto_drift.py",
}
NOWHERE = {"docs/security.md"}
"""Pages whose commands ask registries and forges; tests have no network."""
HERE = {"README.md", "CONTRIBUTING.md", "docs/scim.md", "docs/console.md"}


def blocks(page: str) -> list[str]:
    return SHELL.findall((ROOT / page).read_text(encoding="utf-8"))


def sh(script: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    keep: Mapping[str, str] = {name: said for name, said in os.environ.items() if not name.startswith("ROLECALL_")}
    return subprocess.run(
        ["bash", "-c", f"set -eu\n{script}"],
        cwd=folder,
        env={**keep, **environ},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_every_page_with_shell_commands_is_run_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    found = {page.relative_to(ROOT).as_posix() for page in pages if SHELL.search(page.read_text(encoding="utf-8"))}
    assert found == HERE | NOWHERE | set(ELSEWHERE)
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


def test_the_one_command_of_the_readme_ends_in_a_tour(tmp_path: Path) -> None:
    """As it stands, in a copy of the tree; pip takes what rolecall needs from here in place of an index."""
    copy = tmp_path / "rolecall"
    parts = ("src", "schemas", "examples", "pipelines", "pyproject.toml", "README.md", "LICENSE", "constraints.txt")
    for part in parts:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", ".rolecall"))
        else:
            copy.mkdir(exist_ok=True)
            shutil.copy(ROOT / part, copy / part)
    command = blocks("README.md")[0]
    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -q '.[local]'")
    ran = sh(
        command,
        copy,
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        PYTHONPATH=os.pathsep.join(site.getsitepackages()),
        PIP_NO_DEPS="1",
        PIP_NO_BUILD_ISOLATION="0",  # pip reads it the wrong way round
        PIP_NO_INDEX="1",
        PIP_IGNORE_INSTALLED="1",
        TMPDIR=str(tmp_path),
    )
    assert ran.returncode == 0, ran.stderr
    assert "Done: 1 step" in ran.stdout
    assert (copy / ".venv" / "bin" / "rolecall").is_file()


def test_what_the_readme_says_for_the_tests_is_what_ci_runs() -> None:
    said = re.findall(r"script/\w+", blocks("README.md")[1])
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert said == ["script/bootstrap", "script/test"]
    assert all(re.search(rf"^{script}$", ci, re.MULTILINE) for script in said)


@pytest.mark.parametrize("line", "".join(blocks("CONTRIBUTING.md")).splitlines())
def test_a_script_for_contributors_is_there(line: str) -> None:
    command = line.partition("#")[0].split()
    path = ROOT / next(word for word in command if "/" in word)
    assert path.is_file()
    assert os.access(path, os.X_OK) or command[0] == "bash"
    for flag in re.findall(r"--\w+", line):
        assert flag in path.read_text(encoding="utf-8")


def test_the_request_of_the_page_on_scim_is_answered(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "examples" / "minimal", tmp_path / "minimal")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    (block,) = blocks("docs/scim.md")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = sh(f"trap 'kill %1' EXIT\n{block.replace('8787', port)}", folder, PATH=path)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout[ran.stdout.index("{") :])
    assert answer["totalResults"] == 0, "what Entra asks to test a connection: nobody, and no 404"


def test_the_console_opens_with_the_token_of_its_page(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "examples" / "minimal", tmp_path / "minimal")
    token, serve = (line.partition("#")[0].strip() for line in blocks("docs/console.md")[0].splitlines())
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = (
        f"{token} >token.txt\n{serve} >served.txt &\ntrap 'kill %1' EXIT\n"
        "until grep -q http served.txt; do sleep 0.1; done\n"
        "ORG=$(grep -o 'http://[0-9.:]*' served.txt | head -n 1)\n"
        'curl -sSL -o page.html -w "%{http_code}\\n" "$ORG/"\n'
        'curl -sS -H "Authorization: Bearer $(cat token.txt)" "$ORG/v1/org"\n'
    )
    ran = sh(script, folder, PATH=path, ROLECALL_LOCAL_SERVE_PORT="0")
    assert ran.returncode == 0, ran.stderr
    status, answer = ran.stdout.split("\n", 1)
    assert status == "200"
    caller = json.loads(answer)["caller"]
    assert (caller["email"], caller["rights"]) == ("you@acme.com", "admin"), "the first person of an empty org"
