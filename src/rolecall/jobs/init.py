"""Use case `init`: a config repo that is valid, manages nothing yet, and says how to go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from rolecall.errors import ConfigError, Problem, Where
from rolecall.schema_files import schema_text

MAIN = "rolecall.yaml"
SCHEMA = ".rolecall/config.schema.json"
IGNORED = (".rolecall/*", f"!{SCHEMA}")
REHEARSAL = "local:.rolecall/org.db"


class Answers(NamedTuple):
    """What `init` needs to know. ``idp`` is okta, entra or other; a ``pipeline`` has no journal in a runner's file."""

    name: str
    url: str = REHEARSAL
    idp: str = "okta"
    pipeline: bool = False


def init(folder: Path, answers: Answers) -> list[Path]:
    """Write the files of a config repo and answer which. Raises ConfigError where there is a config already."""
    main = folder / MAIN
    if main.exists():
        hint = "change it, or start in another directory with -C"
        raise ConfigError(Problem("exists", "there is a config here already", Where(MAIN), hint))
    folder.mkdir(parents=True, exist_ok=True)
    main.write_text(config_text(answers), encoding="utf-8")
    return [main, *scaffold(folder)]


def scaffold(folder: Path) -> list[Path]:
    """Write what goes with a config, where it is missing: its schema, and .gitignore. Answers what was written."""
    written = []
    if not (folder / SCHEMA).exists():
        (folder / SCHEMA).parent.mkdir(parents=True, exist_ok=True)
        (folder / SCHEMA).write_text(schema_text("config.schema.json"), encoding="utf-8")
        written.append(folder / SCHEMA)
    if _ignore(folder / ".gitignore"):
        written.append(folder / ".gitignore")
    return written


def config_text(answers: Answers) -> str:
    """The first config: the org, and what could be managed as comments."""
    remote = answers.url.startswith(("http://", "https://"))
    token = "\n  token: {env: ROLECALL_TOKEN}" if remote else ""
    return _CONFIG.format(
        name=_scalar(answers.name),
        url=_scalar(answers.url),
        token=token,
        idp=_scalar(answers.idp),
        rehearsal=" # a rehearsal on this machine" if answers.url.startswith("local:") else "",
        journal="\njournal: {url: {env: ROLECALL_JOURNAL}} # postgresql://…\n" if remote and answers.pipeline else "",
    )


def _scalar(text: str) -> str:
    """Plain where that reads as the same string, else quoted: JSON's strings are YAML's."""
    plain = text.replace("-", "a").replace("_", "a").replace(".", "a").replace("/", "a")
    words = {"true", "false", "null", "yes", "no", "on", "off"}
    safe = plain.isascii() and plain.replace(":a", "a").isalnum() and text[0].isalpha() and text.lower() not in words
    return text if safe else json.dumps(text)


def _ignore(path: Path) -> bool:
    """Add what is missing to .gitignore; answers whether anything was."""
    held = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    missing = [row for row in IGNORED if row not in held.splitlines()]
    if missing:
        start = f"{held.rstrip()}\n" if held.strip() else ""
        text = start + "".join(f"{row}\n" for row in missing)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return bool(missing)


_CONFIG = """\
# yaml-language-server: $schema=./.rolecall/config.schema.json
version: 1

org:
  name: {name}
  url: {url}{rehearsal}{token}
{journal}
# A section that is not here is not managed: it stays as it is. Uncomment what git shall decide.

# domains:
#   example.com: {{discoverable: true, join: approval}}

# defaults: {{role: member, teams: [Everyone]}}

# scim: {{enabled: true, idp: {idp}, endpoint: new, manual_editing: false}}

# idp_groups:
#   Writer-Admins: {{role: org_admin, teams: [Everyone], protect: true}}
#   Writer-Marketing: {{role: member, teams: [Marketing]}}
#   All-Staff: blank # known, and left to the default
"""
