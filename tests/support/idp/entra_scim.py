"""How a stand-in Entra writes users and groups over SCIM: matching by userName or displayName, then POST or PATCH with
booleans as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from idp.entra_state import SOFT_DELETED, EntraGroup, EntraUser, Job, Sync
from idp.scim_out import GROUP, USER, ScimError, ScimTarget

if TYPE_CHECKING:
    from idp.entra import Entra

Json = Any
ROLE = "SingleAppRoleAssignment([appRoleAssignments])"
SELECTED = re.compile(r'(\w+)\[(\w+) eq "(\w+)"\]\.(\w+)')


def user_content(entra: Entra, job: Job, user: EntraUser, *, in_scope: bool) -> dict[str, Json]:
    """Return the values of a user by target attribute. Raises ScimError for an expression that the stand-in lacks."""
    values = {**user.values(), "objectId": user.id}
    content: dict[str, Json] = {}
    for mapping in job.mappings("User"):
        source = mapping["source"]
        if source["type"] == "Function" and source["expression"] == SOFT_DELETED:
            value: Json = in_scope and user.enabled
        elif source["type"] == "Function" and source["expression"] == ROLE:
            value = _role(entra, user)
        elif source["type"] == "Function":
            raise ScimError(0, f"the stand-in does not evaluate {source['expression']}")
        else:
            value = source["name"] if source["type"] == "Constant" else values.get(source["name"])
        content[mapping["targetAttributeName"]] = value if value is not None else mapping.get("defaultValue")
    return content


def _role(entra: Entra, user: EntraUser) -> str | None:
    principals = {user.id, *(group.id for group in entra.groups_of(user.id, nested=False))}
    assigned = (assignment for assignment in entra.assignments.values() if assignment.principal in principals)
    return next((entra.roles[assignment.role] for assignment in assigned), None)


def group_content(job: Job, group: EntraGroup) -> dict[str, Json]:
    """Return the values of a group by target attribute, without its members."""
    values = {"displayName": group.name, "objectId": group.id}
    mappings = (mapping for mapping in job.mappings("Group") if mapping["targetAttributeName"] != "members")
    return {mapping["targetAttributeName"]: values.get(mapping["source"]["name"]) for mapping in mappings}


def resource(schema: str, content: dict[str, Json]) -> Json:
    """Return a whole resource: a path with a selection becomes an entry, one with dots or a URN an object."""
    body: dict[str, Json] = {"schemas": [schema]}
    for path, value in content.items():
        if value is None:
            continue
        if match := SELECTED.fullmatch(path):
            attribute, key, kind, part = match.groups()
            body.setdefault(attribute, []).append({key: kind, part: value, "primary": True})
        elif path.startswith("urn:"):
            urn, _, name = path.rpartition(":")
            body.setdefault(urn, {})[name] = value
            body["schemas"] = [*dict.fromkeys([*body["schemas"], urn])]
        elif "." in path:
            outer, _, name = path.partition(".")
            body.setdefault(outer, {})[name] = value
        else:
            body[path] = value
    return body


def operations(before: dict[str, Json], after: dict[str, Json]) -> list[Json]:
    """Return the operations of a PATCH, one for each attribute that differs."""
    changed = []
    for path, value in after.items():
        if value == before.get(path):
            continue
        text = str(value) if isinstance(value, bool) else value
        op = "Remove" if value is None else "Replace" if before.get(path) is not None else "Add"
        changed.append({"op": op, "path": path, **({} if value is None else {"value": text})})
    return changed


def write_user(scim: ScimTarget, sync: Sync | None, content: dict[str, Json]) -> tuple[str, Sync | None]:
    """Create, link or update a user; returns the action and what is known of the user then, None if none was created.

    A disabled account that the org does not have is not created.
    """
    if sync is None:
        found = scim.find("/Users", "userName", content["userName"])
        if found is None and content.get("active") is False:
            return "other", None
        if found is None:
            return "create", Sync(scim.call("POST", "/Users", resource(USER, content))["id"], content)
        sync = Sync(found["id"], {"active": found.get("active")})
    action = "disable" if sync.sent.get("active") is not False and content.get("active") is False else "update"
    if changed := operations(sync.sent, content):
        scim.patch(f"/Users/{sync.scim_id}", *changed)
    return action, Sync(sync.scim_id, content)


def write_group(scim: ScimTarget, sync: Sync | None, content: dict[str, Json]) -> tuple[str, Sync]:
    """Create, link or rename a group, without its members."""
    if sync is None:
        found = scim.find("/Groups", "displayName", content["displayName"], excludedAttributes="members")
        if found is None:
            return "create", Sync(
                scim.call("POST", "/Groups", resource(GROUP, {**content, "members": []}))["id"], content
            )
        sync = Sync(found["id"], {"displayName": found["displayName"]})
    if changed := operations(sync.sent, content):
        scim.patch(f"/Groups/{sync.scim_id}", *changed)
    return "update", Sync(sync.scim_id, content, sync.members)


def write_members(scim: ScimTarget, sync: Sync, members: dict[str, str], *, every: bool) -> None:
    """Add members who joined, all with ``every``, and remove those who left; by user id, with the ids in the org."""
    joined = [scim_id for user, scim_id in members.items() if every or sync.members.get(user) != scim_id]
    left = [scim_id for user, scim_id in sync.members.items() if members.get(user) != scim_id]
    path = f"/Groups/{sync.scim_id}"
    if joined:
        scim.patch(path, {"op": "Add", "path": "members", "value": [_member(scim_id) for scim_id in joined]})
    if left:
        scim.patch(path, {"op": "Remove", "path": "members", "value": [_member(scim_id) for scim_id in left]})
    sync.members = members


def _member(scim_id: str) -> Json:
    return {"$ref": None, "value": scim_id}
