"""Test that every apply records who has more than the role member, and that old records are pruned."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from workbench import BRAND, NOW, WANTED, Workbench

from rolecall.errors import OrgError, Problem, Where
from rolecall.jobs.memory import WATCHED, last_roster
from rolecall.model.desired import Desired, Intent
from rolecall.model.directory import Directory
from rolecall.model.settings import GroupMapping, Settings

ADMINS = {"Writer-Admins": GroupMapping("org_admin", frozenset({"IT"}))}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def sightings(bench: Workbench):
    with bench.journal() as journal:
        assert journal.verify("org_1").problems == ()
        return journal.sightings("org_1")


def test_an_apply_sees_who_holds_what_after_it_and_by_which_mapping(bench):
    wanted = Desired(
        Settings(idp_groups=ADMINS), {"idp_groups/Writer-Admins": Intent(source=Where("rolecall.yaml", 9, 3))}
    )
    bench.apply(bench.plan(wanted))
    (seen,) = sightings(bench)
    assert [(row.email, row.role, row.team, row.reasons, row.address, row.source) for row in seen.holdings] == [
        ("ann@acme.com", "org_admin", "IT", ("group:Writer-Admins",), "idp_groups/Writer-Admins", "rolecall.yaml:9"),
        ("bo@acme.com", "org_admin", "IT", ("group:Writer-Admins",), "idp_groups/Writer-Admins", "rolecall.yaml:9"),
    ]
    assert seen.roles == {"member": 2, "org_admin": 2}
    assert seen.teams == {"IT": 2, "Marketing": 2}
    assert (seen.complete, seen.run, seen.at) == (True, 1, NOW)


def test_it_sees_the_org_as_the_run_left_it(bench):
    lead = GroupMapping("team_admin", frozenset({"Brand"}))
    bench.apply(bench.plan(Desired(Settings(idp_groups={"Writer-Marketing": lead}))))
    (seen,) = sightings(bench)
    assert [(row.email, row.team) for row in seen.holdings if row.role == "team_admin"] == [
        ("bo@acme.com", "Brand"),
        ("cy@acme.com", "Brand"),
    ]


def test_people_who_cannot_be_read_are_told_and_the_run_is_done(bench):
    class Nobody:
        async def read_people(self, scope):
            if scope.everybody:
                raise OrgError(Problem("down", "the directory is down"))
            return Directory()

    approved = bench.plan(Desired(Settings(idp_groups=ADMINS)))
    report = bench.apply(approved, people=Nobody())
    assert report.run.outcome == "nothing"
    assert report.notes == ("Access records were not written: the directory is down.",)
    assert sightings(bench) == ()


def test_a_look_is_kept_to_compare_the_next_with(bench):
    bench.apply(bench.plan(WANTED))
    with bench.journal() as journal:
        look = last_roster(journal, "org_1")
        assert journal.recall("org_1", WATCHED) == NOW.isoformat()
        journal.keep("org_1", "drift.look", {"at": "of another version"})
        assert last_roster(journal, "org_1") is None
    assert {group.name for group in look.groups.values()} == {"Writer-Admins", "Writer-Marketing", "Writer-Brand"}
    assert len(look.people.keys) == 3


def test_sightings_are_kept_as_long_as_the_config_says(bench):
    first = bench.plan(Desired(Settings(idp_groups={"Writer-Brand": BRAND})))
    bench.apply(first)
    bench.apply(bench.plan(Desired(Settings(idp_groups={"Writer-Brand": BRAND}))))
    later = NOW + timedelta(days=6)
    approved = bench.plan(Desired(Settings(idp_groups={"Writer-Brand": BRAND})))
    bench.apply(approved, now=lambda: later, keep_days=5)
    assert [seen.run for seen in sightings(bench)] == [3]
    with bench.journal() as journal:
        assert [run.id for run in journal.runs("org_1")] == [3]
        assert journal.applied("org_1").settings.idp_groups == {"Writer-Brand": BRAND}
