"""`rolecall drift`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rolecall.cli.complete import addresses
from rolecall.cli.options import Invocation
from rolecall.cli.planning import lifting
from rolecall.cli.program import command
from rolecall.cli.sinks import FORMATS, report_option
from rolecall.errors import Exit


@command(
    "drift",
    "rolecall drift -e prod --detailed-exitcode",
    "rolecall drift -e prod --accept                            # the YAML here follows the org",
    "rolecall drift -e prod --revert --out revert.json          # a plan to bring the org back",
    "rolecall drift -e prod --report markdown=drift.md --report sarif=drift.sarif",
    "rolecall drift --baseline git:main~5                       # without a journal",
)
@click.option("--detailed-exitcode", is_flag=True, help="2 for drift, 7 if drift is unknown, wholly or in part.")
@click.option("--include-unapplied", is_flag=True, help="Count what the config changed and nobody applied.")
@click.option(
    "--ignore",
    multiple=True,
    metavar="ADDRESS",
    shell_complete=addresses,
    help="Leave out, this once; globs too. May be repeated.",
)
@click.option("--baseline", metavar="FILE|git:REF", help="A snapshot, a config or a commit in place of the journal.")
@click.option("--accept", is_flag=True, help="Change the YAML here to what the org has; guards are asked first.")
@click.option("--revert", is_flag=True, help="Make a plan that brings the org back, into the file of --out.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where --revert saves its plan.")
@click.option("--approve", metavar="DIGEST", help="Answer the reviews of --accept.")
@lifting
@click.option("--acknowledge", multiple=True, metavar="FINGERPRINT", help="Record that a finding is known.")
@click.option("--reason", metavar="TEXT", help="Why, for --acknowledge.")
@click.option("--notify", metavar="URL", help="Post what is news to a webhook; slack:URL for one in Slack's form.")
@click.option("--metrics-file", type=click.Path(path_type=Path), metavar="PATH", help="Write metrics there.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Of stdout.")
@click.option("--report", multiple=True, metavar="FORMAT=PATH", help="Write a file as well. May be repeated.")
@click.option("--people", type=click.Choice(["names", "masked", "counts"]), help="What is shown of people.")
def drift(call: Invocation, **options: Any) -> Exit:
    """Show what moved since the last apply, who moved it, and whom it touches.

    Nothing is written to the org. Without a record of an apply, drift cannot be determined.
    """
    from rolecall.cli.drifting import Wish, look_for_drift

    if options["revert"] != (options["out"] is not None):
        raise click.UsageError("--revert and --out FILE go together: the plan is saved, to be looked at and applied")
    if options["revert"] and options["accept"]:
        raise click.UsageError("--accept changes the config and --revert the org: say one of the two")
    if (options["approve"] or options["allow"]) and not options["accept"]:
        raise click.UsageError("--approve and --allow go with --accept")
    if bool(options["acknowledge"]) != bool((options["reason"] or "").strip()):
        raise click.UsageError("--acknowledge FINGERPRINT and --reason TEXT go together")
    if options["acknowledge"] and (options["baseline"] or call.snapshot or options["accept"] or options["revert"]):
        raise click.UsageError(
            "--acknowledge goes with the journal, without --baseline, --snapshot, --accept, --revert"
        )
    reports = tuple(map(report_option, options.pop("report")))
    return look_for_drift(call, Wish(**options, reports=reports))
