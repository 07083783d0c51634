"""Implement `rolecall rotate`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import CommandGroup, command
from rolecall.errors import ConfigError, Exit, Misuse, OrgError, Problem, Where

if TYPE_CHECKING:
    from rolecall.cli.session import Session
    from rolecall.desired.build import Config
    from rolecall.jobs.rotate import RotationResult
    from rolecall.live.client import OrgClient
    from rolecall.live.port import ConnectionWriter
    from rolecall.model.live import Facts


@command(
    "scim-token",
    "rolecall rotate scim-token                    # Entra: in one go",
    "rolecall rotate scim-token --out token.txt    # an admin enters it in Okta",
    "rolecall rotate scim-token --token-file new.txt    # of WRITER, to Entra",
    "rolecall rotate scim-token --abandon",
    exit_codes={
        Exit.OK: "The IdP uses the new token and the old one is revoked; or the rotation was abandoned or recorded.",
        Exit.ERROR: "An error, or a declined prompt.",
        Exit.REFUSED: "It cannot begin, or not be abandoned. Nothing was changed.",
        Exit.INCOMPLETE: "Not finished. Both tokens may be valid; the next call goes on from there.",
        Exit.HUMAN: "Manual steps in the IdP are left, or all steps are manual.",
    },
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="New file for the secret, if an admin enters it in the IdP. Only you can read it. The next call removes it.",
)
@click.option("--auto-approve", is_flag=True, help="Do not ask before a token is created.")
@click.option("--abandon", is_flag=True, help="Give up a rotation: revoke the new token, if the IdP does not use it.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, allow_dash=True, exists=True, dir_okay=False),
    metavar="FILE",
    help="On an org without an API: a file with the new token, or - for stdin, to put in Entra with idp.entra.write.",
)
@click.option("--done", is_flag=True, help="Record that a manual rotation is done, on an org without an API.")
def scim_token(
    call: Invocation, out: Path | None, auto_approve: bool, abandon: bool, token_file: Path | None, done: bool
) -> Exit:
    """Replace the token that the IdP sends users and groups to WRITER with.

    Creates a token, puts it in the IdP, checks that the IdP uses it, and only then revokes the old one. A call that was
    interrupted is continued by the next one. The secret is never printed, and the journal does not have it. On an org
    without an API, a checklist for an admin is shown; --token-file puts the token that the admin created in Entra.
    """
    from rolecall.cli.journals import check_journal
    from rolecall.cli.session import read, wait_for

    if sum((abandon, done, out is not None, token_file is not None)) > 1:
        raise Misuse(Problem("rotate", "--out, --token-file, --abandon and --done exclude each other"))
    config = read(call)
    check_journal(call, config)
    return wait_for(_run(call, config, Flags(out, auto_approve, abandon, done, token_file)))


class Flags(NamedTuple):
    """The options of a rotation."""

    out: Path | None
    auto_approve: bool
    abandon: bool
    done: bool
    token_file: Path | None


async def _run(call: Invocation, config: Config, flags: Flags) -> Exit:
    from rolecall.cli.session import session
    from rolecall.live.client import OrgClient

    async with session(call, config) as opened:
        facts = (await opened.org.read(frozenset())).facts
        if config.org.id not in (None, facts.org_id):
            message = f"`org.id` is {config.org.id}, but this is org {facts.org_id}"
            raise OrgError(Problem("other_org", message, config.org.source, "correct `org.url` or `org.id`"))
        if facts.observed or not isinstance(opened.org, OrgClient):
            if flags.token_file is not None:
                return _tell(call, await _entered(call, opened, facts, flags))
            return _manual(call, config, facts, record=flags.done)
        if flags.done or flags.token_file is not None:
            hint = "without it, rolecall creates the token itself"
            raise Misuse(Problem("rotate", "--done and --token-file are for an org without an API", None, hint))
        async with _writer(call, opened) as idp:
            result = await _rotate(call, config, flags, opened.org, facts, idp)
    return _tell(call, result)


async def _rotate(
    call: Invocation, config: Config, flags: Flags, org: OrgClient, facts: Facts, idp: ConnectionWriter | None
) -> RotationResult:
    import asyncio

    from rolecall.cli.facts import holder, run_facts
    from rolecall.cli.journals import open_journal
    from rolecall.jobs.rotate import Rotator, abandon, open_rotation, rotate
    from rolecall.outside.files import write_file

    with open_journal(call, config) as journal:
        if not flags.abandon and open_rotation(journal, facts.org_id) is None:
            _ask(call, config, flags)
        with journal.lock(facts.org_id, holder(call)) as lock:
            context = Rotator(
                org=org.scim_tokens,
                journal=journal,
                lock=lock,
                org_id=facts.org_id,
                where=_where(config),
                facts=run_facts(call, config, facts.caller.email),
                sleep=asyncio.sleep,
                idp=idp,
                file=None if flags.out is None else flags.out.absolute(),
                hand_over=lambda path, secret: write_file(path, f"{secret}\n"),
                source=_place(config),
            )
            return await (abandon(context) if flags.abandon else rotate(context))


def _place(config: Config) -> Where | None:
    """Return where the configuration has the connection to the IdP."""
    return None if config.idp is None else config.idp.source


async def _entered(call: Invocation, opened: Session, facts: Facts, flags: Flags) -> RotationResult:
    """Put the token of a file in the IdP. Raises Misuse without a token, ConfigError without a credential for it."""
    from rolecall.cli.facts import holder, run_facts
    from rolecall.cli.journals import open_journal
    from rolecall.jobs.rotate_entered import put_entered
    from rolecall.model.run import Opening

    assert flags.token_file is not None
    secret = _read_token(flags.token_file)
    async with _writer(call, opened) as idp:
        if idp is None:
            hint = "add `write` to `idp.entra`, or enter the token in the IdP"
            raise ConfigError(
                Problem("no_write", "no credential can put a token in the IdP", _place(opened.config), hint)
            )
        _ask(call, opened.config, flags)
        with open_journal(call, opened.config) as journal, journal.lock(facts.org_id, holder(call)):
            opening = Opening(facts.org_id, "rotate", run_facts(call, opened.config, facts.caller.email))
            runs: list[int] = []
            result = await put_entered(idp, secret, lambda: runs.append(journal.begin(opening)), _place(opened.config))
            for run in runs:
                journal.close_run(run, "done" if result.state == "done" else "incomplete", result.sentences[0])
            return result


def _read_token(file: Path) -> str:
    """Return the token in a file, or on stdin for ``-``. Raises Misuse unless it is one line of text."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    token = text.strip()
    if not token or not token.isprintable() or " " in token:
        raise Misuse(Problem("rotate", f"{file} does not have a token: one line without spaces"))
    return token


def _where(config: Config) -> str:
    """Return the app in the IdP that a rotation is for; empty without the section `idp`."""
    source = config.idp
    return "" if source is None else f"{source.kind.capitalize()}, {source.at}, app {source.app}"


@asynccontextmanager
async def _writer(call: Invocation, opened: Session) -> AsyncIterator[ConnectionWriter | None]:
    """Yield the connection that replaces the token in the IdP; None where an admin enters it."""
    from rolecall.cli.idp_writing import entra_secrets

    writer = entra_secrets(call, opened)
    try:
        yield writer
    finally:
        if writer is not None:
            await writer.close()


def _ask(call: Invocation, config: Config, flags: Flags) -> None:
    """Raise unless the user agrees to a new rotation."""
    from rolecall.cli.approvals import Declined
    from rolecall.cli.prompts import agrees, can_ask

    if flags.auto_approve:
        return
    if not can_ask(call):
        raise Misuse(Problem("no_answer", "a rotation needs an approval", None, "add --auto-approve"))
    what = "Put this SCIM token" if flags.token_file else "Create a new SCIM token"
    if not agrees(f"{what} for {config.org.name} and replace the one in the IdP?"):
        raise Declined(Problem("declined", "not approved; nothing was changed"))


def _tell(call: Invocation, result: RotationResult) -> Exit:
    from rolecall.report.line import line
    from rolecall.report.phrases import visible

    out = stdout(call.environ, color=call.color)
    out.lines(line(visible(sentence)) for sentence in result.sentences)
    if result.state == "handed_over":
        out.lines(line(f"  {number}. {step}") for number, step in enumerate(_steps(result.file or ""), 1))
        return Exit.HUMAN
    return Exit.INCOMPLETE if result.state == "incomplete" else Exit.OK


def _steps(file: str) -> tuple[str, ...]:
    """Return the steps of an admin who enters the token of a file in the IdP."""
    from rolecall.model.paste import shell_word

    return (
        f"Paste the content of {shell_word(file)} as the token in the IdP, test the connection, then save.",
        "Send something with it: in Okta push one group again, in Entra provision on demand a user who changed.",
        "rolecall rotate scim-token   (checks that the IdP uses it, revokes the old token, and removes the file)",
        "Where the pages are: rolecall runbook token",
    )


def _manual(call: Invocation, config: Config, facts: Facts, *, record: bool) -> Exit:
    """Show the runbook for an org without an API, or record that it was followed."""
    from rolecall.report.builders.runbook.idp import guide_document
    from rolecall.report.line import line
    from rolecall.report.renderers.runbook import runbook_markdown

    out = stdout(call.environ, color=call.color)
    if record:
        from rolecall.cli.facts import run_facts
        from rolecall.cli.journals import open_journal
        from rolecall.jobs.memory import record_reading

        with open_journal(call, config) as journal:
            message = "the SCIM token was rotated manually"
            run = record_reading(journal, facts.org_id, "rotate", run_facts(call, config), None, message)
        out.lines([line(f"Recorded (run {run}).", "ok")])
        return Exit.OK
    out.text(runbook_markdown(guide_document("token")))
    out.lines([line("This org has no API for tokens. When the rotation is done: rolecall rotate scim-token --done")])
    return Exit.HUMAN


rotate = CommandGroup(
    "rotate",
    """Replace a credential.

    For the token that rolecall itself uses, see docs/howto/rotate-the-token.md.
    """,
    [scim_token],
)
