"""Use case `validate`: everything that is wrong with a config, offline, or against a live org and its people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.desired import validate_repo
from rolecall.errors import Problem

if TYPE_CHECKING:
    from rolecall.desired import Config
    from rolecall.jobs.plan import PlanRequest
    from rolecall.plan.question import Question


def validate(root: Path, env: str | None, main: str) -> list[Problem]:
    """All problems of the config in ``root``, each once. Without ``env``, those of every overlay there is."""
    return validate_repo(root, env, main)


async def check_online(config: Config, request: PlanRequest) -> list[Problem]:
    """What only an org can tell of a config: teams, roles and groups that it does not have; changes that it would
    refuse; what its IdP tells of the app; and everything that a plan would warn of, with everybody read. Without what
    ``validate`` says already.

    Where people cannot be read it says what nobody looked for. Raises as ``question`` does.
    """
    from dataclasses import replace

    from rolecall.desired.references import references
    from rolecall.jobs.people import idp_problems
    from rolecall.jobs.plan import question

    asked = await question(replace(request, wanted=replace(request.wanted, references=None)))
    found = references(config, asked.live.facts)
    if not any(problem.severity == "error" for problem in found):
        found += await _linted(request, asked)
    told = await idp_problems(request.people, config.desired, asked.live)
    return [problem for problem in (*found, *told) if problem not in config.warnings]


async def _linted(request: PlanRequest, asked: Question) -> list[Problem]:
    from dataclasses import replace

    from rolecall.jobs.people import left_out, read_people
    from rolecall.model.directory import EVERYBODY

    if request.people is None:
        return [*_planned(asked), _not_looked_for("people are not read here")]
    directory = await read_people(request.people, request.org, asked.live, EVERYBODY)
    seen = directory.coverage
    return [
        *_planned(replace(asked, directory=directory, scope=EVERYBODY)),
        *left_out(directory),
        *([] if seen.state == "complete" else [_not_looked_for(seen.problem or "people were not read")]),
    ]


def _planned(question: Question) -> list[Problem]:
    """Return what a plan for the question would warn of, and as errors what the org would refuse of it."""
    from rolecall.plan.make import make
    from rolecall.plan.preconditions import check_preconditions

    plan = make(question)
    checked = check_preconditions(question, plan.changes)
    unread = [
        Problem("precondition_unread", f"{name} was not read, so it is unknown whether the org accepts every change")
        for name in checked.unread
    ]
    return [
        *plan.warnings,
        *(refusal.problem() for refusal in checked.refusals),
        *(problem._replace(severity="warning") for problem in unread),
    ]


def _not_looked_for(why: str) -> Problem:
    what = "owners who are gone, people without a mapped group, and roles that conflict"
    return Problem("not_linted", f"nobody looked for {what}: {why}", None, "let the token read people", "warning")
