"""Test a whole run on a local org in this process and a journal on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fault_wire import BreakingDatabase, Life
from workbench import BRAND, MARKETING, NOW, WANTED, Workbench

from rolecall.apply.settle import lines
from rolecall.errors import Stale
from rolecall.jobs.apply import check_digest
from rolecall.journal.database import migrate
from rolecall.journal.store import SqlJournal
from rolecall.model.desired import Desired, Intent
from rolecall.model.policy import Policy
from rolecall.model.run import Attestation, Opening, PlannedStep, RunFacts, Step
from rolecall.model.settings import BLANK, Domain, GroupMapping, Settings, Sso
from rolecall.plan.saved.digest import digest, short


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_an_apply_reaches_desired_and_the_second_plan_is_empty(bench):
    report = bench.apply(bench.plan(WANTED))
    assert report.run.outcome == "done"
    assert [(step.address, step.state) for step in report.run.steps] == [
        ("idp_groups/Writer-Brand", "done"),
        ("defaults", "done"),
        ("idp_groups/Writer-Marketing", "done"),
    ]
    assert report.run.steps[2].before == MARKETING
    assert bench.plan(WANTED).changes == ()


def test_what_was_applied_is_remembered_untouched_addresses_too(bench):
    wanted = Desired(Settings(idp_groups={"Writer-Brand": BRAND, "Writer-Marketing": MARKETING}))
    bench.apply(bench.plan(wanted))
    journal = bench.journal()
    applied = journal.applied("org_1")
    journal.close()
    assert applied.settings.idp_groups == {"Writer-Brand": BRAND, "Writer-Marketing": MARKETING}
    assert set(applied.group_ids) == {"Writer-Brand", "Writer-Marketing"}
    released = bench.plan(Desired(Settings(idp_groups={"Writer-Marketing": MARKETING}))).released
    assert [row.address for row in released] == ["idp_groups/Writer-Brand"]


def test_an_apply_with_nothing_to_do_is_a_run_that_records_what_it_found(bench):
    wanted = Desired(Settings(idp_groups={"Writer-Marketing": MARKETING}))
    report = bench.apply(bench.plan(wanted))
    assert (report.run.outcome, report.run.steps) == ("nothing", ())
    journal = bench.journal()
    assert journal.applied("org_1").settings.idp_groups == {"Writer-Marketing": MARKETING}
    journal.close()


def test_a_plan_that_moved_is_refused_before_anything_is_sent_and_is_no_run(bench):
    approved = bench.plan(WANTED)
    bench.write(Writer_Brand=GroupMapping("team_admin", frozenset({"IT"})))
    with pytest.raises(Stale) as refused:
        bench.apply(approved)
    assert [problem.code for problem in refused.value.problems] == ["moved"]
    assert "idp_groups/Writer-Brand" in str(refused.value)
    journal = bench.journal()
    assert journal.runs() == ()
    journal.close()


def test_what_somebody_else_already_did_is_passed_over(bench):
    approved = bench.plan(WANTED)
    bench.write(Writer_Brand=BRAND)
    report = bench.apply(approved)
    assert report.run.outcome == "done"
    assert [step.address for step in report.run.steps] == ["defaults", "idp_groups/Writer-Marketing"]
    assert "idp_groups/Writer-Brand already has the planned value" in report.notes


def test_a_plan_past_its_time_is_refused(bench):
    approved = bench.plan(WANTED)
    with pytest.raises(Stale, match="expired"):
        bench.apply(approved._replace(expires_at=NOW - timedelta(hours=1)))


def test_a_run_that_is_stopped_leaves_what_it_has_and_the_next_one_goes_on(bench):
    approved = bench.plan(WANTED)
    sent = []
    report = bench.apply(approved, parallelism=1, progress=sent.append, stop=lambda: len(sent) >= 1)
    assert report.run.outcome == "interrupted"
    assert [step.state for step in report.run.steps] == ["done", "not_tried", "not_tried"]
    again = bench.apply(bench.plan(WANTED))
    assert again.run.outcome == "done"
    assert bench.plan(WANTED).changes == ()


def test_a_write_that_the_org_refuses_ends_its_wave_and_no_later_one_starts(bench):
    refused = GroupMapping("nobody", frozenset({"Brand"}))
    wanted = WANTED._replace(settings=replace(WANTED.settings, idp_groups={"Writer-Brand": refused}))
    report = bench.apply(bench.plan(wanted))
    assert report.run.outcome == "incomplete"
    assert [step.state for step in report.run.steps] == ["refused", "not_tried"]
    assert "nobody" in report.run.steps[0].problem


def test_a_partial_plan_touches_its_targets_alone(bench):
    approved = bench.plan(WANTED, targets=("idp_groups/*",))
    report = bench.apply(approved)
    assert [step.address for step in report.run.steps] == ["idp_groups/Writer-Brand", "idp_groups/Writer-Marketing"]
    assert [change.address for change in bench.plan(WANTED).changes] == ["defaults"]


def test_a_human_step_is_recorded_and_not_sent(bench):
    wanted = Desired(Settings(domains={"acme.de": Domain()}, idp_groups={"Writer-Brand": BRAND}))
    report = bench.apply(bench.plan(wanted))
    assert [(step.address, step.state) for step in report.run.steps] == [
        ("idp_groups/Writer-Brand", "done"),
        ("domains/acme.de", "human"),
    ]


def test_the_digest_that_was_approved_is_the_plans(bench):
    made = bench.plan(WANTED)
    check_digest(short(digest(made)), made)
    with pytest.raises(Stale, match="the digest 0123-4567-89ab-cdef was approved"):
        check_digest("0123-4567-89ab-cdef", made)


def test_policy_and_protection_are_remembered(bench):
    policy = Policy(manage={"idp_groups": "authoritative"})
    groups = {"Writer-Admins": GroupMapping("org_admin", frozenset({"IT"})), "Writer-Marketing": MARKETING}
    wanted = Desired(Settings(idp_groups=groups), {"idp_groups/Writer-Admins": Intent(protect=True)}, policy)
    bench.apply(bench.plan(wanted))
    journal = bench.journal()
    applied = journal.applied("org_1")
    journal.close()
    assert applied.policy == policy
    assert applied.protected == frozenset({"idp_groups/Writer-Admins"})


def test_a_partial_plan_finds_a_name_that_looks_like_a_glob(bench):
    name = "Writer-[*]"
    text = (bench.folder / "snapshot.yaml").read_text().replace("  Writer-Brand: null", f'  "{name}": null')
    (bench.folder / "odd").mkdir()
    odd = Workbench(bench.folder / "odd", text)
    wanted = Desired(Settings(idp_groups={name: BRAND, "Writer-Marketing": BLANK}))
    approved = odd.plan(wanted, excludes=("idp_groups/Writer-Marketing",))
    report = odd.apply(approved)
    assert [(step.address, step.state) for step in report.run.steps] == [(f"idp_groups/{name}", "done")]


def test_two_steps_that_depend_on_each_other_stop_at_the_first_that_fails(bench):
    """A claim that is refused is not followed by what needs it, though both are in one wave."""
    report = bench.apply(
        bench.plan(
            Desired(
                Settings(
                    domains={"acme.com": Domain(join="nonsense")},
                    sso=Sso(name="Other"),
                    idp_groups={"Writer-Brand": BRAND},
                )
            )
        )
    )
    states = {step.address: step.state for step in report.run.steps}
    assert states.pop("domains/acme.com") == "refused"
    assert set(states.values()) == {"not_tried"}


def test_a_journal_that_fails_in_the_middle_ends_the_run_with_a_report(bench):
    approved = bench.plan(WANTED)
    life = Life(disk={4: "full"})
    site = BreakingDatabase(bench.folder / "breaking.db", Life())
    journal = SqlJournal(site, migrate(site), lambda: NOW)
    site.life = life
    report = bench.apply(approved, journal=journal, parallelism=1)
    journal.close()
    assert report.run.outcome == "open"
    assert [problem.code for problem in report.problems] == ["journal_written"]
    assert {step.state for step in report.run.steps} <= {"done", "not_tried"}
    assert report.meanwhile.startswith(("No user lost access", "1 user", "2 users", "3 users"))


def test_a_run_that_died_is_closed_by_the_next_one_which_says_so(bench):
    journal = bench.journal()
    dead = journal.begin(Opening("org_1", "apply", RunFacts(actor="ann")))
    journal.close()
    told = []
    report = bench.apply(bench.plan(WANTED), recovering=told.extend)
    assert [run.id for run in told] == [dead]
    journal = bench.journal()
    assert journal.run(dead).outcome == "done"
    assert journal.run(report.run.id).outcome == "done"
    journal.close()


def test_the_caller_is_whom_the_org_takes_us_for(bench):
    assert bench.apply(bench.plan(WANTED)).run.facts.caller == "a service"


def test_another_orgs_plan_is_stale(bench):
    approved = bench.plan(WANTED)
    other = approved._replace(org=approved.org._replace(id="org_9"))
    with pytest.raises(Stale, match="is for acme \\(org_9\\)"):
        bench.apply(other)


def test_a_clock_that_jumps_decides_nothing_once_the_run_has_begun(bench):
    days = iter([0, *range(0, 4000, 31)])
    report = bench.apply(bench.plan(WANTED), now=lambda: NOW + timedelta(days=next(days)))
    assert report.run.outcome == "done"
    assert bench.plan(WANTED).changes == ()


def test_a_run_says_what_an_earlier_run_of_the_same_plan_applied(bench):
    approved = bench.plan(WANTED)
    sent = []
    first = bench.apply(approved, parallelism=1, progress=sent.append, stop=lambda: len(sent) >= 1)
    assert [(progress.ended, progress.total) for progress in sent] == [(1, 3)]
    second = bench.apply(approved)
    assert second.run.outcome == "done"
    (note,) = [note for note in second.notes if f"Run {first.run.id} " in note]
    assert "1 of the 3" in note


@pytest.mark.parametrize(("attested", "outcome"), [(True, "done"), (False, "incomplete")])
def test_a_run_that_died_is_done_where_each_step_was_done_or_reported_done(bench, attested, outcome):
    at = "idp_groups/Writer-Brand"
    steps = [PlannedStep(1, "domains/acme.de", "create", "human", None, Domain(True))]
    if not attested:
        steps.append(PlannedStep(2, at, "create", "api", None, BRAND))
    journal = bench.journal()
    dead = journal.begin(Opening("org_1", "apply", RunFacts(), steps=steps))
    journal.attest(dead, Attestation(1, "ann@acme.com"))
    journal.close()
    bench.apply(bench.plan(WANTED))
    journal = bench.journal()
    assert journal.run(dead).outcome == outcome
    journal.close()


def test_a_run_waits_for_the_lock_as_it_was_told_to(bench):
    asked = []

    class Locked(SqlJournal):
        def lock(self, *args):
            asked.append(args)
            return super().lock(*args)

    def waiting(_holder):
        return None

    site = BreakingDatabase(bench.folder / "locked.db", Life())
    journal = Locked(site, migrate(site), lambda: NOW)
    bench.apply(bench.plan(WANTED), journal=journal, lock_timeout=7, waiting=waiting)
    journal.close()
    ((org, holder, timeout, callback),) = asked
    assert (org, timeout, callback) == ("org_1", 7, waiting)
    assert holder.who


def test_what_recovery_reports_of_a_step_differs_by_its_outcome():
    def line(state, problem=None):
        step = Step(3, 1, "idp_groups/A", "update", "api", None, BRAND, state, problem=problem)
        (text,) = lines([step])
        return text

    texts = [line(state) for state in ("done", "not_done", "unknown")]
    assert len(set(texts)) == 3
    for text in texts:
        assert "idp_groups/A" in text
        assert "run 3" in text
        assert text.removeprefix("Step 1 of run 3, idp_groups/A, ").islower()
    assert "no response" in line("unknown", "no response")
