"""A whole run, on a local org in this process and a journal on disk."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rolecall.errors import Stale
from rolecall.jobs.apply import ApplyRequest, apply, check_digest
from rolecall.jobs.plan import PlanRequest, Wanted, from_plan, plan
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder
from rolecall.live.connect import connect
from rolecall.live.observed import SnapshotReader, decode_snapshot_people
from rolecall.localorg.load import load
from rolecall.localorg.store import open_database
from rolecall.model.desired import Desired, Intent
from rolecall.model.policy import Policy
from rolecall.model.run import RunFacts
from rolecall.model.settings import BLANK, Defaults, GroupMapping, Settings
from rolecall.plan.digest import digest, short

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MARKETING = GroupMapping("member", frozenset({"Marketing"}))
BRAND = GroupMapping("member", frozenset({"Brand"}))

SNAPSHOT = """\
snapshot: 1
taken_at: 2026-11-22T10:00:00Z
org: {id: org_1, name: acme}
teams: [Everyone, Marketing, Brand, IT]
roles: [org_admin, team_admin, member]
domains: {acme.com: {discoverable: true, join: approval}}
defaults: {role: member, teams: [Everyone]}
sso: {enabled: true, name: Okta, idp: okta, allow_uninvited: false, allow_passwords: false}
scim: {enabled: true, idp: okta, endpoint: new, manual_editing: false}
idp_groups:
  Writer-Admins: {role: org_admin, teams: [IT]}
  Writer-Marketing: {role: member, teams: [Marketing]}
  Writer-Brand: null
people:
  - {email: ann@acme.com, groups: [Writer-Admins]}
  - {email: bo@acme.com, groups: [Writer-Admins, Writer-Marketing]}
  - {email: cy@acme.com, groups: [Writer-Marketing]}
"""


class Bench:
    """One local org, one journal, and the two things done to them."""

    def __init__(self, folder: Path) -> None:
        (folder / "snapshot.yaml").write_text(SNAPSHOT)
        reader = SnapshotReader(folder / "snapshot.yaml")
        snapshot = reader.load()
        database = open_database(folder / "org.db")
        load(database, snapshot.live, decode_snapshot_people(snapshot, reader.path))
        database.close()
        self.folder = folder

    def org(self):
        return connect("local:org.db", folder=self.folder)

    def journal(self):
        return open_journal("sqlite:journal.db", self.folder, clock=lambda: NOW)

    def plan(self, desired: Desired, **more):
        return asyncio.run(self._plan(desired, **more))

    async def _plan(self, desired, **more):
        org, journal = self.org(), self.journal()
        try:
            wanted = Wanted(desired, "acme", "local:org.db")
            request = PlanRequest(wanted, org, org, NOW, date(2026, 11, 22), applied=journal.applied, **more)
            return (await plan(request)).plan
        finally:
            await org.close()
            journal.close()

    def apply(self, approved, **more):
        return asyncio.run(self._apply(approved, **more))

    async def _apply(self, approved, **more):
        org, journal = self.org(), self.journal()
        request = ApplyRequest(
            approved, from_plan(approved), org, org, journal, Holder("test"), lambda: NOW, RunFacts(config="acme")
        )
        try:
            return await apply(replace(request, **more))
        finally:
            await org.close()
            journal.close()

    def write(self, **groups):
        """Somebody else's write to mappings, past the journal."""
        desired = Desired(Settings(idp_groups={name.replace("_", "-"): value for name, value in groups.items()}))
        approved = self.plan(desired)
        other = open_journal("sqlite:other.db", self.folder)
        report = asyncio.run(self._with(approved, other))
        assert report.run.outcome == "done"

    async def _with(self, approved, journal):
        org = self.org()
        try:
            return await apply(
                ApplyRequest(approved, from_plan(approved), org, org, journal, Holder("other"), lambda: NOW)
            )
        finally:
            await org.close()
            journal.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


WANTED = Desired(
    Settings(
        defaults=Defaults("member", frozenset({"Everyone", "IT"})),
        idp_groups={"Writer-Marketing": BLANK, "Writer-Brand": BRAND},
    )
)


def test_an_apply_reaches_desired_and_the_second_plan_is_empty(bench):
    report = bench.apply(bench.plan(WANTED))
    assert report.run.outcome == "done"
    assert [(step.address, step.state) for step in report.run.steps] == [
        ("idp_groups/Writer-Brand", "done"),
        ("defaults", "done"),
        ("idp_groups/Writer-Marketing", "done"),
    ]
    assert report.run.steps[2].before == MARKETING
    assert bench.plan(WANTED).changes == ()


def test_what_was_applied_is_remembered_untouched_addresses_too(bench):
    wanted = Desired(Settings(idp_groups={"Writer-Brand": BRAND, "Writer-Marketing": MARKETING}))
    bench.apply(bench.plan(wanted))
    journal = bench.journal()
    applied = journal.applied("org_1")
    journal.close()
    assert applied.settings.idp_groups == {"Writer-Brand": BRAND, "Writer-Marketing": MARKETING}
    assert set(applied.group_ids) == {"Writer-Brand", "Writer-Marketing"}
    released = bench.plan(Desired(Settings(idp_groups={"Writer-Marketing": MARKETING}))).released
    assert [row.address for row in released] == ["idp_groups/Writer-Brand"]


def test_an_apply_with_nothing_to_do_is_a_run_that_records_what_it_found(bench):
    wanted = Desired(Settings(idp_groups={"Writer-Marketing": MARKETING}))
    report = bench.apply(bench.plan(wanted))
    assert (report.run.outcome, report.run.steps) == ("nothing", ())
    journal = bench.journal()
    assert journal.applied("org_1").settings.idp_groups == {"Writer-Marketing": MARKETING}
    journal.close()


def test_a_plan_that_moved_is_refused_before_anything_is_sent_and_is_no_run(bench):
    approved = bench.plan(WANTED)
    bench.write(Writer_Brand=GroupMapping("team_admin", frozenset({"IT"})))
    with pytest.raises(Stale) as refused:
        bench.apply(approved)
    assert [problem.code for problem in refused.value.problems] == ["moved"]
    assert "idp_groups/Writer-Brand" in str(refused.value)
    journal = bench.journal()
    assert journal.runs() == ()
    journal.close()


def test_what_somebody_else_already_did_is_passed_over(bench):
    approved = bench.plan(WANTED)
    bench.write(Writer_Brand=BRAND)
    report = bench.apply(approved)
    assert report.run.outcome == "done"
    assert [step.address for step in report.run.steps] == ["defaults", "idp_groups/Writer-Marketing"]
    assert "idp_groups/Writer-Brand is already as the plan wants it" in report.notes


def test_a_plan_past_its_time_is_refused(bench):
    approved = bench.plan(WANTED)
    with pytest.raises(Stale, match="lapsed"):
        bench.apply(replace(approved, expires_at=NOW - timedelta(hours=1)))


def test_a_run_that_is_stopped_leaves_what_it_has_and_the_next_one_goes_on(bench):
    approved = bench.plan(WANTED)
    sent = []
    report = bench.apply(approved, parallelism=1, progress=sent.append, stop=lambda: len(sent) >= 1)
    assert report.run.outcome == "interrupted"
    assert [step.state for step in report.run.steps] == ["done", "not_tried", "not_tried"]
    again = bench.apply(bench.plan(WANTED))
    assert again.run.outcome == "done"
    assert bench.plan(WANTED).changes == ()


def test_a_write_that_the_org_refuses_ends_its_wave_and_no_later_one_starts(bench):
    refused = GroupMapping("nobody", frozenset({"Brand"}))
    wanted = replace(WANTED, settings=replace(WANTED.settings, idp_groups={"Writer-Brand": refused}))
    report = bench.apply(bench.plan(wanted))
    assert report.run.outcome == "incomplete"
    assert [step.state for step in report.run.steps] == ["refused", "not_tried"]
    assert "nobody" in report.run.steps[0].problem


def test_a_partial_plan_touches_its_targets_alone(bench):
    approved = bench.plan(WANTED, targets=("idp_groups/*",))
    report = bench.apply(approved)
    assert [step.address for step in report.run.steps] == ["idp_groups/Writer-Brand", "idp_groups/Writer-Marketing"]
    assert [change.address for change in bench.plan(WANTED).changes] == ["defaults"]


def test_a_human_step_is_recorded_and_not_sent(bench):
    from rolecall.model.settings import Domain

    wanted = Desired(Settings(domains={"acme.de": Domain()}, idp_groups={"Writer-Brand": BRAND}))
    report = bench.apply(bench.plan(wanted))
    assert [(step.address, step.state) for step in report.run.steps] == [
        ("idp_groups/Writer-Brand", "done"),
        ("domains/acme.de", "human"),
    ]


def test_the_digest_that_was_approved_is_the_plans(bench):
    made = bench.plan(WANTED)
    check_digest(short(digest(made)), made)
    with pytest.raises(Stale, match="approved was 0123-4567-89ab-cdef"):
        check_digest("0123-4567-89ab-cdef", made)


def test_policy_and_protection_are_remembered(bench):
    policy = Policy(manage={"idp_groups": "authoritative"})
    groups = {"Writer-Admins": GroupMapping("org_admin", frozenset({"IT"})), "Writer-Marketing": MARKETING}
    wanted = Desired(Settings(idp_groups=groups), {"idp_groups/Writer-Admins": Intent(protect=True)}, policy)
    bench.apply(bench.plan(wanted))
    journal = bench.journal()
    applied = journal.applied("org_1")
    journal.close()
    assert applied.policy == policy
    assert applied.protected == frozenset({"idp_groups/Writer-Admins"})
