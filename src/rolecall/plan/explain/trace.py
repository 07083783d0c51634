"""Trace the provisioning of one user from the IdP to the org: each step is ok, failed or not readable.

What could not be read is never ok and never failed. A step that failed or could not be read names the next action.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rolecall.errors import did_you_mean
from rolecall.model import normalise
from rolecall.model.desired import Desired
from rolecall.model.directory import Person
from rolecall.model.kinds import address
from rolecall.model.live import base_name
from rolecall.model.settings import BLANK, UNSET, GroupMapping
from rolecall.model.trace import (
    AppAccess,
    GroupDelivery,
    IdpMembership,
    IdpTrace,
    IdpUser,
    LogEntry,
    NotRead,
    Provisioning,
    StepName,
    TraceStep,
)
from rolecall.plan.dates import day, moment_words
from rolecall.plan.explain.trace_terms import Terms, terms_of

Mappings = Mapping[str, GroupMapping]


@dataclass(frozen=True, slots=True)
class TraceInput:
    """The knowledge about one user on both sides. ``email`` is the address as asked.

    ``org_user`` is None if the org does not have the user. ``mappings`` are the org's groups, by live key. ``only`` are
    the groups to trace; without any, those of the user that matter to the org. ``log_days`` is how far back the IdP's
    log was read. ``observed_at`` is when an admin recorded the org, None for an org that was read now. ``near`` are
    similar addresses of the org's users, if neither side is known to have the user.
    """

    email: str
    idp: IdpTrace
    org_user: Person | NotRead | None
    mappings: Mappings | NotRead
    desired: Desired = field(default_factory=Desired)
    only: tuple[str, ...] = ()
    log_days: int = 30
    observed_at: datetime | None = None
    near: tuple[str, ...] = ()

    @property
    def observed(self) -> str:
        """Return the day of an observed org as a text to append, empty for an org that was read now."""
        return f", as observed on {day(self.observed_at)}" if self.observed_at else ""


def trace(known: TraceInput) -> tuple[TraceStep, ...]:
    """Return the steps of the user, then those of each group."""
    terms = terms_of(known.idp.kind)
    return (*_user_steps(known, terms), *_group_steps(known, terms))


def answered(steps: Collection[TraceStep]) -> bool:
    """Return whether every question was answered."""
    return all(step.state != "not_readable" for step in steps)


def _user_steps(known: TraceInput, terms: Terms) -> Iterator[TraceStep]:
    idp = known.idp
    yield _idp_user(known, idp.user, terms)
    if idp.user is not None:
        yield _assignment(idp.access, terms)
    yield _provisioning(idp.provisioning, terms)
    if idp.user is not None:
        yield _log(known, idp.log, terms)
    yield _org_user(known, terms)


def _idp_user(known: TraceInput, user: IdpUser | NotRead | None, terms: Terms) -> TraceStep:
    if isinstance(user, NotRead):
        return _not_readable("idp_user", f"whether {terms.name} has the user", user)
    if user is None:
        return _failed("idp_user", f"{terms.name} has no user with this address.", terms.no_user)
    if not user.active:
        return _failed("idp_user", f"The account in {terms.name} is {user.status}.", terms.activate)
    if isinstance(user.sent_as, NotRead):
        return _not_readable("idp_user", f"the address that {terms.name} sends for the user", user.sent_as)
    if user.sent_as == "":
        text = f"{terms.name} sends no address for this user, so WRITER cannot have them."
        return _failed("idp_user", text, terms.map_address)
    if user.sent_as is not None and user.sent_as != normalise.email(known.email):
        text = f"{terms.name} sends this user to WRITER as {user.sent_as}."
        return _failed("idp_user", text, f"Look for that address: rolecall why {user.sent_as} --trace")
    return TraceStep("idp_user", "ok", f"The account in {terms.name} is {user.status}.")


def _assignment(access: AppAccess | NotRead | None, terms: Terms) -> TraceStep:
    if isinstance(access, NotRead):
        return _not_readable("assignment", "whether the user is assigned to the app", access)
    if access is None:
        return _failed("assignment", f"Not assigned to the WRITER app in {terms.name}.", terms.assign)
    status = f" ({access.status})" if access.status else ""
    last = f", last synchronized {moment_words(access.at)}" if access.at else ""
    text = f"Assigned to the WRITER app {access.through}{status}{last}."
    if access.error:
        return _failed("assignment", f"{text[:-1]}, but {access.error}.", terms.retry_user)
    return TraceStep("assignment", "ok", text)


def _provisioning(state: Provisioning | NotRead, terms: Terms) -> TraceStep:
    if isinstance(state, NotRead):
        return _not_readable("provisioning", f"whether {terms.name} is provisioning", state)
    if state.stopped:
        text = f"{terms.name} is not provisioning: {state.stopped}."
        return _failed("provisioning", text, terms.start)
    last = f"the last cycle ended {moment_words(state.last_cycle)}" if state.last_cycle else terms.no_cycle
    if state.error:
        return _failed("provisioning", f"The last cycle failed: {state.error.rstrip('.')}.", terms.start)
    return TraceStep("provisioning", "ok", f"{terms.running}{f'; {last}' if last else ''}.")


def _log(known: TraceInput, entry: LogEntry | NotRead | None, terms: Terms) -> TraceStep:
    """Return the step of the newest log entry. Without one, it depends on the org whether the user was ever sent."""
    if isinstance(entry, NotRead):
        return _not_readable("log", f"{terms.log} about the user", entry)
    if entry is not None and entry.result in ("success", "allow"):
        return TraceStep("log", "ok", f"{_sentence(entry)}.")
    if entry is not None and entry.result != "skipped":
        return _failed("log", f"{_sentence(entry)}.", terms.retry_user)
    text = f"{_sentence(entry)}." if entry else f"No entry about the user in {terms.log} of {known.log_days} days."
    if isinstance(known.org_user, NotRead):
        unread = known.org_user._replace(problem=f"{text[:-1]}, and it is unknown whether WRITER has the user")
        return _not_readable("log", "whether the user was ever sent", unread)
    if known.org_user is None:
        return _failed("log", text, _once_read(terms, terms.provision_now, known.idp.access, known.idp.provisioning))
    return TraceStep("log", "ok", f"{text[:-1]}; WRITER has the user.")


def _sentence(entry: LogEntry) -> str:
    reason = f": {entry.reason.rstrip('.')}" if entry.reason else ""
    return f"Last log entry, {moment_words(entry.at)}: {entry.action}, {entry.result}{reason}"


def _org_user(known: TraceInput, terms: Terms) -> TraceStep:
    user = known.org_user
    if isinstance(user, NotRead):
        return _not_readable("org_user", "whether WRITER has the user", user)
    if user is None:
        return _failed("org_user", f"WRITER does not have the user{known.observed}.", _arrive(known, terms))
    if not user.traits.active:
        return _failed("org_user", "The user is deactivated in WRITER (R23).", terms.reactivate)
    if user.traits.pending:
        text = "The user is in WRITER and an admin has not approved them yet (R26)."
        return _failed("org_user", text, "Approve the user in WRITER, or provision them with SCIM")
    origin = "" if user.traits.origin == "scim" else f", not provisioned by SCIM yet ({user.traits.origin})"
    return TraceStep("org_user", "ok", f"WRITER has the user, active{origin}{known.observed}.")


def _arrive(known: TraceInput, terms: Terms) -> str:
    """Return the next action for a user that the org does not have; it rests only on what was read."""
    idp = known.idp
    if known.near:
        return f"Did you mean {' or '.join(known.near)}? If so: rolecall why {known.near[0]} --trace"
    return _once_read(terms, terms.arrive, idp.user, idp.access, idp.provisioning, idp.log)


def _once_read(terms: Terms, action: str, *parts: object) -> str:
    """Return the action, or that the steps that it depends on have to be read first if one of them was not."""
    if any(isinstance(part, NotRead) for part in parts):
        return f"First resolve why steps in {terms.name} could not be read, then run this command again"
    return action


def _group_steps(known: TraceInput, terms: Terms) -> Iterator[TraceStep]:
    groups = known.idp.groups
    if known.idp.user is None and not known.only:
        return
    if isinstance(groups, NotRead):
        yield _not_readable("membership", f"the user's groups in {terms.name}", groups)
        for name in known.only:
            yield _mapping(known, name, terms)
        return
    relevant = _only(groups, known.only) if known.only else _relevant(known, groups)
    if not relevant:
        yield _no_group(known, terms)
    for name, group in relevant:
        yield from _steps_of(known, name, group, terms)


def _only(groups: tuple[IdpMembership, ...], names: tuple[str, ...]) -> list[tuple[str, IdpMembership | None]]:
    return [(name, next((group for group in groups if group.name == name), None)) for name in names]


def _relevant(known: TraceInput, groups: tuple[IdpMembership, ...]) -> list[tuple[str, IdpMembership | None]]:
    """Return the user's groups that the app sends, or that the org or the configuration has."""
    sent = known.idp.deliveries
    names = set(map(base_name, _live(known))) | set(_live(known)) | set(_desired(known))
    return sorted(
        (group.name, group)
        for group in groups
        if group.name in names or (not isinstance(sent, NotRead) and group.id in sent)
    )


def _no_group(known: TraceInput, terms: Terms) -> TraceStep:
    unread = next((part for part in (known.idp.deliveries, known.mappings) if isinstance(part, NotRead)), None)
    if unread is not None:
        return _not_readable("membership", "which of the user's groups WRITER gets", unread)
    text = f"The user is in no group that {terms.name} sends to WRITER or that the configuration maps."
    action = f"Add the user to such a group in {terms.name}; without one they get default access (R7)"
    return _failed("membership", text, action)


def _steps_of(known: TraceInput, name: str, group: IdpMembership | None, terms: Terms) -> Iterator[TraceStep]:
    if group is None:
        text = f"The user is not a member in {terms.name}, directly or through another group."
        near = _near(known, name)
        yield _failed("membership", text, near or f"Add the user to {name} in {terms.name}", name)
    elif not group.direct:
        text = f"Member only through another group; {terms.name} sends direct members only (R29)."
        yield _failed("membership", text, f"Add the user to {name} directly", name)
    else:
        yield TraceStep("membership", "ok", f"Direct member in {terms.name}.", group=name)
    if group is not None:
        yield _push(known.idp, group, terms)
    if isinstance(known.org_user, Person) and group is not None and group.direct:
        yield _arrival(known, known.org_user, name, terms)
    yield _mapping(known, name, terms)


def _near(known: TraceInput, name: str) -> str | None:
    """Return what was probably meant by a name that no group has, as far as is known."""
    groups = known.idp.groups
    own = () if isinstance(groups, NotRead) else tuple(group.name for group in groups)
    names = {*own, *map(base_name, _live(known)), *_live(known), *_desired(known)}
    hint = None if name in names else did_you_mean(name, names)
    return hint and f"{hint[:1].upper()}{hint[1:]}"


def _push(idp: IdpTrace, group: IdpMembership, terms: Terms) -> TraceStep:
    deliveries, state = idp.deliveries, idp.provisioning
    if isinstance(deliveries, NotRead):
        return _not_readable("push", terms.whether_sent, deliveries, group.name)
    delivery = deliveries.get(group.id)
    if delivery is None and not isinstance(state, NotRead) and state.everything:
        return TraceStep("push", "ok", "Sent: the scope is all users and groups.", group=group.name)
    if delivery is None and idp.kind == "entra" and isinstance(state, NotRead):
        return _not_readable("push", "whether the scope is all users and groups", state, group.name)
    if delivery is None:
        return _failed("push", terms.not_sent, terms.send.format(group=group.name), group.name)
    return _delivered(delivery, group.name, terms)


def _delivered(delivery: GroupDelivery, name: str, terms: Terms) -> TraceStep:
    last = f"; last push {moment_words(delivery.at)}" if delivery.at else ""
    if delivery.off:
        return _failed("push", f"Group push is off{last}.", terms.activate_push.format(group=name), name)
    if delivery.error:
        text = f"The last push failed: {delivery.error.rstrip('.')}{last}."
        return _failed("push", text, terms.push_again.format(group=name), name)
    return TraceStep("push", "ok", f"{terms.sent}{last}.", group=name)


def _arrival(known: TraceInput, user: Person, name: str, terms: Terms) -> TraceStep:
    if _keys_of(name, user.groups, _live(known)):
        return TraceStep("arrival", "ok", "WRITER has the user in the group.", group=name)
    text = "WRITER does not have the user in the group."
    action = _once_read(terms, terms.push_again.format(group=name), known.idp.deliveries, known.idp.provisioning)
    return _failed("arrival", text, action, name)


def _mapping(known: TraceInput, name: str, terms: Terms) -> TraceStep:
    at = address("idp_groups", name)
    where, requested = known.desired.intent(at).source, _desired(known).get(name)
    if isinstance(known.mappings, NotRead):
        return _not_readable("mapping", "the mapping in WRITER", known.mappings, name)._replace(where=where)
    live = known.mappings
    keys = _keys_of(name, live, live)
    if not keys:
        action = _once_read(terms, terms.send.format(group=name), known.idp.deliveries)
        return _failed("mapping", f"WRITER does not have the group{known.observed}.", action, name)
    mapping = next((live[key] for key in keys if live[key] != BLANK), BLANK)
    if mapping != BLANK:
        return TraceStep("mapping", "ok", f"Mapped: {_gives(mapping)}{known.observed}.", None, name, where)
    if requested == BLANK:
        text = "Unmapped, as in the configuration: the group gives no access (R10)."
        return TraceStep("mapping", "ok", text, None, name, where)
    add = f"Map it: add idp_groups/{name} to the configuration"
    action = "Apply the configuration: rolecall plan" if requested else add
    text = "Unmapped in WRITER: the group gives no access, and its members may have default access (R10)."
    return _failed("mapping", text, action, name)._replace(where=where)


def _keys_of(name: str, keys: Iterable[str], live: Mappings) -> list[str]:
    """Return the keys of the groups with a name: those with an ID only where the org has no group of the name alone."""
    return [key for key in keys if key == name or (name not in live and base_name(key) == name)]


def _gives(mapping: GroupMapping) -> str:
    return f"{mapping.role or 'no role'} on {', '.join(sorted(mapping.teams)) or 'no team'}"


def _live(known: TraceInput) -> Mappings:
    return {} if isinstance(known.mappings, NotRead) else known.mappings


def _desired(known: TraceInput) -> Mappings:
    groups = known.desired.settings.idp_groups
    return {} if groups is UNSET else groups


def _failed(step: StepName, text: str, action: str, group: str | None = None) -> TraceStep:
    return TraceStep(step, "failed", text, action, group)


def _not_readable(step: StepName, subject: str, unread: NotRead, group: str | None = None) -> TraceStep:
    text = f"Could not read {subject}: {unread.problem.rstrip('.')}."
    action = unread.hint or "Try again later"
    action = f"{action[0].upper()}{action[1:]}"
    return TraceStep(step, "not_readable", text, action, group, cause=unread.problem.rstrip("."))
