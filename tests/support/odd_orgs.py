"""Random orgs with every kind of odd name, for what writes files about them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from rolecall.model import normalise
from rolecall.model.live import Coverage, Facts, Group, Live
from rolecall.model.roles import BUILT_IN, Role
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from support.saml import METADATA, OTHER

ODD = [
    "no", "yes", "null", "~", "true", "010", "1e3", "0x1F", "1:20", "2026-11-22", "<<", "=", "-", "- a",
    "? a", "!tag", "&anchor", "*alias", "#no comment", "a #b", "a: b", "a:", "{a}", "[a]", "a, b", "'quoted'",
    '"', "\\", "\\n", "%YAML", "@at", "`tick`", "|", ">", "...", "---", "Café", "Cafe\u0301", "日本語",
    "👩‍💻 devs", "\u202eevil", "a\u00a0b", "\ufeffbom", "a\u2028b", "a\u0085b", "tab\there", "line\nend",
    "a/b", "idp_groups/x", "Sales [g-17]", "x" * 300, "\u200b", "é\ud7ff",
]  # fmt: skip
"""Names that YAML, Unicode, terminals or our own addresses might trip over."""

texts = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.sampled_from(["Admins", "Brand", "Legal"]),
)
names = texts.map(normalise.name).filter(bool)
teams = st.frozensets(names, min_size=1, max_size=3)
roles = st.sampled_from(["member", "team_admin", "org_admin", "auditor", "no", "Member", None])
mappings = st.one_of(st.just(BLANK), st.builds(GroupMapping, roles, st.one_of(st.just(frozenset()), teams)))
domains = st.builds(Domain, st.booleans(), st.sampled_from(["immediate", "approval"]))
domain_names = st.sampled_from(["acme.com", "xn--bcher-kva.example", "a-b.co.uk", "no.no", "1.io"])


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(st.just(UNSET), strategy)


unusable = texts.map(lambda text: normalise.metadata(f"<md>{text}</md>"))
"""Text that an org holds as metadata, and a config may not have."""

sections = st.builds(
    Settings,
    domains=maybe(st.dictionaries(domain_names, domains)),
    defaults=maybe(st.builds(Defaults, maybe(st.sampled_from(["member", "team_admin", "no"])), maybe(teams))),
    sso=maybe(
        st.builds(
            Sso,
            maybe(st.booleans()),
            maybe(st.one_of(texts, st.just(""))),
            maybe(texts),
            maybe(st.booleans()),
            maybe(st.booleans()),
            maybe(st.one_of(st.none(), st.just(""), st.sampled_from([METADATA, OTHER]), unusable)),
        )
    ),
    scim=maybe(
        st.builds(
            Scim,
            maybe(st.booleans()),
            maybe(texts),
            maybe(st.sampled_from(["legacy", "upgrading", "new", "new"])),
            maybe(st.booleans()),
        )
    ),
    idp_groups=maybe(st.dictionaries(names, mappings, max_size=6)),
)


@st.composite
def odd_lives(draw: st.DrawFn) -> Live:
    """An org as some reader may have read it: sections unread or partial, teams that are gone, ids that are shared."""
    held = draw(sections)
    groups = {} if held.idp_groups is UNSET else held.idp_groups
    used = {team for mapping in groups.values() for team in mapping.teams}
    used |= set() if held.defaults is UNSET or held.defaults.teams is UNSET else held.defaults.teams
    known = draw(st.one_of(st.none(), st.just(frozenset(used)), st.just(frozenset(sorted(used)[:-1]))))
    ids = st.one_of(
        st.just(""), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), st.just("g")
    )
    facts = Facts(
        org_id=draw(texts),
        org_name=draw(texts),
        teams=known,
        roles={**BUILT_IN, **{one: Role(one, one) for one in ("auditor", "no")}},
        groups={key: Group(draw(ids)) for key in groups},
        observed=draw(st.booleans()),
    )
    partial = draw(
        st.sampled_from([{}, {"domains": Coverage("partial")}, {"idp_groups": Coverage("partial", problem="x\ny")}])
    )
    return replace(Live(held, facts=facts), coverage=partial)
