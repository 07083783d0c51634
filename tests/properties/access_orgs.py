"""Random small orgs, with every kind of person, for the laws of access."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hypothesis import strategies as st

from rolecall.codec.people import decode_people, encode_person
from rolecall.model import normalise
from rolecall.model.directory import Directory, Person, Traits
from rolecall.model.live import Facts
from rolecall.model.policy import OrgRole, TeamRole
from rolecall.model.settings import UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso

TEAMS = ["Brand", "IT", "Legal", "Sales"]
GROUPS = ["G1", "G2", "G3", "G4", "G5"]
ROLES = ["member", "member", "team_admin", "org_admin", "editor", "viewer"]


class Org(NamedTuple):
    """Settings before and after, the facts before, and people."""

    before: Settings
    after: Settings
    facts: Facts
    directory: Directory

    @property
    def people(self) -> list[Person]:
        return [self.directory.person(number) for number in range(len(self.directory))]


team_sets = st.frozensets(st.sampled_from(TEAMS), max_size=3)
some_teams = st.frozensets(st.sampled_from(TEAMS), min_size=1, max_size=2)
mappings = st.builds(GroupMapping, st.sampled_from([None, *ROLES]), team_sets)
group_maps = st.dictionaries(st.sampled_from(GROUPS), mappings, max_size=5)
defaults = st.builds(Defaults, st.sampled_from(["member", "team_admin"]), some_teams)
scims = st.builds(
    Scim,
    enabled=st.sampled_from([True, True, True, False]),
    endpoint=st.sampled_from(["new", "new", "legacy", "upgrading"]),
    manual_editing=st.booleans(),
    role_attribute=st.sampled_from(["role", "title"]),
)
settings_of_an_org = st.builds(Settings, defaults=defaults, scim=scims, idp_groups=group_maps)
team_roles = st.builds(TeamRole, st.sampled_from(TEAMS), st.sampled_from(ROLES))
org_roles = st.sampled_from([None, None, None, *map(OrgRole, ("org_admin", "it_admin", "business_admin", "auditor"))])
traits = st.builds(
    Traits,
    st.sampled_from(["scim", "scim", "scim", "saml", "invite", "discovery"]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([None, None, "member", "admin", "boss"]),
    st.lists(team_roles, max_size=3).map(tuple),
    org_roles,
)
member_lists = st.lists(st.sampled_from([*GROUPS, "G9"]), max_size=4, unique=True).map(tuple)
facts_of_an_org = st.builds(
    lambda **parts: Facts(**parts),
    teams=st.one_of(st.none(), st.frozensets(st.sampled_from(TEAMS), min_size=2)),
    legacy_links=st.one_of(st.none(), st.dictionaries(st.sampled_from(GROUPS), some_teams, max_size=3)),
    kept=st.one_of(st.none(), settings_of_an_org),
)


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    drawn = draw(st.lists(st.tuples(member_lists, st.one_of(st.just(Traits()), traits)), max_size=6))
    people = [Person(f"p{n}@acme.com", f"u{n}", groups, held) for n, (groups, held) in enumerate(drawn)]
    return decode_people(map(encode_person, people), draw(st.permutations(GROUPS)))


@st.composite
def orgs(draw: st.DrawFn) -> Org:
    """An org and a change of it; most sections stay as they are."""
    before, other = draw(settings_of_an_org), draw(settings_of_an_org)
    moving = draw(st.frozensets(st.sampled_from(["defaults", "scim", "idp_groups"])))
    after = replace(before, **{section: getattr(other, section) for section in moving})
    return Org(before, after, draw(facts_of_an_org), draw(directories()))


def _maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    """The value, or UNSET: it was not read."""
    return st.one_of(strategy, strategy, st.just(UNSET))


_odd_defaults = st.builds(Defaults, _maybe(st.sampled_from(["member", "team_admin", "editor"])), _maybe(team_sets))
_odd_settings = st.builds(
    Settings,
    domains=_maybe(st.dictionaries(st.sampled_from(["acme.com", "acme.de"]), st.just(Domain(True, "immediate")))),
    defaults=_maybe(_odd_defaults),
    sso=_maybe(st.builds(Sso, _maybe(st.booleans()), allow_passwords=_maybe(st.booleans()))),
    scim=_maybe(
        st.builds(
            Scim,
            enabled=_maybe(st.booleans()),
            endpoint=_maybe(st.sampled_from(["new", "legacy", "upgrading"])),
            manual_editing=_maybe(st.booleans()),
            role_attribute=_maybe(st.just("role")),
        )
    ),
    idp_groups=_maybe(group_maps),
)
_odd_facts = st.builds(
    lambda **parts: Facts(**parts),
    teams=st.one_of(st.none(), st.frozensets(st.sampled_from(TEAMS))),
    legacy_links=st.one_of(st.none(), st.dictionaries(st.sampled_from(GROUPS), team_sets, max_size=3)),
    kept=st.one_of(st.none(), _odd_settings),
)
_odd_traits = st.builds(
    Traits,
    st.sampled_from(["scim", "saml", "invite", "discovery"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "", "member", "admin", "Admin", " admin", "boss"]),
    st.lists(st.builds(TeamRole, st.sampled_from([*TEAMS, "Gone"]), st.sampled_from(ROLES)), max_size=5).map(tuple),
    org_roles,
)
_odd_emails = st.sampled_from(["ann@acme.com", "ANN@Acme.com", "bo@acme.de", "straße@acme.com", "STRASSE@acme.com"])
_odd_people = st.lists(
    st.tuples(_odd_emails, st.lists(st.sampled_from([*GROUPS, "G9"]), max_size=4), _odd_traits),
    max_size=3,
    unique_by=lambda row: normalise.email(row[0]),
)


@st.composite
def odd_orgs(draw: st.DrawFn) -> Org:
    """What no org should hold and some read may give: sections or fields that say nothing, a default without a team,
    no team left, one group twice in a person's list."""
    people = [Person(email, f"u{n}", tuple(groups), held) for n, (email, groups, held) in enumerate(draw(_odd_people))]
    directory = decode_people(map(encode_person, people), draw(st.permutations(GROUPS)))
    return Org(draw(_odd_settings), draw(_odd_settings), draw(_odd_facts), directory)
