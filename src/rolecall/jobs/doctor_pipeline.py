"""Use case `doctor`: whether a pipeline applies what nobody approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rolecall.desired import Config
from rolecall.errors import Problem, Where
from rolecall.model.checkup import Check
from rolecall.outside.forge import Gate, gates, protection
from rolecall.outside.git import origin

NAME = "pipeline"


def examine_pipeline(root: Path, config: Config | None, variables: Mapping[str, str]) -> Check:
    """13: a job that applies in an environment without reviewers, or a policy that asks for no other person."""
    jobs = gates(root)
    if not jobs:
        return Check(NAME, "no pipeline here applies")
    problems = [problem for gate in jobs for problem in _open_gate(gate, root, variables)]
    if config is not None and config.desired.policy.guards.approval != "other_person":
        hint = "add `guards: {approval: other_person}`"
        message = "a pipeline applies this configuration, and no approval by another person is required"
        problems.append(Problem("approval", message, Where(config.main), hint, "warning"))
    names = ", ".join(sorted({gate.environment for gate in jobs if gate.environment}))
    return Check(NAME, f"the environment {names} has required reviewers", tuple(problems))


def _open_gate(gate: Gate, root: Path, variables: Mapping[str, str]) -> Iterator[Problem]:
    place = Where(gate.file)
    if gate.environment is None:
        hint = "give the job an `environment` with required reviewers"
        yield Problem("open_gate", f"the job `{gate.job}` applies without an environment", place, hint, "warning")
        return
    state = protection(gate, variables, origin(root))
    hint = "add required reviewers (GitLab: approval rules of a protected environment) in the repository's settings"
    if state.reviewers is None:
        message = f"whether the environment `{gate.environment}` has required reviewers is not known: {state.reason}"
        yield Problem(
            "unknown_gate",
            message,
            place,
            f"{hint}; to check it here, set GITHUB_TOKEN or GitLab's variables",
            "warning",
        )
    elif not state.reviewers:
        message = f"the environment `{gate.environment}` has no required reviewers"
        yield Problem("open_gate", message, place, hint, "warning")
