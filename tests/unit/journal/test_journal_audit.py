"""The records of audit logs in a journal: stored with the position, once each, blanked when old, checked when read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from journals import ORG, opening

from rolecall.codec.audit import decode_record, stored_record
from rolecall.journal import database
from rolecall.journal.opened import _connect, find_journal, open_journal
from rolecall.journal.port import Journal, JournalError
from rolecall.model.audit import AuditPosition, Gap, StoredRecord

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)
POSITION = AuditPosition("c1", NOW - 90 * DAY, NOW, (Gap(NOW - 3 * DAY, NOW - 2 * DAY),))


def record(number: int, days: int = 0) -> StoredRecord:
    at = (NOW - days * DAY).isoformat()
    return stored_record(decode_record({"z": number, "a": "é ☃ \udc00", "time": at}), NOW)


def test_records_and_position_are_read_back(journal: Journal, other: Journal) -> None:
    assert journal.audit.position("1") is None
    assert journal.audit.records("1") == ()
    stored = [record(1, 2), record(2, 1)]
    journal.audit.store("1", stored, POSITION, NOW)
    journal.audit.store("1", [record(2, 1)], POSITION._replace(cursor="c2"), NOW)
    assert other.audit.records("1") == tuple(stored)
    assert other.audit.records("1", NOW - DAY) == (stored[1],)
    assert other.audit.position("1") == POSITION._replace(cursor="c2")
    assert other.audit.records("2") == ()
    assert journal.verify(ORG).problems == ()


def test_records_with_a_text(journal: Journal) -> None:
    """Whatever its case; a character that a pattern gives a meaning may find more."""
    users = ("Bo.Li@acme.com", "bo_li@acme.com", "cy@acme.com", "b\u00f6@acme.com")
    stored = [stored_record(decode_record({"n": n, "user": user}), NOW) for n, user in enumerate(users)]
    journal.audit.store("1", stored, POSITION, NOW)
    assert [json.loads(each.body)["n"] for each in journal.audit.records("1", text="bo.li")] == [0]
    assert {json.loads(each.body)["n"] for each in journal.audit.records("1", text="CY@")} == {2}
    assert {json.loads(each.body)["n"] for each in journal.audit.records("1", text="bo_li")} >= {1}
    assert journal.audit.records("1", text="di@") == ()
    assert len(journal.audit.records("1", NOW - DAY)) == len(users)


def test_the_order_of_keys_is_kept(journal: Journal) -> None:
    journal.audit.store("1", [record(1)], POSITION, NOW)
    assert list(json.loads(journal.audit.records("1")[0].body)) == ["z", "a", "time"]


def test_old_records_are_blanked_and_not_added_again(journal: Journal) -> None:
    journal.audit.store("1", [record(1, 100), record(2, 1)], POSITION, NOW - 100 * DAY)
    assert journal.audit.prune("1", NOW - 90 * DAY) == 1
    journal.audit.store("1", [record(1, 100)], POSITION, NOW)
    assert journal.audit.records("1") == (record(2, 1),)
    assert journal.audit.prune("1", NOW - 90 * DAY) == 0


def test_a_record_that_was_just_received_is_not_blanked(journal: Journal) -> None:
    journal.audit.store("1", [record(1, 100)], POSITION, NOW)
    assert journal.audit.prune("1", NOW - 90 * DAY) == 0


def test_nothing_is_stored_without_the_position(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    from rolecall.journal import audit

    monkeypatch.setattr(audit, "_ADVANCE", "INSERT INTO no_such_table (a, b) VALUES (?, ?)")
    with pytest.raises(JournalError):
        journal.audit.store("1", [record(1)], POSITION, NOW)
    assert journal.audit.records("1") == ()


@pytest.mark.parametrize(
    "change", ["UPDATE rolecall_audit SET body = '{}'", "UPDATE rolecall_audit SET at = 'soon', body = 'x'"]
)
def test_a_changed_record_is_reported(url: str, tmp_path: Path, journal: Journal, change: str) -> None:
    journal.audit.store("1", [record(1)], POSITION, NOW)
    connection = _connect(url, tmp_path)
    connection.change(change)
    connection.close()
    with pytest.raises(JournalError, match="rolecall_audit"):
        journal.audit.records("1")


@pytest.fixture
def earlier(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal with the tables of the version before."""
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", database.MIGRATIONS[:2])
        with open_journal(url, tmp_path) as made:
            made.begin(opening())


@pytest.mark.usefixtures("earlier")
def test_a_journal_of_an_earlier_version_has_no_records(url: str, tmp_path: Path) -> None:
    found = find_journal(url, tmp_path)
    assert found is not None
    with found:
        assert (found.audit.position("1"), found.audit.records("1")) == (None, ())
    with open_journal(url, tmp_path) as moved:
        moved.audit.store("1", [record(1)], POSITION, NOW)
        assert moved.audit.records("1") == (record(1),)
        assert len(moved.runs(ORG)) == 1
