"""Implement `rolecall local`: the local org that org.url names."""

from __future__ import annotations

import gc
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from rolecall.cli.complete import people, roles
from rolecall.cli.messages import remark, tell
from rolecall.cli.options import DAY, Invocation
from rolecall.cli.program import CommandGroup, command
from rolecall.errors import Problem

_SHOWN = 10
_DATABASE = click.option(
    "--database",
    metavar="URL",
    help="Use this local org instead of the one in org.url: a path, or an SQLAlchemy database URL.",
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
    arguments={"source": "A snapshot file, as written by rolecall snapshot."},
)
@click.argument("source", metavar="SNAPSHOT", type=click.Path(path_type=Path))
@_DATABASE
def load(call: Invocation, source: Path, database: str | None) -> None:
    """Fill the local org from a snapshot.

    Replaces everything in it except tokens, without asking.
    """
    from rolecall.cli.session import wait_for
    from rolecall.jobs.local import load as fill
    from rolecall.live.snapshot.reader import SnapshotReader
    from rolecall.report.phrases import count

    loaded, assumed = wait_for(fill(_where(call, database), SnapshotReader(source)))
    nouns = (("domain", loaded.domains), ("IdP group", loaded.groups), ("user", loaded.people))
    counts = ", ".join(count(number, noun) for noun, number in nouns)
    sys.stdout.write(f"Loaded {counts}, {count(loaded.memberships, 'membership')}.\n")
    if assumed:
        more = f" and {len(assumed) - _SHOWN:,} more" if len(assumed) > _SHOWN else ""
        sys.stdout.write(f"Not in the snapshot, set as in a new org: {', '.join(assumed[:_SHOWN])}{more}.\n")


_REFUSED = "requests with this token get 403"


@command(
    "token",
    "export ROLECALL_TOKEN=$(rolecall local token --admin --as ann@acme.com | tail -n 1)",
    "rolecall local token --scim",
)
@click.option("--admin", is_flag=True, help="Create a token for the admin API, which rolecall uses.")
@click.option("--scim", is_flag=True, help="Create a token for SCIM, which an IdP uses.")
@click.option(
    "--as",
    "email",
    metavar="EMAIL",
    shell_complete=people,
    help="With --admin: the user that the token acts as. Default: a service account.",
)
@click.option("--read-only", is_flag=True, help="Create a token that can read but not write.")
@click.option(
    "--expires",
    type=DAY,
    metavar="DATE",
    help="Day on which the token expires, YYYY-MM-DD, UTC. Default: never.",
)
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
    """Create a token and print it, alone on the last line.

    Requires --admin or --scim. The token is shown only once. Only a served local org needs one; url: local:PATH does
    not.
    """
    from rolecall.jobs.local import TokenRequest, make_token, standing

    if admin == scim:
        raise click.UsageError("a token is for either --admin or --scim; give one of them")
    if scim and email is not None:
        raise click.UsageError("--as is for --admin only: a SCIM token belongs to the IdP, not to a user")
    ends = None if expires is None else expires.replace(tzinfo=UTC)
    where = _where(call, database)
    secret = make_token(where, TokenRequest("scim" if scim else "admin", email, read_only, ends))
    if email is not None and (position := standing(where, email)) != "org admin":
        message = f"no user {email} in this org" if position == "nobody" else f"{email} is not an org admin"
        requests = "requests for what their role may not do get 403" if position == "limited" else _REFUSED
        hint = f"until they are an org admin, {requests}"
        tell(
            [Problem("not_org_admin", message, None, hint, "warning")],
            as_json=call.log_format == "json",
            color=call.color,
        )
    remark("token_made", "Save this token now. It is not shown again.", as_json=call.log_format == "json")
    sys.stdout.write(f"{secret}\n")


@command("reset", "rolecall local reset")
@click.option("--keep-tokens", is_flag=True, help="Keep the tokens.")
@_DATABASE
def reset(call: Invocation, keep_tokens: bool, database: str | None) -> None:
    """Reset the local org to a new, empty one.

    Deletes everything in it, also its tokens unless --keep-tokens is given, without asking. Creates it if it does not
    exist yet.
    """
    from rolecall.jobs.local import reset as empty

    empty(_where(call, database), keep_tokens=keep_tokens)
    sys.stdout.write("The local org is now empty.\n")


_NO_ROLE = "none"


@command(
    "role",
    "rolecall local role bo@acme.com team_admin --team Marketing --as ann@acme.com",
    "rolecall local role bo@acme.com it_admin",
    "rolecall local role bo@acme.com none --team Marketing",
    arguments={
        "email": "Email address of the user.",
        "role": "The new role: its id, or its name in the console; none removes the role.",
    },
)
@click.argument("email", shell_complete=people)
@click.argument("role", shell_complete=roles)
@click.option(
    "--team",
    metavar="TEAM",
    help="Team in which the user gets the role. Default: the role is one at org level: org_admin, it_admin or "
    "business_admin.",
)
@click.option(
    "--as",
    "by",
    metavar="EMAIL",
    shell_complete=people,
    help="The org admin who changes the role, for the audit log. Default: a service account.",
)
@_DATABASE
def role(call: Invocation, email: str, role: str, team: str | None, by: str | None, database: str | None) -> None:
    """Change the role of a user of the local org manually.

    Does what an org admin does in WRITER's console, to rehearse `watch`, `audit` and `why`: the org's audit log has
    the change. Team roles of SCIM users are locked while manual editing is off.
    """
    from rolecall.jobs.local import edit_role
    from rolecall.localorg.user_roles import RoleEdit

    name = edit_role(_where(call, database), RoleEdit(email, None if role == _NO_ROLE else role, team, by))
    place = "at org level" if team is None else f"in team {team}"
    sys.stdout.write(f"{email} has {'no role' if name is None else f'the role {name}'} {place}.\n")


@command(
    "usage",
    "rolecall local usage usage.csv",
    "rolecall local usage usage.csv --month 2026-10",
    arguments={"table": "A CSV file with the columns name and tokens."},
)
@click.argument("table", metavar="CSV", type=click.Path(path_type=Path))
@click.option(
    "--month",
    type=click.DateTime(["%Y-%m"]),
    metavar="MONTH",
    help="Month of the data, YYYY-MM. Default: this month, UTC.",
)
@_DATABASE
def usage(call: Invocation, table: Path, month: datetime | None, database: str | None) -> None:
    """Set the usage data of the local org for a month.

    Replaces the data of that month. The local org serves it like WRITER's API for consumption. Each row is a user: the
    full name, or the email address without one, and the number of tokens.
    """
    from rolecall.jobs.local import set_usage
    from rolecall.report.phrases import count

    when = f"{month or datetime.now(UTC):%Y-%m}"
    number = set_usage(_where(call, database), when, table)
    sys.stdout.write(f"Set the usage data of {count(number, 'user')} for {when}.\n")


@command(
    "serve",
    "rolecall local serve",
    "rolecall local serve --port 0      # any free port; the URL is printed",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=8787,
    show_default=True,
    help="Port to listen on. 0 takes any free port.",
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--remote", is_flag=True, help="Required with a --host that other machines can reach.")
@_DATABASE
def serve(call: Invocation, port: int, host: str, remote: bool, database: str | None) -> None:
    """Serve the local org until interrupted: admin API, SCIM and console."""
    from rolecall.cli.logs import configure
    from rolecall.jobs.local import serve as listen

    configure(call)

    def announce(url: str) -> None:
        sys.stdout.write(f"LOCAL REHEARSAL, not WRITER\nConsole and admin API: {url}\nSCIM: {url}/api/scim/v2\n")
        sys.stdout.flush()

    listen(_where(call, database), host, port, remote=remote, announce=announce)


local = CommandGroup(
    "local",
    """Use a local org, to try changes without WRITER.

    A local org is a database on this machine that behaves like a WRITER org: admin API, SCIM and console. To use it,
    set url: local:PATH under org in rolecall.yaml.
    """,
    [load, reset, token, role, usage, serve],
)
