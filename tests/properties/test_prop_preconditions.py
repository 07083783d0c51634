"""A plan without a block, applied at once with the token of a user who may make it, is never refused by the org."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from hypothesis import event, given, settings
from hypothesis import strategies as st
from saml import METADATA, OTHER

from rolecall.codec.people import decode_people
from rolecall.jobs.apply import ApplyRequest, apply
from rolecall.jobs.plan import PlanRequest, Wanted, from_plan, plan
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder
from rolecall.live.client import OrgClient
from rolecall.live.embedded import EmbeddedTransport
from rolecall.live.transport import Answer, Request
from rolecall.localorg.load import load
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database
from rolecall.model.desired import Desired, Intent
from rolecall.model.live import Facts, Group, Live
from rolecall.model.policy import Allow, Guards, Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from rolecall.plan.guards import GUARDS
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
odd_teams = st.frozensets(st.sampled_from((*TEAMS, *TEAMS, "Nowhere")), max_size=3)
roles = st.sampled_from(["member", "team_admin", "org_admin", "auditor", None])
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

metadata = st.sampled_from([METADATA, METADATA, OTHER, None, "", "<html>404</html>"])
names = st.sampled_from(["Okta", "Okta", "Entra", "", "x" * 201, "a\nb"])
idps = st.sampled_from(["okta", "okta", "entra", "", "x" * 101])
configs = st.builds(
    Settings,
    domains=maybe(st.dictionaries(st.sampled_from(DOMAINS), st.builds(Domain, maybe(booleans)))),
    defaults=maybe(
        st.builds(Defaults, maybe(st.sampled_from(["member", "team_admin", "org_admin", "auditor"])), maybe(odd_teams))
    ),
    sso=maybe(
        st.builds(Sso, maybe(booleans), maybe(names), maybe(idps), st.just(UNSET), maybe(booleans), maybe(metadata))
    ),
    scim=maybe(
        st.builds(Scim, maybe(booleans), maybe(idps), maybe(st.sampled_from(["new", "legacy"])), maybe(booleans))
    ),
    idp_groups=maybe(
        st.dictionaries(
            st.sampled_from((*GROUPS, "Not pushed")),
            st.one_of(st.just(BLANK), st.builds(GroupMapping, roles, odd_teams)),
        )
    ),
)


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


@contextmanager
def local_org(held: Settings, manual_admin: bool) -> Iterator[Path]:
    """A local org with these settings, in which Ann is org admin whatever they are if ``manual_admin``."""
    folder = Path(tempfile.mkdtemp())
    admin = {**ANN, "manual": [{"team": "IT", "role": "org_admin"}]} if manual_admin else ANN
    saml = {"email": "ann@acme.com", "origin": "saml", "manual": admin.get("manual", [])}
    people = [saml if manual_admin else admin, *PEOPLE]
    groups = {key: Group(f"id-{key}") for key in GROUPS}
    database = open_database(folder / "org.db")
    try:
        facts = Facts(org_id="org_1", org_name="acme", teams=frozenset(TEAMS), groups=groups)
        load(database, Live(held, facts=facts), decode_people(people, {}))
        yield folder
    finally:
        database.close()
        shutil.rmtree(folder)


def token(folder: Path, email: str | None) -> str | None:
    database = open_database(folder / "org.db")
    try:
        return make_token(database, "admin", email=email).secret if email else None
    finally:
        database.close()


@st.composite
def desireds(draw: st.DrawFn) -> Desired:
    wanted = draw(configs)
    manage = draw(st.dictionaries(st.sampled_from(["domains", "idp_groups"]), st.just("authoritative")))
    intents = {f"domains/{name}": Intent(remove=True) for name in draw(st.sets(st.sampled_from(DOMAINS), max_size=2))}
    policy = Policy(manage=manage, guards=Guards(require_self=draw(booleans)))
    return Desired(wanted, intents if wanted.domains is not UNSET else {}, policy)


async def _applied(folder: Path, desired: Desired, secret: str | None) -> tuple[Plan, list[Refused]]:
    transport = Watched(folder / "org.db", secret)
    org = OrgClient(transport)
    journal = open_journal("sqlite:journal.db", folder, clock=lambda: NOW)
    try:
        wanted = Wanted(desired, "acme", "local:org.db")
        request = PlanRequest(wanted, org, org, NOW, date(2026, 11, 22), applied=journal.applied, lifts=LIFTS)
        made = (await plan(request)).plan
        if made.errored or not made.writes or made.verdict in ("block", "not judged"):
            return made, []
        await apply(ApplyRequest(made, from_plan(made), org, org, journal, Holder("law"), lambda: NOW))
        return made, transport.refused
    finally:
        await org.close()
        journal.close()


@given(orgs, desireds(), st.sampled_from(["ann@acme.com", None]), booleans)
@settings(max_examples=max(300, settings().max_examples))
def test_a_plan_without_a_block_is_never_refused(held, desired, caller, manual_admin):
    with local_org(held, manual_admin) as folder:
        made, refused = asyncio.run(_applied(folder, desired, token(folder, caller)))
    blocked = {result.name for result in made.guards if result.verdict in ("block", "not judged")}
    event("writes" if made.writes and not blocked else f"blocked by {sorted(blocked)}" if blocked else "nothing")
    faults = [answer for answer in refused if not answer.keys & TOLERATED]
    assert not faults, (faults, made.changes)
