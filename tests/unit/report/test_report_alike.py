"""Guards that were not evaluated for the same reason are one block in what people read, and apart in formats."""

from __future__ import annotations

import json

from rolecall.errors import Where
from rolecall.report.document import CheckResult, Document
from rolecall.report.renderers import render_document
from rolecall.report.renderers.alike import combine_alike

WHY = "Users were not read. Who gains or loses access is unknown."


def unevaluated(name: str, message: str = WHY, line: int | None = None) -> CheckResult:
    set_at = None if line is None else Where("rolecall.yaml", line)
    return CheckResult(
        "guard", name, "not judged", message, "error", f"guard.{name}", ways=("Read it.",), set_at=set_at
    )


def test_only_guards_with_the_same_reason_and_actions_are_combined() -> None:
    review = CheckResult("guard", "unread", "review", WHY, "warning", ways=("Read it.",))
    another = unevaluated("sign_in", "SSO was not read.")
    checks = [unevaluated("a"), review, another, unevaluated("b"), review]
    assert [check.name for check in combine_alike(checks)] == ["a, b", "unread", "sign_in", "unread"]


def test_the_place_in_the_configuration_is_shown_if_it_is_one() -> None:
    (same,) = combine_alike([unevaluated("a", line=3), unevaluated("b", line=3)])
    (differing,) = combine_alike([unevaluated("a", line=3), unevaluated("b", line=4)])
    assert (same.set_at, differing.set_at) == (Where("rolecall.yaml", 3), None)


def test_a_reader_sees_the_reason_once_and_a_pipeline_each_guard() -> None:
    document = Document("plan", checks=(unevaluated("escalations"), unevaluated("min_org_admins")))
    for form in ("text", "markdown", "html"):
        text = render_document(document, form)
        assert text.count("Who gains or loses access is unknown") == 1
        assert "escalations, min_org_admins" in text
    runs = json.loads(render_document(document, "sarif"))["runs"]
    assert [result["ruleId"] for result in runs[0]["results"]] == ["guard.escalations", "guard.min_org_admins"]
