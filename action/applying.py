"""`apply`: exactly the digest that was approved, with who approved it on record."""

from __future__ import annotations

import json
from collections.abc import Mapping

from approvals import Merged, merged, recorded
from github import GitHub
from lineage import relations
from runner import MEANING, Failed, Job, annotate, fenced, log

_OUTCOMES = {0: "done", 3: "refused", 4: "incomplete", 5: "stale", 6: "human", 130: "interrupted"}


def apply(job: Job) -> int:
    """Return 0 if all is done or only manual steps remain, else 1. The step output `outcome` has the result."""
    digest = job.input("digest")
    if not digest:
        raise Failed(
            "`digest` is not set, so the approved plan is unknown. Set it to the digest of the job that "
            "planned, such as ${{ needs.plan.outputs.digest }}, in a job behind an environment with required reviewers"
        )
    github = GitHub(job.environ)
    pull = merged(job, github)
    code, text = job.rolecall(
        *("apply", "--no-input", "--no-color", "--approve", digest, "--approval", _approvals(job, github, pull)),
        ok=range(256),
        more={**_facts(pull), **relations(job, github)},
    )
    log(text)
    outcome = _OUTCOMES.get(code, "error")
    job.output(outcome=outcome, digest=digest)
    job.summary(_summary(job, outcome, digest, text))
    if code in (0, 6):
        return 0
    annotate("error", f"apply exited with {code}: {MEANING.get(code, 'an error')}")
    return 1


def _approvals(job: Job, github: GitHub, pull: Merged | None) -> str:
    """Write the approvals that count into the file for `--approval`, and return its path."""
    path = job.reports / "approvals.json"
    path.write_text(json.dumps(recorded(job, github, pull), indent=1), encoding="utf-8")
    return str(path)


def _facts(pull: Merged | None) -> Mapping[str, str]:
    """Return the author of the change, for the journal, not the user who merged it."""
    if pull is None:
        return {}
    return {
        "ROLECALL_ACTOR": pull.author,
        "ROLECALL_AUTHOR": pull.author,
        "ROLECALL_PULL_REQUEST": pull.url,
        "GITHUB_TRIGGERING_ACTOR": pull.author,
    }


def _summary(job: Job, outcome: str, digest: str, text: str) -> str:
    return f"### rolecall apply of {digest[:16]}{f' in {job.env}' if job.env else ''}: {outcome}\n\n{fenced(text)}\n"
