"""Test which connection an org's URL selects, and URLs that must not be used."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rolecall.errors import ConfigError, OrgError
from rolecall.live.client import OrgClient
from rolecall.live.connect import PeopleConnection, connect, connect_people
from rolecall.live.http.httpx_transport import base_url
from rolecall.live.people.file import PeopleFile
from rolecall.live.people.scim import ScimPeople
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.directory import EVERYBODY
from rolecall.model.roles import BUILT_IN


@pytest.mark.parametrize(
    "url, name",
    [
        ("https://rolecall.example.com", "https://rolecall.example.com"),
        ("https://rolecall.example.com/base/", "https://rolecall.example.com/base"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("http://[::1]:8787/", "http://[::1]:8787"),
        ("http://localhost:1", "http://localhost:1"),
        ("local:/tmp/org.db", "local:/tmp/org.db"),
        ("local:postgresql://user:canary@host/db", "local:postgresql://host/db"),
    ],
)
def test_a_way_to_an_org_with_an_api(url: str, name: str) -> None:
    org = connect(url)
    assert isinstance(org, OrgClient)
    assert org.name == name


def test_a_local_path_is_relative_to_the_folder() -> None:
    org = connect("local:org.db", folder=Path("/repo"))
    assert isinstance(org, OrgClient)
    assert org.name == "local:/repo/org.db"


def test_an_observed_org_is_a_file() -> None:
    org = connect("observed:org.yaml", folder=Path("/repo"))
    assert isinstance(org, SnapshotReader)
    assert org.path == Path("/repo/org.yaml")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme",
        "ftp://host",
        "local:",
        "observed:",
        "https://",
        "https:/one-slash",
        "http://rolecall.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com",
        "https://user:canary@example.com",
        "https://example.com?token=canary",
        "https://example.com/#canary",
        "https://example.com:port",
        "https://[broken",
    ],
)
def test_a_url_that_must_not_be_used(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        connect(url)
    (problem,) = caught.value.problems
    assert problem.code == "org_url"
    assert "canary" not in str(problem)
    assert "@" in url or "canary" in url or url in problem.message


def test_a_url_with_a_password_says_where_the_token_belongs() -> None:
    with pytest.raises(ConfigError) as caught:
        connect("https://user:canary@example.com")
    (problem,) = caught.value.problems
    assert problem.message == "`org.url` contains a user or password; use `org.token` instead"


def test_http_beyond_this_machine_must_be_allowed() -> None:
    assert not base_url("http://org.internal", allow_http=True).loopback
    assert isinstance(connect("http://org.internal", allow_http=True), OrgClient)


def test_a_token_is_not_asked_for_before_it_is_needed() -> None:
    asked: list[str] = []

    def token() -> str:
        asked.append("asked")
        return "x"

    for url in ("https://example.com", "local:/tmp/org.db", "observed:org.yaml"):
        connect(url, token)
    assert asked == []


def test_a_local_org_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    org = connect("local:gone.db", folder=tmp_path)
    with pytest.raises(OrgError) as caught:
        asyncio.run(org.read())
    assert caught.value.problems[0].code == "local_missing"
    assert list(tmp_path.iterdir()) == []


def test_a_local_org_that_is_some_other_file(tmp_path: Path) -> None:
    (tmp_path / "org.db").write_bytes(b"no database at all" * 1000)
    org = connect("local:org.db", folder=tmp_path)
    with pytest.raises(OrgError) as caught:
        asyncio.run(org.read())
    assert caught.value.problems[0].code == "local_unusable"


def test_people_from_elsewhere() -> None:
    file = connect_people("file", "people.csv", PeopleConnection(folder=Path("/repo")))
    assert isinstance(file, PeopleFile)
    assert (file.folder, file.names) == (Path("/repo"), ("people.csv",))
    assert isinstance(connect_people("scim", "https://idp.example.com/scim/v2"), ScimPeople)


class Clock:
    """Sleeping takes no time."""

    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Return at once."""


def test_people_who_cannot_be_reached_are_named_by_their_own_setting() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        people = connect_people("scim", url, PeopleConnection(token=lambda: "t", clock=Clock()))
        with pytest.raises(OrgError) as caught:
            asyncio.run(people.read_people(EVERYBODY))
    (problem,) = caught.value.problems
    assert (problem.code, problem.hint) == ("scim_unreachable", "check `people.scim` and the network")


@pytest.mark.parametrize("kind, at", [("scim", "http://idp.example.com"), ("scim", "idp"), ("ldap", "x")])
def test_people_from_where_they_must_not_be_read(kind: str, at: str) -> None:
    with pytest.raises(ConfigError):
        connect_people(kind, at)


def test_finding_the_way_imports_nothing_heavy() -> None:
    program = (
        "import sys; from rolecall.live.connect import connect; connect('https://example.com'); connect('local:x');"
        "print(sorted({'httpx', 'sqlalchemy', 'starlette', 'jsonschema', 'rolecall.localorg'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_entra_gets_its_token_from_the_sign_in_service_of_its_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr("rolecall.live.people.entra.client_token", lambda *args: asked.append(args) or (lambda: "t"))

    def secret() -> str:
        return "s3cret"

    connect_people("entra", "acme", PeopleConnection(client_id="c", client_secret=secret, app="a"))
    own = {"url": "http://graph.example", "login_url": "http://login.example", "allow_http": True}
    connect_people("entra", "acme", PeopleConnection(client_id="c", client_secret=secret, app="a", **own))
    connect_people("entra", "acme", PeopleConnection(token=secret, app="a"))
    assert asked == [
        ("https://login.microsoftonline.com", "acme", "c", secret, "https://graph.microsoft.com", False, "people"),
        ("http://login.example", "acme", "c", secret, "http://graph.example", True, "people"),
    ]


def test_people_files_are_looked_for_as_the_config_says() -> None:
    one = connect_people("file", "people.csv", PeopleConnection(folder=Path("/repo")))
    own = {"groups": ("A", "B"), "mapped": frozenset({"A"}), "allow_empty": True, "files": ("x/*.csv", "y.csv")}
    many = connect_people("file", "ignored", PeopleConnection(folder=Path("/repo"), **own))
    assert isinstance(one, PeopleFile)
    assert isinstance(many, PeopleFile)
    assert one == PeopleFile(
        Path("/repo"), ("people.csv",), False, dict(BUILT_IN), False, frozenset(), mapped=frozenset()
    )
    assert many == PeopleFile(
        Path("/repo"), ("x/*.csv", "y.csv"), True, dict(BUILT_IN), True, frozenset({"A", "B"}), mapped=frozenset({"A"})
    )
