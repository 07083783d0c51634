"""List the preconditions of one write, by section: what the org rejects, given its settings at that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from rolecall.errors import did_you_mean, sentence
from rolecall.model.change import Change
from rolecall.model.kinds import BY_SECTION, field_address, overlay, split_address
from rolecall.model.live import Facts, Live
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso, Unset
from rolecall.plan.commands import new_plan
from rolecall.plan.headline import enumerate_words


class Moment(NamedTuple):
    """The org just before a step. ``live`` is what the plan was made from; it knows how complete each section is.

    ``teams`` are those that the org has; where they were not read, those that its settings name.
    """

    settings: Settings
    facts: Facts
    live: Live
    teams: frozenset[str]


def teams_of(live: Live) -> frozenset[str]:
    """Return the teams that the org has, as far as they were read."""
    if live.facts.teams is not None:
        return live.facts.teams
    defaults, mappings = live.settings.defaults, live.settings.idp_groups
    named = [] if mappings is UNSET else [mapping.teams for mapping in mappings.values()]
    if defaults is not UNSET and defaults.teams is not UNSET:
        named.append(defaults.teams)
    return frozenset().union(*named)


def _never(_change: Change) -> bool:
    return False


class Unmet(NamedTuple):
    """A precondition that a step does not meet. ``satisfied_by`` recognizes a change that would meet it."""

    message: str
    fix: str
    satisfied_by: Callable[[Change], bool] = _never


class Unread(NamedTuple):
    """A setting that a precondition depends on and that was not read."""

    name: str


Demands = Iterator[Unmet | Unread]

_MAX_TEAMS = BY_SECTION["idp_groups"].field("teams").max_items


def demands(change: Change, moment: Moment) -> Demands:
    """Yield the preconditions of a write that are not met at this moment."""
    if change.via == "api" and not _in_tier(change, moment.facts):
        yield Unmet("The org's plan does not include SCIM (R34).", "Contact WRITER about a plan with SCIM.")
    match change.after or change.before:
        case GroupMapping():
            if not _plain(change.after, moment):
                yield from _mapping(change, moment)
        case Defaults():
            yield from _defaults(change, moment)
        case Sso():
            yield from _sso(change, moment)
        case Scim():
            yield from _scim(change, moment)
        case Domain():
            yield from _domain(change, moment)
        case _:
            yield from _lengths(change)


def _in_tier(change: Change, facts: Facts) -> bool:
    feature = BY_SECTION[split_address(change.address)[0]].feature
    return feature is None or feature in facts.features


def _domain(change: Change, moment: Moment) -> Demands:
    """Yield what removing a domain needs: the last one stays while SSO is on (R33)."""
    domains = moment.settings.domains
    if change.action != "delete" or domains is UNSET or len(domains) > 1:
        return
    on = _enabled(moment.settings.sso)
    if on is UNSET:
        yield Unread("sso")
    elif on:
        name = split_address(change.address)[1]
        yield Unmet(
            f"{name} cannot be removed: it is the last claimed domain while SSO is on (R33).",
            "Claim another domain first, or set `sso.enabled: false` in the same plan.",
            lambda later: later.action == "create" or _switches(later, "sso", on=False),
        )


def _sso(change: Change, moment: Moment) -> Demands:
    """Yield what SSO needs: a domain and metadata to be on (R1, R33), SCIM off to be off (R33)."""
    before, after_values = moment.settings.sso, change.after
    if before is UNSET or not isinstance(after_values, Sso):
        return
    after = overlay(before, after_values)
    yield from _lengths(change)
    yield from _metadata(after_values)
    if after.enabled is True:
        if before.enabled is not True:
            yield from _ready_for_sso(after, moment)
        elif after_values.metadata is None:
            yield Unmet("sso.metadata cannot be removed while SSO is on (R33).", "Keep `sso.metadata`.")
    elif after.enabled is False:
        yield from _scim_is_off(moment)


def _metadata(sso: Sso) -> Demands:
    if not isinstance(sso.metadata, str):
        return
    if not sso.metadata:
        yield Unmet("sso.metadata is empty.", "Download the metadata XML from the IdP, or remove `sso.metadata`.")
        return
    from rolecall.codec.saml import NotMetadata, decode_metadata

    most = BY_SECTION["sso"].field("metadata").max_length
    if len(sso.metadata) > most:
        yield Unmet(f"sso.metadata has more than {most:,} characters.", "Download it again.")
    try:
        decode_metadata(sso.metadata)
    except NotMetadata as error:
        yield Unmet(f"sso.metadata {error}.", "Download the metadata XML from the IdP again.")


def _ready_for_sso(after: Sso, moment: Moment) -> Demands:
    domains = moment.settings.domains
    if not domains and moment.live.covered("domains").state != "complete":
        yield Unread("domains")
    elif not domains:
        yield Unmet(
            "SSO cannot be turned on: the org has no claimed domain (R1).",
            "Claim a domain first: add it to `domains`.",
            lambda later: later.action == "create",
        )
    if after.metadata is UNSET:
        yield Unread("sso.metadata")
    elif not after.metadata:
        yield Unmet(
            "SSO cannot be turned on: the org has no IdP metadata (R33).",
            "Download the metadata XML from the IdP and set `sso.metadata: {file: FILE}`.",
            lambda later: isinstance(later.after, Sso) and bool(later.after.metadata),
        )


def _scim_is_off(moment: Moment) -> Demands:
    on = _enabled(moment.settings.scim)
    if on is UNSET:
        yield Unread("scim")
    elif on:
        yield Unmet(
            "SSO cannot be off while SCIM is on (R33).",
            "Set `scim.enabled: false` in the same plan, or keep SSO on.",
            lambda later: _switches(later, "scim", on=False),
        )


def _scim(change: Change, moment: Moment) -> Demands:
    """Yield what SCIM needs: SSO to be on (R1), and to be on itself for each step of the upgrade (R20)."""
    before, requested = moment.settings.scim, change.after
    if before is UNSET or not isinstance(requested, Scim):
        return
    if change.action == "upgrade":
        expected = "legacy" if requested.endpoint == "upgrading" else "upgrading"
        if before.endpoint != expected:
            yield Unmet(f"The endpoint is `{_text(before.endpoint)}`, not `{expected}` (R20).", sentence(new_plan()))
        elif before.enabled is UNSET:
            yield Unread("scim.enabled")
        elif before.enabled is False:
            yield UPGRADE_WITHOUT_SCIM
        return
    yield from _lengths(change)
    after, sso = overlay(before, requested), _enabled(moment.settings.sso)
    if after.enabled is False or sso is True:
        return
    if sso is UNSET or after.enabled is UNSET:
        yield Unread("sso" if sso is UNSET else "scim.enabled")
        return
    what = "SCIM settings cannot be changed" if before.enabled else "SCIM cannot be turned on"
    yield Unmet(
        f"{what} while SSO is off (R1).",
        "Set `sso.enabled: true` in the same plan, or `scim.enabled: false`.",
        lambda later: _switches(later, "sso", on=True),
    )


UPGRADE_WITHOUT_SCIM = Unmet(
    "The endpoint cannot be upgraded while SCIM is off (R20).",
    "Set `scim.enabled: true` until the upgrade is completed, or remove `scim.endpoint`.",
    lambda later: _switches(later, "scim", on=True),
)
"""The precondition of both steps of the upgrade: with SCIM off, no group could be pushed again."""


def _defaults(change: Change, moment: Moment) -> Demands:
    """Yield what default access needs: a role other than org admin on at least one existing team (R2, R3, R4)."""
    requested = change.after
    if not isinstance(requested, Defaults):
        return
    if requested.role == ORG_ADMIN:
        yield Unmet("The default role cannot be org admin (R3).", "Use `member` or `team_admin`.")
    if isinstance(requested.role, str):
        yield from _role(requested.role, moment.facts)
    if requested.teams is not UNSET:
        if not requested.teams:
            yield Unmet("Default access needs at least one team (R2).", "Add a team to `defaults.teams`.")
        yield from _teams(requested.teams, change, moment)


def _plain(requested: object, moment: Moment) -> bool:
    """Return whether a mapping meets every precondition, as nearly all of thousands do."""
    scim, facts = moment.settings.scim, moment.facts
    ready = scim is not UNSET and scim.endpoint in ("new", "upgrading")
    if not isinstance(requested, GroupMapping):
        return ready
    named = requested.role is None or requested.role in facts.roles
    known = requested.teams <= moment.teams and len(requested.teams) <= _MAX_TEAMS
    return ready and named and known and bool(requested.teams)


def _mapping(change: Change, moment: Moment) -> Demands:
    """Yield what a mapping needs: the new endpoint (R18), at least one team (R4, R21), names that exist (R4)."""
    requested, scim = change.after, moment.settings.scim
    if scim is not UNSET and scim.endpoint == "legacy":
        yield Unmet("IdP groups cannot be mapped on the legacy endpoint (R18).", "Upgrade the endpoint first (R20).")
    elif change.via == "api" and (scim is UNSET or scim.endpoint is UNSET):
        yield Unread("scim")
    if not isinstance(requested, GroupMapping) or requested.blank:
        return
    if not requested.teams:
        yield Unmet("A mapping needs at least one team (R4, R21).", "Add a team to the mapping.")
    if requested.role is not None:
        yield from _role(requested.role, moment.facts)
    yield from _teams(requested.teams, change, moment)


def _role(role: str, facts: Facts) -> Demands:
    if role not in facts.roles:
        yield Unmet(f"The org has no role `{role}`.", _near(role, facts.roles))


def _teams(teams: frozenset[str], change: Change, moment: Moment) -> Demands:
    if len(teams) > _MAX_TEAMS:
        yield Unmet(
            f"The mapping has {len(teams):,} teams; the org accepts up to {_MAX_TEAMS:,}.", "Remove some of its teams."
        )
    unknown = sorted(teams - moment.teams)
    if unknown and moment.facts.teams is None:
        if change.via == "api":
            yield Unread("teams")
    elif unknown:
        names = enumerate_words([f"`{team}`" for team in unknown], 5)
        yield Unmet(f"The org has no team {names} (R4).", _near(unknown[0], moment.teams))


def _lengths(change: Change) -> Demands:
    """Yield what the texts that a change writes need: a length within limits, and no control character."""
    section = split_address(change.address)[0]
    for field in BY_SECTION[section].fields:
        text = getattr(change.after, field.name, UNSET) if field.type == "text" and field.written else UNSET
        if not isinstance(text, str):
            continue
        name = field_address(section, field.name)
        if len(text) < field.min_length:
            examples = f", such as {' or '.join(field.examples)}" if field.examples else ""
            yield Unmet(f"{name} is empty.", f"Set it to the {field.title[0].lower()}{field.title[1:]}{examples}.")
        if len(text) > field.max_length:
            most = f"the org accepts up to {field.max_length:,}"
            yield Unmet(f"{name} has {len(text):,} characters; {most}.", "Use a shorter text.")
        if any(not char.isprintable() and ord(char) < 0xA0 for char in text):
            yield Unmet(f"{name} contains a control character.", "Remove the line break or other control character.")


def _near(name: str, known: Iterator[str] | Mapping[str, object] | frozenset[str]) -> str:
    near = did_you_mean(name, known)
    return f"{near[0].upper()}{near[1:]}" if near else "Use a name that exists in the org."


def _enabled(value: Sso | Scim | Unset) -> bool | Unset:
    return UNSET if value is UNSET else value.enabled


def _switches(change: Change, section: str, *, on: bool) -> bool:
    return change.address == section and isinstance(change.after, Sso | Scim) and change.after.enabled is on


def _text(value: str | Unset) -> str:
    return "not read" if value is UNSET else value
