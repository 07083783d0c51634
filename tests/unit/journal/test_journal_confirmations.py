"""Confirmations of manual steps are entries of the chain: recorded once, kept, and removed only with their run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from journals import ORG, START, Ticking, opening

from rolecall.journal.opened import _connect
from rolecall.journal.port import Journal
from rolecall.model.evidence import Confirmation, Proof
from rolecall.model.run import Attestation, Run

PROOF = Proof(
    "ab" * 32, START, "ann@acme.com", "Security", "Claimed é ☃", "acme.de", "legacy", ("domains/acme.de",), False
)
CONFIRMATION = Confirmation(3, (PROOF,), ("domains/acme.de.join",))


def reported(journal: Journal) -> int:
    """A run whose manual step was reported done."""
    number = journal.begin(opening())
    journal.close_run(number, "done")
    journal.attest(number, Attestation(3, "ann@acme.com"))
    return number


def run_of(journal: Journal, number: int) -> Run:
    run = journal.run(number)
    assert run is not None
    return run


def test_a_confirmation_is_recorded_once_and_read_back(journal: Journal, other: Journal) -> None:
    number = reported(journal)
    at = run_of(journal, number).steps[2].at
    assert journal.unconfirmed(ORG, START) == (run_of(journal, number),)
    assert journal.confirm(number, CONFIRMATION)
    assert not other.confirm(number, CONFIRMATION._replace(proofs=()))
    step = run_of(other, number).steps[2]
    assert (step.state, step.by, step.at, step.confirmation) == ("attested", "ann@acme.com", at, CONFIRMATION)
    assert other.unconfirmed(ORG, START) == ()
    assert journal.verify(ORG).problems == ()


def test_a_step_that_was_not_reported_is_not_confirmed(journal: Journal) -> None:
    number = journal.begin(opening())
    entries = journal.verify(ORG).entries
    assert not journal.confirm(number, CONFIRMATION)
    assert not journal.confirm(number, CONFIRMATION._replace(number=9))
    assert journal.verify(ORG).entries == entries


def test_evidence_keeps_a_confirmation_and_another_value_ends_it(journal: Journal) -> None:
    number = reported(journal)
    journal.confirm(number, CONFIRMATION)
    journal.attest(number, Attestation(3, "bo@acme.com", "claim.png", "ab" * 32))
    assert run_of(journal, number).steps[2].confirmation == CONFIRMATION
    journal.attest(number, Attestation(3, "bo@acme.com", found="none"))
    assert run_of(journal, number).steps[2].confirmation is None
    assert journal.unconfirmed(ORG, START) == ()


def test_only_steps_of_the_org_since_a_moment_are_unconfirmed(journal: Journal, clock: Ticking) -> None:
    first = reported(journal)
    journal.attest(journal.begin(opening(org_id="org_2")), Attestation(3, "ann@acme.com"))
    clock.jump(days=3)
    second = reported(journal)
    assert [run.id for run in journal.unconfirmed(ORG, START)] == [second, first]
    assert [run.id for run in journal.unconfirmed(ORG, START + timedelta(days=1))] == [second]


def test_it_is_pruned_with_its_run(journal: Journal, clock: Ticking) -> None:
    number = reported(journal)
    journal.confirm(number, CONFIRMATION)
    clock.jump(days=400)
    journal.close_run(journal.begin(opening(steps=())), "done")
    assert journal.prune(ORG, clock.at - timedelta(days=30)) == 1
    assert journal.run(number) is None
    assert journal.unconfirmed(ORG, START) == ()
    assert journal.verify(ORG).problems == ()


@pytest.mark.parametrize("column", ["body", "step"])
def test_a_changed_confirmation_is_reported(url: str, tmp_path: Path, journal: Journal, column: str) -> None:
    journal.confirm(reported(journal), CONFIRMATION)
    new = "'{}'" if column == "body" else "2"
    connection = _connect(url, tmp_path)
    connection.change(f"UPDATE rolecall_entries SET {column} = {new} WHERE kind = 'confirmed'")
    connection.close()
    assert journal.verify(ORG).problems != ()
