"""Laws of the audit log: decoding never fails or counts what is unknown, and no record is skipped by a crash."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from journals import MEMORY_DISK

from rolecall.codec.audit import decode_record
from rolecall.codec.shapes import forms_of, shape_of
from rolecall.errors import OrgError, Problem
from rolecall.jobs.audit import AuditRequest, known_log, read_log
from rolecall.journal.opened import open_journal
from rolecall.live.audit import AuditPage, decode_page

KEYS = st.sampled_from(
    [
        "action",
        "area",
        "actor",
        "result",
        "status",
        "success",
        "timestamp",
        "createdAt",
        "event",
        "data",
        "target",
        "user",
    ]
)
VALUES = st.sampled_from(
    ["success", "failed", "SSO", "ann@acme.com", "2026-11-12T09:14:00Z", 1794474840, 200, True, ""]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=5),
    max_leaves=15,
)


@given(JSON)
def test_decoding_never_fails_and_never_counts_an_unknown_result(raw: Any) -> None:
    record = decode_record(raw)
    assert record.counts == (record.result == "success" and record.at is not None and bool(record.action))
    assert record.key == decode_record(raw).key


@given(st.lists(JSON, max_size=4), st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_a_form_has_no_value_and_counts_every_record(records: list[Any], secret: str) -> None:
    """Wherever it is, a value is not in the form, and neither is a key that is not made of words for fields."""
    canary = f"Xq{secret}"
    placed = [*records, {"data": canary, "details": {canary: [canary, {canary: records}]}, "tags": [records, canary]}]
    forms = forms_of(placed)
    assert sum(number for number, _ in forms) == len(placed)
    assert canary not in json.dumps(forms, ensure_ascii=False)
    assert canary not in json.dumps(shape_of(placed), ensure_ascii=False)
    assert forms == forms_of(placed[::-1])


@given(JSON)
def test_a_page_is_decoded_or_refused(body: Any) -> None:
    page = decode_page(body)
    assert page is None or isinstance(page.records, tuple)


RECORDS = tuple(
    {"n": n, "time": f"2026-11-12T09:{n:02}:00Z", "action": "SAML enabled", "result": "ok"} for n in range(12)
)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Log:
    """A log of the records in pages, which fails or is killed at some requests."""

    def __init__(self, size: int, faults: Sequence[str]) -> None:
        self.size, self.faults = size, list(faults)

    async def page_since(self, start: datetime | None) -> AuditPage:
        return self._page(0)

    async def page_after(self, cursor: str) -> AuditPage:
        return self._page(int(cursor))

    def _page(self, first: int) -> AuditPage:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "error":
            raise OrgError(Problem("audit_failed", "no"))
        if fault == "killed":
            raise KeyboardInterrupt
        if fault == "repeat":
            first = max(0, first - self.size)
        listed = RECORDS[first : first + self.size]
        if fault == "shuffled":
            listed = listed[::-1]
        return AuditPage(listed, str(first + len(listed)), None)


@given(
    st.integers(1, 5),
    st.lists(st.lists(st.sampled_from(["", "error", "killed", "repeat", "shuffled"]), max_size=8), max_size=4),
)
@settings(max_examples=settings.default.max_examples // 2)
def test_no_record_is_skipped(size: int, attempts: list[list[str]]) -> None:
    with (
        tempfile.TemporaryDirectory(dir=MEMORY_DISK) as base,
        open_journal("sqlite:j.db", Path(base)) as journal,
    ):
        store = journal.audit

        def read(faults: Sequence[str]) -> Any:
            known = known_log(store, "1")
            start = NOW - timedelta(days=90)
            return asyncio.run(read_log(AuditRequest(Log(size, faults), "1", start, lambda: NOW, known, store)))

        for faults in attempts:
            with contextlib.suppress(KeyboardInterrupt):
                read(faults)
            stored = {record.raw["n"] for record in known_log(store, "1").records}
            position = store.position("1")
            if position is not None and position.cursor:
                assert set(range(int(position.cursor))) <= stored
        log = read([])
        assert {record.raw["n"] for record in log.records} == set(range(len(RECORDS)))
        assert log.coverage.state == "complete"
