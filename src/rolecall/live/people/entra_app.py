"""Reads the enterprise application in Entra part by part: a part that cannot be read leaves the others."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from rolecall.live.people.entra_address import user_mappings
from rolecall.live.people.entra_job import APPS, JOBS, NO_JOB, sends_everything, stopped
from rolecall.live.people.idp_client import IdpClient, url_host
from rolecall.model.idp_app import AppPart, IdpApp
from rolecall.model.trace import NotRead

Json = Any
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
