"""Findings as SARIF 2.1.0, for code scanning and editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rolecall import __version__
from rolecall.report.findings import Finding

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(findings: Sequence[Finding], folder: str = "") -> str:
    """One run with one rule for each kind of finding. ``folder`` leads from the repository's root to the config."""
    rules = sorted({finding.rule for finding in findings})
    driver = {"name": "rolecall", "version": __version__, "rules": [{"id": rule} for rule in rules]}
    results = [_result(finding, rules.index(finding.rule), folder) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(finding: Finding, rule: int, folder: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": finding.message},
    }
    if finding.where:
        file, row, column = finding.where
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(f"{folder}{file}", errors="replace")}}
        if row:
            place["region"] = {"startLine": row, **({"startColumn": column} if column else {})}
        result["locations"] = [{"physicalLocation": place}]
    return result
