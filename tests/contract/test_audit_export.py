"""The export of a local org's audit log, read by rolecall's own client over a socket, in both styles of records."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from audit_exports import WATCHING
from cli_repo import SNAPSHOT, apply_approved
from faulty_client import FakeClock
from live_site import Site, served, site_template
from org_client import Client

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.jobs.audit import AuditRequest, gap_problems, known_log, read_log
from rolecall.journal.opened import open_journal
from rolecall.journal.port import AuditStore
from rolecall.live.audit import audit_export
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database
from rolecall.model.audit import AuditLog, AuditPosition

__all__ = ["site_template"]
WRITER = "org_8817"


class Export(NamedTuple):
    """A served org, and a client of it that writes."""

    site: Site
    admin: Client

    def token(self, **more: Any) -> str:
        return make_token(self.site.database, "admin", email="ann@acme.com", **more).secret

    def read(self, token: str | None = None, writer: str = WRITER, store: AuditStore | None = None) -> AuditLog:
        async def work() -> AuditLog:
            secret = self.token() if token is None else token
            client = audit_export(writer, lambda: secret, now, self.site.base, FakeClock())
            try:
                known = known_log(store, writer)
                return await read_log(AuditRequest(client, writer, now() - timedelta(days=1), now, known, store))
            finally:
                await client.close()

        return asyncio.run(work())

    def change(self) -> None:
        """Changes of settings: six that WRITER's log has, and two that it does not have."""
        sso = {"enabled": True, "name": "Okta", "idp": "okta", "allow_uninvited": False}
        self.admin.write("PUT", "/v1/access/sso", {**sso, "allow_passwords": True})
        self.admin.write("PUT", "/v1/access/sso", {**sso, "allow_passwords": False})
        self.admin.write("PUT", "/v1/domains/acme.com", {"discoverable": False, "join": "approval"})
        self.admin.write("DELETE", "/v1/domains/acme.co.uk")
        self.admin.write("PUT", "/v1/access/scim", {"enabled": True, "idp": "okta", "manual_editing": True})
        self.admin.write("PUT", "/v1/access/defaults", {"role": "member", "teams": ["Sales"]})


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def export(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Export]:
    path = tmp_path / "org.db"
    shutil.copy(request.getfixturevalue("site_template"), path)
    database = open_database(path)
    with served(database, "http") as base:
        site = Site("http", database, path, base)
        yield Export(site, Client(database, make_token(database, "admin", email="ann@acme.com").secret))
    database.close()


EXPECTED = [
    ("sso", "Enable password"),
    ("sso", "Disable password"),
    ("domains/acme.com", "Update domain discoverability settings"),
    ("domains/acme.co.uk", "Updated domain management settings"),
]


def test_changes_are_read_in_the_older_style_by_default(export: Export) -> None:
    export.change()
    log = export.read()
    assert log.coverage.state == "complete"
    assert [(record.addresses[0], record.action) for record in log.records] == EXPECTED
    assert {(record.actor, record.source, record.result) for record in log.records} == {
        ("ann@acme.com", "legacy", "success")
    }
    assert all(record.counts for record in log.records)


@pytest.mark.parametrize("style", ["legacy", "platform", "both"])
def test_both_styles_are_recognized_alike(export: Export, style: str) -> None:
    export.site.turn(audit_style=style)
    export.change()
    log = export.read()
    assert [record.addresses[0] for record in log.records] == [at for at, _ in EXPECTED]
    assert {record.source for record in log.records} == {"platform" if style == "platform" else "legacy"}
    assert log.unrecognized == ()


def test_what_the_log_does_not_have_leaves_an_empty_page_with_a_cursor(export: Export) -> None:
    export.site.turn(page_limit=1)
    export.change()
    assert len(export.read().records) == len(EXPECTED)


def test_the_next_reading_continues(export: Export, tmp_path: Path) -> None:
    with open_journal("sqlite:j.db", tmp_path) as journal:
        assert export.read(store=journal.audit).records == ()
        export.change()
        assert len(export.read(store=journal.audit).records) == len(EXPECTED)
        assert len(journal.audit.records(WRITER)) == len(EXPECTED)


@pytest.mark.parametrize(
    ("token", "writer", "message"),
    [
        ("rolecall_admin_wrong", WRITER, "does not accept the token"),
        (None, "org_other", "does not allow GET .*: This key belongs to another organization"),
    ],
)
def test_a_wrong_key_and_another_organization(export: Export, token: str | None, writer: str, message: str) -> None:
    log = export.read(token, writer)
    assert log.coverage.state == "unread"
    assert re.search(message, log.coverage.problem or "")


def test_a_key_of_a_user_who_is_no_org_admin(export: Export) -> None:
    secret = make_token(export.site.database, "admin", email="bo@acme.com").secret
    assert "bo@acme.com is not an org admin" in (export.read(secret).coverage.problem or "")


def test_a_rate_limit_is_waited_for(export: Export) -> None:
    export.change()
    export.site.turn(per_minute=2)
    token = export.token()
    assert export.read(token).coverage.state in ("complete", "partial", "unread")


def test_a_cursor_of_another_org_is_a_gap(export: Export, tmp_path: Path) -> None:
    at = now() - timedelta(hours=3)
    with open_journal("sqlite:j.db", tmp_path) as journal:
        journal.audit.store(WRITER, [], AuditPosition("Zm9v", at - timedelta(days=1), at), at)
        log = export.read(store=journal.audit)
        assert log.coverage.state == "complete"
        assert len(list(gap_problems(log, at - timedelta(days=1), now()))) == 1


@pytest.mark.parametrize(
    "query", ["start_date=soon", "start_date=2026-11-12T00:00:00", "cursor=%00", "cursor=YWZ0ZXI6LTE="]
)
def test_a_bad_query_is_refused(export: Export, query: str) -> None:
    from rolecall.localorg.api.audit_export import PATH, handle_export
    from rolecall.localorg.web import Request

    headers = {"authorization": f"Bearer {export.token()}"}
    request = Request("GET", PATH.replace("{id}", WRITER), query, headers)
    response = handle_export(request, export.site.database)
    assert response.status == 400
    assert json.loads(response.read())["tpe"] == "BadRequest"


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "", 405), ("GET", "/x", 404)])
def test_other_addresses(export: Export, method: str, path: str, status: int) -> None:
    from rolecall.localorg.api.audit_export import PATH, handle_export
    from rolecall.localorg.web import Request

    request = Request(method, PATH.replace("{id}", WRITER) + path)
    assert handle_export(request, export.site.database).status == status


@pytest.mark.parametrize("style", ["legacy", "platform"])
def test_a_new_holder_of_a_watched_role_is_found_by_the_export(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], style: str
) -> None:
    """An admin changes the role in the org, and the export of the org's own log shows it."""
    export.site.turn(audit_style=style)
    folder = tmp_path / "repo"
    folder.mkdir()
    snapshot = {name: value for name, value in SNAPSHOT.items() if name != "people"}
    (folder / "org.json").write_text(json.dumps({**snapshot, "taken_at": now().isoformat()}))
    (folder / "rolecall.yaml").write_text(WATCHING.format(writer=WRITER, base=export.site.base))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KEY", export.token())
    apply_approved(capsys)
    assert run(["done", "1", "all"]) == Exit.OK
    where = ["--as", "ann@acme.com", "--database", str(export.site.path)]
    assert run(["local", "role", "di@acme.com", "Team admin", "--team", "Sales", *where]) == Exit.OK
    assert run(["local", "role", "di@acme.com", "Org admin", *where]) == Exit.OK
    capsys.readouterr()
    assert run(["drift", "--format", "json", "--detailed-exitcode"]) == Exit.CHANGES
    (alarm,) = json.loads(capsys.readouterr().out)["alarms"]
    assert (alarm["kind"], alarm["name"], alarm["who"]["email"]) == ("watch", "org_admin", "di@acme.com")
    assert alarm["message"].startswith("is now org admin, by ann@acme.com, ")
    entries = [item for item in export.read().records if item.object == "di@acme.com"]
    assert [(item.role, item.source, item.addresses, item.actor) for item in entries] == [
        ("team_admin", style, ("users",), "ann@acme.com"),
        ("org_admin", style, ("users",), "ann@acme.com"),
    ]


def test_a_change_in_the_console_makes_an_observed_org_out_of_date(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "org.json").write_text(json.dumps({**SNAPSHOT, "taken_at": now().isoformat()}))
    audit = f"audit: {{writer: {WRITER}, token: {{env: KEY}}, url: '{export.site.base}'}}\n"
    (folder / "rolecall.yaml").write_text(
        f"version: 1\norg: {{name: tinyco, url: observed:org.json}}\nsso: {{enabled: true}}\n{audit}"
    )
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KEY", export.token())
    assert run(["plan", "--format", "json"]) == Exit.OK
    assert "changed_since" not in capsys.readouterr().out
    export.change()
    assert run(["plan", "--detailed-exitcode"]) == Exit.UNSEEN
    assert "SSO was changed by ann@acme.com on " in capsys.readouterr().out
    assert run(["audit", "--by", "ann@*"]) == Exit.OK
    assert "Sign in: Enable password" in capsys.readouterr().out
