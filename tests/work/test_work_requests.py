"""How many requests a plan and an apply send, and that nothing is fetched that the plan does not need."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from workbench import MARKETING, WANTED, Workbench

from rolecall.live.client import OrgClient
from rolecall.live.embedded import EmbeddedTransport
from rolecall.live.http.transport import Answer, Request
from rolecall.model.desired import Desired
from rolecall.model.settings import BLANK, Scim, Settings, Sso


class Counted:
    """The local org in this process, and every request that goes to it."""

    def __init__(self, folder: Path, sent: list[Request]) -> None:
        self._inner = EmbeddedTransport(folder / "org.db")
        self._sent = sent

    @property
    def name(self) -> str:
        return self._inner.name

    async def send(self, request: Request) -> Answer:
        self._sent.append(request)
        return await self._inner.send(request)

    async def close(self) -> None:
        await self._inner.close()


@pytest.fixture
def sent() -> list[Request]:
    return []


@pytest.fixture
def bench(tmp_path: Path, sent: list[Request]) -> Workbench:
    made = Workbench(tmp_path)
    made.way = lambda: OrgClient(Counted(tmp_path, sent))
    return made


SETTINGS = {
    "GET /v1/org": 1,
    "GET /v1/access/defaults": 1,
    "GET /v1/access/scim": 1,
    "GET /v1/idp-groups": 1,
    "GET /v1/teams": 1,
    "GET /v1/roles": 1,
}
"""What everybody's access hangs on, and the names that a config may use: one request each."""


LOG = {"GET /v1/audit-log": 1}
"""One page of the log, in every plan: whether it shows applies that the journal does not have."""


def by_line(sent: list[Request]) -> Counter[str]:
    return Counter(map(str, sent))


def test_a_plan_reads_each_section_it_needs_once(bench: Workbench, sent: list[Request]):
    plan = bench.plan(WANTED)
    assert by_line(sent) == Counter({**SETTINGS, **LOG, "POST /v1/people/search": 1})
    assert plan.requests.read == len(sent)


def test_a_plan_without_changes_reads_nobody(bench: Workbench, sent: list[Request]):
    assert bench.plan(Desired(Settings(idp_groups={"Writer-Marketing": MARKETING}))).changes == ()
    assert by_line(sent) == Counter({**SETTINGS, **LOG})


def test_domains_and_sso_are_read_together_as_the_org_takes_the_ones_with_the_others_alone(
    bench: Workbench, sent: list[Request]
):
    """What a claim or SSO demands of the other (R1, R33), and who can sign in, depends on both."""
    both = {"GET /v1/domains": 1, "GET /v1/access/sso": 1}
    for settings in (Settings(domains={}), Settings(sso=Sso(name="Okta")), Settings(scim=Scim(idp="okta"))):
        sent.clear()
        bench.plan(Desired(settings))
        assert by_line(sent) == Counter({**SETTINGS, **LOG, **both})


def test_a_change_is_one_write_and_reads_are_as_many_whatever_the_changes(bench: Workbench, sent: list[Request]):
    reads = []
    for groups in ({"Writer-Marketing": BLANK}, {"Writer-Marketing": BLANK, "Writer-Brand": MARKETING}):
        bench.again()
        approved = bench.plan(Desired(Settings(idp_groups=groups)))
        sent.clear()
        bench.apply(approved)
        writes = [request for request in sent if request.method in ("PUT", "DELETE")]
        assert len(writes) == len(groups)
        reads.append(by_line([request for request in sent if request not in writes]))
    assert reads[0] == reads[1]
    assert reads[0]["GET /v1/idp-groups"] == 2, "before the first write and after the last"


def test_nothing_is_sent_twice_in_an_apply(bench: Workbench, sent: list[Request]):
    approved = bench.plan(WANTED)
    sent.clear()
    bench.apply(approved)
    assert by_line(sent).most_common(1)[0][1] <= 2
