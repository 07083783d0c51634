"""A plan without a block, applied at once with the token of a user who may make it, is never refused by the org."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from saml import METADATA, OTHER

from rolecall.codec.people import decode_people
from rolecall.jobs.apply import ApplyRequest, apply_approved
from rolecall.jobs.plan import PlanRequest, PlanTarget, from_plan, make_plan
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder, Journal
from rolecall.live.client import OrgClient
from rolecall.live.embedded import EmbeddedTransport
from rolecall.live.http.transport import Answer, Request
from rolecall.localorg.load import load
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database
from rolecall.model.desired import Desired, Intent
from rolecall.model.live import Facts, Group, Live
from rolecall.model.policy import Allow, Guards, Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from rolecall.plan.guards.evaluate import GUARDS
from rolecall.plan.value import Plan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEAMS = ("Everyone", "Marketing", "IT")
GROUPS = ("Admins", "Brand", "Legal")
DOMAINS = ("acme.com", "acme.io", "acme.de")
LIFTS = tuple(Allow(name, None, 9999, None, "law") for name in GUARDS)
TOLERATED = {"busy", "stale", "not_org_admin"}
"""Not the plan's fault: ``not_org_admin`` is what a user gets who has made their last change."""

ANN = {"email": "ann@acme.com", "groups": ["Admins"], "role_attribute": "admin"}
PEOPLE = [
    {"email": "bo@acme.com", "groups": ["Brand"]},
    {"email": "cy@acme.io", "groups": ["Brand", "Legal"], "manual": [{"team": "IT", "role": "team_admin"}]},
    {"email": "di@acme.io", "origin": "saml"},
]


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    """The value, or now and then UNSET."""
    return st.one_of(st.just(UNSET), strategy, strategy)


booleans = st.booleans()
teams = st.frozensets(st.sampled_from(TEAMS), min_size=1)
mappings = st.one_of(st.just(BLANK), st.builds(GroupMapping, st.sampled_from(["member", "org_admin", None]), teams))
domains = st.dictionaries(st.sampled_from(DOMAINS), st.builds(Domain, booleans, st.just("approval")))

orgs = st.builds(
    Settings,
    domains=domains,
    defaults=st.builds(Defaults, st.sampled_from(["member", "team_admin"]), teams),
    sso=st.builds(
        Sso, booleans, st.just("Okta"), st.just("okta"), booleans, booleans, st.sampled_from([None, METADATA])
    ),
    scim=st.builds(Scim, booleans, st.just("okta"), st.sampled_from(["new", "new", "upgrading", "legacy"]), booleans),
    idp_groups=st.fixed_dictionaries({"Admins": st.just(GroupMapping("org_admin", frozenset({"IT"})))}, optional={
        "Brand": mappings, "Legal": mappings,
    }),
)  # fmt: skip
"""Orgs, those that no console could bring about too: SCIM on without SSO, SSO on without a domain or metadata."""


def consistent(held: Settings) -> Settings:
    """The org as a console could have brought it about (R1, R33)."""
    assert isinstance(held.sso, Sso)
    assert isinstance(held.scim, Scim)
    sso = replace(held.sso, metadata=METADATA) if held.sso.enabled else held.sso
    scim = held.scim if sso.enabled else replace(held.scim, enabled=False)
    domains = held.domains or ({"acme.com": Domain(True, "approval")} if sso.enabled else {})
    return replace(held, domains=domains, sso=sso, scim=scim)


def configs(*, odd: bool) -> st.SearchStrategy[Settings]:
    """Configs; ``odd`` ones also name what the org does not have, does not take, or never goes back to."""

    def also(words: list[object], *more: object) -> st.SearchStrategy:
        return maybe(st.sampled_from([*words, *(more if odd else ())]))

    some_teams = st.frozensets(st.sampled_from((*TEAMS, *TEAMS, "Nowhere")), max_size=3) if odd else teams
    mapped = st.builds(
        GroupMapping,
        st.sampled_from(["member", "team_admin", "org_admin", None, *(["auditor"] if odd else [])]),
        some_teams,
    )
    domains = st.dictionaries(st.sampled_from(DOMAINS), st.builds(Domain, maybe(booleans)))
    role = also(["member", "team_admin"], "org_admin", "auditor")
    metadata = also([METADATA, OTHER], None, "", "<html>404</html>")
    name, idp = also(["Okta", "Entra"], "", "x" * 201, "a\nb"), also(["okta", "entra"], "", "x" * 101)
    sso = st.builds(Sso, maybe(booleans), name, idp, st.just(UNSET), maybe(booleans), metadata)
    endpoint = also(["new"], "legacy")
    scim = st.builds(Scim, maybe(booleans), idp, endpoint, maybe(booleans))
    groups = st.dictionaries(st.sampled_from((*GROUPS, "Not pushed")), st.one_of(st.just(BLANK), mapped))
    defaults = st.builds(Defaults, role, maybe(some_teams))
    return st.builds(Settings, maybe(domains), maybe(defaults), maybe(sso), maybe(scim), maybe(groups))


class Refused(NamedTuple):
    """An answer of the org that is not 2xx."""

    status: int
    keys: frozenset[str]
    asked: str


class Watched(EmbeddedTransport):
    """The embedded org; keeps each write that it refused."""

    def __init__(self, where: Path, secret: str | None) -> None:
        super().__init__(where, (lambda: secret) if secret else None)
        self.refused: list[Refused] = []

    async def send(self, request: Request) -> Answer:
        answer = await super().send(request)
        if request.method != "GET" and answer.status >= 400:
            keys = frozenset(error["key"] for error in json.loads(answer.body)["errors"])
            self.refused.append(Refused(answer.status, keys, str(request)))
        return answer


class Bench:
    """One database, filled anew for each example, and Ann's token."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = open_database(folder / "org.db")
        self._rounds = 0
        self.fill(Settings(), manual_admin=False)
        self.token = make_token(self._database, "admin", email="ann@acme.com").secret

    def fill(self, held: Settings, *, manual_admin: bool) -> None:
        """An org with these settings. Ann is org admin: by group and attribute, or by hand and without the IdP."""
        by_hand = {"email": "ann@acme.com", "origin": "saml", "manual": [{"team": "IT", "role": "org_admin"}]}
        people = [by_hand if manual_admin else ANN, *PEOPLE]
        groups = {key: Group(f"id-{key}") for key in GROUPS}
        facts = Facts(org_id="org_1", org_name="acme", teams=frozenset(TEAMS), groups=groups)
        load(self._database, Live(held, facts=facts), decode_people(people, {}))
        self._rounds += 1

    def journal(self) -> Journal:
        return open_journal(f"sqlite:journal-{self._rounds}.db", self.folder, clock=lambda: NOW)

    def close(self) -> None:
        self._database.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    found = Bench(tmp_path_factory.mktemp("law"))
    yield found
    found.close()


@st.composite
def desireds(draw: st.DrawFn) -> Desired:
    wanted = draw(configs(odd=draw(booleans)))
    manage = draw(st.dictionaries(st.sampled_from(["domains", "idp_groups"]), st.just("authoritative")))
    intents = {f"domains/{name}": Intent(remove=True) for name in draw(st.sets(st.sampled_from(DOMAINS), max_size=2))}
    policy = Policy(manage=manage, guards=Guards(require_self=draw(booleans)))
    return Desired(wanted, intents if wanted.domains is not UNSET else {}, policy)


async def _applied(bench: Bench, desired: Desired, secret: str | None) -> tuple[Plan, list[Refused]]:
    transport = Watched(bench.folder / "org.db", secret)
    org, journal = OrgClient(transport), bench.journal()
    try:
        wanted = PlanTarget(desired, "acme", "local:org.db")
        request = PlanRequest(wanted, org, org, NOW, date(2026, 11, 22), applied=journal.applied, lifts=LIFTS)
        made = (await make_plan(request)).plan
        if made.errored or not made.writes or made.verdict in ("block", "not judged"):
            return made, []
        await apply_approved(
            ApplyRequest(
                approved=made,
                target=from_plan(made),
                org=org,
                people=org,
                journal=journal,
                holder=Holder("law"),
                now=lambda: NOW,
            )
        )
        return made, transport.refused
    finally:
        await org.close()
        journal.close()


@given(st.one_of(orgs, orgs.map(consistent), orgs.map(consistent)), desireds(), booleans, booleans)
@settings(max_examples=max(120, settings().max_examples))
def test_a_plan_without_a_block_is_never_refused(bench, held, desired, as_ann, manual_admin):
    bench.fill(held, manual_admin=manual_admin)
    made, refused = asyncio.run(_applied(bench, desired, bench.token if as_ann else None))
    blocked = {result.name for result in made.guards if result.verdict in ("block", "not judged")}
    for change in made.writes if not blocked else ():
        event(f"writes {change.address} {change.action}")
    event("blocked by preconditions" if "preconditions" in blocked else f"blocked: {bool(blocked)}")
    faults = [answer for answer in refused if not answer.keys & TOLERATED]
    assert not faults, (faults, made.changes)
