"""Test that each change is reported with the losses and gains that it causes, in text, annotations and SARIF."""

from __future__ import annotations

import json

from small_org import ask, config, live, person

from rolecall.model.policy import Band, Guards, Limit, Policy
from rolecall.model.settings import Defaults
from rolecall.plan.make import make
from rolecall.plan.value import Plan
from rolecall.report.builders.plan import plan_document
from rolecall.report.renderers.github import github
from rolecall.report.renderers.sarif import sarif

NAMES = ("ann", "bo", "cy")


def mixed() -> Plan:
    """Default access and two mappings change together: A is unmapped, B becomes org admin."""
    policy = Policy(guards=Guards(max_people_losing_access=Band(Limit(0), None)))
    wanted = config({"A": "", "B": "org_admin: X"}, policy, defaults=Defaults("team_admin", frozenset({"Everyone"})))
    people = [person("ann", "A"), person("bo", "B"), person("cy")]
    return make(ask(wanted, live({"A": "member: X", "B": "team_admin: X"}), people))


def notes(plan: Plan) -> dict[str, list[str]]:
    entries = [entry for part in plan_document(plan).changes for entry in part.entries]
    return {entry.address: [note.text for note in entry.notes] for entry in entries}


def test_a_change_is_told_with_its_own_losses_and_gains():
    told = notes(mixed())
    assert any("ann@acme.com loses X member" in text for text in told["idp_groups/A"])
    assert not any("X member" in text for text in told["defaults"])
    assert any(
        "idp_groups/A causes the same, for 1 user; undoing any one of these changes avoids it." in text
        for text in told["defaults"]
    )


def test_a_change_is_counted_with_its_own_losses_and_gains():
    tallies = mixed().impact.tallies
    assert tallies["idp_groups/A"] == (0, 0, 1)
    assert tallies["idp_groups/B"] == (1, 0, 0)
    assert tallies["defaults"] == (2, 0, 0)


def test_annotations_and_sarif_stand_at_the_line_of_the_cause():
    document = plan_document(mixed())
    lines = github(document).splitlines()
    (losing,) = (line for line in lines if "guard.max_people_losing_access" in line)
    assert "line=10" in losing
    (escalating,) = (line for line in lines if "guard.escalations" in line)
    assert "line=11" in escalating
    results = json.loads(sarif(document))["runs"][0]["results"]
    (result,) = (row for row in results if row["ruleId"] == "guard.max_people_losing_access")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 10
