"""Use case `init --ci`: the pipeline's files, from the templates of ``pipelines/``, and pre-commit's hooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rolecall import __version__
from rolecall.errors import ConfigError, Problem

_PACKAGE = Path(__file__).resolve().parents[1]

FILES: Mapping[str, Mapping[str, str]] = {
    "github": {
        ".github/workflows/rolecall-plan.yml": "github/rolecall-plan.yml",
        ".github/workflows/rolecall-apply.yml": "github/rolecall-apply.yml",
        ".github/workflows/rolecall-drift.yml": "github/rolecall-drift.yml",
        ".pre-commit-config.yaml": "pre-commit/config.yaml",
    },
    "gitlab": {
        ".gitlab-ci.yml": "gitlab/rolecall.gitlab-ci.yml",
        ".pre-commit-config.yaml": "pre-commit/config.yaml",
    },
}
"""Forge -> file of the config repo -> the template it is made from."""

_OWNER = re.compile(r"[:/]([\w.-]+)/[\w.-]+?(?:\.git)?/?$")


def init_ci(folder: Path, forge: str, remote: str | None = None) -> list[Path]:
    """Write the pipeline's files where they are missing; answers which were written.

    ``remote`` is the repository's address: rolecall's own repository is taken to be mirrored beside it.
    """
    written = []
    for name, template in FILES[forge].items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(_template(template), remote), encoding="utf-8")
            written.append(path)
    return written


def next_steps(forge: str) -> str:
    """What is left to a person: secrets and who may approve."""
    return _GITHUB if forge == "github" else _GITLAB


def _filled(text: str, remote: str | None) -> str:
    found = _OWNER.search(remote or "")
    return text.replace("OWNER/", f"{found[1] if found else 'OWNER'}/").replace("VERSION", __version__)


def _template(name: str) -> str:
    for folder in (_PACKAGE / "_pipelines", _PACKAGE.parents[1] / "pipelines"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    hint = "install rolecall from its wheel or its repository"
    raise ConfigError(Problem("no_template", f"the template `{name}` is not in this installation", None, hint))


_GITHUB = """\
In the repository's settings: the secrets ROLECALL_TOKEN and ROLECALL_JOURNAL (a PostgreSQL URL), the variable
ROLECALL_TOKEN_HOST (the org's host), and an environment `writer` whose required reviewers approve what is applied.
The workflows take rolecall's action from a mirror beside this repository; correct `uses:` where it is elsewhere.
"""
_GITLAB = """\
In the project's settings: the masked and protected variables ROLECALL_TOKEN, ROLECALL_TOKEN_HOST (the org's host) and
ROLECALL_JOURNAL (a PostgreSQL URL), ROLECALL_IMAGE where the image is elsewhere, and a schedule for drift.
"""
