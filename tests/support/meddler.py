"""Somebody else at a local org: another admin by its API or its console, and the IdP by SCIM."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from org_client import Client
from scim_org import Client as ScimClient

from rolecall.localorg.console import idp_groups, session
from rolecall.localorg.console.handle import handle_page
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database
from rolecall.localorg.web import Request

GIVEN_OUT = ("etag", "service_provider", "unique_identifier", "endpoint_url", "kept")
"""What the org tells of a setting and nobody can write."""


@contextmanager
def org(path: Path) -> Iterator[Client]:
    """The org in a file, as a service."""
    database = open_database(path)
    try:
        yield Client(database)
    finally:
        database.close()


def remap(path: Path, by: str, group: str, mapping: dict[str, Any] | None) -> None:
    """An admin maps a group by hand, or unmaps it."""
    with org(path) as client:
        person = client.as_person(by)
        target = f"/v1/idp-groups/{person.group(group)['id']}/mapping"
        answer = person.write("DELETE", target) if mapping is None else person.write("PUT", target, mapping)
        assert answer.status == 200, answer


def put(path: Path, by: str, target: str, **fields: Any) -> None:
    """An admin changes some fields of a setting."""
    with org(path) as client:
        person = client.as_person(by)
        held = {name: said for name, said in person.get(target).items() if name not in GIVEN_OUT}
        answer = person.write("PUT", target, {**held, **fields})
        assert answer.status == 200, answer


def by_console(path: Path, by: str, group: str, mapping: dict[str, Any] | None) -> None:
    """An admin maps a group in the console, as a browser sends the form."""
    with org(path) as client:
        found = client.group(group)
        token = make_token(client.db, "admin", email=by).secret
        opened = session.open_session(client.db, token)
        named = {f"{name}:{found['id']}": value for name, value in (mapping or {}).items()}
        form = {
            "csrf": session.proof(opened.id),
            f"etag:{found['id']}": found["etag"],
            f"shown:{found['id']}": "",
            **named,
        }
        headers = {
            "host": "127.0.0.1:8787",
            "cookie": f"{session.COOKIE}={opened.id}",
            "content-type": "application/x-www-form-urlencoded",
        }
        body = urlencode(form, doseq=True).encode()
        answer = handle_page(Request("POST", idp_groups.PATH, "", headers, body, "10.1.2.3"), client.db)
        assert answer.status == 303, (answer.status, answer.read())


class Idp:
    """The IdP, as it pushes people and groups by SCIM."""

    def __init__(self, client: ScimClient) -> None:
        self._client = client

    def joins(self, email: str, *groups: str) -> None:
        """Somebody is new, in these groups."""
        user = self._client.user(email)
        for group in groups:
            self._patch(group, "add", user)

    def moves(self, email: str, *, out: str | None = None, into: str | None = None) -> None:
        """Somebody leaves a group, or comes into one."""
        user = self._find("Users", f'userName eq "{email}"')
        if out:
            answer = self._client.patch(
                f"/Groups/{self._group(out)}", {"op": "remove", "path": f'members[value eq "{user}"]'}
            )
            assert answer.status in (200, 204), answer
        if into:
            self._patch(into, "add", user)

    def leaves(self, email: str) -> None:
        """Somebody is deactivated."""
        user = self._find("Users", f'userName eq "{email}"')
        answer = self._client.patch(f"/Users/{user}", {"op": "replace", "value": {"active": False}})
        assert answer.status in (200, 204), answer

    def readdresses(self, email: str, to: str) -> None:
        """Somebody has another address."""
        user = self._find("Users", f'userName eq "{email}"')
        value = {"userName": to, "emails": [{"value": to, "type": "work", "primary": True}]}
        answer = self._client.patch(f"/Users/{user}", {"op": "replace", "value": value})
        assert answer.status in (200, 204), answer

    def pushes(self, group: str) -> None:
        """A group arrives."""
        self._client.group(group)

    def renames(self, group: str, to: str) -> None:
        """A group is called otherwise."""
        operation = {"op": "replace", "path": "displayName", "value": to}
        answer = self._client.patch(f"/Groups/{self._group(group)}", operation)
        assert answer.status in (200, 204), answer

    def drops(self, group: str) -> None:
        """A group is no longer pushed."""
        assert self._client.delete(f"/Groups/{self._group(group)}").status == 204

    def _patch(self, group: str, op: str, user: str) -> None:
        value = [{"value": user}]
        answer = self._client.patch(f"/Groups/{self._group(group)}", {"op": op, "path": "members", "value": value})
        assert answer.status in (200, 204), answer

    def _group(self, name: str) -> str:
        return self._find("Groups", f'displayName eq "{name}"')

    def _find(self, kind: str, wanted: str) -> str:
        (one,) = self._client.get(f"/{kind}", filter=wanted).ids
        return str(one)


@contextmanager
def idp(path: Path) -> Iterator[Idp]:
    """The IdP of the org in a file."""
    with org(path) as client:
        yield Idp(ScimClient(client.db))
