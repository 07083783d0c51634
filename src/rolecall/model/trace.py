"""Defines what an IdP knows about the provisioning of one user, and the steps of the trace that is made of it.

An item that could not be read is a ``NotRead``; None is an answer: there is no such item.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from rolecall.errors import Where


class NotRead(NamedTuple):
    """The reason why an item could not be read, and what to do about it."""

    problem: str
    hint: str | None = None


class IdpUser(NamedTuple):
    """A user in the IdP. ``status`` is the IdP's word.

    ``sent_as`` is the address that provisioning sends: empty for none, None if the IdP does not send the user.
    """

    id: str
    active: bool
    status: str
    sent_as: str | NotRead | None = None


class IdpMembership(NamedTuple):
    """A group of the user in the IdP. ``direct`` is false if the user is in it only through another group."""

    id: str
    name: str
    direct: bool = True


class AppAccess(NamedTuple):
    """The assignment of a user to the app. ``through`` says by which one, ``error`` why the IdP could not send the
    user.
    """

    through: str
    status: str = ""
    at: datetime | None = None
    error: str | None = None


class GroupDelivery(NamedTuple):
    """The state of sending one group. ``at`` is the last push, ``error`` why it failed or is off."""

    at: datetime | None = None
    error: str | None = None
    off: bool = False


class Provisioning(NamedTuple):
    """The state of the app's provisioning: why it does not run, the last cycle, and why that failed.

    ``everything``: it sends all users and groups of the directory, assigned or not.
    """

    stopped: str | None = None
    last_cycle: datetime | None = None
    error: str | None = None
    everything: bool = False


class LogEntry(NamedTuple):
    """The newest entry about the user in the IdP's provisioning log.

    ``result`` is the IdP's word in lower case, such as ``success``, ``failure`` or ``skipped``.
    """

    at: datetime
    action: str
    result: str
    reason: str | None = None


class IdpTrace(NamedTuple):
    """All that an IdP knows about the provisioning of one user. ``deliveries`` are by the group's id in the IdP."""

    kind: Literal["okta", "entra"]
    user: IdpUser | NotRead | None
    access: AppAccess | NotRead | None
    provisioning: Provisioning | NotRead
    log: LogEntry | NotRead | None
    groups: tuple[IdpMembership, ...] | NotRead
    deliveries: Mapping[str, GroupDelivery] | NotRead


StepName = Literal[
    "idp_user", "assignment", "provisioning", "log", "org_user", "membership", "push", "arrival", "mapping"
]
StepState = Literal["ok", "failed", "not_readable"]


class TraceStep(NamedTuple):
    """One question of a trace and its answer. ``group`` is the IdP group that it is about, None for the user.

    ``next`` is what to do unless the state is ok. ``where`` is the place of the setting in the configuration. ``cause``
    is why a step could not be read, which ends its ``text``.
    """

    step: StepName
    state: StepState
    text: str
    next: str | None = None
    group: str | None = None
    where: Where | None = None
    cause: str | None = None
