"""Users in columns and users in pages give the same directory: whatever a local org holds, and whoever is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.live.client import OrgClient
from rolecall.live.embedded import EmbeddedTransport
from rolecall.live.http.exchange import Exchange
from rolecall.live.people.org_api import read_directory
from rolecall.localorg.store import Database, open_database
from rolecall.localorg.store.keys import bucket
from rolecall.localorg.store.singletons import empty, seed
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, ORG, SETTINGS, USERS
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope
from rolecall.model.live import Facts

Row = dict[str, Any]

AT = "2026-11-29T00:00:00Z"
GROUP_IDS = [f"group-{number}" for number in range(6)]
UPGRADING = '{"enabled":true,"idp":"okta","endpoint":"upgrading","manual_editing":true,"role_attribute":"role"}'
"""SCIM while groups that are not pushed are those of the legacy endpoint (R20)."""
SEVERAL = 1_001
"""E-mails named in a search, so that it takes two requests."""

names = st.sampled_from(["Writers", "Éditeurs", "E\u0301diteurs", "writers", " Admins ", "見習い", "Legacy [x]"])
addresses = st.sampled_from(
    [
        "ann@acme.com",
        "ANN@acme.com",
        " bo@acme.com",
        "Çelik@acme.com",
        "c\u0327elik@acme.com",
        "di@BÜCHER.example",
        "見@b.co",
    ]
) | st.from_regex(r"[a-zA-Z]{1,6}@[a-z]{1,3}\.com", fullmatch=True)
manual = st.sampled_from(
    ["[]", "[ ]", '[{"team":"Everyone","role":"member"}]', '[{"team":"É","role":"Org Admin"},{"team":"B","role":"x"}]']
)
users = st.fixed_dictionaries(
    {
        "email": addresses,
        "origin": st.sampled_from(["scim"] * 4 + ["saml", "invite", "discovery"]),
        "active": st.sampled_from([True, True, True, False]),
        "pending": st.sampled_from([False, False, False, True]),
        "role_attribute": st.sampled_from([None, None, "admin", "Admin", "", "?"]),
        "manual": manual,
        "groups": st.sets(st.sampled_from(GROUP_IDS), max_size=4),
    }
)
groups = st.lists(
    st.fixed_dictionaries(
        {
            "name": names,
            "pushed": st.booleans(),
            "mapping": st.sampled_from(
                [None, '{"role":"org_admin","teams":["Everyone"]}', '{"role":null,"teams":["B"]}']
            ),
        }
    ),
    min_size=len(GROUP_IDS),
    max_size=len(GROUP_IDS),
)
scopes = st.one_of(
    st.just(PeopleScope(everybody=True)),
    st.builds(
        PeopleScope,
        st.just(False),
        st.frozensets(names, max_size=2),
        st.frozensets(addresses, max_size=2),
        *([st.booleans()] * 4),
    ),
    st.just(PeopleScope(emails=frozenset(f"p{number}@acme.com" for number in range(SEVERAL)) | {"ann@acme.com"})),
)


@dataclass(frozen=True)
class Bench:
    """One local org, which is filled anew for each example, and the way to it."""

    db: Database
    way: EmbeddedTransport

    def fill(self, org_groups: Sequence[Row], org_users: Sequence[Row], *, page: int = 100, upgrading: bool = False):
        """Empty the org and write these groups and users."""
        with self.db.write() as tx:
            empty(tx)
            seed(tx)
            tx.execute(ORG.update().values(page_limit=page))
            if upgrading:
                tx.execute(SETTINGS.update().where(SETTINGS.c.section == "scim").values(value=UPGRADING))
            for number, user in enumerate(org_users):
                tx.execute(USERS.insert().values(user_row(f"user-{number:03}", user)))
        self.add_groups(org_groups, org_users, range(len(org_groups)))

    def add_groups(self, org_groups: Sequence[Row], org_users: Sequence[Row], numbers: Iterable[int]) -> None:
        """Write some of the groups, with their members."""
        with self.db.write() as tx:
            for number in numbers:
                group_id = GROUP_IDS[number]
                tx.execute(GROUPS.insert().values(group_row(group_id, org_groups[number])))
                members = [n for n, user in enumerate(org_users) if group_id in user["groups"]]
                if members:
                    tx.execute(
                        MEMBERSHIPS.insert(), [{"group_id": group_id, "user_id": f"user-{n:03}"} for n in members]
                    )

    async def read_both(self, scope: PeopleScope, meanwhile: Callable[[], None] = lambda: None) -> list[Directory]:
        """Read the settings, let the org change, and return what each way reads of its users."""
        clients = [OrgClient(self.way), OrgClient(self.way, columns=self.way)]
        for client in clients:
            await client.read()
        meanwhile()
        return [await client.read_people(scope) for client in clients]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    path = tmp_path_factory.mktemp("columns") / "org.db"
    db = open_database(path)
    way = EmbeddedTransport(path)
    yield Bench(db, way)
    asyncio.run(way.close())
    db.close()


def group_row(group_id: str, group: Row) -> Row:
    return {
        "id": group_id,
        "display_name": group["name"],
        "name_key": group["name"],
        "version": 1,
        "mapping": group["mapping"],
        "mapping_version": 1,
        "linked_teams": '["Everyone"]',
        "pushed": group["pushed"],
        "created": AT,
        "modified": AT,
    }


def user_row(user_id: str, user: Row) -> Row:
    row = {name: user[name] for name in ("email", "origin", "active", "pending", "role_attribute", "manual")}
    keys = {"id": user_id, "email_key": user_id, "bucket": bucket(user_id)}
    return {**row, **keys, "version": 1, "created": AT, "modified": AT}


@settings(max_examples=settings.default.max_examples // 2)
@given(
    org_groups=groups,
    org_users=st.lists(users, max_size=12),
    known=st.integers(0, len(GROUP_IDS)),
    upgrading=st.booleans(),
    page=st.sampled_from([1, 2, 100]),
    scope=scopes,
)
def test_both_ways_give_the_same_directory(
    bench: Bench,
    org_groups: list[Row],
    org_users: list[Row],
    known: int,
    upgrading: bool,
    page: int,
    scope: PeopleScope,
) -> None:
    def push_the_others() -> None:
        """The groups from ``known`` on come after the settings were read, so that nobody knows their names."""
        bench.add_groups(org_groups, org_users, range(known, len(org_groups)))

    bench.fill(org_groups[:known], org_users, page=page, upgrading=upgrading)
    pages, columns = asyncio.run(bench.read_both(scope, push_the_others))
    assert columns == pages


PLAIN = {"origin": "scim", "active": True, "pending": False, "role_attribute": None, "manual": "[]", "groups": set()}


@pytest.mark.parametrize(
    "broken", [{"origin": "elsewhere"}, {"email": " "}, {"manual": '{"team": 1}'}, {"manual": "[1]"}], ids=str
)
def test_a_user_who_is_none_leaves_users_unread_either_way(bench: Bench, broken: Row) -> None:
    bench.fill([], [{**PLAIN, "email": "ann@acme.com"}, {**PLAIN, "email": "bo@acme.com", **broken}])
    pages, columns = asyncio.run(bench.read_both(EVERYBODY))
    assert columns == pages
    assert columns.coverage.state == "unread"
    assert columns.coverage.problem


def test_an_address_that_two_users_share_leaves_users_unread_either_way(bench: Bench) -> None:
    bench.fill([], [{**PLAIN, "email": "Ann@acme.com"}, {**PLAIN, "email": " ann@acme.com"}])
    pages, columns = asyncio.run(bench.read_both(EVERYBODY))
    assert columns == pages
    assert columns.coverage.problem
    assert "are repeated" in columns.coverage.problem


def test_an_org_that_refuses_is_as_unread_either_way(bench: Bench) -> None:
    """A request that the org refuses, here as it allows none, is told with the same words."""
    bench.fill([], [{**PLAIN, "email": "ann@acme.com"}])
    way = EmbeddedTransport(Path(bench.way.name.removeprefix("local:")), lambda: "no-such-token")

    async def read() -> list[str | None]:
        facts = Facts(people=1)
        exchange = Exchange(way)
        read = [await read_directory(exchange, facts, EVERYBODY, columns=columns) for columns in (None, way)]
        await way.close()
        return [directory.coverage.problem for directory in read]

    pages, columns = asyncio.run(read())
    assert columns == pages
    assert columns
    assert "does not accept the token" in columns
