"""Implement `rolecall test`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rolecall.cli.complete import states
from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.errors import Exit


@command(
    "test",
    "rolecall test -e prod",
    "rolecall test --at live --report junit=access.xml",
    exit_codes={
        Exit.OK: "All tests pass.",
        Exit.ERROR: "An error, or users that a test needs could not be read.",
        Exit.REFUSED: "A test fails.",
        Exit.UNSEEN: "Users that a test needs could only be partially read.",
    },
)
@click.option(
    "--at",
    default="desired",
    show_default=True,
    metavar="STATE",
    shell_complete=states,
    help="Which state to test: desired, the org once it matches the configuration; live, the org now; or a saved "
    "plan's file, the org after that plan.",
)
@click.option(
    "--report", multiple=True, metavar="junit=PATH", help="Also write the results to a file, as JUnit XML. Repeatable."
)
def test(call: Invocation, at: str, report: tuple[str, ...]) -> Exit:
    """Run the access tests of the configuration.

    They are under `access_tests` in rolecall.yaml. plan, apply and drift run them too.
    """
    files = [_path(value) for value in report]
    from rolecall.cli.planning import read_state, report_coverage
    from rolecall.cli.session import read
    from rolecall.jobs.access import failed
    from rolecall.model.directory import EVERYBODY
    from rolecall.outside.files import write_file
    from rolecall.report.builders.checks import tests_document
    from rolecall.report.renderers.junit import junit
    from rolecall.report.renderers.listing import listing_lines

    config = read(call)
    org_state = read_state(call, config, at, EVERYBODY, test=True)
    document = tests_document(org_state.org, org_state.tests, org_state.coverage)
    for path in files:
        write_file(path, junit(document))
    stdout(call.environ, color=call.color).lines(listing_lines(document))
    unread = report_coverage(call, config, org_state.coverage)
    return Exit.REFUSED if failed(org_state.tests) else unread


def _path(value: str) -> Any:
    form, _, path = value.partition("=")
    if form != "junit" or not path:
        raise click.BadParameter(f"{value!r} is not junit=PATH", param_hint="--report")
    return Path(path)
