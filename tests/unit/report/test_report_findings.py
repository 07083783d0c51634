"""Test annotations, SARIF and JUnit of problems and plans."""

from __future__ import annotations

import gzip
import json
import random
from xml.etree import ElementTree

from report_plans import FORTY, LATE, METADATA, PASSES, REBRAND, REVIEW, UNKNOWN, full_plan, plan_of

from rolecall.errors import Problem, Where
from rolecall.plan.value import AccessTestResult, Impact
from rolecall.report.builders.plan import plan_document
from rolecall.report.builders.problems import problems_document
from rolecall.report.findings import ReportFinding, findings
from rolecall.report.renderers.github import github, workflow_commands
from rolecall.report.renderers.junit import junit
from rolecall.report.renderers.sarif import sarif, sarif_run

EVIL = Problem("x", "<script>\x00\x1b[31m]]>&\"'", Where('a"<b.yaml'))


def test_findings_come_worst_first() -> None:
    found = findings(problems_document([LATE, UNKNOWN]))
    assert [(item.level, item.rule) for item in found] == [
        ("error", "config.unknown_key"),
        ("warning", "config.expires_soon"),
    ]
    assert found[0].message == "unknown key `a%b`; did you mean `ab`?"


def test_a_plan_finds_verdicts_tests_warnings_and_changes() -> None:
    blocked = REVIEW._replace(verdict="block")
    tests = (AccessTestResult("door", False, "two doors"), AccessTestResult("fine", True))
    plan = plan_of(REBRAND, guards=(*PASSES, REVIEW, blocked), access_tests=tests, warnings=(LATE,))
    assert [(item.level, item.rule) for item in findings(plan_document(plan))] == [
        ("error", "guard.max_people_losing_access"),
        ("error", "access_test"),
        ("warning", "guard.max_people_losing_access"),
        ("warning", "plan.expires_soon"),
        ("note", "change.update"),
    ]


def test_what_is_allowed_is_no_warning_and_losses_come_before_what_harms_nobody() -> None:
    allowed = REVIEW._replace(verdict="allowed")
    plan = plan_of(METADATA, REBRAND, impact=Impact(40, change=40, moves=(FORTY,)), guards=(allowed,))
    found = findings(plan_document(plan))
    assert [item.level for item in found] == ["note"] * 3
    assert [item.message.split(" · ")[0] for item in found[1:]] == ["~ idp_groups/Writer-Marketing", "~ sso"]


def test_a_refusal_brings_its_ways_out() -> None:
    blocked = REVIEW._replace(verdict="block", ways=("Do this.", "Or that."))
    (found,) = findings(plan_document(plan_of(guards=(blocked,))))
    assert found.message.endswith(", 40 users (idp_groups/marketing.yaml:14). Do this. Or that.")


def test_annotations_point_at_the_line_and_escape_what_github_reads() -> None:
    assert github(problems_document([UNKNOWN]), "examples/acme/") == (
        "::error title=rolecall config.unknown_key,file=examples/acme/idp_groups/x%2Cy%3Az.yaml,line=4,col=7"
        "::unknown key `a%25b`; did you mean `ab`?\n"
    )


def test_at_most_ten_annotations_and_a_count_of_the_rest() -> None:
    lines = workflow_commands([ReportFinding("note", "r", str(n)) for n in range(25)]).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "and 15 more"


def test_a_message_cannot_start_a_command_of_its_own() -> None:
    told = github(problems_document([Problem("x", "a\n::error::b\r\n")]))
    assert told.count("\n") == 1


def test_sarif_names_tool_rules_and_places() -> None:
    run = json.loads(sarif(problems_document([UNKNOWN, LATE]), "conf/"))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["config.expires_soon", "config.unknown_key"]
    first, second = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "conf/idp_groups/x%2Cy%3Az.yaml"
    assert place["region"] == {"startLine": 4, "startColumn": 7}
    place = second["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == ("conf/rolecall.yaml", {"startLine": 1})
    assert (first["ruleIndex"], first["level"]) == (1, "error")


def test_sarif_of_a_file_as_a_whole_has_no_region() -> None:
    run = json.loads(sarif(problems_document([EVIL])))["runs"][0]
    assert "region" not in run["results"][0]["locations"][0]["physicalLocation"]


def test_every_result_has_a_place_in_the_main_file_if_in_no_other() -> None:
    listed = [
        ReportFinding("error", "guard.min_org_admins", "2 of 3"),
        ReportFinding("note", "x", "y", Where("/tmp/a b.yaml", 3)),
    ]
    results = json.loads(sarif_run(listed, "conf/", "prod.yaml"))["runs"][0]["results"]
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert places == ["conf/prod.yaml", "file:///tmp/a%20b.yaml"]


def test_more_results_than_github_takes_are_counted() -> None:
    listed = [ReportFinding("note", "change.create", f"change {number}") for number in range(30)]
    results = json.loads(sarif_run(listed, most=30))["runs"][0]["results"]
    assert len(results) == 30
    cut = json.loads(sarif_run(listed, most=10))["runs"][0]["results"]
    assert len(cut) == 10
    assert cut[-1]["message"]["text"] == "21 more findings are not in this file, which has the first 9."
    assert cut[-1]["locations"]


def test_a_sarif_file_is_no_larger_than_github_takes() -> None:
    chance = random.Random(1)
    listed = [ReportFinding("note", "change.create", "".join(chance.choices("abcdefgh", k=400))) for _ in range(400)]
    text = sarif_run(listed, packed=20_000)
    results = json.loads(text)["runs"][0]["results"]
    assert len(gzip.compress(text.encode())) <= 20_000
    assert 50 < len(results) < 400
    assert results[-1]["message"]["text"].startswith(f"{401 - len(results)} more findings")


def test_junit_fails_on_errors_and_tells_warnings() -> None:
    root = ElementTree.fromstring(junit(problems_document([UNKNOWN, LATE])))
    assert root.attrib == {"tests": "2", "failures": "1", "errors": "0"}
    failed, passed = root.iter("testcase")
    assert failed.find("failure") is not None
    assert failed.findtext("failure") == "idp_groups/x,y:z.yaml:4: unknown key `a%b`; did you mean `ab`?"
    assert passed.findtext("system-out") == "it ends"


def test_a_valid_config_is_one_case_that_passed() -> None:
    root = ElementTree.fromstring(junit(problems_document([])))
    (case,) = root.iter("testcase")
    assert (case.attrib["name"], len(case)) == ("the config is valid", 0)


def test_junit_of_a_plan_has_guards_and_access_tests() -> None:
    plan = plan_of(
        guards=(*PASSES, REVIEW._replace(verdict="not judged"), REVIEW),
        access_tests=(AccessTestResult("a", True), AccessTestResult("b", False)),
    )
    root = ElementTree.fromstring(junit(plan_document(plan)))
    assert [suite.attrib["name"] for suite in root] == ["guards", "access tests"]
    assert [suite.attrib["failures"] for suite in root] == ["1", "1"]


def test_no_text_breaks_a_format() -> None:
    root = ElementTree.fromstring(junit(problems_document([EVIL])))
    assert "<script>" in (root.find(".//failure").text or "")
    assert json.loads(sarif(problems_document([EVIL])))
    assert ElementTree.fromstring(junit(plan_document(full_plan()))) is not None
