"""The credential that `apply` writes to Okta with, as a service app, and on an org that has no API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from idp import Fault, Okta, ServiceApp, oid
from idp_repo import AUTHORITATIVE, WRITE_SCOPES, IdpRepo, an_okta, served_repo

from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def okta() -> Okta:
    return an_okta()


@pytest.fixture
def repo(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, okta: Okta) -> Iterator[IdpRepo]:
    with served_repo(tmp_path / "repo", capsys, monkeypatch, okta) as repo:
        yield repo


def rewrite(repo: IdpRepo, before: str, after: str) -> None:
    path = repo.folder / "rolecall.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture
def app(repo: IdpRepo, okta: Okta, monkeypatch: pytest.MonkeyPatch) -> ServiceApp:
    """A service app that writes; reads still use the token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    monkeypatch.setenv("W", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    rewrite(repo, "write: {token: {env: W}}", "write: {client_id: 0oa8, private_key: {env: W}}")
    okta.apps["0oa8"] = ServiceApp(key.public_key(), WRITE_SCOPES)
    return okta.apps["0oa8"]


def test_a_service_app_writes(repo: IdpRepo, okta: Okta, app: ServiceApp) -> None:
    repo.apply()
    assert oid("Everyone") in okta.assigned
    assert okta.mapping("Marketing").status == "ACTIVE"


def test_a_service_app_that_lacks_a_scope_writes_what_it_may(repo: IdpRepo, okta: Okta, app: ServiceApp) -> None:
    app.scopes = ("okta.apps.manage",)
    text = repo.apply(code=Exit.INCOMPLETE)
    assert oid("Everyone") in okta.assigned
    assert "idp_pushes/Marketing" in text
    assert "okta.groups.manage" in text


def test_a_service_app_that_is_not_accepted_is_an_error_before_anything_is_sent(
    repo: IdpRepo, okta: Okta, app: ServiceApp
) -> None:
    del okta.apps["0oa8"]
    text = repo.apply(code=Exit.ERROR)
    assert "Okta returned no token" in text
    assert "`idp.okta.write.client_id`" in text
    assert okta.writes == []


def test_a_plan_does_not_need_the_credential(repo: IdpRepo, okta: Okta, app: ServiceApp) -> None:
    del okta.apps["0oa8"]
    assert {change["via"] for change in repo.plan()["changes"]} == {"api"}


def test_okta_is_written_although_the_org_has_no_api(repo: IdpRepo, okta: Okta) -> None:
    rewrite(repo, "local:org.db", "observed:live.json")
    rewrite(repo, "idp_groups:\n  Admins:", "idp_groups:\n  Extra: {role: member, teams: [Brand]}\n  Admins:")
    text = repo.apply("--arrival-timeout", "600")
    assert "Done: 3 steps (run 1)." in text
    assert "idp_groups/Extra is pending: check in WRITER that the group Extra has arrived" in text
    assert "rolecall observe" in text
    assert okta.mapping("Extra").status == "ACTIVE"
    repo.run("history")


def test_the_push_of_a_group_does_not_end_before_a_manual_step_unmaps_it(repo: IdpRepo, okta: Okta) -> None:
    okta.push("Marketing")
    rewrite(repo, "local:org.db", "observed:live.json")
    rewrite(repo, "  Marketing:\n    role: member\n    teams: [Marketing]\n    owner: lead@tiny.co\n", "")
    rewrite(repo, "  assignments: [Core, Everyone]\n  pushes: idp_groups\n", "  pushes: [Admins, Old]\n")
    rewrite(repo, "{idp_groups: authoritative}", AUTHORITATIVE)
    text = repo.apply(code=Exit.REFUSED)
    assert "`Marketing` would no longer be pushed before a manual step that unmaps" in text
    assert okta.mapping("Marketing").status == "ACTIVE"
    assert okta.writes == []


def test_a_saved_plan_is_not_applied_to_another_app(repo: IdpRepo, okta: Okta) -> None:
    repo.run("plan", "--out", str(repo.folder / "plan.json"))
    okta.app = "0oa2"
    rewrite(repo, "app: 0oa1", "app: 0oa2")
    text = repo.apply(str(repo.folder / "plan.json"), code=Exit.STALE)
    assert "app 0oa1, and the configuration now has" in text
    assert okta.writes == []


def test_steps_of_one_app_are_not_settled_by_another(repo: IdpRepo, okta: Okta) -> None:
    """The other app has no mapping of the group, which says nothing about the one that was left inactive."""
    repo.configure(manage=AUTHORITATIVE)
    okta.faults.append(Fault(403, method="DELETE", path="group-push/mappings"))
    repo.apply(code=Exit.INCOMPLETE)
    okta.app, okta.mappings = "0oa2", {}
    rewrite(repo, "app: 0oa1", "app: 0oa2")
    rewrite(repo, "[Core, Everyone]\n  pushes: idp_groups\n", "[Core, Everyone, Former]\n")
    assert "idp_pushes/Old, has an unknown outcome" in repo.apply(code=Exit.INCOMPLETE)


def test_a_saved_plan_is_applied_with_the_credential(repo: IdpRepo, okta: Okta) -> None:
    repo.run("plan", "--out", str(repo.folder / "plan.json"))
    repo.apply(str(repo.folder / "plan.json"))
    assert oid("Everyone") in okta.assigned


def test_a_plan_cannot_be_applied_without_the_credential_that_it_was_made_for(repo: IdpRepo, okta: Okta) -> None:
    repo.run("plan", "--out", str(repo.folder / "plan.json"))
    repo.configure(write="")
    text = repo.apply(str(repo.folder / "plan.json"), code=Exit.STALE)
    assert "can no longer be written (idp_read_only)" in text
    assert okta.writes == []
