"""The law of export: whatever the org, its config is valid and plans empty, whole, split or merged."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import event, given
from hypothesis import strategies as st
from odd_orgs import odd_lives

from rolecall.desired.build import read_config
from rolecall.desired.load.read import load
from rolecall.desired.references import with_role_ids
from rolecall.errors import ConfigError
from rolecall.jobs.export import (
    UpdateRequest,
    head_of,
    new_config,
    read_words,
    updated_config,
    write_export,
    write_update,
)
from rolecall.jobs.fmt import Formatted, fmt
from rolecall.jobs.plan import PlanRequest, from_config, make_plan
from rolecall.model.desired import NOTHING_APPLIED
from rolecall.model.live import Live
from rolecall.model.settings import UNSET

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = date(2026, 11, 22)
SAID = {
    "org": {"name": "acme", "url": "local:org.db"},
    "people": "org",
    "journal": {"url": "sqlite:j.db", "keep": "2y"},
}


class Constant:
    """A reader that always reads the same."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def read(self, sections=None) -> Live:
        return self._live


def planned(root: Path, live: Live):
    request = PlanRequest(from_config(read_config(root)), Constant(live), None, NOW, DAY)
    return asyncio.run(make_plan(request)).plan


def exported(live: Live, out: Path, *, split: bool = False):
    head = head_of(SAID, live, out, out)
    made = new_config(live, head, read_words(live, "local:org.db", NOW), split=split)
    write_export(out, made, {})
    return made


@given(odd_lives(), st.booleans())
def test_an_exported_config_plans_empty(live: Live, split: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "config"
        made = exported(live, out, split=split)
        assert fmt(out, "rolecall.yaml") == Formatted((), ())
        found = planned(out, live)
        assert found.changes == ()
        assert found.released == ()
        assert not found.errored
        left_out = {row.what for row in made.left_out}
        assert {row.address for row in found.unmanaged} <= left_out | _all_groups(live, left_out)
        event(f"left out: {min(len(left_out), 3)}")


@given(odd_lives(), odd_lives())
def test_a_config_of_one_org_merged_with_another_plans_empty(before: Live, after: Live) -> None:
    """What waits for the IdP, and an upgrade asked for, stays; nothing else does. Or it is refused, and nothing is
    written."""
    before, after = _possible(before), _possible(replace(after, facts=after.facts._replace(org_id=before.facts.org_id)))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "config"
        exported(before, out)
        files = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        made = updated_config(request_for(out, after))
        try:
            write_update(request_for(out, after), made)
        except ConfigError as refused:
            fine = UNKNOWN | ({"metadata"} if _unusable_metadata(after) else set())
            told = [str(problem) for problem in refused.problems if problem.code not in fine]
            assert told == [], (before.settings.sso, after.settings.sso, before.settings.scim, after.settings.scim)
            assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == files
            event("refused")
            return
        assert {change.address for change in planned(out, after).changes} <= set(made.kept)
        second = updated_config(request_for(out, after))
        assert second.files == {}
        assert set(second.kept) <= set(made.kept)


UNKNOWN = {"unknown_team", "unknown_role"}
"""What is kept, or was not read, may still name what the org has no more: that is for a person to say."""


def request_for(out: Path, live: Live) -> UpdateRequest:
    said = read_config(out).desired
    return UpdateRequest(load(out), with_role_ids(said, live.facts.roles), live, DAY, NOTHING_APPLIED)


def _unusable_metadata(live: Live) -> bool:
    """Whether the org has metadata that no config may name: it cannot become the config's."""
    sso = live.settings.sso
    return sso is not UNSET and isinstance(sso.metadata, str) and sso.metadata.startswith("<md>")


def _possible(live: Live) -> Live:
    """SSO is on wherever it is read: an org with SCIM has it on (R33), and the other one may not tell."""
    sso = live.settings.sso
    return live if sso is UNSET else replace(live, settings=replace(live.settings, sso=replace(sso, enabled=True)))


def _all_groups(live: Live, left_out: set[str]) -> set[str]:
    """On a section that is left out as a whole every group of it is unmanaged."""
    return {f"idp_groups/{key}" for key in live.settings.idp_groups or ()} if "idp_groups" in left_out else set()
