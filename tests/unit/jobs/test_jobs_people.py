"""Test users of any source, in the groups that the org has."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from rolecall.codec.people import decode_people
from rolecall.codec.snapshot import decode_snapshot
from rolecall.jobs.people import left_out, read_people
from rolecall.live.people.file import PeopleFile
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope
from rolecall.model.live import UNREAD, Coverage

MAPPED = {"role": "member", "teams": ["Legal"]}


class Source:
    """Reads always the same, and stands for the org too where one is asked for."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    async def read_people(self, scope: PeopleScope) -> Directory:
        return self.directory

    async def read(self, sections: Any = None) -> Any:
        raise AssertionError


def directory(coverage: Coverage = Coverage()) -> Directory:
    return decode_people([{"email": "ann@acme.com", "groups": ["Twins", "Legal"]}], coverage=coverage)


def found(groups: dict[str, Any], source: Source, *, itself: bool = False, **more: Any) -> Directory:
    live = decode_snapshot({"snapshot": 1, "org": {"id": "o"}, "idp_groups": groups, **more}).live
    org: Any = source if itself else Source(Directory())
    return asyncio.run(read_people(source, org, live, EVERYBODY))


def twins(**mapping: Any) -> dict[str, Any]:
    return {f"Twins [g-{number}]": {"name": "Twins", "id": f"g-{number}", **mapping} for number in (1, 2)}


def test_which_of_two_groups_of_one_name_people_are_in_is_known_to_the_org_alone() -> None:
    told = found(twins(**MAPPED), Source(directory()))
    assert told.coverage.state == "partial"
    assert "two groups named `Twins`" in (told.coverage.problem or "")
    assert found(twins(**MAPPED), Source(directory()), itself=True).coverage.state == "complete"


def test_it_does_not_matter_where_neither_gives_anything_or_nobody_was_read() -> None:
    assert found({**twins(), "Legal": MAPPED}, Source(directory())).coverage.state == "complete"
    assert found(twins(**MAPPED), Source(Directory(coverage=UNREAD))).coverage == UNREAD


def test_while_the_org_is_upgrading_people_are_in_their_legacy_groups_too() -> None:
    links = {"Legal [g-9]": ["Legal"], "Other": ["Legal"]}
    source, scim = Source(directory()), {"enabled": True, "endpoint": "upgrading"}
    told = found({"Legal": MAPPED}, source, scim=scim, legacy_links=links)
    assert set(told.person(0).groups) == {"Twins", "Legal", "Legal [g-9]"}
    assert found({"Legal": MAPPED}, source, itself=True, scim=scim, legacy_links=links) is source.directory


def test_who_is_left_out_of_a_whole_reading_is_told() -> None:
    (problem,) = left_out(directory(Coverage(problem="2 users without an email address are left out")))
    assert (problem.severity, problem.message[:7]) == ("warning", "2 users")
    assert left_out(directory()) == left_out(directory(Coverage("partial", problem="x"))) == ()


def test_a_source_without_a_user_in_any_group_of_the_org_is_read_in_part() -> None:
    """It names groups by their ids, or gives no members: nobody would lose anything by any plan."""
    org = {"Legal": MAPPED, "All": "blank"}
    by_id = decode_people([{"email": "ann@acme.com", "groups": ["00g1", "00g2"]}])
    told = found(org, Source(by_id)).coverage
    assert (told.state, told.problem) == (
        "partial",
        "the source of users has no user in any group of the org (it has 00g1, 00g2)",
    )
    alone = found(org, Source(decode_people([{"email": "ann@acme.com"}]))).coverage
    assert (alone.state, alone.problem) == ("partial", "the source of users has no user in any group of the org")
    nobody = found(org, Source(decode_people([]))).coverage
    assert (nobody.state, nobody.problem) == ("partial", "the source of users has no users")


def test_a_source_with_one_user_in_a_group_or_for_an_org_without_groups_is_read_whole() -> None:
    strangers = Source(decode_people([{"email": "ann@acme.com", "groups": ["00g1"]}]))
    assert found({"Legal": MAPPED}, Source(directory())).coverage.state == "complete"
    assert found({}, strangers).coverage.state == "complete"
    assert found({"Legal": MAPPED}, strangers, itself=True).coverage.state == "complete"
    legacy = {"enabled": True, "endpoint": "legacy"}
    assert found({"Legal": MAPPED}, strangers, scim=legacy).coverage.state == "complete"


def test_a_mapped_group_without_a_file_of_its_own_is_not_taken_for_empty(tmp_path: Path) -> None:
    def coverage(*mapped: str) -> Coverage:
        live = decode_snapshot({"snapshot": 1, "org": {"id": "o"}, "idp_groups": org}).live
        source = PeopleFile(tmp_path, ("*.csv",), several=True, mapped=frozenset(mapped))
        return asyncio.run(read_people(source, Source(Directory()), live, EVERYBODY)).coverage

    org: dict[str, Any] = {"Legal": MAPPED, "Sales": MAPPED, "All": "blank"}
    (tmp_path / "Legal.csv").write_text("mail\nann@acme.com\n")
    assert coverage().problem == "no people file for Sales"
    (tmp_path / "Sales.csv").write_text("mail\n")
    assert coverage().state == "complete"
    assert coverage("All", "Not pushed").problem == "no people file for All"
    (tmp_path / "Legal.csv").write_text("mail,groups\nann@acme.com,Legal\n")
    (tmp_path / "Sales.csv").write_text("mail,groups\nbo@acme.com,All\n")
    assert coverage("All").state == "complete"
