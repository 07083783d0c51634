"""What a stand-in Entra answers to reads of Microsoft Graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.entra_state import Assignment, EntraGroup, Job
from idp.ids import Getter, compile_filter, uid
from idp.wire import Call, Refused, Reply, Route

if TYPE_CHECKING:
    from idp.entra import Entra

Json = Any
APPS, JOBS, MEMBERS, USERS = (
    "Application.Read.All",
    "Synchronization.Read.All",
    "GroupMember.Read.All",
    "User.Read.All",
)
LOGS = "AuditLog.Read.All"
SETTINGS = frozenset({"BaseAddress", "SyncAll", "SyncNotificationSettings", "SingleSignOnType", "SystemOfRecord"})
"""Keys of the secrets that are no secrets: their values are shown."""

GROUP_TYPE, USER_TYPE = "#microsoft.graph.group", "#microsoft.graph.user"
GROUP_ATTRIBUTES: dict[str, Getter] = {"displayName": lambda group: group.name, "id": lambda group: group.id}


def _property(name: str) -> Getter:
    return lambda user: user.values().get(name)


USER_ATTRIBUTES: dict[str, Getter] = {
    name: _property(name) for name in ("id", "userPrincipalName", "mail", "displayName", "mailNickname")
}
ENTRY_ATTRIBUTES: dict[str, Getter] = {
    "jobId": lambda entry: entry["jobId"],
    "sourceIdentity/id": lambda entry: entry["sourceIdentity"]["id"],
    "activityDateTime": lambda entry: entry["activityDateTime"],
}


def missing(name: str) -> Refused:
    """Return the error for an object that does not exist."""
    reason = "does not exist or one of its queried reference-property objects are not present."
    return Refused(404, f"Resource '{name}' {reason}")


def check_app(entra: Entra, app: str) -> None:
    """Raise Refused for another app than the one there is."""
    if app != entra.app:
        raise missing(app)


def find_job(entra: Entra, app: str, job: str) -> Job:
    """Return a job by id. Raises Refused if there is none."""
    check_app(entra, app)
    if job not in entra.jobs:
        raise missing(job)
    return entra.jobs[job]


def find_group(entra: Entra, group: str) -> EntraGroup:
    """Return a group by id. Raises Refused if there is none."""
    if group not in entra.groups:
        raise missing(group)
    return entra.groups[group]


def selected(call: Call, rows: list[dict[str, Json]]) -> list[Json]:
    """Return rows with the properties of `$select` alone."""
    names = call.query.get("$select")
    if not names:
        return rows
    keys = {"@odata.type", *names.split(",")}
    return [{key: value for key, value in row.items() if key in keys} for row in rows]


def read_app(entra: Entra, call: Call) -> Reply:
    """Return the service principal, with its app roles."""
    check_app(entra, call.ids[0])
    roles = [
        {"id": role, "value": value, "displayName": value, "allowedMemberTypes": ["User"], "isEnabled": True}
        for role, value in entra.roles.items()
    ]
    app = {"id": entra.app, "appId": uid("app id"), "displayName": entra.label, "appRoles": roles, "tags": []}
    return Reply(200, selected(call, [app])[0])


def list_assignments(entra: Entra, call: Call) -> Reply:
    """List who is assigned to the app."""
    check_app(entra, call.ids[0])
    return Reply(200, [show_assignment(entra, assignment) for assignment in entra.assignments.values()])


def show_assignment(entra: Entra, assignment: Assignment) -> Json:
    """Return an assignment as Graph shows it."""
    group = entra.groups.get(assignment.principal)
    return {
        "id": assignment.id,
        "appRoleId": assignment.role,
        "createdDateTime": assignment.created,
        "principalId": assignment.principal,
        "principalDisplayName": group.name if group else entra.users[assignment.principal].upn,
        "principalType": "Group" if group else "User",
        "resourceDisplayName": entra.label,
        "resourceId": entra.app,
    }


def list_secrets(entra: Entra, call: Call) -> Reply:
    """List the secrets that are set, those that are sensitive as `*`. They have no pages."""
    check_app(entra, call.ids[0])
    rows = [{"key": key, "value": value if key in SETTINGS else "*"} for key, value in entra.secrets.items()]
    return Reply(200, {"value": rows})


def list_templates(entra: Entra, call: Call) -> Reply:
    """List the templates of jobs: the one for SCIM."""
    check_app(entra, call.ids[0])
    return Reply(200, [{"id": "scim", "default": True, "factoryTag": "customappsso", "metadata": []}])


def list_jobs(entra: Entra, call: Call) -> Reply:
    """List the jobs."""
    check_app(entra, call.ids[0])
    return Reply(200, [show_job(entra, job) for job in entra.jobs.values()])


def read_job(entra: Entra, call: Call) -> Reply:
    """Return a job with its status."""
    return Reply(200, show_job(entra, find_job(entra, *call.ids)))


def show_job(entra: Entra, job: Job) -> Json:
    """Return a job as Graph shows it."""
    status: dict[str, Json] = {"code": _code(entra, job), "countSuccessiveCompleteFailures": 0, "escrowsPruned": False}
    if job.last:
        status["lastExecution"] = job.last
    if job.quarantine:
        status["quarantine"] = job.quarantine
    settings = [{"name": key, "value": entra.secrets[key]} for key in ("SyncAll",) if key in entra.secrets]
    return {
        "id": job.id,
        "templateId": job.template,
        "schedule": {"interval": "PT40M", "state": job.state},
        "status": status,
        "synchronizationJobSettings": settings,
    }


def _code(entra: Entra, job: Job) -> str:
    if job.quarantine:
        return "Quarantine"
    if job.state != "Active":
        return "Paused" if job.state == "Paused" else "NotConfigured"
    return "Active" if job.last else "NotRun"


def read_schema(entra: Entra, call: Call) -> Reply:
    """Return the schema of a job."""
    return Reply(200, find_job(entra, *call.ids).schema)


def list_groups(entra: Entra, call: Call) -> Reply:
    """List groups, with a `$filter` those that match it."""
    test = compile_filter(call.query["$filter"], GROUP_ATTRIBUTES) if "$filter" in call.query else lambda group: True
    return Reply(200, selected(call, [show_group(group) for group in entra.groups.values() if test(group)]))


def read_group(entra: Entra, call: Call) -> Reply:
    """Return one group."""
    return Reply(200, selected(call, [show_group(find_group(entra, call.ids[0]))])[0])


def show_group(group: EntraGroup) -> dict[str, Json]:
    """Return a group as Graph shows it."""
    return {"id": group.id, "displayName": group.name, "securityEnabled": True, "groupTypes": []}


def list_members(entra: Entra, call: Call) -> Reply:
    """List the users and the groups that are directly in a group."""
    group = find_group(entra, call.ids[0])
    users = [{"@odata.type": USER_TYPE, **entra.users[user].values()} for user in group.members]
    groups = [{"@odata.type": GROUP_TYPE, **show_group(entra.groups[inner])} for inner in group.inner]
    return Reply(200, selected(call, [*users, *groups]))


def list_users(entra: Entra, call: Call) -> Reply:
    """List users, with a `$filter` those that match it."""
    test = compile_filter(call.query["$filter"], USER_ATTRIBUTES) if "$filter" in call.query else lambda user: True
    return Reply(200, selected(call, [user.values() for user in entra.users.values() if test(user)]))


def list_groups_of_user(entra: Entra, call: Call) -> Reply:
    """List the groups of a user: those that the user is directly in, or all."""
    if call.ids[0] not in entra.users:
        raise missing(call.ids[0])
    groups = entra.groups_of(call.ids[0], nested=call.path.endswith("/transitiveMemberOf"))
    return Reply(200, selected(call, [{"@odata.type": GROUP_TYPE, **show_group(group)} for group in groups]))


def list_entries(entra: Entra, call: Call) -> Reply:
    """List entries of the provisioning log, the newest first."""
    test = compile_filter(call.query["$filter"], ENTRY_ATTRIBUTES) if "$filter" in call.query else lambda entry: True
    return Reply(200, [entry for entry in reversed(entra.entries) if test(entry)])


SYNC = "servicePrincipals/{}/synchronization"
READS = tuple(
    Route("GET", f"/v1.0/{path}", permission, handler)
    for path, permission, handler in (
        ("servicePrincipals/{}", APPS, read_app),
        ("servicePrincipals/{}/appRoleAssignedTo", APPS, list_assignments),
        (f"{SYNC}/secrets", JOBS, list_secrets),
        (f"{SYNC}/templates", JOBS, list_templates),
        (f"{SYNC}/jobs", JOBS, list_jobs),
        (f"{SYNC}/jobs/{{}}", JOBS, read_job),
        (f"{SYNC}/jobs/{{}}/schema", JOBS, read_schema),
        ("groups", MEMBERS, list_groups),
        ("groups/{}", MEMBERS, read_group),
        ("groups/{}/members", MEMBERS, list_members),
        ("users", USERS, list_users),
        ("users/{}/memberOf", MEMBERS, list_groups_of_user),
        ("users/{}/transitiveMemberOf", MEMBERS, list_groups_of_user),
        ("auditLogs/provisioning", LOGS, list_entries),
    )
)
