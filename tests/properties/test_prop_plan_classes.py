"""A plan of many users has them by class: the same plan, but for users who are not listed one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pytest
from access_orgs import Org
from access_orgs import orgs as access_orgs
from hypothesis import given
from hypothesis import strategies as st
from test_prop_order import on_the_new_endpoint, planned

from rolecall.jobs.saved import plan_json, plan_of_text
from rolecall.plan import moves
from rolecall.plan.moves import Users
from rolecall.plan.saved import encode
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import encode_plan
from rolecall.plan.saved.privacy import redact
from rolecall.plan.value import Plan
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import plain
from rolecall.report.renderers.csv import csv
from rolecall.report.renderers.text import document_lines

any_org = st.one_of(access_orgs(), on_the_new_endpoint())
MEMBERS = ("members", "members_hash")


@contextmanager
def listed(most: int) -> Iterator[None]:
    """Plans list this many users one by one, instead of 10,000."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves, "LISTED", most)
        patch.setattr(encode, "LISTED", most)
        yield


def by_class(org: Org, most: int) -> tuple[Plan, dict[str, Any]]:
    """The plan, and its JSON."""
    with listed(most):
        plan = planned(org)[0]
        return plan, json.loads(plan_json(plan))


def naive(org: Org) -> tuple[Plan, dict[str, Any]]:
    """The plan with every user by itself, and its JSON."""
    return by_class(org, 10_000)


def impact_of(content: dict[str, Any]) -> dict[str, Any]:
    """The impact without what is stated of single users."""
    impact = {key: value for key, value in content["impact"].items() if key not in ("details", "details_omitted")}
    return {**impact, "groups": [{k: v for k, v in group.items() if k not in MEMBERS} for group in impact["groups"]]}


@given(any_org, st.integers(0, 3))
def test_a_plan_by_classes_is_the_plan_of_all_users(org: Org, most: int) -> None:
    (plan, content), (whole, expected) = by_class(org, most), naive(org)
    assert plan == whole
    assert content["digest"] == expected["digest"]
    assert content["summary"] == expected["summary"]
    assert impact_of(content) == impact_of(expected)
    for form in (csv, lambda document: plain(document_lines(document))):
        assert form(plan_document(plan, digest(plan))) == form(plan_document(whole, digest(whole)))


@given(any_org, st.integers(0, 3))
def test_each_user_is_in_details_or_counted_and_each_class_has_its_ids_or_their_hash(org: Org, most: int) -> None:
    (plan, content), (_, expected) = by_class(org, most), naive(org)
    impact = content["impact"]
    assert len(impact["details"]) + impact.get("details_omitted", 0) == impact["changed"]
    if impact["changed"] <= most:
        assert impact == expected["impact"]
        assert content["format_version"] == "1.0"
        return
    assert content["format_version"] == "1.1"
    assert (impact["details"], impact["details_omitted"]) == ([], impact["changed"])
    rows = iter(expected["impact"]["details"])
    for move, group in zip(plan.impact.moves, impact["groups"], strict=True):
        users = [next(rows) for _ in range(group["size"])]
        assert isinstance(move.people, Users) == (group["size"] > most)
        if group["size"] <= most:
            assert group["members"] == [[user["id"], user["email"]] for user in users]
            assert "members_hash" not in group
        else:
            assert group["members_hash"] == sha256("\n".join(sorted(user["id"] for user in users)).encode()).hexdigest()
            assert "members" not in group


@given(any_org, st.integers(0, 3), st.sampled_from(["names", "masked", "counts"]))
def test_a_saved_plan_by_classes_is_read_and_written_again(org: Org, most: int, mode: Any) -> None:
    with listed(most):
        plan = redact(planned(org)[0], mode, b"key")
        text = plan_json(plan)
        read = plan_of_text(text, "plan.json")
        assert digest(read) == digest(plan) == digest(planned(org)[0])
        assert encode_plan(read)["impact"] == encode_plan(plan)["impact"]
        sizes = [(move.size, len(move.people)) for move in read.impact.moves]
    shown = [move.size if move.people and move.size <= most else 0 for move in plan.impact.moves]
    if plan.impact.changed > most:
        assert sizes == [(move.size, number) for move, number in zip(plan.impact.moves, shown, strict=True)]
    assert mode != "counts" or "@" not in json.dumps(json.loads(text)["impact"]["groups"])
