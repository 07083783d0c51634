"""`rolecall local`: the local org that org.url names."""

from __future__ import annotations

import gc
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from rolecall.cli.complete import people
from rolecall.cli.messages import remark, tell
from rolecall.cli.options import Invocation, global_options
from rolecall.cli.program import command
from rolecall.errors import Problem

_WHICH = "say which one: --admin or --scim"
_SHOWN = 10
_DATABASE = click.option(
    "--database", metavar="URL", help="Instead of the one org.url names: a path, or a database URL of SQLAlchemy."
)


local = click.Group(
    "local", help="The local org that org.url names: serve, load, token, reset.", params=global_options()
)


def _where(call: Invocation, database: str | None) -> str:
    gc.enable()
    if database is not None:
        return database
    from rolecall.cli.session import read
    from rolecall.jobs.local import place

    config = read(call)
    return place(config.org, config.root)


@command(
    "load",
    "rolecall local load snapshot.yaml",
    "rolecall -e staging local load live/staging.json",
)
@click.argument("source", metavar="SNAPSHOT", type=click.Path(path_type=Path))
@_DATABASE
def load(call: Invocation, source: Path, database: str | None) -> None:
    """Make the local org what a snapshot says.

    What it held before goes; tokens stay.
    """
    from rolecall.cli.session import wait_for
    from rolecall.jobs.local import load as fill
    from rolecall.live.snapshot.reader import SnapshotReader
    from rolecall.report.phrases import count

    loaded, assumed = wait_for(fill(_where(call, database), SnapshotReader(source)))
    nouns = (("domain", loaded.domains), ("IdP group", loaded.groups), ("person", loaded.people))
    counts = ", ".join(count(number, noun) for noun, number in nouns)
    sys.stdout.write(f"Loaded {counts}, {count(loaded.memberships, 'membership')}.\n")
    if assumed:
        more = f" and {len(assumed) - _SHOWN:,} more" if len(assumed) > _SHOWN else ""
        sys.stdout.write(f"Not in the snapshot, so as in a new org: {', '.join(assumed[:_SHOWN])}{more}.\n")


@command(
    "token",
    "export ROLECALL_TOKEN=$(rolecall local token --admin --as ann@acme.com | tail -n 1)",
    "rolecall local token --scim",
)
@click.option("--admin", is_flag=True, help="For the admin API.")
@click.option("--scim", is_flag=True, help="For the SCIM endpoint.")
@click.option(
    "--as", "email", metavar="EMAIL", shell_complete=people, help="A person's token; without it, a service's."
)
@click.option("--read-only", is_flag=True, help="It may read and not write.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day it ends, UTC.")
@_DATABASE
def token(
    call: Invocation,
    admin: bool,
    scim: bool,
    email: str | None,
    read_only: bool,
    expires: datetime | None,
    database: str | None,
) -> None:
    """Make a token and print it, alone on the last line.

    It is shown this once. Embedded use of a local org needs none.
    """
    from rolecall.jobs.local import Wish, make_token, standing

    if admin == scim:
        why = "--admin and --scim exclude each other: a token is for one of the two" if admin else _WHICH
        raise click.UsageError(why)
    if scim and email is not None:
        raise click.UsageError("--as goes with --admin: a SCIM token is the IdP's, not a person's")
    ends = None if expires is None else expires.replace(tzinfo=UTC)
    where = _where(call, database)
    secret = make_token(where, Wish("scim" if scim else "admin", email, read_only, ends))
    if email is not None and (position := standing(where, email)) != "org admin":
        message = f"{email} is {position} in this org"
        unknown = Problem("not_org_admin", message, None, "it answers their token with 403 while that is so", "warning")
        tell([unknown], as_json=call.log_format == "json", color=call.color)
    remark("token_made", "Keep it: it is not shown again.", as_json=call.log_format == "json")
    sys.stdout.write(f"{secret}\n")


@command("reset", "rolecall local reset")
@click.option("--keep-tokens", is_flag=True, help="Tokens stay.")
@_DATABASE
def reset(call: Invocation, keep_tokens: bool, database: str | None) -> None:
    """Begin anew with an empty local org.

    It is made where there is none yet.
    """
    from rolecall.jobs.local import reset as empty

    empty(_where(call, database), keep_tokens=keep_tokens)
    sys.stdout.write("The local org is as new.\n")


@command(
    "serve",
    "rolecall local serve",
    "rolecall local serve --port 0      # any free port; the URL is printed",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--remote", is_flag=True, help="Other machines may reach it.")
@_DATABASE
def serve(call: Invocation, port: int, host: str, remote: bool, database: str | None) -> None:
    """Serve the local org until interrupted: admin API, SCIM, and a console for people."""
    from rolecall.cli.logs import configure
    from rolecall.jobs.local import serve as listen

    configure(call)

    def announce(url: str) -> None:
        sys.stdout.write(f"LOCAL REHEARSAL, not WRITER\nConsole and admin API: {url}\nSCIM: {url}/api/scim/v2\n")
        sys.stdout.flush()

    listen(_where(call, database), host, port, remote=remote, announce=announce)


for _command in (serve, load, token, reset):
    local.add_command(_command)
