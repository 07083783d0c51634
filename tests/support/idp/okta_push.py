"""How a stand-in Okta provisions: it looks a user up, creates or replaces it, and pushes groups with their members.

A failed request leaves its user or its group with an error, which the next run of the provisioning tries again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.okta_state import ACTIVE, ERROR, INACTIVE, Mapping, OktaGroup, OktaUser, Sync
from idp.okta_writes import target_of
from idp.scim_out import GROUP, USER, ScimError, ScimTarget

if TYPE_CHECKING:
    from idp.okta import Okta

Json = Any
PUSH = "application.provision.group_push"
DEACTIVATE = "application.provision.user.deactivate"


def provision(okta: Okta, scim: ScimTarget) -> None:
    """Send what differs from what was sent last: users first, then groups."""
    users = okta.app_users()
    for user_id, sync in okta.synced.items():
        if user_id not in users and sync.active:
            _attempt_user(okta, okta.users[user_id], DEACTIVATE, lambda user, sync: _deactivate(scim, user, sync))
    for user_id in users:
        sync = okta.synced.setdefault(user_id, Sync())
        content = _resource(okta, okta.users[user_id])
        if sync.error or not sync.active or sync.sent != content:
            event = "application.provision.user.push" if sync.scim_id is None else "application.provision.user.update"
            _attempt_user(okta, okta.users[user_id], event, lambda user, sync: _send(okta, scim, user, sync))
    for group in okta.doomed:
        if group.scim_id:
            scim.call("DELETE", f"/Groups/{group.scim_id}")
    okta.doomed.clear()
    for mapping in okta.mappings.values():
        if mapping.status != INACTIVE:
            _attempt_push(okta, scim, mapping)


def import_groups(okta: Okta, scim: ScimTarget) -> None:
    """Read the org's groups, as *Refresh App Groups* does: new ones are added, and those go that no push needs."""
    listed: dict[str, str] = {}
    while page := scim.call("GET", "/Groups", startIndex=str(len(listed) + 1), count="100")["Resources"]:
        listed |= {resource["id"]: resource["displayName"] for resource in page}
    own = {group.scim_id: group for group in okta.groups.values() if group.source == okta.app}
    targets = {mapping.target for mapping in okta.mappings.values()}
    for scim_id, name in listed.items():
        if scim_id not in own:
            okta.add_app_group(name, scim_id)
    for scim_id, group in own.items():
        if scim_id not in listed and group.id not in targets:
            del okta.groups[group.id]


def _resource(okta: Okta, user: OktaUser) -> Json:
    """Return a user as Okta sends it; each custom attribute of the app's schema goes to its namespace."""
    given, _, family = user.login.partition("@")[0].partition(".")
    body = {
        "schemas": [USER],
        "userName": user.sent_as,
        "name": {"givenName": given, "familyName": family or given},
        "emails": [{"primary": True, "value": user.email or user.login, "type": "work"}],
        "displayName": user.login,
        "externalId": user.id,
        "locale": "en-US",
        "active": True,
    }
    for name, attribute in okta.custom.items():
        value, namespace = (user.app_profile or {}).get(name), attribute.get("externalNamespace")
        if value is not None and namespace:
            body[namespace] = {attribute.get("externalName") or name: value}
            body["schemas"] = [*body["schemas"], namespace]
    return body


def _attempt_user(okta: Okta, user: OktaUser, event: str, send: Any) -> None:
    sync = okta.synced[user.id]
    reason = None
    try:
        send(user, sync)
    except ScimError as error:
        reason = f"Automatic provisioning of user {user.login} to app {okta.label} failed: {error}"
    sync.error, sync.at = reason, okta.now()
    target = {"id": user.id, "type": "User", "alternateId": user.login, "displayName": user.login}
    okta.log(event, [target], "FAILURE" if reason else "SUCCESS", reason)


def _send(okta: Okta, scim: ScimTarget, user: OktaUser, sync: Sync) -> None:
    """Create a user that the org does not have; replace one that it has with what it has and what changed."""
    content = _resource(okta, user)
    if sync.scim_id is None:
        current = scim.find("/Users", "userName", user.sent_as, startIndex="1", count="100")
    else:
        current = scim.call("GET", f"/Users/{sync.scim_id}")
    if current is None:
        current = scim.call("POST", "/Users", {**content, "password": "1mz050nq", "groups": []})
    else:
        schemas = [*dict.fromkeys([*current["schemas"], *content["schemas"]])]
        scim.call("PUT", f"/Users/{current['id']}", {**current, **content, "schemas": schemas})
    sync.scim_id, sync.active, sync.sent = current["id"], True, content


def _deactivate(scim: ScimTarget, user: OktaUser, sync: Sync) -> None:
    current = scim.call("GET", f"/Users/{sync.scim_id}")
    scim.call("PUT", f"/Users/{sync.scim_id}", {**current, "active": False})
    sync.active, sync.sent = False, None


def _attempt_push(okta: Okta, scim: ScimTarget, mapping: Mapping) -> None:
    source, target = okta.groups[mapping.source], okta.groups[mapping.target]
    synced = {user: okta.synced[user] for user in okta.app_users()}
    members = [synced[user].scim_id for user in source.members if user in synced]
    pushed = frozenset(member for member in members if member is not None)
    if not mapping.fresh and mapping.status == ACTIVE and mapping.pushed == pushed:
        return
    try:
        _push(scim, mapping, target, pushed)
    except ScimError as error:
        mapping.status, mapping.error = ERROR, f"Failed on {mapping.updated}: {error}"
        okta.log(f"{PUSH}.mapping.update.or.delete.failed", [target_of(source)], "FAILURE", mapping.error)
        return
    mapping.status, mapping.error, mapping.fresh, mapping.pushed = ACTIVE, "", False, pushed
    mapping.last_push = mapping.updated = okta.now()
    okta.log(f"{PUSH}.pushed", [target_of(source)])


def _push(scim: ScimTarget, mapping: Mapping, target: OktaGroup, pushed: frozenset[str]) -> None:
    """Create the target, write all its members, or send those who joined and who left."""
    if target.scim_id is None:
        if scim.find("/Groups", "displayName", target.name) is not None:
            raise ScimError(409, f"the app has a group named {target.name} that was not imported")
        body = {"schemas": [GROUP], "displayName": target.name, "members": _values(pushed)}
        target.scim_id = scim.call("POST", "/Groups", body)["id"]
        return
    path = f"/Groups/{target.scim_id}"
    if mapping.fresh:
        scim.patch(path, {"op": "replace", "path": "members", "value": _values(pushed)})
        return
    joined, left = pushed - mapping.pushed, mapping.pushed - pushed
    operations = [{"op": "remove", "path": f'members[value eq "{member}"]'} for member in sorted(left)]
    if joined:
        operations.append({"op": "add", "path": "members", "value": _values(joined)})
    if operations:
        scim.patch(path, *operations)


def _values(members: frozenset[str]) -> list[Json]:
    return [{"value": member} for member in sorted(members)]
