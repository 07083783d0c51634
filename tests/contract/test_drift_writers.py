"""`drift` of an observed org names who changed a field and when, where WRITER's audit log proves it, else why not."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from live_site import ACME, site_template
from test_manual_steps_confirmed import DOMAIN, GROUP, MOMENT, SSO, World, world

from rolecall.drift import evidence
from rolecall.errors import Exit
from rolecall.live.audit import AuditExport

__all__ = ["site_template", "world"]
APPLIED: dict[str, Any] = {
    "sso": {**ACME["sso"], "allow_passwords": True},
    "domains": {"acme.com": {"discoverable": True, "join": "immediate"}, "acme.co.uk": {}},
    "idp_groups": {**ACME["idp_groups"], "Marketing": {"role": "member", "teams": ["Legal"], "id": "g-marketing"}},
}
DRIFTED: dict[str, Any] = {
    "sso": {**ACME["sso"], "allow_passwords": False},
    "domains": {"acme.com": {"discoverable": True, "join": "approval"}, "acme.co.uk": {}},
    "idp_groups": {**ACME["idp_groups"], "Marketing": {"role": "team_admin", "teams": ["Legal"], "id": "g-marketing"}},
}


@pytest.fixture
def applied(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world after all manual steps were made and reported. There is one clock, so no difference is tolerated."""
    monkeypatch.setattr(evidence, "CLOCKS", timedelta())
    monkeypatch.setattr(AuditExport, "_skew", lambda *_: timedelta())  # the server's time has whole seconds
    world.apply()
    world.allow_passwords()
    world.admit_at_once()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    return world


def drifts(world: World, code: int = Exit.OK) -> dict[str, Any]:
    found = json.loads(world.rolecall("drift", "--format", "json", code=code))
    assert found["beside"] == []
    return {entry["address"]: entry for entry in found["drift"]}


def require_approval(world: World) -> None:
    fields = {"discoverable": "on", "join": "approval"}
    assert world.admin().submit("/admin/access/domains/acme.com", "/admin/access", **fields).status == 303


def test_the_writer_of_each_drifted_field_is_named_or_why_it_is_unknown(applied: World) -> None:
    applied.allow_passwords(False)
    require_approval(applied)
    applied.observe(**DRIFTED)
    found = drifts(applied)
    assert {address: entry["audit"]["status"] for address, entry in found.items()} == {
        SSO: "confirmed",
        DOMAIN: "confirmed",
        GROUP: "not_logged",
    }
    assert [found[address]["who"] for address in (SSO, DOMAIN, GROUP)] == ["ann@acme.com", "ann@acme.com", None]
    assert found[SSO]["when"] == found[SSO]["audit"]["records"][0]["at"].replace("Z", "+00:00")
    assert found[SSO]["audit"]["records"][0]["action"] == "Disable password"
    assert found[GROUP]["when"] is None
    text = applied.rolecall("drift")
    assert len(re.findall(rf"Changed in the console by ann@acme\.com, {MOMENT}", text)) == 2
    assert "Who changed it is unknown: this kind of change is not logged." in text
    rows = {row["address"]: row for row in csv.DictReader(io.StringIO(applied.rolecall("drift", "--format", "csv")))}
    assert (rows[SSO]["who"], rows[GROUP]["who"]) == ("ann@acme.com", "")


def test_only_the_fields_that_the_configuration_sets_are_looked_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "CLOCKS", timedelta())
    monkeypatch.setattr(AuditExport, "_skew", lambda *_: timedelta())
    config = world.folder / "rolecall.yaml"
    config.write_text(config.read_text().replace("sso: {enabled: true, ", "sso: {"), encoding="utf-8")
    world.apply()
    world.allow_passwords()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    world.allow_passwords(False)
    world.observe(**{**APPLIED, "sso": DRIFTED["sso"]})
    entry = drifts(world)[SSO]
    assert (entry["audit"]["status"], entry["who"]) == ("confirmed", "ann@acme.com")
    assert (entry["audit"]["missing"], entry["audit"]["not_logged"]) == ([], [])


def test_a_change_that_is_not_in_the_log_has_no_writer(applied: World) -> None:
    applied.observe(**DRIFTED)
    found = drifts(applied)
    assert {address: (entry["audit"]["status"], entry["who"]) for address, entry in found.items()} == {
        SSO: ("not_in_log", None),
        DOMAIN: ("not_in_log", None),
        GROUP: ("not_logged", None),
    }
    assert "Not in the audit log yet." in applied.rolecall("drift")


def test_of_two_records_without_values_neither_is_named(applied: World) -> None:
    require_approval(applied)
    applied.admit_at_once()
    applied.observe(**{**APPLIED, "domains": DRIFTED["domains"]})
    entry = drifts(applied)[DOMAIN]
    assert (entry["audit"]["status"], entry["who"], len(entry["audit"]["records"])) == ("unclear", None, 2)
    text = " ".join(applied.rolecall("drift").split())
    assert (
        "Who changed it is not certain: 2 records of the audit log may be about it (they do not state values)" in text
    )
    assert len(re.findall(rf"ann@acme\.com, {MOMENT}", text)) == 2


def test_a_record_from_the_time_of_the_last_apply_may_be_that_of_the_apply(
    applied: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "CLOCKS", timedelta(minutes=1))
    applied.observe(**DRIFTED)
    entry = drifts(applied)[DOMAIN]
    assert (entry["audit"]["status"], entry["who"]) == ("unclear", None)
    assert entry["audit"]["problem"].endswith("(its time is that of the last apply)")


def test_a_change_after_the_reading_is_not_that_of_the_reading(applied: World) -> None:
    applied.observe(**{**APPLIED, "sso": DRIFTED["sso"]})
    applied.allow_passwords(False)
    assert drifts(applied)[SSO]["audit"]["status"] == "not_in_log"


def test_a_log_that_cannot_be_read_names_no_one(applied: World) -> None:
    applied.allow_passwords(False)
    applied.observe(**{**APPLIED, "sso": DRIFTED["sso"]})
    applied.configure(writer="org_other")
    entry = drifts(applied)[SSO]
    assert (entry["audit"]["status"], entry["who"], entry["when"]) == ("unread", None, None)
    assert "Who changed it is unknown: the audit log was not read" in " ".join(applied.rolecall("drift").split())


def test_without_a_log_nothing_is_added(applied: World) -> None:
    path = applied.folder / "rolecall.yaml"
    path.write_text(re.sub("audit:.*\n", "", path.read_text()), encoding="utf-8")
    applied.observe(**DRIFTED)
    assert all("audit" not in entry for entry in drifts(applied).values())
    assert "audit log" not in applied.rolecall("drift")


@pytest.mark.parametrize("mode", ["masked", "counts"])
def test_the_admin_is_named_as_for_an_org_with_its_own_log(applied: World, mode: str) -> None:
    applied.allow_passwords(False)
    applied.observe(**{**APPLIED, "sso": DRIFTED["sso"]})
    found = json.loads(applied.rolecall("drift", "--format", "json", "--people", mode))
    assert found["drift"][0]["who"] == "ann@acme.com"
