"""Run `init`: write a valid configuration that manages nothing yet, what goes with it, and a pipeline's files.

The pipeline's files are made from the templates in ``pipelines/``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from rolecall import __version__
from rolecall.desired.edit.schemas import EDITOR_SCHEMAS, editor_schema
from rolecall.errors import ConfigError, Problem, Where

REHEARSAL: Final = "local:.rolecall/org.db"
OBSERVED: Final = "observed:org.yaml"


class Answers(NamedTuple):
    """The answers that `init` needs. ``idp`` is okta, entra or other; with a ``pipeline`` the journal is not a local
    file."""

    name: str
    url: str = REHEARSAL
    idp: str = "okta"
    pipeline: bool = False

    @property
    def way(self) -> str:
        """The connection to the org: remote, observed or local."""
        scheme = self.url.partition(":")[0]
        return "remote" if scheme in ("http", "https") else scheme


def config_text(answers: Answers) -> str:
    """Return the first configuration: the org, and a sample of each section as a comment."""
    remote = answers.way == "remote"
    notes = {"local": " # a local org on this machine", "observed": " # the org as recorded by rolecall observe"}
    return CONFIG_TEMPLATE.format(
        name=_scalar(answers.name),
        url=_scalar(answers.url),
        token="\n  token: {env: ROLECALL_TOKEN}" if remote else "",
        idp=_scalar(answers.idp),
        note=notes.get(answers.way, ""),
        people=_PEOPLE.get(answers.idp, _PEOPLE["other"]),
        writer="" if answers.way == "local" else _WRITER,
        guards=_GUARDS if answers.pipeline else "# guards:",
        journal="\njournal: {url: {env: ROLECALL_JOURNAL}} # postgresql://…\n" if remote and answers.pipeline else "",
    )


def readme_text(answers: Answers) -> str:
    """Return the README, for a colleague who finds the repository."""
    return _README.format(name=answers.name.replace("\n", " "), way=_WAYS[answers.way])


def next_lines(answers: Answers) -> tuple[str, ...]:
    """Return what to do next, one command per line."""
    return _NEXT[answers.way]


def _scalar(text: str) -> str:
    """Return a YAML scalar: plain if that is read as the same text, else quoted as in JSON."""
    plain = text.replace("-", "a").replace("_", "a").replace(".", "a").replace("/", "a")
    keywords = {"true", "false", "null", "yes", "no", "on", "off"}
    safe = plain.isascii() and plain.replace(":a", "a").isalnum() and text[0].isalpha() and text.lower() not in keywords
    return text if safe else json.dumps(text)


_NEXT = {
    "observed": (
        "rolecall observe           # record what the console shows, tab by tab",
        "rolecall export --update   # write it to rolecall.yaml",
        "rolecall plan              # should show no changes; from now on, each change is a commit",
    ),
    "remote": (
        "rolecall doctor            # check the token and the setup",
        "rolecall export --update   # write the org's settings to rolecall.yaml",
        "rolecall plan              # should show no changes; from now on, each change is a commit",
    ),
    "local": (
        "rolecall local load FILE   # fill the local org from a snapshot; for an empty org: rolecall local reset",
        "rolecall export --update   # write its settings to rolecall.yaml",
        "rolecall plan              # should show no changes; from now on, each change is a commit",
    ),
}

_GUARDS = """\
guards:
  approval: other_person # in a pipeline, the author of a change cannot approve it"""

_PEOPLE = {
    "okta": """\
# idp:
#   okta:
#     url: https://acme.okta.com
#     app: 0oa1b2c3 # in the URL of the app's page in Okta
#     client_id: 0oa9kfl2 # a service app that can only read; or token: {env: OKTA_TOKEN}
#     private_key: {env: OKTA_READ_KEY}
#     # write: {client_id: 0oa8mzr4, private_key: {env: OKTA_WRITE_KEY}} # for apply alone; without it, manual steps
#   assignments: [WRITER-Everyone] # groups assigned to the app
#   pushes: idp_groups # every group in idp_groups is pushed; or a list
# people: idp
# manage: {idp_assignments: additive, idp_pushes: additive} # or authoritative""",
    "entra": """\
# idp:
#   entra:
#     tenant: acme.onmicrosoft.com
#     app: 5f0c6a3e-8f39-4b1c-9a53-0a4f0d1f7a10 # object ID of the enterprise application
#     client_id: 7d1f0f0e-2f8e-4c2f-8f55-1f4f7c6f2c11
#     client_secret: {env: ENTRA_SECRET}
# people: idp""",
    "other": "# people: {file: people.csv} # email,groups",
}

_WRITER = """
# WRITER's own APIs, which only read: who changed what in the console, and how many of the affected users use WRITER.
# `writer` is the ID of your organization there; create one API key for each.
# audit: {writer: 123456, token: {env: WRITER_AUDIT_KEY}}
# usage: {writer: 123456, token: {env: WRITER_USAGE_KEY}}
"""

CONFIG_TEMPLATE = """\
# yaml-language-server: $schema=./.rolecall/config.schema.json
version: 1

org:
  name: {name}
  url: {url}{note}{token}
{journal}
# Sections that are commented out are not managed: rolecall leaves them as they are in the org. Uncomment a
# section to manage it, or run `rolecall export --update` to write all of them as they are now.

# Where rolecall reads users and group members, to show who is affected. Default: from the org.
{people}
{writer}
# domains:
#   example.com: {{discoverable: true, join: approval}}

# defaults: {{role: member, teams: [Everyone]}}

# sso: {{enabled: true, name: Company SSO, idp: {idp}, allow_uninvited: false, allow_passwords: false}}

# scim: {{enabled: true, idp: {idp}, endpoint: new, manual_editing: false}}

# idp_groups:
#   Writer-Admins: {{role: org_admin, teams: [Everyone], protect: true}}
#   Writer-Marketing: {{role: member, teams: [Marketing], owner: marketing-lead@example.com}}
#   Contractors: {{role: member, teams: [Marketing], expires: 2030-12-31}}
#   All-Staff: blank # not mapped: its members get the default access

{guards}
#   min_org_admins: 2
#   required_org_admins: [breakglass@example.com]
#   max_people_losing_access: {{review: 10, block: 2%}}

# access_tests:
#   - name: marketing gets exactly its role
#     person: {{groups: [Writer-Marketing]}}
#     expect: [{{team: Marketing, role: member}}]
#     never: [org_admin]
"""

_README = """\
# WRITER access of {name}

`rolecall.yaml` says who gets which role and teams in WRITER. `rolecall plan` shows what would change and which users
are affected, and `rolecall apply` makes exactly these changes.

{way}

## Make a change

1. Edit `rolecall.yaml`. `rolecall validate` checks it, and so does an editor that supports YAML schemas.
2. Run `rolecall plan`. It shows the changes, the users who gain or lose access, and the guards' verdicts.
3. Have the change reviewed, then run `rolecall apply`.

Members of a group that is `blank` or not mapped still have access: they get the default access.

## Inspect

- `rolecall why EMAIL` explains a user's access.
- `rolecall access --role org_admin` lists the users with a role.
- `rolecall drift` shows changes made outside rolecall since the last apply, and which users are affected.

`.rolecall/` has the journal of this machine. It is not committed, except for the schema. Neither are saved plans
(`plan.json`, `*.plan.json`), since they name users.
"""

_WAYS = {
    "observed": """\
The org has no API, so a file in this repository records it. `rolecall observe` writes the file while you read
**Admin > Access & provisioning**, tab by tab. An admin makes the changes of a plan in the console, guided by
`rolecall runbook`, and reports them with `rolecall done`. Commit the file.""",
    "remote": "The org is reached through its API, with the token in `ROLECALL_TOKEN`. Never commit the token.",
    "local": """\
This uses a local org on this machine: `rolecall local load SNAPSHOT` fills it, and nothing is sent to WRITER. To
manage a WRITER org, change `org.url` in `rolecall.yaml`.""",
}


MAIN = "rolecall.yaml"
SCHEMA = ".rolecall/config.schema.json"
STATE = ".rolecall/*"
IGNORED = (STATE, "!.rolecall/*.schema.json", "plan.json", "*.plan.json", "revert.json")
"""Lines of .gitignore: this machine's state except for the schemas, and saved plans, which name users."""
README = "README.md"


def init(folder: Path, answers: Answers) -> list[Path]:
    """Write the files of a new configuration and return which. Raises ConfigError if there is one already.

    An existing README is kept, and so are the lines of .gitignore.
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
    """Raise ConfigError if the folder has a configuration already."""
    if (folder / MAIN).exists():
        hint = "edit it, or create one in another folder: rolecall -C DIR init"
        raise ConfigError(Problem("exists", "a configuration already exists here", Where(MAIN), hint))


def scaffold(folder: Path) -> list[Path]:
    """Write what goes with a configuration and is missing: its schema, lines of .gitignore. Return what was written."""
    written = []
    for kind in EDITOR_SCHEMAS:
        path = folder / ".rolecall" / f"{kind}.schema.json"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(editor_schema(kind), encoding="utf-8")
            written.append(path)
    if _ignore(folder / ".gitignore"):
        written.append(folder / ".gitignore")
    return written


def _ignore(path: Path) -> bool:
    """Add the lines that are missing to .gitignore; return whether there were any."""
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
"""Forge -> file of the repository -> the template it is made from."""

_OWNER = re.compile(r"[:/]([\w.-]+)/[\w.-]+?(?:\.git)?/?$")


def init_ci(folder: Path, forge: str, remote: str | None = None) -> list[Path]:
    """Write the pipeline's files that are missing; return which were written.

    ``remote`` is the repository's address. rolecall's own repository is assumed to be mirrored in the same account.
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
    """Return what an admin has to set up: secrets, reviewers, and where the action comes from."""
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
Next, in the repository's settings:
  - Add secrets that can only read, for all branches: ROLECALL_READ_JOURNAL (a PostgreSQL URL whose role may SELECT)
    and, for an org behind https://, ROLECALL_READ_TOKEN. Add the variable ROLECALL_TOKEN_HOST (the org's host).
  - Create the environment `writer` with required reviewers, for the default branch only. Add the secrets
    ROLECALL_JOURNAL and ROLECALL_TOKEN, which can write. With `guards: {approval: other_person}` authors cannot approve
    their own changes.
  - Create the environment `rolecall-drift` without reviewers, for the default branch only. Add ROLECALL_JOURNAL.
  - With `audit` or `usage` in the configuration, add the secrets WRITER_AUDIT_KEY and WRITER_USAGE_KEY: one key each,
    for all branches. Pull requests from forks do not get them.
  - Add CODEOWNERS for .github/workflows, since anyone who can change a workflow can remove the required reviewers.
"""
_ACTION = """\
The workflows use the action from {owner}/rolecall at tag v{version}: your copy of rolecall's repository. If it is
elsewhere, change `uses:` in .github/workflows.
"""
_NO_OWNER = """\
Not ready yet: this repository has no remote `origin`. In .github/workflows replace OWNER with the account that has your
copy of rolecall's repository, at tag v{version}:
  sed -i 's#OWNER/rolecall#ACCOUNT/rolecall#' .github/workflows/rolecall-*.yml
"""
_GITLAB = """\
Next, in the project's settings:
  - Add the masked variables ROLECALL_JOURNAL (a PostgreSQL URL) and ROLECALL_GITLAB_TOKEN, as described at the top of
    .gitlab-ci.yml. For an org behind https:// also add ROLECALL_TOKEN and ROLECALL_TOKEN_HOST (the org's host). Set
    ROLECALL_IMAGE if the image is elsewhere.
  - With `audit` or `usage` in the configuration, add the masked and protected variables WRITER_AUDIT_KEY and
    WRITER_USAGE_KEY: one key each.
  - Create a protected environment `writer-`, followed by the overlay's name if there is one.
  - Create a schedule for drift.
"""
