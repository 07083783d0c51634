"""`rolecall init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rolecall.cli.options import Invocation
from rolecall.cli.program import command


@command(
    "init",
    "rolecall init",
    "rolecall init --no-input --name acme --idp entra",
    "rolecall init --url https://rolecall.example.com --ci github",
)
@click.option("--name", metavar="NAME", help="What to call the org [the directory's name].")
@click.option("--url", metavar="URL", help="The way to the org: https://…, observed:PATH [local:.rolecall/org.db].")
@click.option("--idp", type=click.Choice(["okta", "entra", "other"]), help="Who provisions people [okta].")
@click.option("--ci", type=click.Choice(["github", "gitlab"]), help="A pipeline's files and pre-commit's, too.")
def init(call: Invocation, name: str | None, url: str | None, idp: str | None, ci: str | None) -> None:
    """Start a config repo: config, schema, README, .gitignore.

    The config manages nothing until something is written into it; an example of everything is there as comments. In a
    repo that has a config, --ci adds the pipeline.
    """
    from rolecall.cli.initialising import answers_of
    from rolecall.jobs.init import MAIN, next_lines, refuse_existing
    from rolecall.jobs.init import init as start

    folder = Path.cwd()
    if ci is not None and (folder / MAIN).exists():
        _add_pipeline(folder, ci)
        return
    refuse_existing(folder)
    answers, forge = answers_of(call, folder, name, url, idp, ci)
    _tell(folder, start(folder, answers))
    if forge is not None:
        _add_pipeline(folder, forge)
    sys.stdout.write("".join(f"{line}\n" for line in ("Next:", *(f"  {line}" for line in next_lines(answers)))))


def _add_pipeline(folder: Path, ci: str) -> None:
    from rolecall.jobs.init import init_ci, next_steps
    from rolecall.outside.git import origin

    remote = origin(folder)
    _tell(folder, init_ci(folder, ci, remote))
    sys.stdout.write(next_steps(ci, remote))


def _tell(folder: Path, written: list[Path]) -> None:
    sys.stdout.write("".join(f"Wrote {path.relative_to(folder).as_posix()}\n" for path in written))
