"""Test that reading and validating a configuration imports no heavy library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = {
    "httpx",
    "sqlalchemy",
    "starlette",
    "deepdiff",
    "jsonschema",
    "ruamel",
    "rich",
    "jinja2",
    "idna",
    "rolecall.localorg",
}
SCRIPT = """
import sys
from pathlib import Path
from rolecall.desired.build import read_config
from rolecall.desired.check.validate import validate_repo
problems = validate_repo(Path(sys.argv[1]))
if not problems:
    read_config(Path(sys.argv[1]))
print(len(problems), *sorted(sys.modules))
"""
HEAD = "version: 1\norg: {name: a, url: 'local:org.db'}\n"


def modules(folder: Path, text: str) -> tuple[int, set[str]]:
    (folder / "rolecall.yaml").write_text(HEAD + text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(folder)], capture_output=True, text=True, check=True)
    count, *names = done.stdout.split()
    return int(count), set(names)


def test_a_valid_config_imports_nothing_heavy(tmp_path: Path) -> None:
    count, names = modules(tmp_path, "idp_groups: {A: {role: member, teams: [X]}}\ndomains: {acme.com: {}}\n")
    assert count == 0
    assert HEAVY & names == set()


def test_jsonschema_comes_only_to_explain(tmp_path: Path) -> None:
    count, names = modules(tmp_path, "idp_groups: {A: {rol: member}}\n")
    assert count == 1
    assert HEAVY & names - {"idna"} == {"jsonschema"}
