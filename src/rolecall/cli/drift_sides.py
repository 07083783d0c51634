"""Run what follows a drift check.

`--accept` changes the configuration, `--revert` saves a plan that undoes the drift, and `--acknowledge` records that
findings are known.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rolecall.cli.approvals import Declined, refuse_blocked
from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.output import redacted, report_saved, shown
from rolecall.cli.prompts import agrees, can_ask
from rolecall.desired.build import Config
from rolecall.drift.value import DriftReport
from rolecall.errors import Blocked, Exit, Misuse, Problem, did_you_mean
from rolecall.jobs.drift import Drifts
from rolecall.journal.port import Journal
from rolecall.model.paste import shell_word
from rolecall.plan.saved.privacy import Shown
from rolecall.plan.value import Plan
from rolecall.report.builders.checks import guard_words
from rolecall.report.builders.drift_sentences import unwritten_words
from rolecall.report.line import line
from rolecall.report.phrases import visible


def accept_drift(call: Invocation, config: Config, checked: Drifts, approve: str | None) -> Exit:
    """Change the configuration files to match the org, once the guards pass or their reviews are approved.

    The guards check what the drift did: the plan from the values before to the values now. Raises Blocked, and writes
    nothing, if one blocks or its review is not approved.
    """
    report = checked.drift_result.report
    out = stdout(call.environ, color=call.color)
    from rolecall.jobs.accept import accept, refuse_unmanaged, write_accepted

    refuse_unmanaged(config, checked.drift_scan.plan_input.desired, report.drifts)
    _consent(call, report, approve)

    acceptance = accept(config, checked.drift_scan, report.drifts)
    write_accepted(config, checked.drift_scan, acceptance)
    if not acceptance.texts:
        out.lines([line("No changes. The configuration already matches the org.", "bold")])
    for name in acceptance.texts:
        out.lines([line(f"Changed {name}.", "ok")])
    if acceptance.texts:
        out.lines([line("Next: review the diff, commit it, then run rolecall apply to record it.", "dim")])
    return Exit.OK


def say_nothing_to_accept(call: Invocation, report: DriftReport) -> None:
    """Say that the configuration is not changed, and whether there may be drift that is unknown."""
    known = report.determined and not report.unread and not report.outdated
    text = "Nothing to accept." if known else "Nothing to accept, but drift is only partially known."
    stdout(call.environ, color=call.color).lines([line(text, "bold")])


def _consent(call: Invocation, report: DriftReport, approve: str | None) -> None:
    plan = report.did
    if plan is None:
        if any(drift.kind in ("console", "both", "other_run", "idp") for drift in report.drifts):
            message = "a change of the SCIM endpoint cannot be accepted, as it is unknown which users it affected"
            raise Blocked(Problem("not_judged", message, None, "edit `scim.endpoint` in the configuration"))
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
        hint = f"approve it with --approve {short(digest(plan))}, or override the guard; nothing was written"
        raise Blocked(
            *(
                Problem(f"guard.{guard.name}", f"requires approval: {guard_words(guard)}", guard.source, hint)
                for guard in plan.guards
                if guard.verdict in ("review", "not judged")
            )
        )
    sentences = [guard_words(guard) for guard in plan.guards if guard.verdict in ("review", "not judged")]
    if not agrees(
        "\n".join([*sentences, f"Accept this drift and approve the review{'s' if number > 1 else ''} above?"])
    ):
        raise Declined(Problem("declined", "not accepted; nothing was written"))


def revert_drift(
    call: Invocation, config: Config, report: DriftReport, out: Path, people: Shown | None, *, text: bool
) -> Exit:
    """Save the plan that undoes the drift. The guards check it: if one blocks, it is saved too, and the code is 3.

    ``text``: stdout has the report as text.
    """
    from rolecall.jobs.saved import plan_json
    from rolecall.outside.files import write_file

    console = stdout(call.environ, color=call.color)
    plan = report.revert
    left = [drift.address for drift in report.drifts if not drift.managed]
    if left:
        console.lines([line(f"Not reverted: {visible(unwritten_words(left))}", "warn")])
    if plan is None or not plan.changes:
        known = report.determined and not report.unread and not report.outdated
        partly = "" if known else ", but drift is only partially known"
        console.lines([line(f"Nothing to revert{partly}. No plan was saved.", "bold")])
        return Exit.OK
    mode = shown(call, people, config.reports_people, terminal=False)
    write_file(out, plan_json(redacted(call, plan, mode, config.root)))
    report_saved(call, console, plan, out, text=text)
    blocked = plan.verdict == "block"
    if blocked and text:
        console.lines([line(f"Apply is blocked. To see why: rolecall show {shell_word(str(out))}", "warn")])
    return Exit.REFUSED if blocked else Exit.OK


def acknowledge_findings(
    call: Invocation, config: Config, journal: Journal, checked: Drifts, fingerprints: tuple[str, ...], reason: str
) -> Drifts:
    """Record that findings of this check are known, and return the check with them listed separately.

    Raises Misuse, and records nothing, for a fingerprint of no finding, and for one of a policy limit or an access
    test.
    """
    from rolecall.cli.facts import run_facts
    from rolecall.drift.scan import scan
    from rolecall.jobs.memory import acknowledge, acknowledged, can_be_acknowledged

    report, inquiry = checked.drift_result.report, checked.drift_scan
    present = {former: entry.fingerprint for entry in report.drifts for former in entry.former_fingerprints}
    fingerprints = tuple(present.get(name, name) for name in fingerprints)
    known = can_be_acknowledged(report)
    if problems := [_unknown(name, checked, known) for name in fingerprints if name not in known]:
        raise Misuse(*problems)
    facts = run_facts(call, config, inquiry.plan_input.live.facts.caller.email)
    acknowledge(journal, report.org.id, facts, list(dict.fromkeys(fingerprints)), reason)
    new = {name: item for name, item in acknowledged(journal, report.org.id, None).items() if name in fingerprints}
    past = replace(inquiry.past, acknowledged={**inquiry.past.acknowledged, **new})
    inquiry = replace(inquiry, past=past)
    looked = scan(inquiry)
    again = replace(looked.report, written=report.written, requests=report.requests)
    return Drifts(replace(looked, report=again), inquiry)


def _unknown(name: str, checked: Drifts, known: frozenset[str]) -> Problem:
    report = checked.drift_result.report
    if name in report.acknowledged:
        return Problem("acknowledged", f"{name} is already acknowledged")
    if any(alarm.fingerprint == name for alarm in report.alarms):
        message = f"{name} is a policy limit or an access test, which cannot be acknowledged"
        return Problem("acknowledge", message, None, "change the org or the configuration")
    hint = did_you_mean(name, known) or "for the fingerprints: rolecall drift --format json"
    return Problem("acknowledge", f"no finding has the fingerprint {name}", None, hint)
