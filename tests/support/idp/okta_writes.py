"""What a stand-in Okta does for writes: assignments, pushed groups, and the schema of the app's users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.okta_reads import (
    check_app,
    find_group,
    find_mapping,
    show_assignment,
    show_mapping,
    show_schema,
)
from idp.okta_state import ACTIVE, INACTIVE, OktaGroup
from idp.wire import Call, Refused, Reply, Route

if TYPE_CHECKING:
    from idp.okta import Okta

Json = Any
APPS, GROUPS, SCHEMAS = "okta.apps.manage", "okta.groups.manage", "okta.schemas.manage"


def assign_group(okta: Okta, call: Call) -> Reply:
    """Assign a group to the app; again, it changes its priority."""
    check_app(okta, call.ids[0])
    group = find_group(okta, call.ids[1])
    known = group.id in okta.assigned
    okta.assign(group.id)
    priority = (call.body or {}).get("priority")
    if priority is not None:
        okta.assigned[group.id] = priority
    if not known:
        okta.log("group.application_assignment.add", [target_of(group)])
    return Reply(200, show_assignment(okta, group.id))


def unassign_group(okta: Okta, call: Call) -> Reply:
    """End the assignment of a group."""
    app, group = call.ids
    check_app(okta, app)
    if group not in okta.assigned:
        raise Refused(404, f"Not found: Resource not found: {group} (AppGroup)")
    okta.unassign(group)
    okta.log("group.application_assignment.remove", [target_of(okta.groups[group])])
    return Reply(204)


def create_mapping(okta: Okta, call: Call) -> Reply:
    """Push a group: to a new group of the app, or to an existing one that is linked by its id."""
    check_app(okta, call.ids[0])
    body = call.body if isinstance(call.body, dict) else {}
    if "GROUP_PUSH" not in okta.features:
        raise Refused(400, "Group push is not enabled for the app instance")
    source = okta.groups.get(body.get("sourceGroupId", ""))
    if source is None or source.source == okta.app:
        raise Refused(400, "sourceGroupId: no such group")
    if any(mapping.source == source.id for mapping in okta.mappings.values()):
        raise Refused(400, "sourceGroupId: the group is pushed to this app already")
    status = _status(body.get("status", ACTIVE))
    target = _target(okta, body)
    mapping = okta.push(source.id, target.id, status)
    okta.log("application.provision.group_push.mapping.created", [target_of(source)])
    return Reply(201, show_mapping(okta, call, mapping))


def _target(okta: Okta, body: Json) -> OktaGroup:
    """Return the target of a new push. Raises Refused unless it is a new name, or the id of a group without a push.

    Okta's reference reads as if the name of an existing group linked it, but users report 400: use the id.
    """
    name, target = body.get("targetGroupName"), body.get("targetGroupId")
    if (name is None) == (target is None):
        raise Refused(400, "provide either targetGroupId or targetGroupName")
    if target is not None:
        group = okta.groups.get(target)
        if group is None or group.source != okta.app:
            raise Refused(400, "targetGroupId: no such group in the app")
        if any(mapping.target == target for mapping in okta.mappings.values()):
            raise Refused(400, "targetGroupId: another group is pushed to it")
        return group
    if any(group.source == okta.app and group.name == name for group in okta.groups.values()):
        raise Refused(400, f"targetGroupName: the app has a group named {name}; link it by targetGroupId")
    return okta.add_app_group(name)


def change_mapping(okta: Okta, call: Call) -> Reply:
    """Pause or resume a push. A resumed one begins with an initial push."""
    mapping = find_mapping(okta, *call.ids)
    status = _status((call.body or {}).get("status"))
    if status == ACTIVE and mapping.status != ACTIVE:
        mapping.fresh = True
    mapping.status, mapping.updated, mapping.error = status, okta.now(), ""
    event = "activated" if status == ACTIVE else "deactivated"
    okta.log(f"application.provision.group_push.mapping.{event}", [target_of(okta.groups[mapping.source])])
    return Reply(200, show_mapping(okta, call, mapping))


def delete_mapping(okta: Okta, call: Call) -> Reply:
    """End an inactive push."""
    mapping = find_mapping(okta, *call.ids)
    delete_target = call.query.get("deleteTargetGroup")
    if delete_target not in ("true", "false"):
        raise Refused(400, "deleteTargetGroup: a required parameter")
    if mapping.status != INACTIVE:
        raise Refused(400, "the mapping is not inactive: set its status to INACTIVE first")
    okta.unpush(mapping.id, delete_target=delete_target == "true")
    okta.log("application.provision.group_push.mapping.deleted", [target_of(okta.groups[mapping.source])])
    return Reply(204)


def _status(value: Json) -> str:
    if value not in (ACTIVE, INACTIVE):
        raise Refused(400, "status: ACTIVE or INACTIVE")
    return str(value)


def change_schema(okta: Okta, call: Call) -> Reply:
    """Add, change or (with null) remove custom attributes. Removing one deletes every user's value for good."""
    check_app(okta, call.ids[0])
    custom = ((call.body or {}).get("definitions") or {}).get("custom") or {}
    for name, attribute in (custom.get("properties") or {}).items():
        if attribute is None:
            okta.custom.pop(name, None)
            for user in okta.users.values():
                (user.app_profile or {}).pop(name, None)
        elif not attribute.get("title") or not attribute.get("type"):
            raise Refused(400, f"{name}: title and type are required")
        else:
            okta.custom[name] = attribute
    return Reply(200, show_schema(okta, call))


def target_of(group: OktaGroup) -> Json:
    """Return a group as an event names it."""
    return {"id": group.id, "type": "UserGroup", "alternateId": group.name, "displayName": group.name}


WRITES = tuple(
    Route(method, f"/api/v1/{path}", scope, handler)
    for method, path, scope, handler in (
        ("PUT", "apps/{}/groups/{}", APPS, assign_group),
        ("DELETE", "apps/{}/groups/{}", APPS, unassign_group),
        ("POST", "apps/{}/group-push/mappings", f"{APPS} {GROUPS}", create_mapping),
        ("PATCH", "apps/{}/group-push/mappings/{}", f"{APPS} {GROUPS}", change_mapping),
        ("DELETE", "apps/{}/group-push/mappings/{}", f"{APPS} {GROUPS}", delete_mapping),
        ("POST", "meta/schemas/apps/{}/default", SCHEMAS, change_schema),
    )
)
