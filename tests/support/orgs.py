"""Random orgs and configs, small enough to collide often: what the laws of the planner are tried on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from rolecall.model.change import Change
from rolecall.model.desired import Desired, Intent
from rolecall.model.kinds import address, split_address
from rolecall.model.live import Caller, Facts, Group, Live
from rolecall.model.policy import Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from rolecall.plan.inputs import PlanInput
from rolecall.plan.value import OrgRef, Selection

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEAMS = ("Everyone", "Marketing", "Legal", "IT")
GROUPS = ("Admins", "Brand", "Café", "a/b", "no")
DOMAINS = ("acme.com", "acme.co.uk", "acme.io")
EVERYTHING = frozenset(
    {f"{section}.update" for section in ("domains", "defaults", "sso", "scim", "idp_groups")}
    | {"domains.create", "domains.delete", "scim.upgrade", "people.search"}
)
ORG = OrgRef("acme", "org_1", "local:org.db", local=True)

booleans = st.booleans()
teams = st.frozensets(st.sampled_from(TEAMS), min_size=1, max_size=3)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    """The value, or UNSET: this field is not managed."""
    return st.one_of(st.just(UNSET), strategy)


mappings = st.one_of(
    st.just(BLANK),
    st.builds(GroupMapping, st.sampled_from(["member", "team_admin", "org_admin", "auditor", None]), teams),
)
live_domains = st.builds(Domain, booleans, st.sampled_from(["immediate", "approval"]))
wanted_domains = st.builds(Domain, maybe(booleans), maybe(st.sampled_from(["immediate", "approval"])))


def settings(of, domain=wanted_domains, group_keys=GROUPS) -> st.SearchStrategy[Settings]:
    """Settings whose fields are drawn through ``of`` (``maybe`` for a config, the identity for an org)."""
    text = st.sampled_from(["Okta", "Entra"])
    return st.builds(
        Settings,
        domains=of(st.dictionaries(st.sampled_from(DOMAINS), domain)),
        defaults=of(st.builds(Defaults, of(st.sampled_from(["member", "team_admin"])), of(teams))),
        sso=of(st.builds(Sso, of(booleans), of(text), of(text), of(booleans), of(booleans), of(st.just("<md/>")))),
        scim=of(st.builds(Scim, of(booleans), of(text), of(st.just("new")), of(booleans))),
        idp_groups=of(st.dictionaries(st.sampled_from(group_keys), mappings)),
    )


@st.composite
def lives(draw: st.DrawFn) -> Live:
    """A whole org on the new endpoint, read completely, whose caller may do anything."""
    held = draw(settings(lambda strategy: strategy, live_domains))
    groups = {key: Group(f"id-{key}") for key in held.idp_groups}
    facts = Facts(
        org_id="org_1",
        org_name="acme",
        teams=frozenset(TEAMS),
        groups=groups,
        caller=Caller("ann@acme.com"),
        can=EVERYTHING,
    )
    return Live(held, facts=facts)


@st.composite
def desireds(draw: st.DrawFn) -> Desired:
    """A config: any section or field may be left out; both ways to manage; ids, former names and expiries."""
    wanted = draw(settings(maybe))
    manage = draw(
        st.dictionaries(st.sampled_from(["domains", "idp_groups"]), st.sampled_from(["additive", "authoritative"]))
    )
    said = {}
    for key in () if wanted.idp_groups is UNSET else wanted.idp_groups:
        said[address("idp_groups", key)] = Intent(
            previously=draw(st.sampled_from([(), ("Admins",), ("Brand",)])),
            expires=draw(st.sampled_from([None, None, date(2026, 1, 1), date(2027, 1, 1)])),
            id=draw(st.sampled_from([None, None, f"id-{key}"])),
        )
    intents = {at: intent for at, intent in said.items() if intent != Intent()}
    return Desired(wanted, intents, Policy(manage=manage))


def question(desired: Desired, live: Live, **more: object) -> PlanInput:
    """The question a plan answers, on a fixed day. Fields of its selection may be given by their names."""
    return PlanInput(desired, live, ORG, NOW, TODAY)._replace(**with_selection(more))


def with_selection(more: dict[str, object]) -> dict[str, object]:
    """Arguments with those of a selection put into one."""
    cut = {name: more.pop(name) for name in Selection._fields if name in more}
    return {**more, "selection": Selection(**cut)} if cut else more


def carry_out(live: Live, changes: tuple[Change, ...]) -> Live:
    """The org after the changes, written the way the contract writes: only the fields a change speaks about."""
    held = live.settings
    for change in changes:
        held = _write(held, change)
    return replace(live, settings=held)


def _write(held: Settings, change: Change) -> Settings:
    section, key = split_address(change.address)
    if key is None:
        return replace(held, **{section: _merged(getattr(held, section), change.after)})
    entries = dict(getattr(held, section))
    if section == "idp_groups":
        entries[key] = change.after or BLANK
    elif change.after is None:
        del entries[key]
    else:
        blank = Domain(discoverable=False, join="approval")
        entries[key] = _merged(entries.get(key, blank), change.after)
    return replace(held, **{section: entries})


def _merged(held, after):
    said = {name: getattr(after, name) for name in after.__slots__ if getattr(after, name) is not UNSET}
    return replace(held, **said)
