"""Findings as GitHub's workflow commands: annotations on the YAML line."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.report.findings import Finding
from rolecall.report.phrases import visible

MOST = 10
"""GitHub shows no more of a level from one step; what is cut is counted on a plain line."""

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def github_annotations(findings: Sequence[Finding], folder: str = "") -> str:
    """The first ten findings, which come worst first. ``folder`` leads from the repository's root to the config."""
    lines = [_command(finding, folder) for finding in findings[:MOST]]
    if len(findings) > MOST:
        lines.append(f"and {len(findings) - MOST:,} more")
    return "".join(f"{line}\n" for line in lines)


def _command(finding: Finding, folder: str) -> str:
    properties = {"title": f"rolecall {finding.rule}"}
    if finding.where:
        file, row, column = finding.where
        properties["file"] = visible(f"{folder}{file}")
        properties |= {"line": str(row)} if row else {}
        properties |= {"col": str(column)} if row and column else {}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.level]} {told}::{_data(finding.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
