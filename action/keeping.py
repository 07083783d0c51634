"""Runs `snapshot`: writes the org with masked users to a file, for plans of pull requests from forks."""

from __future__ import annotations

from pathlib import Path

from runner import Failed, Job


def snapshot(job: Job) -> int:
    """Write the snapshot to the path in the input `snapshot`. It has no secrets and no names of users."""
    said = job.input("snapshot")
    if not said:
        raise Failed("say where to keep the snapshot with `snapshot`")
    path = Path(job.environ.get("GITHUB_WORKSPACE", "."), said).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in (path, path.with_name(f"{path.stem}-people.jsonl")):
        old.unlink(missing_ok=True)
    job.rolecall("snapshot", "--out", str(path), "--people", "masked")
    job.output(snapshot=path)
    return 0
