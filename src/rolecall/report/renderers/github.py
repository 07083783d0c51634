"""A document's findings as GitHub's workflow commands: annotations on the YAML line."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.report.document import Document
from rolecall.report.findings import ReportFinding, findings
from rolecall.report.phrases import visible

MOST = 10
"""GitHub shows no more of a level from one step; what is cut is counted on a plain line."""

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def github(document: Document, folder: str = "") -> str:
    """Return the worst findings. ``folder`` leads from the repository's root to the config."""
    return workflow_commands(findings(document), folder)


def workflow_commands(listed: Sequence[ReportFinding], folder: str = "") -> str:
    """Return the first ten findings, and a count of the others."""
    lines = [_command(finding, folder) for finding in listed[:MOST]]
    if len(listed) > MOST:
        lines.append(f"and {len(listed) - MOST:,} more")
    return "".join(f"{line}\n" for line in lines)


def _command(finding: ReportFinding, folder: str) -> str:
    properties = {"title": f"rolecall {finding.rule}"}
    if finding.where:
        file, line, column = finding.where
        properties["file"] = visible(f"{folder}{file}")
        properties |= {"line": str(line)} if line else {}
        properties |= {"col": str(column)} if line and column else {}
    fields = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.level]} {fields}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
