"""`drift --accept` and `drift --revert`: the config follows the org, or a plan brings the org back."""

from __future__ import annotations

from pathlib import Path

from rolecall.cli.approvals import Declined, refuse_blocked
from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.output import redacted, shown
from rolecall.cli.prompts import agrees, can_ask
from rolecall.desired.build import Config
from rolecall.drift.value import DriftReport
from rolecall.errors import Blocked, Exit, Problem
from rolecall.jobs.drift import Drifts
from rolecall.model.paste import shell_word
from rolecall.plan.saved.privacy import Shown
from rolecall.plan.value import Plan
from rolecall.report.builders.checks import guard_words
from rolecall.report.builders.drift_sentences import unwritten_words
from rolecall.report.line import line
from rolecall.report.phrases import visible


def accept_drift(call: Invocation, config: Config, checked: Drifts, approve: str | None) -> Exit:
    """Change the YAML, once the guards have nothing against it or somebody answered them.

    The guards judge what the drift did: the plan from what was there before to what is there now. Raises Blocked, and
    writes nothing, when one blocks or its review is not answered.
    """
    report = checked.drift_result.report
    out = stdout(call.environ, color=call.color)
    from rolecall.jobs.accept import accept, refuse_unmanaged, write_accepted

    refuse_unmanaged(checked.drift_scan.plan_input.desired, report.drifts)
    _consent(call, report, approve)

    acceptance = accept(config, checked.drift_scan, report.drifts)
    write_accepted(config, checked.drift_scan, acceptance)
    if not acceptance.texts:
        out.lines([line("Nothing to write: the config says so already.", "bold")])
    for name in acceptance.texts:
        out.lines([line(f"Changed {name}.", "ok")])
    if acceptance.texts:
        out.lines([line("Look at the diff, commit it, and let `rolecall apply` record it.", "dim")])
    return Exit.OK


def say_nothing_to_accept(call: Invocation, report: DriftReport) -> None:
    """Say that the config stays as it is, and whether that is because drift is unknown."""
    known = report.determined and not report.unread
    text = "Nothing to accept." if known else "Nothing to accept in what is known."
    stdout(call.environ, color=call.color).lines([line(text, "bold")])


def _consent(call: Invocation, report: DriftReport, approve: str | None) -> None:
    plan = report.did
    if plan is None:
        if any(drift.kind in ("console", "both", "other_run", "idp") for drift in report.drifts):
            message = "whom a moved endpoint touched cannot be told, so no guard can judge it"
            raise Blocked(Problem("not_judged", message, None, "change `scim.endpoint` by hand"))
        return
    from rolecall.jobs.apply import check_digest

    refuse_blocked(plan)
    reviews = [guard for guard in plan.guards if guard.verdict in ("review", "not judged")]
    if approve is not None:
        check_digest(approve, plan)
    elif reviews:
        _ask(call, plan, len(reviews))


def _ask(call: Invocation, plan: Plan, number: int) -> None:
    from rolecall.plan.saved.digest import digest, short

    if not can_ask(call):
        hint = f"answer with --approve {short(digest(plan))}, or lift it with an allow; nothing was written"
        raise Blocked(
            *(
                Problem(f"guard.{guard.name}", f"nobody reviewed {guard_words(guard)}", guard.source, hint)
                for guard in plan.guards
                if guard.verdict in ("review", "not judged")
            )
        )
    sentences = [guard_words(guard) for guard in plan.guards if guard.verdict in ("review", "not judged")]
    if not agrees(
        "\n".join([*sentences, f"Accept this drift, and answer {number} review{'s' if number > 1 else ''}?"])
    ):
        raise Declined(Problem("declined", "not accepted; nothing was written"))


def revert_drift(call: Invocation, config: Config, report: DriftReport, out: Path, people: Shown | None) -> Exit:
    """Save the plan that brings the org back. It is judged like any other: with a block it is saved, and leaves 3."""
    from rolecall.jobs.saved import plan_json
    from rolecall.outside.files import write_file

    console = stdout(call.environ, color=call.color)
    plan = report.revert
    left = [drift.address for drift in report.drifts if not drift.managed]
    if left:
        console.lines([line(f"Not reverted: {visible(unwritten_words(left))}", "warn")])
    if plan is None or not plan.changes:
        console.lines([line("Nothing to revert; no plan was written.", "bold")])
        return Exit.OK
    mode = shown(call, people, config.reports_people, terminal=False)
    write_file(out, plan_json(redacted(call, plan, mode, config.root)))
    env = f" -e {shell_word(report.org.env)}" if report.org.env else ""
    argument = shell_word(str(out))
    console.lines(
        [line(f"Wrote {out}. Look at it: rolecall show {argument} · Apply it: rolecall apply{env} {argument}", "ok")]
    )
    blocked = any(guard.verdict == "block" for guard in plan.guards)
    return Exit.REFUSED if blocked else Exit.OK
