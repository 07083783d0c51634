"""A local org to talk to without a socket, and a small company to fill it with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.codec.people import decode_people
from rolecall.codec.snapshot import decode_snapshot
from rolecall.localorg.api.handle import handle
from rolecall.localorg.load import load
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import Database, open_database
from rolecall.localorg.web import Request

SNAPSHOT: dict[str, Any] = {
    "snapshot": 1,
    "org": {"id": "org_1", "name": "acme"},
    "teams": ["Everyone", "Marketing", "Legal", "IT", "Sales"],
    "roles": ["org_admin", "team_admin", "member", {"id": "auditor", "name": "Auditor", "level": "org"}],
    "domains": {"acme.com": {"discoverable": True, "join": "approval"}},
    "defaults": {"role": "member", "teams": ["Everyone"]},
    "sso": {"enabled": True, "name": "Okta", "idp": "okta", "metadata": "<EntityDescriptor/>"},
    "scim": {"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False},
    "idp_groups": {
        "Admins": {"role": "org_admin", "teams": ["IT"]},
        "Marketing": {"role": "member", "teams": ["Marketing"]},
        "Blank": "blank",
    },
    "people": [
        {"email": "ann@acme.com", "groups": ["Admins"]},
        {"email": "bo@acme.com", "groups": ["Marketing", "Blank"]},
        {"email": "cy@acme.com", "groups": ["Blank"], "manual": [{"team": "Sales", "role": "member"}]},
        {"email": "di@acme.com", "origin": "saml"},
        {"email": "ed@acme.com", "origin": "invite", "manual": [{"team": "Legal", "role": "team_admin"}]},
        {"email": "fay@acme.com", "active": False, "groups": ["Admins"]},
        {"email": "gus@acme.com", "role_attribute": "admin"},
    ],
}


@contextmanager
def org_without_users(folder: Path) -> Iterator[Database]:
    """Give an org with teams, without users and mappings."""
    database = open_database(folder / "org.db")
    fill(database, people=[], idp_groups={})
    yield database
    database.close()


class Answer(NamedTuple):
    """An answer with its body read as JSON."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def key(self) -> str:
        """The code of the first error."""
        return str(self.body["errors"][0]["key"])


@dataclass
class Client:
    """Talks to an org through ``handle``; without a token as a service in the same process."""

    db: Database
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self, request: Request) -> Answer:
        response = handle(request, self.db)
        return Answer(response.status, json.loads(response.read()), {k.lower(): v for k, v in response.headers})

    def call(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent.setdefault("content-type", "application/json")
        path, _, query = target.partition("?")
        payload = b"" if body is None else json.dumps(body).encode()
        return self.raw(Request(method, path, query, sent, payload, "127.0.0.1", embedded=self.token is None))

    def get(self, target: str) -> Any:
        """The body of a read that must succeed."""
        answer = self.call("GET", target)
        assert answer.status == 200, answer
        return answer.body

    def write(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """A write over whatever stands."""
        return self.call(method, target, body, if_match="*", **headers)

    def as_person(self, email: str, **more: Any) -> Client:
        """The same org, as somebody with an admin token."""
        return Client(self.db, make_token(self.db, "admin", email=email, **more).secret)

    def group(self, name: str) -> Any:
        """The group of that name, which must be one."""
        (found,) = [group for group in self.get("/v1/idp-groups?limit=1000")["data"] if group["name"] == name]
        return found

    def person(self, email: str) -> Any:
        """The person of that e-mail."""
        (found,) = self.call("POST", "/v1/people/search", {"emails": [email]}).body["data"]
        return found

    def team_roles(self, email: str) -> set[tuple[str, str]]:
        """What a person has."""
        access = self.get(f"/v1/people/{self.person(email)['id']}/access")
        return {(team_role["team"], team_role["role"]) for team_role in access["combos"]}


def fill(db: Database, **changes: Any) -> None:
    """Load the snapshot above, with some of its sections replaced."""
    raw = {**SNAPSHOT, **changes}
    snapshot = decode_snapshot(raw)
    groups = snapshot.live.settings.idp_groups
    load(db, snapshot.live, decode_people(raw["people"], groups or (), roles=snapshot.live.facts.roles))
