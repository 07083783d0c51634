"""`drift --acknowledge`: record that findings are known, with who and why; they are reported apart from then on."""

from __future__ import annotations

from dataclasses import replace

from rolecall.cli.facts import run_facts
from rolecall.cli.options import Invocation
from rolecall.desired import Config
from rolecall.drift.scan import find
from rolecall.errors import Misuse, Problem, did_you_mean
from rolecall.jobs.drift import Drifts
from rolecall.jobs.memory import acknowledge, acknowledged, can_be_acknowledged
from rolecall.journal.port import Journal


def acknowledge_findings(
    call: Invocation, config: Config, journal: Journal, made: Drifts, fingerprints: tuple[str, ...], reason: str
) -> Drifts:
    """Record the findings of this check, and return the check with them apart.

    Raises Misuse, and records nothing, for a fingerprint that is not one of a finding, or is one of a standing limit or
    an access test.
    """
    found, inquiry = made.looked.found, made.inquiry
    known = can_be_acknowledged(found)
    if problems := [_unknown(name, made, known) for name in fingerprints if name not in known]:
        raise Misuse(*problems)
    facts = run_facts(call, config, inquiry.question.live.facts.caller.email)
    acknowledge(journal, found.org.id, facts, list(dict.fromkeys(fingerprints)), reason)
    new = {name: item for name, item in acknowledged(journal, found.org.id, None).items() if name in fingerprints}
    past = replace(inquiry.past, acknowledged={**inquiry.past.acknowledged, **new})
    inquiry = replace(inquiry, past=past)
    looked = find(inquiry)
    again = replace(looked.found, written=found.written, requests=found.requests)
    return Drifts(replace(looked, found=again), inquiry)


def _unknown(name: str, made: Drifts, known: frozenset[str]) -> Problem:
    found = made.looked.found
    if name in found.acknowledged:
        return Problem("acknowledged", f"{name} is acknowledged already")
    if any(alarm.fingerprint == name for alarm in found.alarms):
        message = f"{name} is a standing limit or an access test, which cannot be acknowledged"
        return Problem("acknowledge", message, None, "Change the org or the configuration")
    hint = did_you_mean(name, known) or "See the fingerprints in: rolecall drift --format json"
    return Problem("acknowledge", f"no finding has the fingerprint {name}", None, hint)
