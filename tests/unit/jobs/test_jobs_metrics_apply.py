"""Metrics of the last apply: outcome, end, duration, manual steps, pending groups."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rolecall.jobs.metrics import apply_metrics, pending_metric
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
    assert 'rolecall_pending_groups{org="org_1",env="prod"} 3\n' in metrics_text([pending_metric(3, ORG)])
