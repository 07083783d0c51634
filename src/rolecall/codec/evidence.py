"""Writes what an audit log shows of a change as JSON, for runs and drift checks."""

from __future__ import annotations

from typing import Any

from rolecall.codec.snapshot import moment_text
from rolecall.model.evidence import Finding, Proof


def encode_finding(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON; times are RFC 3339."""
    return {
        "status": finding.status,
        "records": [_encode_proof(proof) for proof in finding.proofs],
        "missing": list(finding.missing),
        "not_logged": list(finding.unlogged),
        "problem": finding.problem,
        "writer": finding.writer or None,
    }


def _encode_proof(proof: Proof) -> dict[str, Any]:
    return {
        "key": proof.key,
        "at": moment_text(proof.at),
        "stated_at": moment_text(proof.stated_at or proof.at),
        "actor": proof.actor or None,
        "area": proof.area or None,
        "action": proof.action,
        "object": proof.object or None,
        "source": proof.source or None,
        "addresses": list(proof.fields),
        "with_values": proof.with_values,
    }
