"""`drift`: an issue, or a pull request, for each drift fingerprint; closed again when the org is back.

A section that was changed in the console after it was read gets an issue as well, until it is read again.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from typing import Any

from comment import fitted
from github import GitHub
from runner import Failed, Job, annotate, fenced, log

LABEL = "rolecall-drift"
UNREAD = 7
"""The exit code where the org, or what was applied last, could not be read completely."""
LOOKED = (0, 2, 3, UNREAD)


def drift(job: Job) -> int:
    """Return 0 if the check completed, with or without drift; the issue has the findings. Outputs: drift, fingerprint,
    url."""
    report = job.reports / "drift.txt"
    options = ("--detailed-exitcode", "--no-color", "--format", "json", "--report", f"text={report}")
    code, text = job.rolecall("drift", *options, ok=LOOKED)
    found, shown = json.loads(text), report.read_text(encoding="utf-8")
    prints = fingerprints(found)
    print_ = next(iter(prints), "")
    log(shown)
    job.summary(_body(job, found, shown))
    whole = read_completely(found) and not changed_since_read(found)
    url = _tell(job, found, shown, complete=whole)
    job.output(drift=len(found["drift"]) + len(found["alarms"]), fingerprint=print_, url=url, seen=str(whole).lower())
    if unknown := _unknown(found, code):
        annotate("warning", f"{job.env or 'the org'}: {unknown}; see the summary")
    if _differs(found):
        annotate("warning", f"{job.env or 'the org'} has drift; {url or 'see the summary'}")
    return 0


def read_completely(found: dict[str, Any]) -> bool:
    """Return whether drift is known: not without a record of an apply, nor if a section, a field or users were not
    read."""
    if found["undetermined"] or found["not_evaluated"]:
        return False
    return all(row["state"] == "complete" for row in found["coverage"].values())


def _unknown(found: dict[str, Any], code: int) -> str:
    """Return why drift is not completely known; empty if it is."""
    if found["undetermined"]:
        return str(found["undetermined"])
    outdated = changed_since_read(found)
    if outdated and read_completely(found):
        return f"{', '.join(outdated)} changed after the last reading"
    return "the org could not be read completely" if code == UNREAD or not read_completely(found) else ""


def changed_since_read(found: dict[str, Any]) -> list[str]:
    """The sections that were changed in the console after they were read, by WRITER's audit log."""
    return [name for name, part in found.get("coverage", {}).items() if part.get("changed_since")]


def _differs(found: dict[str, Any]) -> bool:
    return bool(found["drift"] or found["alarms"])


def fingerprints(found: dict[str, Any]) -> tuple[str, ...]:
    """One name for everything that drifted or changed after it was read, the same for the same findings, and those that
    0.1.0 gave drift, by the addresses of groups now and at the last apply. Empty for none."""
    rows = [[row["fingerprint"], *row.get("former_fingerprints", ())] for row in (*found["drift"], *found["alarms"])]
    outdated = [f"changed_since/{name}" for name in changed_since_read(found)]
    given = ([*(names[min(at, len(names) - 1)] for names in rows), *outdated] for at in (0, 1, 2))
    return tuple(dict.fromkeys(_digest(names) for names in given)) if rows or outdated else ()


def _digest(names: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


def _tell(job: Job, found: dict[str, Any], shown: str, *, complete: bool) -> str:
    way = job.input("on-drift") or "issue"
    if way == "none":
        return ""
    github = GitHub(job.environ)
    if way == "pull-request" and found["drift"]:
        return _pull_request(job, github, {**found, "coverage": {}}, shown)
    if way == "pull-request" and not changed_since_read(found):
        return ""
    return _issue(job, github, found, shown, complete=complete)


def _issue(job: Job, github: GitHub, found: dict[str, Any], shown: str, *, complete: bool) -> str:
    """The open issue of these fingerprints, made where there is none; this directory's others are closed.

    After an incomplete read none is closed: what was not read may drift still.
    """
    mine = re.compile(rf"<!-- rolecall:drift:{re.escape(_env(job))}:([0-9a-f]*) -->")
    prints = fingerprints(found)
    url, print_ = "", next(iter(prints), "")
    for issue in github.all(f"issues?state=open&labels={LABEL}"):
        said = mine.match(issue["body"] or "")
        if said is None or "pull_request" in issue or not job.owns(issue["body"]):
            continue
        if said.group(1) in prints:
            url = github.patch(f"issues/{issue['number']}", {"body": _body(job, found, shown)})["html_url"]
        elif complete:
            why = "There is other drift now; see the newer issue." if print_ else "There is no drift anymore."
            github.post(f"issues/{issue['number']}/comments", {"body": why})
            github.patch(f"issues/{issue['number']}", {"state": "closed"})
    if print_ and not url:
        body = {"title": _title(job, found, shown)[:250], "body": _body(job, found, shown), "labels": [LABEL]}
        url = github.post("issues", body)["html_url"]
    return url


def _title(job: Job, found: dict[str, Any], shown: str) -> str:
    if _differs(found):
        return f"Drift in {job.env or 'the org'}: {_first_line(shown)}"
    outdated = ", ".join(changed_since_read(found))
    return f"Out of date in {job.env or 'the org'}: {outdated} changed after the last reading"


def _pull_request(job: Job, github: GitHub, found: dict[str, Any], shown: str) -> str:
    """A pull request that takes the drift into the config. One that was closed is an answer, and not asked again."""
    plain = job.directory == "." and _env(job) == job.env
    name, prints = f"rolecall/drift-{_env(job) or 'org'}{'' if plain else f'-{job.key[:8]}'}", fingerprints(found)
    owner, branch = github.repository.partition("/")[0], f"{name}-{prints[0]}"
    for print_ in prints:
        if held := github.all(f"pulls?state=all&head={owner}:{name}-{print_}"):
            return str(held[0]["html_url"])
    base = job.environ.get("GITHUB_REF_NAME", "main")
    job.rolecall("drift", "--accept", ok=LOOKED)
    if not _git(job, "diff", "--name-only", "--", "."):
        annotate(
            "warning", "this drift cannot be written into the configuration; opening an issue instead of a pull request"
        )
        return _issue(job, github, found, shown, complete=False)
    _git(job, "switch", "--quiet", "--create", branch)
    _git(job, "add", "--update", "--", ".")
    title = f"Accept drift in {job.env or 'the org'}: {len(found['drift'])} changes"
    _git(job, "-c", "user.name=rolecall", "-c", "user.email=rolecall@localhost", "commit", "--quiet", "-m", title)
    _git(job, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    _git(job, "checkout", "--quiet", "-")
    body = {"title": title, "head": branch, "base": base, "body": _body(job, found, shown)}
    return str(github.post("pulls", body)["html_url"])


def _git(job: Job, *args: str) -> str:
    ended = subprocess.run(["git", "-C", str(job.folder), *args], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Failed(f"git {args[0]} failed: {ended.stderr.strip()}")
    return ended.stdout.strip()


def _body(job: Job, found: dict[str, Any], shown: str) -> str:
    print_ = next(iter(fingerprints(found)), "")
    ways = (
        "Put it back with `rolecall apply`, or take it over into the config with `rolecall drift --accept`."
        if _differs(found)
        else ""
    )
    run = job.environ.get("GITHUB_RUN_ID", "")
    at = f"{job.environ.get('GITHUB_SERVER_URL', '')}/{job.environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}"
    return fitted(
        f"<!-- rolecall:drift:{_env(job)}:{print_} -->\n{job.marker}\n{fenced(shown)}\n{ways}\n\n{at if run else ''}\n"
    )


def _first_line(shown: str) -> str:
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    return lines[1] if len(lines) > 1 else "see the report"


def _env(job: Job) -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "", job.env)
