"""Reads the enterprise application in Entra part by part, and the state of its provisioning job.

A part that cannot be read leaves the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from rolecall.live.people.entra_address import user_mappings
from rolecall.live.people.idp_client import IdpClient, url_host
from rolecall.live.people.scim import EXTENSION
from rolecall.model.idp_app import AppPart, IdpApp
from rolecall.model.trace import NotRead

Json = Any
APPS, JOBS = "Application.Read.All", "Synchronization.Read.All"
"""The permissions to read an app's assignments, and its job."""
SYNC_ALL = "SyncAll"
NO_JOB = "the app has no provisioning job"
ADDRESS = "BaseAddress"
"""The key of the SCIM base URL among the secrets of the app; it is not a secret itself."""


async def read_parts(client: IdpClient, path: str, tenant: str) -> IdpApp:
    """Return the app; ``path`` is its path in Graph."""
    jobs = f"{path}/synchronization/jobs"

    async def assignments() -> str:
        name = f"{path}/appRoleAssignedTo"
        assigned = client.uncut(name, await client.values(name, ("$top", "999")))
        groups = sum(assignment["principalType"] == "Group" for assignment in assigned)
        users = sum(assignment["principalType"] == "User" for assignment in assigned)
        return f"{groups:,} groups, {users:,} users"

    async def job() -> Json:
        present = client.uncut(jobs, await client.values(jobs))
        if not present:
            return None
        return {"id": present[0]["id"], "state": stopped(present[0]), "all": sends_everything(present[0])}

    async def attributes(job_id: str) -> str:
        schema = await client.read_object(f"{jobs}/{quote(job_id, safe='')}/schema")
        return f"{len(list(user_mappings(schema))):,} mappings"

    async def connection() -> frozenset[str]:
        answer = await client.read_object(f"{path}/synchronization/secrets")
        urls = (entry.get("value") for entry in answer["value"] if entry["key"] == ADDRESS)
        return frozenset(filter(None, map(url_host, urls)))

    known = await client.answered(job(), JOBS)
    hosts = await client.answered(connection(), JOBS)
    parts = [
        AppPart("assignments", await client.answered(assignments(), APPS)),
        AppPart(
            "job", known if isinstance(known, NotRead) else NO_JOB if known is None else known["state"] or "running"
        ),
        AppPart("connection", hosts if isinstance(hosts, NotRead) else ", ".join(sorted(hosts)) or "no URL"),
    ]
    if isinstance(known, NotRead):
        parts += [AppPart("scope", known), AppPart("attributes", known)]
    elif known is not None:
        scope = {True: "all users and groups", False: "assigned users and groups", None: "not set"}[known["all"]]
        parts += [AppPart("scope", scope), AppPart("attributes", await client.answered(attributes(known["id"]), JOBS))]
    return IdpApp(f"Entra, {tenant}, app {path.rpartition('/')[2]}", hosts, tuple(parts))


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
