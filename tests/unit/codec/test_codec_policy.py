"""Test the one reader of policies, for configurations, plans and the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.codec.forms import Misfit
from rolecall.codec.policy import decode_policy, encode_policy
from rolecall.desired.build import read_config
from rolecall.model.policy import Band, Limit, Policy

CONFIG = """
version: 1
org: {name: acme, url: local:org.db}
guards: %s
"""

LIMITS = {
    "max_removals: {block: 30%}": ("max_removals", Band(None, Limit(30, percent=True))),
    "max_removals: {review: 3}": ("max_removals", Band(Limit(3))),
    "max_people_losing_access: {review: 2.5%}": ("max_people_losing_access", Band(Limit(2.5, percent=True))),
    "observed_age: {review: 2y}": ("observed_age", Band(Limit(730))),
    "observed_age: {block: 6w}": ("observed_age", Band(None, Limit(42))),
}


def of_config(tmp_path: Path, guards: str) -> Policy:
    (tmp_path / "rolecall.yaml").write_text(CONFIG % guards)
    return read_config(tmp_path).desired.policy


@pytest.mark.parametrize("text", LIMITS)
def test_a_config_and_a_plan_read_a_limit_alike(tmp_path: Path, text: str) -> None:
    name, expected = LIMITS[text]
    policy = of_config(tmp_path, f"{{{text}}}")
    limits = text.partition(": ")[2]
    level, _, limit = limits.strip("{}").partition(": ")
    said = {"guards": {name: {level: int(limit) if limit.isdecimal() else limit}}}
    assert getattr(policy.guards, name) == expected
    assert getattr(decode_policy(said).guards, name) == expected
    assert getattr(decode_policy(encode_policy(policy)).guards, name) == expected


def test_a_guard_that_is_left_out_has_its_default() -> None:
    assert decode_policy({"guards": {"min_org_admins": 2}}).guards.max_removals == Band(Limit(1), Limit(30, True))


def test_every_fault_is_told_with_its_path() -> None:
    said = {
        "manage": {"sso": "always"},
        "guards": {"max_removals": {"block": "much"}, "min_org_admins": True},
        "allow": [{"guard": "protect", "until": "2026-13-01"}, {"up_to": 1}],
        "access_tests": [{"name": "a", "has": [{"team": "IT"}]}],
    }
    with pytest.raises(Misfit) as caught:
        decode_policy(said)
    assert [fault.path for fault in caught.value.faults] == [
        ("manage", "sso"),
        ("guards", "min_org_admins"),
        ("guards", "max_removals", "block"),
        ("allow", 0, "until"),
        ("allow", 1, "guard"),
        ("access_tests", 0, "has", 0, "role"),
    ]
