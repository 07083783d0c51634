"""A drift report as JSON, as ``schemas/drift.schema.json`` describes it. Every key is always there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rolecall import __version__
from rolecall.codec.evidence import encode_finding
from rolecall.codec.record import Codec, Shape
from rolecall.codec.settings import Json
from rolecall.drift.compare import Drift
from rolecall.drift.value import UNDETERMINED, DriftReport
from rolecall.plan.saved.encode import REPORT_SHAPES
from rolecall.plan.value import GuardResult, Impact, Move, Plan, Who

FORMAT_VERSION = "1.0"


def encode_report(report: DriftReport) -> dict[str, Json]:
    """Return the whole report, users as they are in it, see ``drift.privacy``. No secret is in it."""
    return _CODEC.encode_record(report)


def _write_report(report: DriftReport, _: Mapping[str, Json]) -> dict[str, Json]:
    sighting = report.sighting
    return {
        "format_version": FORMAT_VERSION,
        "rolecall_version": __version__,
        "undetermined": None if report.determined else UNDETERMINED,
        "drift": _drifts(report, report.drifts),
        "beside": _drifts(report, (drift for drift in report.entries if drift.fingerprint not in report.counted)),
        "impact": {"did": _impact(report.did), "revert": _impact(report.revert)},
        "acknowledged": [_CODEC.encode(acknowledgement) for acknowledgement in report.acknowledged.values()],
        "roles": dict(sighting.roles) if sighting else None,
        "teams": dict(sighting.teams) if sighting else None,
    }


def _drifts(report: DriftReport, drifts: Iterable[Drift]) -> list[Json]:
    """Return addresses as JSON, with the commit of the config's line and the affected users."""
    entries = []
    for drift in drifts:
        tallies = {
            "did": report.tally("did", drift.address) if drift.fingerprint in report.counted else None,
            "revert": report.tally("revert", drift.address) if drift.fingerprint in report.counted else None,
        }
        blame, last = report.written.get(drift.address), report.last_write(drift)
        finding = report.findings.get(drift.address)
        people = {side: None if tally is None else tally._asdict() for side, tally in tallies.items()}
        entry = {
            **_CODEC.encode(drift),
            "who": last.by,
            "when": last.at.isoformat() if last.at else None,
            "written": None if blame is None else _CODEC.encode(blame),
            "people": people,
        }
        writes = report.writes.get(drift.address, ())
        if writes:
            entry["fields"] = [{"address": at, "who": by, "when": when.isoformat()} for at, by, when in writes]
        entries.append(entry if finding is None else {**entry, "audit": encode_finding(finding)})
    return entries


def _write_drift(drift: Drift, _: Mapping[str, Json]) -> dict[str, Json]:
    event = drift.event
    return {
        "who": None,
        "when": None,
        "from": {"channel": event.channel, "ip": event.source_ip, "key": event.key} if event else None,
        "written": None,
        "people": None,
        "fingerprint": drift.fingerprint,
        "former_fingerprints": list(drift.former_fingerprints),
    }


def _impact(plan: Plan | None) -> dict[str, Json] | None:
    if plan is None:
        return None
    return {**_CODEC.encode(plan.impact), "guards": [_CODEC.encode(guard) for guard in plan.guards]}


def _write_impact(impact: Impact, _: Mapping[str, Json]) -> dict[str, Json]:
    details: list[Json] = []
    for move in impact.moves:
        access = _CODEC.encode(move)
        details += [{**_CODEC.encode(who), **access} for who in move.people]
    return {"details": details}


def _write_who(who: Who, _: Mapping[str, Json]) -> dict[str, Json]:
    return {"id": who.id or None}


_CODEC = Codec(
    {
        **REPORT_SHAPES,
        DriftReport: Shape(
            (
                *("format_version", "rolecall_version", "org", "at", "as_of", "basis", "undetermined", "coverage"),
                *("drift", "beside", "impact", "alarms", "acknowledged", "not_evaluated", "people", "groups"),
                *("released", "unmanaged", "roles", "teams", "without_access", "ignored", "warnings", "requests"),
            ),
            _write_report,
        ),
        Drift: Shape(
            (
                *("address", "id", "class", "last", "desired", "live", "new_admin", "who", "when", "from", "written"),
                *("source", "people", "fingerprint", "former_fingerprints"),
            ),
            _write_drift,
        ),
        Impact: Shape(
            (
                *("people", "problem", "gain", "lose", "change", "losing", "to_default", "to_nothing", "headline"),
                "details",
            ),
            _write_impact,
        ),
        Move: Shape(("before", "after", "kind", "because")),
        GuardResult: Shape(("name", "verdict", "message")),
        Who: Shape(write=_write_who),
    }
)
