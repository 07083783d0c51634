"""`rolecall test`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.errors import Exit


@command(
    "test",
    "rolecall test -e prod",
    "rolecall test --at live --report junit=access.xml",
)
@click.option("--at", default="desired", show_default=True, metavar="live|desired|PLAN", help="In which state.")
@click.option("--report", multiple=True, metavar="junit=PATH", help="Write a file as well.")
def test(call: Invocation, at: str, report: tuple[str, ...]) -> Exit:
    """Run the access tests of the config; 3 when one fails.

    Where a test needs users, exits with 1 when they could not be read, with 7 when only some could be read.
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
        raise click.BadParameter("write junit=PATH", param_hint="--report")
    return Path(path)
