"""Find the open run that already has the manual steps of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolecall.cli.journals import find_journal
from rolecall.cli.options import Invocation
from rolecall.cli.session import Session

if TYPE_CHECKING:
    from rolecall.jobs.apply import Earlier
    from rolecall.jobs.plan import Planned
    from rolecall.plan.value import Plan


def with_open_run(call: Invocation, opened: Session, planned: Planned) -> Planned:
    """Return a plan with the number of the open run that has its manual steps, if there is one."""
    plan = planned.plan
    journal = find_journal(call, opened.config)
    if journal is None:
        return planned
    from rolecall.apply.resume import LOOK_BACK, open_run

    with journal:
        run = open_run(plan, journal.runs(plan.org.id, LOOK_BACK, ("apply", "rollback")), planned.live)
    return planned if run is None else planned._replace(plan=plan._replace(open_run=run.id))


def recorded_before(plan: Plan) -> Earlier | None:
    """Return the open run that has all steps of a new plan; None if something is left to write or to record."""
    if plan.open_run is None or plan.writes or plan.policy_changes:
        return None
    from rolecall.apply.resume import open_run_words
    from rolecall.jobs.apply import Earlier

    return Earlier((open_run_words(plan.open_run),), manual=True)
