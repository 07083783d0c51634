"""The cycles of a stand-in Entra's provisioning job, and what becomes of it when they fail.

An incremental cycle sends what differs from what was sent last. A full one, such as the initial one and the one after
a change of the schema, reads every user of the org that the job knows and corrects it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from idp import entra_scim
from idp.entra_state import EntraGroup, EntraUser, Job, Sync
from idp.ids import uid
from idp.scim_out import ScimError, ScimTarget

if TYPE_CHECKING:
    from idp.entra import Entra

Json = Any
UNAVAILABLE = frozenset({0, 401, 403})
"""Statuses that say that the connection is the problem; 0 is no response."""


def run_cycle(entra: Entra, job: Job, scim: ScimTarget) -> None:
    """Run one cycle, and record its outcome in the job and in the provisioning log."""
    began = entra.now()
    users, groups = entra.in_scope()
    gone = [user for user, sync in job.users.items() if user not in users and sync.sent.get("active") is not False]
    gone_groups = [group for group in job.groups if group not in groups]
    if too_many := _too_many(entra, job, len(gone) + len(gone_groups)):
        _quarantine(entra, job, "TooManyDeletes", too_many)
        _finish(entra, job, began, "Failed", too_many)
        return
    errors: list[ScimError] = []
    done = 0
    for step in _steps(entra, job, scim, (users, groups), (gone, gone_groups)):
        try:
            step()
            done += 1
        except ScimError as error:
            errors.append(error)
    job.full, job.force_deletes = bool(errors) and job.full, False
    if errors and not done:
        lost = any(error.status in UNAVAILABLE for error in errors)
        reason = "EncounteredQuarantineException" if lost else "EncounteredEscrowProportionThreshold"
        _quarantine(entra, job, reason, str(errors[0]))
    elif not errors:
        job.quarantine = None
    state = "Succeeded" if not errors else "EntryLevelErrors" if done else "Failed"
    _finish(entra, job, began, state, str(errors[0]) if errors else None)


def run_on_demand(entra: Entra, job: Job, scim: ScimTarget, subject: str) -> list[Json]:
    """Provision one user or group at once; returns its entries of the log."""
    before = len(entra.entries)
    users, groups = entra.in_scope()
    try:
        if subject in entra.users:
            _send_user(entra, job, scim, entra.users[subject], in_scope=subject in users)
        elif subject in groups:
            _send_group(entra, job, scim, entra.groups[subject])
        else:
            _log(entra, job, "other", entra.groups[subject], "skipped", "NotEffectivelyEntitled")
    except ScimError:
        pass
    return entra.entries[before:]


def _steps(
    entra: Entra,
    job: Job,
    scim: ScimTarget,
    scope: tuple[dict[str, EntraUser], dict[str, EntraGroup]],
    out_of_scope: tuple[list[str], list[str]],
) -> Iterator[Callable[[], None]]:
    """Yield the steps of a cycle in order: users, users out of scope, groups, groups out of scope."""
    (users, groups), (former_users, former_groups) = scope, out_of_scope
    for user in users.values():
        yield partial(_send_user, entra, job, scim, user, in_scope=True)
    for user_id in former_users:
        yield partial(_send_user, entra, job, scim, entra.users[user_id], in_scope=False)
    for group in groups.values():
        yield partial(_send_group, entra, job, scim, group)
    for group_id in former_groups:
        yield partial(_delete_group, entra, job, scim, entra.groups[group_id])


def _send_user(entra: Entra, job: Job, scim: ScimTarget, user: EntraUser, *, in_scope: bool) -> None:
    sync = job.users.get(user.id)
    with _logged(entra, job, user) as outcome:
        content = entra_scim.user_content(entra, job, user, in_scope=in_scope)
        if sync is not None and job.full:
            sync = _reread(scim, sync)
        elif sync is not None and sync.sent == content and user.id not in job.failed:
            outcome.action = None
            return
        if sync is None and not in_scope:
            outcome.action, outcome.skipped = "other", "NotEffectivelyEntitled"
            return
        outcome.action, written = entra_scim.write_user(scim, sync, content)
        if written is None:
            outcome.skipped = "NotActive"
            job.users.pop(user.id, None)
        else:
            job.users[user.id] = written


def _reread(scim: ScimTarget, sync: Sync) -> Sync | None:
    """Return what the org has of a user: only the state of the account is compared; None if the user is not there."""
    try:
        current = scim.call("GET", f"/Users/{sync.scim_id}")
    except ScimError as error:
        if error.status == 404:
            return None
        raise
    return Sync(sync.scim_id, {**sync.sent, "active": current.get("active"), "userName": current["userName"]})


def _send_group(entra: Entra, job: Job, scim: ScimTarget, group: EntraGroup) -> None:
    sync = job.groups.get(group.id)
    content = entra_scim.group_content(job, group)
    members = {user: job.users[user].scim_id for user in group.members if user in job.users}
    with _logged(entra, job, group) as outcome:
        unchanged = sync is not None and sync.sent == content and sync.members == members
        if unchanged and not job.full and group.id not in job.failed:
            outcome.action = None
            return
        outcome.action, job.groups[group.id] = entra_scim.write_group(scim, sync, content)
        entra_scim.write_members(scim, job.groups[group.id], members, every=job.full)


def _delete_group(entra: Entra, job: Job, scim: ScimTarget, group: EntraGroup) -> None:
    """Delete a group that is no longer in scope: other than a user, it is removed from the org."""
    with _logged(entra, job, group) as outcome:
        outcome.action = "delete"
        try:
            scim.call("DELETE", f"/Groups/{job.groups[group.id].scim_id}")
        except ScimError as error:
            if error.status != 404:
                raise
        del job.groups[group.id]


@dataclass
class _Outcome:
    """What was done: nothing without an action; ``skipped`` is why it was left out."""

    action: str | None = "other"
    skipped: str | None = None


@contextmanager
def _logged(entra: Entra, job: Job, subject: EntraUser | EntraGroup) -> Iterator[_Outcome]:
    """Add an entry to the provisioning log when the work is done or fails."""
    outcome = _Outcome()
    try:
        yield outcome
    except ScimError as error:
        job.failed.add(subject.id)
        _log(entra, job, outcome.action or "other", subject, "failure", str(error))
        raise
    job.failed.discard(subject.id)
    if outcome.action is not None:
        _log(entra, job, outcome.action, subject, "skipped" if outcome.skipped else "success", outcome.skipped)


def _log(
    entra: Entra, job: Job, action: str, subject: EntraUser | EntraGroup, status: str, reason: str | None = None
) -> None:
    name = subject.upn if isinstance(subject, EntraUser) else subject.name
    error = {"errorCode": "SystemForCrossDomainIdentityManagementServiceError", "reason": reason} if reason else None
    entry = {
        "id": uid(f"entry {len(entra.entries)}"),
        "activityDateTime": entra.now(),
        "jobId": job.id,
        "provisioningAction": action,
        "provisioningStatusInfo": {"status": status, "errorInformation": error},
        "sourceIdentity": {
            "id": subject.id,
            "displayName": name,
            "identityType": "User" if isinstance(subject, EntraUser) else "Group",
        },
        "servicePrincipal": {"id": entra.app, "displayName": entra.label},
    }
    entra.entries.append(entry)


def _too_many(entra: Entra, job: Job, deletions: int) -> str | None:
    """Return why a cycle stops before it removes anything, or None."""
    settings = json.loads(entra.secrets.get("SyncNotificationSettings") or "{}")
    limit = settings.get("DeleteThresholdValue")
    if job.force_deletes or not settings.get("DeleteThresholdEnabled") or limit is None or deletions <= int(limit):
        return None
    return f"{deletions} deletions exceed the threshold of {limit}"


def _quarantine(entra: Entra, job: Job, reason: str, text: str) -> None:
    at = entra.now()
    error = {"code": reason, "message": text, "tenantActionable": True}
    began = job.quarantine["seriesBegan"] if job.quarantine else at
    count = job.quarantine["seriesCount"] + 1 if job.quarantine else 1
    job.quarantine = {
        "reason": reason,
        "currentBegan": at,
        "seriesBegan": began,
        "seriesCount": count,
        "nextAttempt": at,
        "error": error,
    }


def _finish(entra: Entra, job: Job, began: str, state: str, text: str | None) -> None:
    error = {"error": {"code": "CycleError", "message": text, "tenantActionable": True}} if text else {}
    job.last = {"state": state, "timeBegan": began, "timeEnded": entra.now(), "activityIdentifier": uid(began), **error}
