"""Test the metrics of the last apply: outcome, end, duration, manual steps, pending groups."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rolecall.jobs.metrics import apply_metrics, expiring_metric, journal_metric, pending_metric
from rolecall.model.desired import Desired, Intent
from rolecall.model.kinds import address
from rolecall.model.live import Coverage
from rolecall.model.run import Run, Step
from rolecall.outside.metrics import metrics_text
from rolecall.plan.value import OrgRef

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORG = OrgRef("acme", "org_1", "https://rolecall.example.com", "prod")
RUN = Run(12, "org_1", "apply", AT, AT + timedelta(seconds=2.5), "done")


def samples(run: Run | None) -> dict[str, float]:
    lines = metrics_text(apply_metrics(run, ORG)).splitlines()
    rows = [line.replace('org="org_1",env="prod"', "") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in (row.rpartition(" ") for row in rows)}


def test_an_apply_that_ended() -> None:
    found = samples(RUN)
    assert found['rolecall_last_apply_outcome{,outcome="done"}'] == 1
    assert sum(value for name, value in found.items() if "outcome" in name) == 1
    assert found["rolecall_last_apply_timestamp_seconds{}"] == AT.timestamp() + 2.5
    assert found["rolecall_last_apply_duration_seconds{}"] == 2.5
    assert found["rolecall_last_apply_run{}"] == 12
    assert found["rolecall_manual_steps{}"] == 0


def test_one_that_has_not_ended_has_no_duration() -> None:
    found = samples(replace(RUN, ended_at=None, outcome="open"))
    assert found['rolecall_last_apply_outcome{,outcome="open"}'] == 1
    assert "rolecall_last_apply_duration_seconds{}" not in found
    assert found["rolecall_last_apply_timestamp_seconds{}"] == AT.timestamp()


def test_manual_steps_are_counted() -> None:
    step = Step(12, 1, "scim", "upgrade", "human", None, None, "human")
    assert (
        samples(replace(RUN, steps=(step, replace(step, number=2, state="attested"))))["rolecall_manual_steps{}"] == 1
    )


def test_nothing_is_claimed_where_nothing_was_applied() -> None:
    assert samples(None) == {}


def test_pending_groups() -> None:
    assert 'rolecall_pending_groups{org="org_1",env="prod"} 3\n' in metrics_text([pending_metric(3, {}, ORG)])
    whole = {"idp_groups": Coverage("complete")}
    assert 'rolecall_pending_groups{org="org_1",env="prod"} 0\n' in metrics_text([pending_metric(0, whole, ORG)])


@pytest.mark.parametrize("state", ["partial", "unread"])
def test_pending_groups_are_unknown_where_groups_were_not_read(state: Any) -> None:
    assert metrics_text([pending_metric(0, {"idp_groups": Coverage(state)}, ORG)]) == ""


def test_expiring_mappings_are_counted_through_the_last_day() -> None:
    days = {"A": -1, "B": 0, "C": 30, "D": 31, "E": 90, "F": 91}
    today = AT.date()
    intents = {
        address("idp_groups", name): Intent(expires=today + timedelta(days=number)) for name, number in days.items()
    }
    intents[address("idp_groups", "G")] = Intent(owner="ann")
    text = metrics_text([expiring_metric(Desired(intents=intents), today, ORG)])
    assert text == (
        "# HELP rolecall_expiring_mappings Mappings that expire within so many days.\n"
        "# TYPE rolecall_expiring_mappings gauge\n"
        'rolecall_expiring_mappings{org="org_1",env="prod",days="30"} 2\n'
        'rolecall_expiring_mappings{org="org_1",env="prod",days="90"} 4\n'
    )


def test_a_journal_that_is_not_there_has_no_size() -> None:
    assert metrics_text([journal_metric(None, ORG)]) == ""
    assert 'rolecall_journal_bytes{org="org_1",env="prod"} 8192\n' in metrics_text([journal_metric(8192, ORG)])
