"""What a stand-in Okta answers to reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.ids import BEGAN, Getter, compile_filter
from idp.okta_state import ERROR, Mapping, OktaGroup, OktaUser
from idp.wire import Call, Refused, Reply, Route

if TYPE_CHECKING:
    from idp.okta import Okta

Json = Any
CREATED = BEGAN.strftime("%Y-%m-%dT%H:%M:%S.000Z")
APPS, GROUPS, USERS, LOGS = "okta.apps.read", "okta.groups.read", "okta.users.read", "okta.logs.read"
SCHEMAS, PUSHES = "okta.schemas.read", f"{APPS} {GROUPS}"

GROUP_ATTRIBUTES: dict[str, Getter] = {
    "id": lambda group: group.id,
    "profile.name": lambda group: group.name,
    "type": lambda group: group.type,
    "source.id": lambda group: group.source,
}
USER_ATTRIBUTES: dict[str, Getter] = {
    "id": lambda user: user.id,
    "status": lambda user: user.status,
    "profile.login": lambda user: user.login,
    "profile.email": lambda user: user.email or user.login,
}
EVENT_ATTRIBUTES: dict[str, Getter] = {
    "eventType": lambda event: event["eventType"],
    "target.id": lambda event: [target["id"] for target in event["target"]],
    "target.alternateId": lambda event: [target.get("alternateId", "") for target in event["target"]],
}


def check_app(okta: Okta, app: str) -> None:
    """Raise Refused for another app than the one there is."""
    if app != okta.app:
        raise Refused(404, f"Not found: Resource not found: {app} (AppInstance)")


def find_group(okta: Okta, group: str) -> OktaGroup:
    """Return a group by id. Raises Refused if there is none."""
    if group not in okta.groups:
        raise Refused(404, f"Not found: Resource not found: {group} (UserGroup)")
    return okta.groups[group]


def find_mapping(okta: Okta, app: str, mapping: str) -> Mapping:
    """Return a pushed group by id. Raises Refused if there is none."""
    check_app(okta, app)
    if mapping not in okta.mappings:
        raise Refused(404, f"Not found: Resource not found: {mapping} (GroupPushMapping)")
    return okta.mappings[mapping]


def read_app(okta: Okta, call: Call) -> Reply:
    """Return the app, with the URLs of its SAML settings and the features of its provisioning."""
    check_app(okta, call.ids[0])
    sign_on = dict(zip(("ssoAcsUrl", "audience"), okta.urls, strict=False))
    body = {
        "id": okta.app,
        "name": "writer_1",
        "label": okta.label,
        "status": okta.status,
        "signOnMode": "SAML_2_0",
        "features": list(okta.features),
        "created": CREATED,
        "lastUpdated": CREATED,
    }
    return Reply(200, {**body, "settings": {"signOn": sign_on}} if okta.urls else body)


def list_assignments(okta: Okta, call: Call) -> Reply:
    """List the groups that are assigned to the app."""
    check_app(okta, call.ids[0])
    return Reply(200, [show_assignment(okta, group) for group in okta.assigned])


def read_assignment(okta: Okta, call: Call) -> Reply:
    """Return the assignment of one group."""
    check_app(okta, call.ids[0])
    if call.ids[1] not in okta.assigned:
        raise Refused(404, f"Not found: Resource not found: {call.ids[1]} (AppGroup)")
    return Reply(200, show_assignment(okta, call.ids[1]))


def show_assignment(okta: Okta, group: str) -> Json:
    """Return an assignment as Okta shows it."""
    return {"id": group, "priority": okta.assigned[group], "lastUpdated": CREATED, "profile": {}}


def list_mappings(okta: Okta, call: Call) -> Reply:
    """List the pushed groups, those of a status or of one source group if the query says so."""
    check_app(okta, call.ids[0])
    status, source = call.query.get("status"), call.query.get("sourceGroupId")
    mappings = [
        mapping
        for mapping in okta.mappings.values()
        if status in (None, mapping.status) and source in (None, mapping.source)
    ]
    return Reply(200, [show_mapping(okta, call, mapping) for mapping in mappings])


def read_mapping(okta: Okta, call: Call) -> Reply:
    """Return one pushed group."""
    return Reply(200, show_mapping(okta, call, find_mapping(okta, *call.ids)))


def show_mapping(okta: Okta, call: Call, mapping: Mapping) -> Json:
    """Return a pushed group as Okta shows it; without a last push before the first one."""
    pushed = {"lastPush": mapping.last_push} if mapping.last_push else {}
    return {
        "id": mapping.id,
        "sourceGroupId": mapping.source,
        "targetGroupId": mapping.target,
        "status": mapping.status,
        "errorSummary": mapping.error if mapping.status == ERROR else "",
        "created": mapping.created,
        "lastUpdated": mapping.updated,
        **pushed,
        "_links": {
            "app": {"href": f"{call.base}/api/v1/apps/{okta.app}"},
            "sourceGroup": {"href": f"{call.base}/api/v1/groups/{mapping.source}"},
            "targetGroup": {"href": f"{call.base}/api/v1/groups/{mapping.target}"},
        },
    }


def list_app_users(okta: Okta, call: Call) -> Reply:
    """List the users of the app; with `q`, those whose username begins with it."""
    check_app(okta, call.ids[0])
    begins = call.query.get("q", "")
    users = [show_app_user(okta, user, scope) for user, scope in okta.app_users().items()]
    return Reply(200, [user for user in users if user["credentials"]["userName"].startswith(begins)])


def read_app_user(okta: Okta, call: Call) -> Reply:
    """Return one user of the app."""
    check_app(okta, call.ids[0])
    scope = okta.app_users().get(call.ids[1])
    if scope is None:
        raise Refused(404, f"Not found: Resource not found: {call.ids[1]} (AppUser)")
    return Reply(200, show_app_user(okta, call.ids[1], scope))


def show_app_user(okta: Okta, user_id: str, scope: str) -> Json:
    """Return a user of the app: pending until provisioned."""
    user, sync = okta.users[user_id], okta.synced.get(user_id)
    state: dict[str, Json] = {"status": "STAGED" if sync is None else "PROVISIONED"}
    if sync is not None:
        state |= {"syncState": "ERROR" if sync.error else "SYNCHRONIZED", "lastSync": sync.at or CREATED}
        state |= {"externalId": sync.scim_id} if sync.scim_id else {}
    state |= {"status": user.app_status} if user.app_status else {}
    return {
        "id": user_id,
        "created": CREATED,
        "lastUpdated": CREATED,
        "scope": scope,
        **state,
        "credentials": {"userName": user.sent_as},
        "profile": user.app_profile,
    }


def list_groups(okta: Okta, call: Call) -> Reply:
    """List groups: Okta's own, and those of apps."""
    expression = call.query.get("search") or call.query.get("filter")
    groups = list(okta.groups.values())
    if expression:
        test = compile_filter(expression, GROUP_ATTRIBUTES)
        groups = [group for group in groups if test(group)]
    return Reply(200, [show_group(group, call.base) for group in groups])


def read_group(okta: Okta, call: Call) -> Reply:
    """Return one group."""
    return Reply(200, show_group(find_group(okta, call.ids[0]), call.base))


def show_group(group: OktaGroup, base: str) -> Json:
    """Return a group as Okta shows it; one that is imported, with its app."""
    body = {"id": group.id, "created": CREATED, "type": group.type, "profile": {"name": group.name}}
    source = {"source": {"href": f"{base}/api/v1/apps/{group.source}"}} if group.source else {}
    return {**body, "_links": {"users": {"href": f"{base}/api/v1/groups/{group.id}/users"}, **source}}


def list_members(okta: Okta, call: Call) -> Reply:
    """List the users in a group."""
    return Reply(200, [show_user(user) for user in okta.members(find_group(okta, call.ids[0]).id)])


def list_users(okta: Okta, call: Call) -> Reply:
    """List users; without a filter, those who are not deactivated."""
    expression = call.query.get("filter") or call.query.get("search")
    test = compile_filter(expression, USER_ATTRIBUTES) if expression else lambda user: user.status != "DEPROVISIONED"
    return Reply(200, [show_user(user) for user in okta.users.values() if test(user)])


def list_groups_of_user(okta: Okta, call: Call) -> Reply:
    """List the groups of a user."""
    if call.ids[0] not in okta.users:
        raise Refused(404, f"Not found: Resource not found: {call.ids[0]} (User)")
    return Reply(200, [show_group(group, call.base) for group in okta.groups_of(call.ids[0])])


def show_user(user: OktaUser) -> Json:
    """Return a user as Okta shows it."""
    profile = {"login": user.login, "email": user.email or user.login}
    return {"id": user.id, "status": user.status, "created": CREATED, "profile": profile}


def list_events(okta: Okta, call: Call) -> Reply:
    """List events of the system log since a time."""
    expression, since = call.query.get("filter"), call.query.get("since", "")
    events = [event for event in okta.events if event["published"] >= since]
    if expression:
        events = list(filter(compile_filter(expression, EVENT_ATTRIBUTES), events))
    return Reply(200, events[::-1] if call.query.get("sortOrder") == "DESCENDING" else events)


def read_schema(okta: Okta, call: Call) -> Reply:
    """Return the schema of the app's users."""
    check_app(okta, call.ids[0])
    return Reply(200, show_schema(okta, call))


def show_schema(okta: Okta, call: Call) -> Json:
    """Return the schema as Okta shows it."""
    base = {"userName": {"title": "Username", "type": "string", "required": True, "scope": "NONE"}}
    return {
        "id": f"{call.base}/meta/schemas/apps/{okta.app}/default",
        "$schema": "http://json-schema.org/draft-04/schema#",
        "name": "writer",
        "title": "WRITER user",
        "type": "object",
        "created": CREATED,
        "lastUpdated": CREATED,
        "definitions": {
            "base": {"id": "#base", "type": "object", "properties": base, "required": ["userName"]},
            "custom": {"id": "#custom", "type": "object", "properties": okta.custom, "required": []},
        },
        "properties": {"profile": {"allOf": [{"$ref": "#/definitions/base"}, {"$ref": "#/definitions/custom"}]}},
    }


READS = tuple(
    Route("GET", f"/api/v1/{path}", scope, handler)
    for path, scope, handler in (
        ("apps/{}", APPS, read_app),
        ("apps/{}/groups", APPS, list_assignments),
        ("apps/{}/groups/{}", APPS, read_assignment),
        ("apps/{}/group-push/mappings", PUSHES, list_mappings),
        ("apps/{}/group-push/mappings/{}", PUSHES, read_mapping),
        ("apps/{}/users", APPS, list_app_users),
        ("apps/{}/users/{}", APPS, read_app_user),
        ("groups", GROUPS, list_groups),
        ("groups/{}", GROUPS, read_group),
        ("groups/{}/users", GROUPS, list_members),
        ("users", USERS, list_users),
        ("users/{}/groups", USERS, list_groups_of_user),
        ("logs", LOGS, list_events),
        ("meta/schemas/apps/{}/default", SCHEMAS, read_schema),
    )
)
