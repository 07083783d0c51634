"""A document's findings as SARIF 2.1.0, for code scanning and editors, within what GitHub takes in one upload.

GitHub rejects a file of which one result has no location, of more than 25,000 results, or of more than 10 MB packed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rolecall import __version__
from rolecall.errors import Where
from rolecall.report.document import Document
from rolecall.report.findings import ReportFinding, findings

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST = 25_000
"""Results of one run that GitHub takes."""
PACKED = 10 * 10**6
"""Bytes of a file, packed by gzip, that GitHub takes."""
_MAIN = "rolecall.yaml"


def sarif(document: Document, folder: str = "", main: str = _MAIN) -> str:
    """Return the findings of a report as one run, within what GitHub takes."""
    return sarif_run(findings(document), folder, main)


def sarif_run(
    results: Sequence[ReportFinding], folder: str = "", main: str = _MAIN, most: int = MOST, packed: int = PACKED
) -> str:
    """Return one run of at most ``most`` results, with a rule for each kind; the last one counts those left out.

    ``folder`` leads from the repository's root to the config, and ``main`` is the file there that results without a
    place belong to.
    """
    listed = len(results) if len(results) <= most else most - 1
    text = _document(results, listed, folder, main)
    while listed > 0 and len(text) > packed and (size := len(gzip.compress(text.encode()))) > packed:
        listed = min(listed - 1, listed * packed * 9 // (size * 10))
        text = _document(results, listed, folder, main)
    return text


def _document(results: Sequence[ReportFinding], listed: int, folder: str, main: str) -> str:
    shown = list(results[:listed])
    if listed < len(results):
        more = f"{len(results) - listed:,} more findings are not in this file, which has the first {listed:,}."
        shown.append(ReportFinding("note", "more", more))
    rules = sorted({finding.rule for finding in shown})
    numbers = {rule: number for number, rule in enumerate(rules)}
    driver = {"name": "rolecall", "version": __version__, "rules": [{"id": rule} for rule in rules]}
    located = [_result(finding, numbers[finding.rule], folder, main) for finding in shown]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": located}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(finding: ReportFinding, rule: int, folder: str, main: str) -> dict[str, Any]:
    file, line, column = finding.where or Where(main, 1)
    uri = quote(file, errors="replace") if file.startswith("/") else quote(f"{folder}{file}", errors="replace")
    place: dict[str, Any] = {"artifactLocation": {"uri": f"file://{uri}" if file.startswith("/") else uri}}
    if line:
        place["region"] = {"startLine": line, **({"startColumn": column} if column else {})}
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
    }
