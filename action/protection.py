"""Checks that the environment that applies has required reviewers; GitHub creates a missing one without any."""

from __future__ import annotations

from urllib.parse import quote

from github import GitHub, Refused
from runner import Failed, Job, annotate


def warn_of_open_environment(job: Job, github: GitHub) -> None:
    """Warn if the environment in the input `environment` has no required reviewers, or if that is unknown."""
    name = job.input("environment")
    if not name:
        return
    try:
        rules = github.get(f"environments/{quote(name, safe='')}").get("protection_rules") or []
    except Refused as error:
        reason = "there is none yet, and GitHub creates it without reviewers" if error.code == 404 else str(error)
        annotate("warning", f"whether the environment {name} has required reviewers is not known: {reason}. {_ADVICE}")
        return
    except Failed as error:
        annotate("warning", f"whether the environment {name} has required reviewers is not known: {error}")
        return
    reviewers = [rule for rule in rules if rule.get("type") == "required_reviewers" and rule.get("reviewers")]
    if not reviewers:
        annotate(
            "warning",
            f"the environment {name} has no required reviewers, so plans are applied without approval. {_ADVICE}",
        )
    elif not any(rule.get("prevent_self_review") for rule in reviewers):
        annotate(
            "notice", f"the environment {name} lets reviewers approve their own changes; rolecall does not count that"
        )


_ADVICE = "Add required reviewers in the repository's settings, under Environments; the job needs `actions: read`."
