"""Laws of reading: snapshots lose nothing, and a list is read as it stood or not at all."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.codec.snapshot import COVERED, Snapshot, decode_snapshot, encode_snapshot
from rolecall.errors import OrgError
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.lists import ListShifted, read_list
from rolecall.live.http.transport import Answer, Request
from rolecall.model import normalise
from rolecall.model.kinds import ORG_SECTIONS
from rolecall.model.live import UNREAD, Coverage, Facts, Group, Live
from rolecall.model.roles import BUILT_IN, Role
from rolecall.model.settings import UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from rolecall.schema_files import schema_text

SCHEMA = jsonschema_rs.validator_for(json.loads(schema_text("snapshot.schema.json")))

names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).map(normalise.name).filter(bool)
teams = st.frozensets(names, max_size=3)
role_ids = st.sampled_from([*BUILT_IN, "editor"])
booleans = st.sampled_from([True, False, UNSET])
texts = st.one_of(st.just(UNSET), names)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))

mappings = st.one_of(
    st.just(GroupMapping()),
    st.builds(GroupMapping, st.none() | role_ids, teams),
    st.builds(GroupMapping, role_ids, st.just(frozenset())),
)
org_settings = st.builds(
    Settings,
    st.one_of(
        st.just(UNSET),
        st.dictionaries(
            st.sampled_from(["acme.com", "b.co.uk"]),
            st.builds(Domain, booleans, st.sampled_from(["immediate", "approval", UNSET])),
        ),
    ),
    st.one_of(st.just(UNSET), st.builds(Defaults, role_ids, teams.filter(bool))),
    st.one_of(st.just(UNSET), st.builds(Sso, booleans, texts, texts, booleans, booleans, st.none() | texts)),
    st.one_of(
        st.just(UNSET),
        st.builds(Scim, booleans, texts, st.sampled_from(["legacy", "upgrading", "new", UNSET]), booleans, texts),
    ),
    st.one_of(st.just(UNSET), st.dictionaries(names, mappings, max_size=4)),
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A snapshot in the form that decoding gives: every section covered, unread just where it says nothing."""
    held = draw(org_settings)
    at, by = draw(st.none() | moments), draw(st.none() | names)
    counts = st.none() | st.integers(0, 9)
    cover = st.builds(
        Coverage,
        st.sampled_from(["complete", "partial"]),
        counts,
        counts,
        moments,
        names,
        st.none() | names,
        changed_since=st.none(),
        reported=st.just(()),
    )
    people = draw(st.none() | st.just("people.jsonl") | st.lists(names.map(lambda name: {"email": name}), max_size=2))
    all_teams = draw(st.none() | teams)
    present = {"teams": all_teams is not None, "people": people is not None}
    coverage = {
        name: draw(cover) if present.get(name, getattr(held, name, UNSET) is not UNSET) else UNREAD for name in COVERED
    }
    groups = {} if held.idp_groups is UNSET else held.idp_groups
    ids = st.text("abc", min_size=1, max_size=4)
    facts = Facts(
        org_id="org",
        org_name="acme",
        teams=all_teams,
        roles={**BUILT_IN, "editor": Role("editor", draw(names))},
        groups={name: draw(st.builds(Group, ids, st.none() | ids, st.none() | st.integers(0, 9))) for name in groups},
        people=draw(st.integers(0, 9)),
        legacy_links=draw(st.none() | st.dictionaries(names, teams, max_size=2)),
        kept=draw(st.none() | org_settings),
        partial=frozenset(name for name in ORG_SECTIONS if coverage[name].state == "partial"),
    )
    return Snapshot(Live(held, coverage, facts), people, at, by)


@given(snapshots())
@settings(max_examples=120, deadline=None)
def test_a_snapshot_loses_nothing(snapshot: Snapshot) -> None:
    encoded = json.loads(json.dumps(encode_snapshot(snapshot)))
    assert SCHEMA.is_valid(encoded), [error.message for error in SCHEMA.iter_errors(encoded)]
    again = decode_snapshot(encoded)
    assert again.live.settings == snapshot.live.settings
    assert again.live.coverage == snapshot.live.coverage
    assert again.live.facts == snapshot.live.facts
    assert again[1:] == snapshot[1:]


class ShiftingOrg:
    """A list that is changed between two pages: after each page the next one of ``edits`` is made."""

    name = "shifting"

    def __init__(self, rows: list[int], edits: list[tuple[str, int]]) -> None:
        self.rows = sorted(set(rows))
        self.edits = edits
        self.revision = 0
        self.versions = [list(self.rows)]

    async def send(self, request: Request) -> Answer:
        query = dict(request.query)
        after, limit = int(query.get("after", "-1")), int(query["limit"])
        rest = [row for row in self.rows if row > after]
        page = rest[:limit]
        body: dict[str, Any] = {
            "data": [{"id": f"{row:04}"} for row in page],
            "has_more": len(rest) > limit,
            "last_id": f"{page[-1]:04}" if page else None,
            "total": len(self.rows),
            "revision": str(self.revision),
        }
        self._edit()
        return Answer(200, {}, json.dumps(body).encode())

    def _edit(self) -> None:
        kind, row = self.edits.pop(0) if self.edits else ("", 0)
        held = set(self.rows)
        changed = held | {row} if kind == "add" else held - {row} if kind == "drop" else held
        if changed != held:
            self.rows, self.revision = sorted(changed), self.revision + 1
            self.versions.append(list(self.rows))

    async def close(self) -> None:
        """Nothing is open."""


rows = st.lists(st.integers(0, 40), max_size=15)
edits = st.lists(st.tuples(st.sampled_from(["add", "drop", "keep", "keep", "keep"]), st.integers(0, 40)), max_size=8)


def read(org: ShiftingOrg, limit: int, *, moving: bool) -> list[int]:
    listing = asyncio.run(read_list(Exchange(org), Request("GET", "/v1/list"), limit, moving=moving))
    return [int(row["id"]) for row in listing.items]


@given(rows, edits, st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_a_settings_list_is_read_as_it_once_stood_or_not_at_all(held: list[int], edit: Any, limit: int) -> None:
    org = ShiftingOrg(held, list(edit))
    try:
        assert read(org, limit, moving=False) in org.versions
    except ListShifted:
        assert len(org.versions) > 1


@given(rows, edits, st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_whoever_was_there_throughout_is_seen_once(held: list[int], edit: Any, limit: int) -> None:
    org = ShiftingOrg(held, list(edit))
    try:
        found = read(org, limit, moving=True)
    except OrgError:
        return
    throughout = set.intersection(*map(set, org.versions))
    ever = set.union(*map(set, org.versions))
    assert len(found) == len(set(found))
    assert throughout <= set(found) <= ever


@given(rows, st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_a_list_that_holds_still_is_always_read(held: list[int], limit: int) -> None:
    for moving in (False, True):
        assert read(ShiftingOrg(held, []), limit, moving=moving) == sorted(set(held))
