"""What a stand-in Entra does for writes to Microsoft Graph: assignments, secrets, and the provisioning job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from idp import entra_cycle
from idp.entra_reads import SYNC, check_app, find_job, missing, show_assignment, show_job
from idp.entra_state import NO_ROLE, Job
from idp.scim_out import ScimError, ScimTarget
from idp.wire import Call, Refused, Reply, Route

if TYPE_CHECKING:
    from idp.entra import Entra

Json = Any
ASSIGN, WRITE = "AppRoleAssignment.ReadWrite.All", "Synchronization.ReadWrite.All"
KEYS = frozenset(
    {
        "BaseAddress",
        "SecretToken",
        "SyncAll",
        "SyncNotificationSettings",
        "UserName",
        "Password",
        "AuthenticationType",
        "SingleSignOnType",
        "Oauth2ClientId",
        "Oauth2ClientSecret",
    }
)
"""Keys of secrets that the stand-in takes."""

RESETS = frozenset({"None", "ConnectorDataStore", "Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes"})
DEMANDS, WINDOW = 5, 10
"""Requests on demand that are accepted in a number of seconds."""


def assign(entra: Entra, call: Call) -> Reply:
    """Assign a user or a group to the app, with one of its app roles."""
    check_app(entra, call.ids[0])
    body = call.body or {}
    principal, role = body.get("principalId"), body.get("appRoleId")
    if body.get("resourceId") != entra.app:
        raise Refused(400, "The resourceId is not that of the service principal.")
    if principal not in entra.users and principal not in entra.groups:
        raise missing(str(principal))
    if role not in (entra.roles or {NO_ROLE: ""}):
        raise Refused(400, "Permission being assigned was not found on application")
    if any(known.principal == principal and known.role == role for known in entra.assignments.values()):
        raise Refused(400, "Permission being assigned already exists on the object")
    return Reply(201, show_assignment(entra, entra.assign(principal, entra.roles.get(role, ""))))


def unassign(entra: Entra, call: Call) -> Reply:
    """Remove an assignment."""
    app, assignment = call.ids
    check_app(entra, app)
    if assignment not in entra.assignments:
        raise missing(assignment)
    del entra.assignments[assignment]
    return Reply(204)


def put_secrets(entra: Entra, call: Call) -> Reply:
    """Replace all secrets: a key that is left out is removed, and a masked value is stored as it is."""
    check_app(entra, call.ids[0])
    entra.secrets = _pairs((call.body or {}).get("value"))
    return Reply(204)


def _pairs(value: Json) -> dict[str, str]:
    pairs = {str(pair.get("key")): str(pair.get("value")) for pair in value or []}
    if not pairs or not pairs.keys() <= KEYS:
        raise Refused(400, f"Invalid value specified for property 'value': {sorted(pairs.keys() - KEYS)}")
    return pairs


def validate_credentials(entra: Entra, call: Call) -> Reply:
    """Look for a user whom nobody can be, with the credentials of the request or the saved ones."""
    find_job(entra, *call.ids)
    body = call.body or {}
    pairs = entra.secrets if body.get("useSavedCredentials") else _pairs(body.get("credentials"))
    target = ScimTarget(pairs.get("BaseAddress", "http://127.0.0.1:9"), pairs.get("SecretToken", ""))
    try:
        target.find("/Users", "userName", str(uuid4()))
    except ScimError as error:
        raise Refused(400, f"We received this unexpected response: {error}", "InvalidCredentials") from None
    return Reply(204)


def create_job(entra: Entra, call: Call) -> Reply:
    """Create a job from the template `scim`, which is off."""
    check_app(entra, call.ids[0])
    if (call.body or {}).get("templateId") != "scim":
        raise Refused(400, "The template does not exist.")
    if entra.jobs:
        raise Refused(409, "A job of this template exists.")
    return Reply(201, show_job(entra, entra.add_job("Disabled")))


def start_job(entra: Entra, call: Call) -> Reply:
    """Turn a job on. A quarantine ends."""
    job = find_job(entra, *call.ids)
    if not {"BaseAddress", "SecretToken"} <= entra.secrets.keys():
        raise Refused(400, "The job has no credentials.", "CredentialsMissing")
    job.state, job.quarantine = "Active", None
    return Reply(204)


def pause_job(entra: Entra, call: Call) -> Reply:
    """Turn a job off; it goes on from there when it is started."""
    find_job(entra, *call.ids).state = "Paused"
    return Reply(204)


def restart_job(entra: Entra, call: Call) -> Reply:
    """Turn a job on and forget what `resetScope` names, everything without it."""
    job = find_job(entra, *call.ids)
    text = ((call.body or {}).get("criteria") or {}).get("resetScope") or "Full"
    resets = set(filter(None, text.replace(" ", "").split(",")))
    if not resets <= RESETS:
        raise Refused(400, f"Invalid resetScope: {sorted(resets - RESETS)}")
    if "Full" in resets:
        resets = {*RESETS} - {"ForceDeletes"} | (resets & {"ForceDeletes"})
    _reset(job, resets)
    job.state = "Active"
    return Reply(204)


def _reset(job: Job, resets: set[str]) -> None:
    if "QuarantineState" in resets:
        job.quarantine = None
    if "Watermark" in resets:
        job.full = True
    if "Escrows" in resets:
        job.failed.clear()
    if "ConnectorDataStore" in resets:
        job.full = True
        for sync in (*job.users.values(), *job.groups.values()):
            sync.sent.clear()
    job.force_deletes = job.force_deletes or "ForceDeletes" in resets


def put_schema(entra: Entra, call: Call) -> Reply:
    """Replace the schema of a job. The next cycle processes all users."""
    job, schema = find_job(entra, *call.ids), call.body or {}
    rules = schema.get("synchronizationRules")
    if not isinstance(rules, list) or not rules:
        raise Refused(400, "The schema has no synchronizationRules.", "InvalidSchema")
    matching = Job("", schema).mappings("User")
    if not any(
        mapping["targetAttributeName"] == "userName" and mapping.get("matchingPriority") for mapping in matching
    ):
        raise Refused(400, "No attribute with a matchingPriority is mapped to userName.", "InvalidSchema")
    job.schema = {**schema, "version": str(int(job.schema["version"]) + 1)}
    job.full = True
    return Reply(204)


def provision_on_demand(entra: Entra, call: Call) -> Reply:
    """Provision users or groups at once, even if the job is off; at most 5 requests in 10 seconds."""
    job, now = find_job(entra, *call.ids), entra.seconds()
    entra.demands = [at for at in entra.demands if at > now - WINDOW]
    if len(entra.demands) >= DEMANDS:
        raise Refused(429, "Too many requests on demand.")
    entra.demands.append(now)
    entries = []
    for parameters in (call.body or {}).get("parameters") or ():
        if parameters.get("ruleId") not in {rule["id"] for rule in job.rules}:
            raise Refused(400, "The ruleId is not one of the schema.")
        for subject in parameters.get("subjects") or ():
            if subject.get("objectId") not in {**entra.users, **entra.groups}:
                raise missing(str(subject.get("objectId")))
            entries += entra_cycle.run_on_demand(entra, job, entra.target(), subject["objectId"])
    if not entries:
        raise Refused(400, "No subject to provision.")
    return Reply(200, {"key": "StatusInfo", "value": json.dumps(entries)})


ASSIGNED = "servicePrincipals/{}/appRoleAssignedTo"
JOB = f"{SYNC}/jobs/{{}}"
WRITES = tuple(
    Route(method, f"/v1.0/{path}", permission, handler)
    for method, path, permission, handler in (
        ("POST", ASSIGNED, ASSIGN, assign),
        ("DELETE", f"{ASSIGNED}/{{}}", ASSIGN, unassign),
        ("PUT", f"{SYNC}/secrets", WRITE, put_secrets),
        ("POST", f"{SYNC}/jobs", WRITE, create_job),
        ("POST", f"{JOB}/start", WRITE, start_job),
        ("POST", f"{JOB}/pause", WRITE, pause_job),
        ("POST", f"{JOB}/restart", WRITE, restart_job),
        ("POST", f"{JOB}/validateCredentials", WRITE, validate_credentials),
        ("POST", f"{JOB}/provisionOnDemand", WRITE, provision_on_demand),
        ("PUT", f"{JOB}/schema", WRITE, put_schema),
    )
)
