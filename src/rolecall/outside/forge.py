"""Asks a forge whether an environment requires approval before a job may use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import yaml

from rolecall.live.http.call import Call, CallError, call
from rolecall.live.http.proxies import LOOPBACK, ProxyProblemError, connection

SECONDS = 10.0
"""Maximum seconds for one response of a forge."""
_NOT_FOUND = 404
_ACTION = re.compile(r"[\w.-]+/rolecall@\S+")
_COMMAND = re.compile(r"\brolecall\b[^\n]*\bapply\b")
_ORIGIN = re.compile(r"(?:[:/])(?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?/?$")


class Gate(NamedTuple):
    """A job that applies: its workflow file, its name, and its environment, or None."""

    file: str
    job: str
    environment: str | None

    @property
    def variables(self) -> str:
        """Return the variables that a check of the environment needs."""
        return _GITLAB_VARIABLES if self.file == _GITLAB else "GITHUB_TOKEN, with the permission `actions: read`"


class Protection(NamedTuple):
    """The protection of an environment: whether it has required reviewers; None if unknown, with the reason."""

    reviewers: bool | None
    reason: str = ""


class _Loader(yaml.SafeLoader):
    """Loads YAML and ignores GitLab's tags, such as ``!reference``."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def gates(root: Path) -> list[Gate]:
    """Return the jobs of the pipelines below ``root`` that apply, by file. Files that are not YAML are left out."""
    files = [*sorted((root / ".github" / "workflows").glob("*.y*ml")), root / _GITLAB]
    return [gate for path in files if path.is_file() for gate in _gates_of(path.relative_to(root).as_posix(), path)]


def protection(gate: Gate, environ: Mapping[str, str], origin: str | None) -> Protection:
    """Ask the forge whether a gate's environment has required reviewers; the reason says what prevents a result.

    GitHub needs ``GITHUB_TOKEN`` or ``GH_TOKEN``, and ``GITHUB_REPOSITORY`` or the address of ``origin``; GitLab needs
    the variables of its runner and ``ROLECALL_GITLAB_TOKEN``.
    """
    if gate.environment is None:
        return Protection(False)
    if "$" in gate.environment:
        return Protection(None, f"its name is an expression, {gate.environment}")
    return (_on_gitlab if gate.file == _GITLAB else _on_github)(gate.environment, environ, origin)


_GITLAB = ".gitlab-ci.yml"
_GITLAB_VARIABLES = "CI_API_V4_URL, CI_PROJECT_ID and ROLECALL_GITLAB_TOKEN"


def _on_gitlab(name: str, environ: Mapping[str, str], _origin: str | None) -> Protection:
    """Call `GET /projects/:id/protected_environments/:name` of the GitLab API."""
    api, project = environ.get("CI_API_V4_URL"), environ.get("CI_PROJECT_ID")
    token = environ.get("ROLECALL_GITLAB_TOKEN")
    if not api or not project or not token:
        return Protection(None, f"{_GITLAB_VARIABLES} are not all set")
    url = f"{api.rstrip('/')}/projects/{quote(project, safe='')}/protected_environments/{quote(name, safe='')}"
    content, reason = _get("GitLab", url, {"PRIVATE-TOKEN": token})
    rules = content.get("approval_rules") or content.get("required_approval_count")
    return Protection(None, reason) if reason else Protection(bool(rules))


def _on_github(name: str, environ: Mapping[str, str], origin: str | None) -> Protection:
    """Call `GET /repos/{owner}/{repo}/environments/{name}` of the GitHub API."""
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN")
    repository = environ.get("GITHUB_REPOSITORY") or _repository(origin)
    if not token or not repository:
        return Protection(None, "GITHUB_TOKEN is not set" if not token else "the repository is unknown")
    api = environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    url = f"{api}/repos/{quote(repository)}/environments/{quote(name, safe='')}"
    headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {token}"}
    content, reason = _get("GitHub", url, headers)
    rules = [rule for rule in content.get("protection_rules") or [] if isinstance(rule, dict)]
    reviewers = any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in rules)
    return Protection(None, reason) if reason else Protection(reviewers)


def _get(forge: str, url: str, headers: Mapping[str, str]) -> tuple[Mapping[str, Any], str]:
    """Return the forge's response and an empty reason, or None and the reason."""
    try:
        proxy, trusted = connection(url, environment=urlsplit(url).hostname not in LOOPBACK)
        answer = call(Call("GET", url, headers, proxy=proxy, trusted=trusted, seconds=SECONDS))
        content = json.loads(answer.body) if answer.ok else {}
    except (ProxyProblemError, CallError, ValueError, RecursionError) as error:
        no_json = "returned a response that is not JSON"
        reason = str(error) if isinstance(error, CallError) else no_json
        if isinstance(error, ProxyProblemError):
            reason = f"could not be reached: {error.problem.message}"
        return {}, f"{forge} {reason}"
    if answer.status == _NOT_FOUND:
        return {}, f"{forge} does not have this environment yet, and would create it without reviewers"
    if not answer.ok or not isinstance(content, dict):
        return {}, f"{forge} returned {answer.status}"
    return content, ""


def _gates_of(name: str, path: Path) -> Iterator[Gate]:
    try:
        content = yaml.load(path.read_bytes(), _Loader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return
    content = content if isinstance(content, dict) else {}
    jobs = content if name == _GITLAB else content.get("jobs")
    for job, body in (jobs if isinstance(jobs, dict) else {}).items():
        steps = body.get("script" if name == _GITLAB else "steps") if isinstance(body, dict) else None
        if any(map(_applies, steps if isinstance(steps, list) else [steps])):
            environment = body.get("environment")
            named = environment.get("name") if isinstance(environment, dict) else environment
            yield Gate(name, str(job), None if named is None else str(named))


def _applies(step: Any) -> bool:
    if not isinstance(step, dict):
        return bool(_COMMAND.search(str(step or "")))
    inputs = step.get("with")
    command = inputs.get("command") if isinstance(inputs, dict) else None
    by_action = command == "apply" and bool(_ACTION.fullmatch(str(step.get("uses", ""))))
    return by_action or bool(_COMMAND.search(str(step.get("run", ""))))


def _repository(origin: str | None) -> str | None:
    match = _ORIGIN.search(origin or "")
    return match["repository"] if match else None
