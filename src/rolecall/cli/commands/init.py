"""`rolecall init`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rolecall.cli.ask import ask
from rolecall.cli.command import Invocation, command


@command(
    "init",
    "rolecall init",
    "rolecall init --no-input --name acme --idp entra",
    "rolecall init --url https://rolecall.example.com --ci github",
)
@click.option("--name", metavar="NAME", help="What to call the org [the directory's name].")
@click.option("--url", metavar="URL", help="The way to the org [local:.rolecall/org.db].")
@click.option("--idp", type=click.Choice(["okta", "entra", "other"]), help="Who provisions people [okta].")
@click.option("--ci", type=click.Choice(["github", "gitlab"]), help="A pipeline's files and pre-commit's, too.")
def init(call: Invocation, name: str | None, url: str | None, idp: str | None, ci: str | None) -> None:
    """Start a config repo: config, schema, .gitignore.

    The config manages nothing until something is written into it. In a repo that has a config, --ci adds the pipeline.
    """
    from rolecall.jobs.init import MAIN

    folder = Path.cwd()
    if ci is None or not (folder / MAIN).exists():
        _start(call, folder, name, url, idp, ci)
    if ci is not None:
        _add_pipeline(folder, ci)
    sys.stdout.write("Then: `rolecall validate`, `rolecall plan`.\n")


def _start(call: Invocation, folder: Path, name: str | None, url: str | None, idp: str | None, ci: str | None) -> None:
    from rolecall.jobs.init import REHEARSAL, Answers
    from rolecall.jobs.init import init as start

    answers = Answers(
        name or ask(call, "What is the org called?", folder.name or "org"),
        url or ask(call, "How is it reached?", REHEARSAL),
        idp or ask(call, "Which IdP: okta, entra or other?", "okta"),
        ci is not None,
    )
    _tell(folder, start(folder, answers))
    if answers.url.startswith("local:"):
        said = "Next: `rolecall local load SNAPSHOT`, or `rolecall local reset` for an empty org to rehearse on.\n"
        sys.stdout.write(said)


def _add_pipeline(folder: Path, ci: str) -> None:
    from rolecall.jobs.init_ci import init_ci, next_steps
    from rolecall.outside.git import origin

    remote = origin(folder)
    _tell(folder, init_ci(folder, ci, remote))
    sys.stdout.write(next_steps(ci, remote))


def _tell(folder: Path, written: list[Path]) -> None:
    sys.stdout.write("".join(f"Wrote {path.relative_to(folder).as_posix()}\n" for path in written))
