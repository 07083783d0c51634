"""Evaluate the rules for one user in team roles, with every reason and every source without effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rolecall.access import policy
from rolecall.access.entitlements import rank
from rolecall.access.rules import Baseline, Rules
from rolecall.model.directory import Person, Traits
from rolecall.model.policy import OrgRole, TeamRole
from rolecall.model.roles import MEMBER, ORG_ADMIN
from rolecall.model.settings import UNSET


class Reason(NamedTuple):
    """A source of a team role: ``default``, ``saml``, ``invite``, ``group:NAME``, ``manual``, ``attribute``.

    ``role`` is what the source by itself gives in that team, ``rule`` the rule by which it counts, such as ``R8``.
    """

    source: str
    role: str
    rule: str


class Granted(NamedTuple):
    """A team role of a user. ``reasons``: the winner first, ties by name, then who gave a lower role (R9, R32)."""

    team: str
    role: str
    reasons: tuple[Reason, ...]

    @property
    def team_role(self) -> TeamRole:
        return TeamRole(self.team, self.role)


class Silent(NamedTuple):
    """Something that could have given access and did not: its source, what it would give, and the rule against it.

    ``team_role`` is None for a source that gives nothing: an unmapped group, an inactive user.
    """

    source: str
    rule: str
    team_role: TeamRole | None = None


class Access(NamedTuple):
    """The access of a user: team roles sorted by team, then role. ``silent`` are the sources that gave nothing.

    ``org_role`` is the role at org level that the org states, next to the team roles (R36).
    """

    team_roles: tuple[Granted, ...] = ()
    silent: tuple[Silent, ...] = ()
    org_role: OrgRole | None = None

    @property
    def org_admin(self) -> bool:
        """Return whether the user is org admin of the org, by a team role (R21) or at org level (R36)."""
        if self.org_role is not None and self.org_role.role == ORG_ADMIN:
            return True
        return any(granted.role == ORG_ADMIN for granted in self.team_roles)

    @property
    def roles(self) -> frozenset[TeamRole]:
        """Return the team roles, and the role at org level as a role without a team."""
        return self.pairs if self.org_role is None else self.pairs | {TeamRole("", self.org_role.role)}

    @property
    def pairs(self) -> frozenset[TeamRole]:
        """Return the team roles alone."""
        return frozenset(granted.team_role for granted in self.team_roles)


ORG_LEVEL = "org_role"
"""The source of a role at org level: the org states it, and no setting gives it (R36)."""


class _Grant(NamedTuple):
    team_role: TeamRole
    source: str
    rule: str


def effective(rules: Rules, person: Person) -> Access:
    """Return all access of a user under these rules, each team role with its reasons (R4 to R26, R31 to R33, R36)."""
    traits = person.traits
    if not traits.active:
        return Access(silent=(Silent("person", "R23"),))
    if traits.pending:
        return Access(silent=(Silent("person", "R26"),))
    silent: list[Silent] = []
    grants = _scim(rules, person, silent) if traits.origin == "scim" else _uninvited_by_idp(rules, traits, silent)
    return Access(tuple(_settle(grants)), tuple(silent), traits.org_role)


def _uninvited_by_idp(rules: Rules, traits: Traits, silent: list[Silent]) -> list[_Grant]:
    """Return the access of SAML, discovery and invited users: manual team roles, else the default (R4, R5, R6, R26)."""
    rule = "R6" if traits.origin == "invite" else "R5"
    source = "invite" if traits.origin == "invite" else "manual"
    manual = _existing(rules, traits.manual, source, silent)
    if manual:
        silent += (Silent("default", rule, team_role) for team_role in rules.default)
        return [_Grant(team_role, source, rule) for team_role in manual]
    source = "saml" if traits.origin == "saml" else "default"
    rule = {"saml": "R5", "discovery": "R7"}.get(traits.origin, "R4")
    return [_Grant(team_role, source, rule) for team_role in rules.default]


def _scim(rules: Rules, person: Person, silent: list[Silent]) -> list[_Grant]:
    """Return the access of SCIM users: from groups or default access, with manual edits as the toggle allows (R7 to
    R18)."""
    base, traits = rules.scim, person.traits
    firm = list(_from_groups(rules, person.groups, silent))
    default = [_Grant(team_role, "default", "R18" if base.endpoint == "legacy" else "R7") for team_role in base.default]
    if base.endpoint == "legacy":
        firm += _from_attribute(traits, [*firm, *default], silent)
    elif firm:
        silent += (Silent("default", "R8", grant.team_role) for grant in default)
        default = []
    if base.endpoint == "new" and traits.role_attribute:
        silent.append(Silent("attribute", "R19"))
    return _with_edits(rules, base, firm, default, traits, silent)


def _from_groups(rules: Rules, groups: Iterable[str], silent: list[Silent]) -> Iterator[_Grant]:
    rule = "R18" if rules.scim.endpoint == "legacy" else "R8"
    mapped = rules.settings.idp_groups
    for name in sorted(set(groups)):
        team_roles = rules.scim.groups.get(name, ())
        yield from (_Grant(team_role, f"group:{name}", rule) for team_role in team_roles)
        if not team_roles:
            named = None if mapped is UNSET else mapped.get(name)
            silent.append(Silent(f"group:{name}", "R10" if named is None or named.blank else "R25"))


def _from_attribute(traits: Traits, baseline: Sequence[_Grant], silent: list[Silent]) -> list[_Grant]:
    """Return what the role attribute gives (R18): ``admin`` is org admin over the teams of the baseline."""
    attribute = traits.role_attribute
    if attribute == "admin":
        teams = sorted({grant.team_role.team for grant in baseline})
        return [_Grant(TeamRole(team, ORG_ADMIN), "attribute", "R18") for team in teams]
    if attribute not in (None, "", MEMBER):
        silent.append(Silent("attribute", "R18"))
    return []


def _with_edits(
    rules: Rules, base: Baseline, firm: list[_Grant], default: list[_Grant], traits: Traits, silent: list[Silent]
) -> list[_Grant]:
    if not base.editing:
        silent += (Silent("manual", "R14", team_role) for team_role in traits.manual)
        return firm + default
    edits = _existing(rules, traits.manual, "manual", silent)
    granted = {grant.team_role for grant in firm}
    teams = {team_role.team for team_role in granted}
    counted = [edit for edit in edits if policy.edit_counts(edit, granted)]
    silent += (Silent("manual", "R15", edit) for edit in edits if edit not in counted)
    remaining = []
    for grant in default:
        if grant.team_role.team in teams or not policy.replaces_default(counted, grant.team_role.team):
            remaining.append(grant)
        else:
            silent.append(Silent("default", "R16", grant.team_role))
    rule = "R15" if firm else "R16"
    return firm + remaining + [_Grant(edit, "manual", rule) for edit in counted]


def _existing(rules: Rules, edits: Iterable[TeamRole], source: str, silent: list[Silent]) -> list[TeamRole]:
    silent += (Silent(source, "R25", edit) for edit in edits if not rules.exists(edit))
    return [edit for edit in edits if rules.exists(edit)]


def _settle(grants: Iterable[_Grant]) -> Iterator[Granted]:
    """Return the highest ranked role of each team, and every custom role (R9, R32)."""
    by_team: dict[str, list[_Grant]] = {}
    for grant in grants:
        by_team.setdefault(grant.team_role.team, []).append(grant)
    for team in sorted(by_team):
        yield from sorted(_settle_team(team, by_team[team]))


def _settle_team(team: str, grants: Sequence[_Grant]) -> Iterator[Granted]:
    roles: dict[str, list[_Grant]] = {}
    for grant in grants:
        roles.setdefault("" if rank(grant.team_role.role) else grant.team_role.role, []).append(grant)
    for rivals in roles.values():
        ordered = sorted(set(rivals), key=lambda grant: (-rank(grant.team_role.role), grant.source))
        reasons = tuple(Reason(grant.source, grant.team_role.role, grant.rule) for grant in ordered)
        yield Granted(team, reasons[0].role, reasons)
