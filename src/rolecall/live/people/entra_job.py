"""Reads the provisioning job of an enterprise application, as Microsoft Graph describes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rolecall.live.people.entra_address import user_mappings
from rolecall.live.people.scim import EXTENSION

Json = Any
APPS, JOBS = "Application.Read.All", "Synchronization.Read.All"
"""The permissions to read an app's assignments, and its job."""
SYNC_ALL = "SyncAll"
NO_JOB = "the app has no provisioning job"


def sends_everything(job: Json) -> bool | None:
    """Return whether the scope is all users and groups of the directory; None if the job has no such setting."""
    settings = {setting.get("name"): setting.get("value") for setting in job.get("synchronizationJobSettings") or ()}
    sync_all = settings.get(SYNC_ALL)
    return None if sync_all is None else str(sync_all).casefold() == "true"


def stopped(job: Json) -> str | None:
    """Return why a job sends nothing, or None."""
    schedule, status = job.get("schedule") or {}, job.get("status") or {}
    quarantine = status.get("quarantine") or {}
    if quarantine or status.get("code") == "Quarantine":
        return f"the provisioning job is in quarantine ({quarantine.get('reason') or 'no reason given'})"
    state = schedule.get("state")
    return None if state in (None, "Active") else f"the provisioning job is {str(state).lower()}"


def role_sources(schema: Json) -> Iterator[str]:
    """Yield the sources of all attributes mapped into WRITER's extension."""
    for mapping in user_mappings(schema):
        if str(mapping.get("targetAttributeName") or "").startswith(EXTENSION):
            source = mapping.get("source") or {}
            yield str(source.get("expression") or source.get("name") or "")
