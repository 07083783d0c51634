"""`snapshot`: the org as a file with people masked, kept for plans of pull requests from forks."""

from __future__ import annotations

from pathlib import Path

from runner import Failed, Job


def snapshot(job: Job) -> int:
    """Write the snapshot where the input `snapshot` says. It has no secret and no name of a person in it."""
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
