"""Use case `init`: a config repo that is valid, manages nothing yet, and says how to go on."""

from __future__ import annotations

from pathlib import Path

from rolecall.errors import ConfigError, Problem, Where
from rolecall.jobs.init_text import Answers, config_text, readme_text
from rolecall.schema_files import schema_text

MAIN = "rolecall.yaml"
SCHEMA = ".rolecall/config.schema.json"
IGNORED = (".rolecall/*", f"!{SCHEMA}")
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
    told = [] if readme.exists() else [readme]
    for path in told:
        path.write_text(readme_text(answers), encoding="utf-8")
    return [main, *told, *scaffold(folder)]


def refuse_existing(folder: Path) -> None:
    """Raises ConfigError where there is a config already."""
    if (folder / MAIN).exists():
        hint = "change it, or start in another directory with -C"
        raise ConfigError(Problem("exists", "there is a config here already", Where(MAIN), hint))


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


def _ignore(path: Path) -> bool:
    """Add what is missing to .gitignore; answers whether anything was."""
    held = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    missing = [row for row in IGNORED if row not in held.splitlines()]
    if missing:
        start = f"{held.rstrip()}\n" if held.strip() else ""
        text = start + "".join(f"{row}\n" for row in missing)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return bool(missing)
