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
        ".gitlab/rolecall_gitlab.py": "gitlab/rolecall_gitlab.py",
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


def next_steps(forge: str, remote: str | None = None) -> str:
    """What is left to a person: secrets, who may approve, and where the action is taken from."""
    if forge == "gitlab":
        return _GITLAB
    owner = _owner(remote)
    return f"{_GITHUB}{(_ACTION if owner else _NO_OWNER).format(owner=owner, version=__version__)}"


def _filled(text: str, remote: str | None) -> str:
    return text.replace("OWNER/", f"{_owner(remote) or 'OWNER'}/").replace("VERSION", __version__)


def _owner(remote: str | None) -> str | None:
    found = _OWNER.search(remote or "")
    return found[1] if found else None


def _template(name: str) -> str:
    for folder in (_PACKAGE / "_pipelines", _PACKAGE.parents[1] / "pipelines"):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    hint = "install rolecall from its wheel or its repository"
    raise ConfigError(Problem("no_template", f"the template `{name}` is not in this installation", None, hint))


_GITHUB = """\
In the repository's settings:
  - secrets that only read, for every branch: ROLECALL_READ_JOURNAL (a PostgreSQL URL whose role may SELECT) and, for an
    org behind https://, ROLECALL_READ_TOKEN; the variable ROLECALL_TOKEN_HOST (the org's host)
  - an environment `writer` with required reviewers, for the default branch alone: ROLECALL_JOURNAL and ROLECALL_TOKEN,
    which may write. With `guards: {approval: other_person}` an author's own approval does not count
  - an environment `rolecall-drift` without reviewers, for the default branch alone: ROLECALL_JOURNAL
  - CODEOWNERS for .github/workflows: whoever may change a workflow can remove the reviewers' gate
"""
_ACTION = """\
The workflows take the action from {owner}/rolecall at the tag v{version}: a copy of rolecall's repository that you keep
beside this one. Correct `uses:` in .github/workflows where it is elsewhere.
"""
_NO_OWNER = """\
Not ready yet: this repository has no remote `origin`, so nothing says who owns it. In .github/workflows replace OWNER
by the account that keeps your copy of rolecall's repository, with the tag v{version}:
  sed -i 's#OWNER/rolecall#ACCOUNT/rolecall#' .github/workflows/rolecall-*.yml
"""
_GITLAB = """\
In the project's settings: the masked variables ROLECALL_JOURNAL (a PostgreSQL URL) and ROLECALL_GITLAB_TOKEN, as the
head of .gitlab-ci.yml says; for an org behind https:// ROLECALL_TOKEN and ROLECALL_TOKEN_HOST (the org's host);
ROLECALL_IMAGE where the image is elsewhere; a protected environment `writer-`, with the overlay's name after it where
there is one; a schedule for drift.
"""
