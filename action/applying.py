"""`apply`: exactly the digest that was approved, with who approved it on record."""

from __future__ import annotations

import json
from collections.abc import Mapping

from approvals import Merged, by_others, merged, recorded
from comment import seen
from github import GitHub
from runner import MEANING, Failed, Job, annotate, fenced, log

_OUTCOMES = {0: "done", 3: "refused", 4: "incomplete", 5: "stale", 6: "human", 130: "interrupted"}


def apply(job: Job) -> int:
    """0 when all is done or only human steps remain; else 1. The step output `outcome` says which."""
    github = GitHub(job.environ)
    pull = merged(job, github)
    approvals = _approvals(job, github, pull)
    digest = _digest(job, github, pull)
    consent = ["--approve", digest] if digest else ["--auto-approve"]
    code, text = job.rolecall(
        *("apply", "--no-input", "--no-color", *consent, "--approval", approvals),
        ok=range(256),
        more=_facts(pull),
    )
    log(text)
    outcome = _OUTCOMES.get(code, "error")
    job.output(outcome=outcome, digest=digest)
    job.summary(_summary(job, outcome, digest, text))
    if code in (0, 6):
        return 0
    annotate("error", f"apply left with {code}: {MEANING.get(code, 'an error')}")
    return 1


def _digest(job: Job, github: GitHub, pull: Merged | None) -> str:
    """The digest given, or the one in the pull request's comment; none where the plan needs nobody's review."""
    if said := job.input("digest"):
        return said
    if pull is None:
        return ""
    found = seen(job, github, pull.number)
    if found is not None and found.commit != pull.head:
        raise Failed(
            f"the comment on {pull.url} is about {found.commit[:12]}, and {pull.head[:12]} was merged; plan again"
        )
    return found.digest if found else ""


def _approvals(job: Job, github: GitHub, pull: Merged | None) -> str:
    """The file for `--approval`. The authors' own are left out where the config wants somebody else's."""
    found = recorded(job, github, pull)
    if _wanted(job) == "other_person":
        authors = pull.authors if pull else frozenset({job.environ.get("GITHUB_ACTOR", "").casefold()})
        found, own = by_others(found, authors)
        for name in own:
            annotate("notice", f"{name} made this change, so their own approval does not count")
    path = job.reports / "approvals.json"
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return str(path)


def _wanted(job: Job) -> str:
    _, text = job.rolecall("render", "--format", "json")
    guards = json.loads(text).get("guards") or {}
    return str(guards.get("approval", "none"))


def _facts(pull: Merged | None) -> Mapping[str, str]:
    """Who made the change, for the journal: its author, not whoever pressed the button to merge it."""
    if pull is None:
        return {}
    return {
        "ROLECALL_ACTOR": pull.author,
        "ROLECALL_AUTHOR": pull.author,
        "ROLECALL_PULL_REQUEST": pull.url,
        "GITHUB_TRIGGERING_ACTOR": pull.author,
    }


def _summary(job: Job, outcome: str, digest: str, text: str) -> str:
    said = f" of {digest[:16]}" if digest else ""
    return f"### rolecall apply{said}{f' in {job.env}' if job.env else ''}: {outcome}\n\n{fenced(text)}\n"
