"""Implement `rolecall fmt`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rolecall.cli.console import write_document
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolecall.jobs.fmt import Formatted


@command(
    "fmt",
    "rolecall fmt",
    "rolecall fmt --check --diff      # in a pipeline",
    "rolecall fmt --renames           # also follow renamed groups",
    exit_codes={Exit.OK: "Success.", Exit.ERROR: "An error, or with --check: a file is not formatted."},
)
@click.option("--check", is_flag=True, help="Write nothing. Exit with 1 if a file is not formatted.")
@click.option("--diff", is_flag=True, help="Write nothing. Show what would change.")
@click.option(
    "--renames",
    is_flag=True,
    help="Also rename the keys of groups that now have another name in the org. Reads the org.",
)
def fmt(call: Invocation, check: bool, diff: bool, renames: bool) -> Exit:
    """Format the configuration files.

    Changes indentation, spaces and blank lines, in overlays too. Values, order, quotes and comments are kept.
    """
    from rolecall.cli.messages import tell
    from rolecall.cli.options import root_of
    from rolecall.jobs.config_files import write_texts
    from rolecall.jobs.fmt import fmt as run

    root = root_of(call)
    formatted = run(root.folder, root.main, _names(call) if renames else None)
    tell(formatted.problems, as_json=call.log_format == "json", color=call.color)
    if diff:
        write_document(_diff(formatted))
    else:
        verb = "Would change" if check else "Formatted"
        sys.stdout.write("".join(f"{verb} {file.name}\n" for file in formatted.files))
    if not check and not diff:
        write_texts(root.folder, {file.name: file.after for file in formatted.files})
    return Exit.ERROR if formatted.problems or (check and formatted.files) else Exit.OK


def _names(call: Invocation) -> Mapping[str, str]:
    from rolecall.cli.journals import memory
    from rolecall.cli.session import read, session, wait_for
    from rolecall.jobs.fmt import new_names
    from rolecall.model.live import Live

    config = read(call)

    async def live() -> Live:
        async with session(call, config) as opened:
            return await opened.org.read(frozenset({"idp_groups"}))

    live_groups = wait_for(live())
    return new_names(config.desired, live_groups, memory(call, config)(live_groups.facts.org_id))


def _diff(formatted: Formatted) -> str:
    from difflib import unified_diff

    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for file in formatted.files
        for line in unified_diff(
            file.before.splitlines(keepends=True), file.after.splitlines(keepends=True), file.name, file.name
        )
    )
