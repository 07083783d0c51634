"""`check`: validate, plan, tell the pull request, and leave the numbers as step outputs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from comment import marker, placed, with_banner
from github import GitHub, Refused
from lineage import relations
from protection import warn_of_open_environment
from runner import Failed, Job, annotate, commands, fenced, log

PLANNED = (0, 2, 3, 7)
"""The exit codes with which a plan was made: nothing, changes, refused by a guard, not all seen."""

_KINDS = ("create", "update", "delete", "upgrade", "rename")


def check(job: Job) -> int:
    """0 where a plan was made; 1 for a config that is wrong and, unless `fail-on: never`, a plan that is blocked."""
    if not _valid(job):
        return 1
    warn_of_open_environment(job, GitHub(job.environ))
    snapshot = stored(job)
    known = {} if snapshot else relations(job, GitHub(job.environ))
    code, text = job.rolecall("plan", *_options(job, snapshot), ok=PLANNED, more=known)
    log(text)
    annotations = job.reports / "annotations.txt"
    commands(annotations.read_text(encoding="utf-8"))
    plan = json.loads((job.reports / "plan.json").read_text(encoding="utf-8"))
    told = numbers(plan)
    body = (job.reports / "comment.md").read_text(encoding="utf-8")
    body = with_banner(body, age(snapshot) if snapshot else "")
    job.summary(body)
    job.output(**told, plan=job.reports / "plan.json", html=job.reports / "plan.html", comment=_tell(job, body))
    return _leave(job, code, told["verdict"])


def numbers(plan: dict[str, Any]) -> dict[str, Any]:
    """The step outputs of a plan: digest, changes, people_losing, escalations, policy_changes,
    verdict, human, waiting. Users who were not read completely are not counted as none."""
    said, unread = plan["summary"], plan["impact"].get("problem") is not None
    return {
        "digest": plan["digest"],
        "changes": sum(said[kind] for kind in _KINDS) - said["waiting"],
        "people_losing": "unknown" if unread else plan["impact"]["losing"],
        "escalations": "unknown" if unread else len(plan["impact"]["escalations"]),
        "verdict": verdict(plan),
        "policy_changes": len(plan["policy_changes"]),
        "human": said["human"],
        "waiting": said["waiting"],
    }


def verdict(plan: dict[str, Any]) -> str:
    """The worst that the guards and access tests say: block, not_judged, review, pass; nothing for an empty plan."""
    said = {guard["verdict"] for guard in plan["guards"]}
    if plan["errored"] or "block" in said or not all(test["passed"] for test in plan["access_tests"]):
        return "block"
    if "not judged" in said:
        return "not_judged"
    if "review" in said:
        return "review"
    return "pass" if any(change["via"] != "waiting" for change in plan["changes"]) else "nothing"


def stored(job: Job) -> Path | None:
    """The snapshot to plan against, for a pull request from a fork: it gets no token, so the org cannot be asked."""
    said, forked = job.input("snapshot"), _forked(job)
    if not forked:
        return None
    path = Path(job.environ.get("GITHUB_WORKSPACE", "."), said)
    if not said or not path.is_file():
        raise Failed(
            "a pull request from a fork gets no token, and there is no stored snapshot to plan against"
            f"{f' at {said}' if said else ''}; let the drift workflow store one and set `snapshot`"
        )
    return path


def age(snapshot: Path, now: datetime | None = None) -> str:
    """The line on top of a plan against a stored snapshot."""
    text = snapshot.read_text(encoding="utf-8")
    taken = datetime.fromisoformat(json.loads(text)["taken_at"].replace("Z", "+00:00"))
    hours = int(((now or datetime.now(UTC)) - taken).total_seconds() // 3600)
    old = f"{hours} hours" if hours < 48 else f"{hours // 24} days"
    return (
        f"> ⚠️ **Planned against a snapshot that is {old} old** ({taken:%Y-%m-%d %H:%M} UTC), not against the org: "
        "a pull request from a fork gets no token. Before an apply it is planned again.\n"
    )


def _valid(job: Job) -> bool:
    code, text = job.rolecall("validate", "--format", "github", ok=(0, 1))
    commands(text)
    if code == 0:
        return True
    _, shown = job.rolecall("validate", ok=(0, 1))
    body = f"{marker('-', job.env)}\n### ⛔ The configuration has errors\n\n{fenced(shown)}\n"
    job.summary(body)
    job.output(verdict="invalid", comment=_tell(job, body))
    return False


def _options(job: Job, snapshot: Path | None) -> list[str]:
    files = {"markdown": "comment.md", "html": "plan.html", "sarif": "plan.sarif", "github": "annotations.txt"}
    options = ["--detailed-exitcode", "--out", str(job.reports / "plan.json"), "--no-color"]
    options += [part for form, name in files.items() for part in ("--report", f"{form}={job.reports / name}")]
    return [*options, "--snapshot", str(snapshot)] if snapshot else options


def _tell(job: Job, body: str) -> str:
    """The comment's address; nothing where there is no pull request, or where a fork's job may not write."""
    number = (job.event().get("pull_request") or {}).get("number")
    if not number or job.input("comment") == "false":
        return ""
    try:
        return placed(job, GitHub(job.environ), int(number), body)
    except Failed as error:
        level = "notice" if isinstance(error, Refused) else "warning"
        annotate(level, f"the plan is only in the job summary: {error}")
        return ""


def _leave(job: Job, code: int, said: str) -> int:
    if code == 3 and job.input("fail-on") != "never":
        annotate(
            "error", "the plan is blocked; the comment and the job summary list the guards and the actions to take"
        )
        return 1
    if said in ("review", "not_judged"):
        annotate("notice", "guards require approval of this digest")
    return 0


def _forked(job: Job) -> bool:
    pull = job.event().get("pull_request") or {}
    head = ((pull.get("head") or {}).get("repo") or {}).get("full_name")
    return bool(pull) and head != job.environ.get("GITHUB_REPOSITORY")
