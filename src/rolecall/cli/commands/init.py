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
    "rolecall init --url https://rolecall.example.com",
)
@click.option("--name", metavar="NAME", help="What to call the org [the directory's name].")
@click.option("--url", metavar="URL", help="The way to the org [local:.rolecall/org.db].")
@click.option("--idp", type=click.Choice(["okta", "entra", "other"]), help="Who provisions people [okta].")
def init(call: Invocation, name: str | None, url: str | None, idp: str | None) -> None:
    """Start a config repo: config, schema, .gitignore.

    The config manages nothing until something is written into it.
    """
    from rolecall.jobs.init import REHEARSAL, Answers
    from rolecall.jobs.init import init as start

    folder = Path.cwd()
    answers = Answers(
        name or ask(call, "What is the org called?", folder.name or "org"),
        url or ask(call, "How is it reached?", REHEARSAL),
        idp or ask(call, "Which IdP: okta, entra or other?", "okta"),
    )
    written = start(folder, answers)
    out = sys.stdout
    out.write("".join(f"Wrote {path.relative_to(folder).as_posix()}\n" for path in written))
    if answers.url.startswith("local:"):
        out.write("Next: `rolecall local load SNAPSHOT`, or `rolecall local reset` for an empty org to rehearse on.\n")
    out.write("Then: `rolecall validate`, `rolecall plan`.\n")
