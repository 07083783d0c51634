"""`rolecall why USER --trace`: text, JSON, exit codes, and calls that cannot work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo
from fake_idps import MOMENT, Site, graph_answers, oid, okta_answers, served, uid

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
TOKEN = "canary-idp-7c1e"
PEOPLE = {"ann@tiny.co": ["Admins"], "cy@tiny.co": ["Marketing"], "new@tiny.co": ["Marketing", "Sales"]}


def a_site(kind: str, **more: Any) -> Site:
    event = {
        "published": MOMENT,
        "eventType": "application.provision.user.push",
        "outcome": {"result": "SUCCESS"},
        "target": [{"id": oid("cy@tiny.co")}, {"id": "0oa1"}],
    }
    entry = {
        "activityDateTime": MOMENT,
        "provisioningAction": "create",
        "provisioningStatusInfo": {"status": "success"},
        "sourceIdentity": {"id": uid("cy@tiny.co")},
    }
    groups = ["Admins", "Marketing", "Sales"]
    log = [event if kind == "okta" else entry]
    return Site(**{"people": PEOPLE, "groups": groups, "pushed": groups[:2], "token": TOKEN, "log": log, **more})


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Iterator[Callable[..., str]]:
    """A repo of an IdP; calling it gives what `why USER --trace` prints, and checks its exit code."""
    monkeypatch.setenv("IDP_TOKEN", TOKEN)
    monkeypatch.setattr("rolecall.live.http.exchange.backoff", lambda *_: 0.0)
    with ExitStack() as stack:

        def shown(kind: str, site: Site, *options: str, code: Exit = Exit.OK, email: str = "cy@tiny.co") -> str:
            url = stack.enter_context(
                served(site, okta_answers if kind == "okta" else graph_answers, okta=kind == "okta")
            )
            where = f"okta: '{url}', app: 0oa1" if kind == "okta" else f"entra: acme, url: '{url}', app: {uid('app')}"
            folder = tmp_path / kind
            people = f"people: {{{where}, token: {{env: IDP_TOKEN}}}}\n"
            if not folder.exists():
                make_repo(folder, CONFIG + people, {**SNAPSHOT, "teams": [*SNAPSHOT["teams"], "Sales"]})
            (folder / "rolecall.yaml").write_text(CONFIG + people)
            capsys.readouterr()
            assert run(["-C", str(folder), "why", email, "--trace", *options]) == code
            printed = capsys.readouterr()
            assert TOKEN not in printed.out + printed.err
            assert "Traceback" not in printed.err
            return printed.out

        yield shown


KINDS = pytest.mark.parametrize("kind", ["okta", "entra"])


@KINDS
def test_a_user_who_has_arrived(repo: Callable[..., str], kind: str) -> None:
    text = repo(kind, a_site(kind))
    assert "All 9 steps are ok." in text
    assert "not readable" not in text
    assert "rolecall.yaml:7" in text


@KINDS
def test_a_user_who_has_not_arrived_yet(repo: Callable[..., str], kind: str) -> None:
    text = repo(kind, a_site(kind), email="new@tiny.co")
    assert "WRITER does not have the user." in text
    assert "Next: " in text
    report = json.loads(repo(kind, a_site(kind), "--format", "json", email="new@tiny.co"))
    failed = {(step["step"], step["group"]) for step in report["trace"] if step["state"] == "failed"}
    assert failed == {("log", None), ("org_user", None)}
    assert (report["email"], report["idp"], report["answered"]) == ("new@tiny.co", kind, True)
    assert all(step["next"] for step in report["trace"] if step["state"] != "ok")


@KINDS
def test_groups_limit_the_trace(repo: Callable[..., str], kind: str) -> None:
    report = json.loads(repo(kind, a_site(kind), "--groups", "Sales", "--format", "json", email="new@tiny.co"))
    groups = {step["step"]: step["state"] for step in report["trace"] if step["group"] == "Sales"}
    assert groups == {"membership": "ok", "push": "failed", "mapping": "failed"}
    other = json.loads(repo(kind, a_site(kind), "--groups", "Sales", "--format", "json"))
    assert {step["step"]: step["state"] for step in other["trace"] if step["group"]} == {
        "membership": "failed",
        "mapping": "failed",
    }


@KINDS
def test_a_misspelled_group_names_the_one_that_is_near(repo: Callable[..., str], kind: str) -> None:
    text = repo(kind, a_site(kind), "--groups", "Marketng")
    assert "Next: Did you mean `Marketing`?" in text
    assert "Did you mean" not in repo(kind, a_site(kind), "--groups", "Sales")


@KINDS
def test_what_cannot_be_read_exits_with_7(repo: Callable[..., str], kind: str) -> None:
    end = "/logs" if kind == "okta" else "/provisioning"
    text = repo(kind, a_site(kind, forbidden=(end,)), code=Exit.UNSEEN)
    assert "1 of 9 steps could not be read." in text
    needed = "okta.logs.read" if kind == "okta" else "AuditLog.Read.All"
    assert f"Next: The credential needs {needed}" in text
    report = json.loads(repo(kind, a_site(kind, forbidden=(end,)), "--format", "json", code=Exit.UNSEEN))
    assert report["answered"] is False


@KINDS
def test_an_idp_that_refuses_everything_leaves_the_org(repo: Callable[..., str], kind: str) -> None:
    report = json.loads(repo(kind, a_site(kind, echo=True), "--format", "json", code=Exit.UNSEEN))
    states = {step["step"]: step["state"] for step in report["trace"]}
    assert states.pop("org_user") == "ok"
    assert set(states.values()) == {"not_readable"}


def observed(folder: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Write a repo of an observed org without users, recorded on 22 November."""
    monkeypatch.setenv("IDP_TOKEN", TOKEN)
    monkeypatch.chdir(folder)
    org = {name: part for name, part in SNAPSHOT.items() if name != "people"}
    coverage = {"idp_groups": {"state": "complete", "taken_at": "2026-11-22T10:00:00Z", "taken_by": "ann@tiny.co"}}
    Path("live.json").write_text(json.dumps({**org, "coverage": coverage}))
    idp = f"idp: {{okta: {{url: '{url}', app: 0oa1, token: {{env: IDP_TOKEN}}}}}}\n"
    Path("rolecall.yaml").write_text(CONFIG.replace("local:org.db", "observed:live.json") + idp)


def test_an_observed_org_answers_as_of_its_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with served(a_site("okta"), okta_answers, okta=True) as url:
        observed(tmp_path, monkeypatch, url)
        assert run(["why", "cy@tiny.co", "--trace"]) == Exit.UNSEEN
    text = capsys.readouterr().out
    assert "Mapped: member on Marketing, as observed on 22 Nov 2026." in text
    assert "not readable  Could not read whether WRITER has the user" in text
    assert "Next: Look up the user in WRITER's console" in text


@pytest.mark.parametrize(
    ("urls", "state", "words"),
    [
        (("https://app.writer.com/api/access/saml",), "ok", "assignments: 0 groups"),
        (("app.writer.com",), "ok", "assignments: 0 groups"),
        (("https://writer.example/saml",), "wrong", "none of its URLs is on app.writer.com (hosts: writer.example)"),
        ((), "warning", "(hosts: none)"),
    ],
)
def test_doctor_checks_that_the_app_is_writers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, urls: tuple[str, ...], state: str, words: str
) -> None:
    with served(a_site("okta", urls=urls), okta_answers, okta=True) as url:
        observed(tmp_path, monkeypatch, url)
        run(["doctor", "--format", "json"])
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["idp"]["state"] == state
    assert words in str(checks["idp"])
    assert ("rolecall.yaml" in str(checks["idp"]["problems"])) == (state != "ok")


def test_a_trace_needs_an_idp(tmp_path: Path, capsys: Capture) -> None:
    folder = make_repo(tmp_path / "repo")
    assert run(["-C", str(folder), "why", "cy@tiny.co", "--trace"]) == Exit.USAGE
    assert "--trace requires a connection to the IdP" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--trace"], ["a@b.co", "--trace", "--not", "org_admin"], ["a@b.co", "--trace", "--at", "desired"]]
)
def test_a_trace_takes_a_user_alone(options: list[str]) -> None:
    assert run(["why", *options]) == Exit.USAGE


def test_a_missing_secret_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    people = "people: {okta: 'https://acme.okta.com', app: 0oa1, token: {env: NOWHERE}}\n"
    folder = make_repo(tmp_path / "repo", CONFIG + people)
    assert run(["-C", str(folder), "why", "cy@tiny.co", "--trace"]) == Exit.ERROR
    assert "NOWHERE is not set" in capsys.readouterr().err


@KINDS
def test_a_misspelt_address_at_an_unreachable_idp(repo: Callable[..., str], kind: str) -> None:
    closed = a_site(kind, echo=True)
    text = repo(kind, closed, email="cyy@tiny.co", code=Exit.UNSEEN)
    assert "Next: Did you mean cy@tiny.co? If so: rolecall why cy@tiny.co --trace" in text
    assert "same cause as above." in text
    assert "if none did" not in text
    report = json.loads(repo(kind, closed, "--format", "json", email="cyy@tiny.co", code=Exit.UNSEEN))
    assert report["near"] == ["cy@tiny.co"]
    causes = [step["cause"] for step in report["trace"] if step["state"] == "not_readable"]
    assert all(causes)
    assert all(text.count(cause) == 1 for cause in causes)


@KINDS
def test_an_unknown_user_at_an_unreachable_idp(repo: Callable[..., str], kind: str) -> None:
    text = repo(kind, a_site(kind, echo=True), email="zoltan.nagy@tiny.co", code=Exit.UNSEEN)
    name = kind.capitalize()
    assert f"Next: First resolve why steps in {name} could not be read, then run this command again" in text
    assert "Did you mean" not in text
