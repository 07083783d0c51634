"""Test the store: one schema on both databases, transactions, versions, and opening a database."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError

from rolecall.errors import OrgError
from rolecall.localorg.store import Busy, Database, counters, database, open_database
from rolecall.localorg.store.keys import BUCKETS, address, bucket, fold, folded_before, new_id
from rolecall.localorg.store.migrations import SCHEMA, migrate
from rolecall.localorg.store.singletons import NEW_SETTINGS, read_singleton, write_singleton
from rolecall.localorg.store.tables import (
    DOMAINS,
    METADATA,
    MIGRATED,
    NEW_DOMAIN,
    ORG,
    SETTINGS,
    TEAMS,
    USERS,
    domain_columns,
    domain_value,
)

FIRST_SCHEMA = Path(__file__).parents[3] / "support" / "first_org_schema.sql"


def test_migrations_make_exactly_the_tables_that_the_code_speaks_of(org_db: Database) -> None:
    found = inspect(org_db.engine)
    assert set(found.get_table_names()) == set(METADATA.tables)
    for table in METADATA.sorted_tables:
        made = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert made == {column.name: column.nullable for column in table.columns}, table.name
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [c.name for c in table.primary_key]


def test_a_database_of_any_earlier_schema_is_brought_up_to_date(org_url: str) -> None:
    earlier = database._open_sqlite if org_url.startswith("sqlite") else database._open_postgresql
    old = earlier(database.database_url(org_url))
    with old.write() as tx:
        make_first_schema(tx)
    old.close()
    new = open_database(org_url)
    with new.read() as tx:
        assert set(tx.execute(select(MIGRATED.c.number)).scalars()) == set(range(1, SCHEMA + 1))
        assert tx.execute(select(ORG.c.name)).scalar_one() == "local"
        upgraded = described(tx)
    with new.write() as tx:
        METADATA.drop_all(tx)
    new.close()
    created = open_database(org_url)
    with created.read() as tx:
        assert described(tx) == upgraded
    created.close()


def make_first_schema(tx: Connection) -> None:
    """Make the tables of an org as the first migration did."""
    words = {"text": 'TEXT COLLATE "C"' if tx.dialect.name == "postgresql" else "TEXT"}
    words["without_rowid"] = "" if tx.dialect.name == "postgresql" else " WITHOUT ROWID"
    for statement in FIRST_SCHEMA.read_text().format(**words).split(";\n")[:-1]:
        tx.execute(text(statement))
    MIGRATED.create(tx)
    tx.execute(MIGRATED.insert().values(number=1, at=""))


def described(tx: Connection) -> list[tuple[Any, ...]]:
    """Return every column and index as the database describes them, in an order of their own."""
    if tx.dialect.name == "postgresql":
        columns = "table_name, column_name, data_type, is_nullable, collation_name, column_default"
        rows = list(tx.execute(text(f"SELECT {columns} FROM information_schema.columns WHERE table_schema = 'public'")))
        rows += tx.execute(text("SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
        return sorted(tuple(map(str, row)) for row in rows if row[0] != MIGRATED.name)
    described: list[tuple[Any, ...]] = []
    for table, rowid in tx.execute(text("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'")).all():
        info = tx.execute(text(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')")).all()
        described += [(table, str(rowid), *map(str, row)) for row in info if not table.startswith("sqlite_")]
    indexes = tx.execute(text("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")).all()
    return sorted([*described, *((table, sql.replace('"', "")) for table, sql in indexes)])


def test_a_field_and_a_kind_declared_since_are_added_to_an_older_org(org_url: str) -> None:
    """An org made before a field of domains, a field of SCIM and the whole of SSO were declared."""
    old = open_database(org_url)
    with old.write() as tx:
        at = {"created": "", "modified": ""}
        tx.execute(DOMAINS.insert().values(name="acme.com", **domain_columns(NEW_DOMAIN), version=7, **at))
        for column in ("discoverable", "join_policy"):
            tx.execute(text(f"ALTER TABLE domains DROP COLUMN {column}"))
        tx.execute(SETTINGS.delete().where(SETTINGS.c.section == "sso"))
        scim = read_singleton(tx, "scim").value
        write_singleton(tx, "scim", {name: value for name, value in scim.items() if name != "manual_editing"})
    old.close()
    for _ in range(2):
        db = open_database(org_url)
        with db.read() as tx:
            assert domain_value(tx.execute(select(DOMAINS)).one()) == NEW_DOMAIN
            assert read_singleton(tx, "sso").value == NEW_SETTINGS["sso"]
            assert read_singleton(tx, "scim").value == scim
        made = {column["name"]: column["nullable"] for column in inspect(db.engine).get_columns("domains")}
        assert made == {column.name: column.nullable for column in DOMAINS.columns}
        db.close()
    assert NEW_DOMAIN["join"] == "approval"


def test_opening_again_changes_nothing(org_url: str) -> None:
    ids = []
    for _ in range(2):
        db = open_database(org_url)
        with db.read() as tx:
            ids.append(tx.execute(select(ORG.c.id)).scalar_one())
        db.close()
    assert ids[0] == ids[1]


def test_a_schema_from_the_future_is_refused(org_url: str) -> None:
    db = open_database(org_url)
    with db.write() as tx:
        tx.execute(MIGRATED.insert().values(number=999, at=""))
    db.close()
    with pytest.raises(OrgError, match="schema 999"):
        open_database(org_url)


def test_a_write_that_fails_leaves_nothing(org_db: Database) -> None:
    def half() -> None:
        with org_db.write() as tx:
            tx.execute(TEAMS.insert().values(name="Half", id=new_id(), created=""))
            raise LookupError

    with pytest.raises(LookupError):
        half()
    with org_db.read() as tx:
        assert "Half" not in set(tx.execute(select(TEAMS.c.name)).scalars())


def test_a_read_is_one_snapshot(org_db: Database) -> None:
    with org_db.read() as reader:
        before = counters.value(reader, "people")
        with org_db.write() as writer:
            counters.bump(writer, "people")
        assert counters.value(reader, "people") == before
    with org_db.read() as reader:
        assert counters.value(reader, "people") == before + 1


def test_a_read_cannot_write(org_db: Database) -> None:
    with pytest.raises(DBAPIError), org_db.read() as tx:
        counters.bump(tx, "people")


def test_writers_take_turns(org_db: Database) -> None:
    def grow() -> None:
        for _ in range(20):
            with org_db.write() as tx:
                now = tx.execute(text("SELECT coalesce(max(position), 0) FROM roles")).scalar_one()
                tx.execute(text("UPDATE roles SET position = :next WHERE id = 'member'"), {"next": now + 1})

    with org_db.read() as tx:
        before = tx.execute(text("SELECT max(position) FROM roles")).scalar_one()
    threads = [threading.Thread(target=grow) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with org_db.read() as tx:
        assert tx.execute(text("SELECT max(position) FROM roles")).scalar_one() == before + 120


def test_a_writer_that_gets_no_turn_says_so(org_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with org_db.write(), pytest.raises(Busy), org_db.write():
        pass


def test_processes_that_open_one_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    code = (
        "import sys; from rolecall.localorg.store import open_database, counters\n"
        "db = open_database(sys.argv[1])\n"
        "for _ in range(25):\n"
        "    with db.write() as tx: counters.bump(tx, 'people')\n"
    )
    path = tmp_path / "org.db"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    db = open_database(path)
    with db.read() as tx:
        assert counters.value(tx, "people") == 75
    db.close()


def test_sqlite_is_asked_for_wal_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "org.db"
    db = open_database(path)
    assert db.journal_mode == "wal"
    assert path.stat().st_mode & 0o777 == 0o600
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 15000
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    db.close()


def test_sqlite_that_will_not_give_wal_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert database._with_warning("delete") == "delete"
    assert "journal mode delete" in caplog.text


@pytest.mark.parametrize(
    ("said", "backend", "where"),
    [
        ("org.db", "sqlite", "org.db"),
        ("sqlite:org.db", "sqlite", "org.db"),
        ("sqlite:///org.db", "sqlite", "org.db"),
        ("sqlite:////var/org.db", "sqlite", "/var/org.db"),
        ("/tmp/what?x=#1.db", "sqlite", "/tmp/what?x=#1.db"),
        ("postgresql://u@h/org", "postgresql", "org"),
        ("postgres://u@h/org", "postgresql", "org"),
    ],
)
def test_a_database_may_be_named_in_many_ways(said: str, backend: str, where: str) -> None:
    url = database.database_url(said)
    assert (url.get_backend_name(), url.database) == (backend, where)


@pytest.mark.parametrize("said", ["", ":memory:", "sqlite:", "mysql://u@h/org"])
def test_a_database_that_cannot_be_is_refused(said: str) -> None:
    with pytest.raises(ValueError):
        database.database_url(said)


def test_a_version_never_comes_back(org_db: Database) -> None:
    seen = set()
    for role in ("member", "team_admin", "member"):
        with org_db.write() as tx:
            seen.add(write_singleton(tx, "defaults", {"role": role, "teams": ["Everyone"]}).version)
    with org_db.read() as tx:
        assert read_singleton(tx, "defaults").value["role"] == "member"
    assert len(seen) == 3


def test_buckets_spread_evenly() -> None:
    counts = [0] * 8
    for _ in range(8000):
        counts[bucket(new_id()) * 8 // BUCKETS] += 1
    assert min(counts) > 850
    assert max(counts) < 1150


def test_keys_compare_without_case_beyond_ascii() -> None:
    assert fold("STRAßE Ä") == fold("straße a\u0308")
    assert fold("STRASSE") != fold("straße")
    assert address("STRAßE@Ä.de") == address("straße@xn--4ca.de")


def test_an_org_of_before_gets_the_keys_of_today(org_db: Database) -> None:
    """In 0.1.0 letters were folded. Two users whose keys are equal today keep theirs apart."""
    texts = ["Strauß@acme.com", "ann@bücher.de", "ann@xn--bcher-kva.de", "plain@acme.com"]
    with org_db.write() as tx:
        for number, text in enumerate(texts):
            document = {"userName": text, "externalId": "STRAßE", "emails": [{"value": text, "type": "Straße"}]}
            folded = {"userName": folded_before(text), "externalId": "STRAßE"}
            folded["emails"] = [{"value": folded_before(text), "type": folded_before("Straße")}]
            row = {"active": True, "origin": "scim", "pending": False, "manual": "[]", "version": 1, "bucket": 0}
            row |= {"created": "", "modified": "", "email_key": folded_before(text), "folded": folded}
            row |= {"user_name_key": folded_before(text), "document": json.dumps(document, ensure_ascii=False)}
            tx.execute(USERS.insert().values(id=str(number), email=text, **row))
        tx.execute(MIGRATED.delete().where(MIGRATED.c.number == 3))
        assert migrate(tx) == [3]
        users = tx.execute(select(USERS).order_by(USERS.c.id)).all()
    names = ["strauß@acme.com", "ann@bücher.de", "ann@xn--bcher-kva.de", "plain@acme.com"]
    assert [user.email_key for user in users] == names
    assert [user.user_name_key for user in users] == names
    folded: Any = users[0].folded
    assert folded == {"userName": names[0], "externalId": "STRAßE", "emails": [{"value": names[0], "type": "straße"}]}
    assert users[1].folded == {**folded, "userName": names[2], "emails": [{"value": names[2], "type": "straße"}]}


def test_two_people_cannot_share_an_address(org_db: Database) -> None:
    row = {"active": True, "origin": "scim", "pending": False, "manual": "[]", "version": 1, "bucket": 0}
    row |= {"created": "", "modified": "", "email_key": fold("Ann@acme.com")}
    with org_db.write() as tx:
        tx.execute(USERS.insert().values(id="1", email="ann@acme.com", **row))
    with pytest.raises(DBAPIError), org_db.write() as tx:
        tx.execute(USERS.insert().values(id="2", email="ANN@acme.com", **row))


def test_somebody_elses_database_is_left_alone(org_url: str) -> None:
    opened = database._open_sqlite if org_url.startswith("sqlite") else database._open_postgresql
    other = opened(database.database_url(org_url))
    with other.write() as tx:
        tx.execute(text("CREATE TABLE theirs (id INTEGER)"))
    with pytest.raises(OrgError, match="a database of its own"):
        open_database(org_url)
    assert inspect(other.engine).get_table_names() == ["theirs"]
    other.close()


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    text_file = tmp_path / "notes.txt"
    text_file.write_text("not a database, though long enough to look like one" * 10)
    with pytest.raises(OrgError, match=r"notes\.txt cannot be opened as a local org: file is not a database"):
        open_database(text_file)
    with pytest.raises(OrgError, match="cannot be opened"):
        open_database(tmp_path)
    with pytest.raises(OrgError, match="`mysql` databases"):
        open_database("mysql://u@h/org")


def test_a_password_is_not_in_the_message() -> None:
    with pytest.raises(OrgError, match=r"postgresql://127\.0\.0\.1:1/org cannot be opened") as refused:
        open_database("postgresql://ann:hush@127.0.0.1:1/org")
    assert "hush" not in str(refused.value)


def test_more_readers_than_connections_are_told_to_come_again(tmp_path: Path) -> None:
    db = open_database(tmp_path / "org.db")
    db.close()
    db.engine = create_engine(f"sqlite:///{tmp_path / 'org.db'}", pool_size=1, max_overflow=0, pool_timeout=0.01)
    with db.read(), pytest.raises(Busy), db.read():
        pass
    db.close()
