"""Use case `init`: a config repo that is valid, manages nothing yet, and says how to go on; and a pipeline's files.

The pipeline's files come from the templates of ``pipelines/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from rolecall import __version__
from rolecall.errors import ConfigError, Problem, Where
from rolecall.schema_files import schema_text

REHEARSAL: Final = "local:.rolecall/org.db"
OBSERVED: Final = "observed:org.yaml"


class Answers(NamedTuple):
    """What `init` needs to know. ``idp`` is okta, entra or other; a ``pipeline`` has no journal in a runner's file."""

    name: str
    url: str = REHEARSAL
    idp: str = "okta"
    pipeline: bool = False

    @property
    def way(self) -> str:
        """How the org is reached: remote, observed or local."""
        scheme = self.url.partition(":")[0]
        return "remote" if scheme in ("http", "https") else scheme


def config_text(answers: Answers) -> str:
    """The first config: the org, and what could be managed as comments."""
    remote = answers.way == "remote"
    notes = {"local": " # a rehearsal on this machine", "observed": " # what people saw, kept in this repo"}
    return _CONFIG.format(
        name=_scalar(answers.name),
        url=_scalar(answers.url),
        token="\n  token: {env: ROLECALL_TOKEN}" if remote else "",
        idp=_scalar(answers.idp),
        note=notes.get(answers.way, ""),
        people=_PEOPLE.get(answers.idp, _PEOPLE["other"]),
        guards=_GUARDS if answers.pipeline else "# guards:",
        journal="\njournal: {url: {env: ROLECALL_JOURNAL}} # postgresql://…\n" if remote and answers.pipeline else "",
    )


def readme_text(answers: Answers) -> str:
    """What a colleague needs who finds the repo."""
    return _README.format(name=answers.name.replace("\n", " "), way=_WAYS[answers.way])


def next_lines(answers: Answers) -> tuple[str, ...]:
    """What to do now, a command each."""
    return _NEXT[answers.way]


def _scalar(text: str) -> str:
    """Plain where that reads as the same string, else quoted: JSON's strings are YAML's."""
    plain = text.replace("-", "a").replace("_", "a").replace(".", "a").replace("/", "a")
    keywords = {"true", "false", "null", "yes", "no", "on", "off"}
    safe = plain.isascii() and plain.replace(":a", "a").isalnum() and text[0].isalpha() and text.lower() not in keywords
    return text if safe else json.dumps(text)


_NEXT = {
    "observed": (
        "rolecall observe           # write down what the console shows, tab by tab",
        "rolecall export --update   # make it the config",
        "rolecall plan              # no changes: from here on each one is a commit",
    ),
    "remote": (
        "rolecall doctor            # does the token open the org?",
        "rolecall export --update   # make what the org has the config",
        "rolecall plan              # no changes: from here on each one is a commit",
    ),
    "local": (
        "rolecall local load FILE   # a snapshot of an org; or `rolecall local reset` for an empty one",
        "rolecall export --update   # make what it has the config",
        "rolecall plan              # no changes: from here on each one is a commit",
    ),
}

_GUARDS = """\
guards:
  approval: other_person # in a pipeline, nobody applies their own change"""

_PEOPLE = {
    "okta": "# people: {okta: https://acme.okta.com, app: 0oa1b2c3, token: {env: OKTA_TOKEN}}",
    "entra": """\
# people:
#   entra: acme.onmicrosoft.com
#   app: 5f0c6a3e-8f39-4b1c-9a53-0a4f0d1f7a10 # the object id of the enterprise application
#   client_id: 7d1f0f0e-2f8e-4c2f-8f55-1f4f7c6f2c11
#   client_secret: {env: ENTRA_SECRET}""",
    "other": "# people: {file: people.csv} # email,groups",
}

_CONFIG = """\
# yaml-language-server: $schema=./.rolecall/config.schema.json
version: 1

org:
  name: {name}
  url: {url}{note}{token}
{journal}
# A section that is not here is not managed: it stays as it is. Uncomment what git shall decide, or let
# `rolecall export --update` write down what the org has.

# Who is in which group; a plan then says whom it touches. Left out, the org itself is asked.
{people}

# domains:
#   example.com: {{discoverable: true, join: approval}}

# defaults: {{role: member, teams: [Everyone]}}

# sso: {{enabled: true, name: Company SSO, idp: {idp}, allow_uninvited: false, allow_passwords: false}}

# scim: {{enabled: true, idp: {idp}, endpoint: new, manual_editing: false}}

# idp_groups:
#   Writer-Admins: {{role: org_admin, teams: [Everyone], protect: true}}
#   Writer-Marketing: {{role: member, teams: [Marketing], owner: marketing-lead@example.com}}
#   Contractors: {{role: member, teams: [Marketing], expires: 2030-12-31}}
#   All-Staff: blank # known, and left to the default

{guards}
#   min_org_admins: 2
#   required_org_admins: [breakglass@example.com]
#   max_people_losing_access: {{review: 10, block: 2%}}

# access_tests:
#   - name: marketing gets just what it needs
#     person: {{groups: [Writer-Marketing]}}
#     expect: [{{team: Marketing, role: member}}]
#     never: [org_admin]
"""

_README = """\
# Access of {name} at WRITER

Who gets which role and team in WRITER, as code: `rolecall.yaml` says what shall be, `rolecall plan` what would
change and whom that touches, `rolecall apply` does exactly that.

{way}

## Change something

1. Change `rolecall.yaml`. `rolecall validate` tells what is wrong, and so does an editor that knows YAML schemas.
2. `rolecall plan` shows the change, the people who gain or lose by it, and what the guards say.
3. Have it reviewed, then `rolecall apply`.

A group that is blank or not mapped is not without access: its people have the default.

## Look

- `rolecall why PERSON` tells what somebody has, and why.
- `rolecall access --role org_admin` tells who has a role.
- `rolecall drift` tells what moved since the last apply, and whom it touches.

`.rolecall/` holds this machine's journal and is not committed, but for the schema.
"""

_WAYS = {
    "observed": """\
The org has no API: a file of this repo stands for it. `rolecall observe` writes it from Admin > Access & provisioning,
tab by tab; a person carries a plan out, with `rolecall runbook`, and `rolecall done` records it. Commit the file.""",
    "remote": "The org is reached through its API, with the token in `ROLECALL_TOKEN`; it is nowhere in this repo.",
    "local": """\
For now the org is a rehearsal on this machine: `rolecall local load SNAPSHOT` fills it, and nothing here reaches
WRITER. Change `org.url` in `rolecall.yaml` when it shall.""",
}


MAIN = "rolecall.yaml"
SCHEMA = ".rolecall/config.schema.json"
SCHEMAS = (SCHEMA, ".rolecall/part.schema.json", ".rolecall/overlay.schema.json")
"""The schemas for editors: of the main file, of included files, and of overlays."""
IGNORED = (".rolecall/*", "!.rolecall/*.schema.json")
README = "README.md"


def init(folder: Path, answers: Answers) -> list[Path]:
    """Write the files of a config repo and answer which. Raises ConfigError where there is a config already.

    A README that is there stays; so does what .gitignore says.
    """
    refuse_existing(folder)
    main = folder / MAIN
    folder.mkdir(parents=True, exist_ok=True)
    main.write_text(config_text(answers), encoding="utf-8")
    readme = folder / README
    readmes = [] if readme.exists() else [readme]
    for path in readmes:
        path.write_text(readme_text(answers), encoding="utf-8")
    return [main, *readmes, *scaffold(folder)]


def refuse_existing(folder: Path) -> None:
    """Raises ConfigError where there is a config already."""
    if (folder / MAIN).exists():
        hint = "change it, or start in another directory with -C"
        raise ConfigError(Problem("exists", "there is a config here already", Where(MAIN), hint))


def scaffold(folder: Path) -> list[Path]:
    """Write what goes with a config, where it is missing: its schema, and .gitignore. Answers what was written."""
    written = []
    for path in (folder / name for name in SCHEMAS):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(schema_text(path.name), encoding="utf-8")
            written.append(path)
    if _ignore(folder / ".gitignore"):
        written.append(folder / ".gitignore")
    return written


def _ignore(path: Path) -> bool:
    """Add what is missing to .gitignore; answers whether anything was."""
    text_before = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    missing = [pattern for pattern in IGNORED if pattern not in text_before.splitlines()]
    if missing:
        start = f"{text_before.rstrip()}\n" if text_before.strip() else ""
        text = start + "".join(f"{pattern}\n" for pattern in missing)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return bool(missing)


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
    match = _OWNER.search(remote or "")
    return match[1] if match else None


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
