"""Whatever is written in whatever order, the local org never stands in a state that a real one could not be in."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from org_client import Client, fill

from rolecall.localorg.store import open_database

TEAMS = ["Everyone", "Marketing", "Legal", "Nowhere"]
ROLES = ["member", "team_admin", "org_admin", "boss", None]
MATCH = st.sampled_from(["stands", "*", '"0"', None])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


class LocalOrgLaws(RuleBasedStateMachine):
    """Writes of all kinds, with right and wrong ETags and keys that come again."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp())
        self._org = Client(open_database(self._folder / "org.db"))
        self._etags: dict[str, set[str]] = {}

    def teardown(self) -> None:
        self._org.db.close()
        shutil.rmtree(self._folder)

    @initialize(endpoint=st.sampled_from(["legacy", "new"]), on=st.booleans())
    def begin(self, endpoint: str, on: bool) -> None:
        fill(self._org.db, scim={"enabled": on, "endpoint": endpoint})
        self._ann = self._org.as_person("ann@acme.com")

    @rule(body=some(role=st.sampled_from(ROLES[:-1]), teams=st.lists(st.sampled_from(TEAMS), unique=True)), match=MATCH)
    def change_the_default(self, body: dict[str, Any], match: str | None) -> None:
        self._write("PUT", "/v1/access/defaults", body, match)

    @rule(
        body=some(enabled=st.booleans(), metadata=st.sampled_from([None, "<x/>"]), name=st.sampled_from(["a", "b"])),
        match=MATCH,
    )
    def change_sso(self, body: dict[str, Any], match: str | None) -> None:
        self._write("PUT", "/v1/access/sso", body, match)

    @rule(body=some(enabled=st.booleans(), manual_editing=st.booleans()), match=MATCH)
    def change_scim(self, body: dict[str, Any], match: str | None) -> None:
        self._write("PUT", "/v1/access/scim", body, match)

    @rule(step=st.sampled_from(["upgrade", "upgrade/complete"]), match=MATCH)
    def upgrade(self, step: str, match: str | None) -> None:
        self._write("POST", f"/v1/access/scim/{step}", None, match, "/v1/access/scim")

    @rule(delete=st.booleans(), match=MATCH)
    def give_up_or_claim_the_domain(self, delete: bool, match: str | None) -> None:
        if delete:
            self._write("DELETE", "/v1/domains/acme.com", None, match, "/v1/domains/acme.com")
        else:
            self._ann.call("POST", "/v1/domains", {"name": "acme.com"})

    @rule(
        name=st.sampled_from(["Admins", "Marketing", "Blank"]),
        role=st.sampled_from(ROLES),
        teams=st.lists(st.sampled_from(TEAMS), unique=True),
        delete=st.booleans(),
        match=MATCH,
    )
    def map_a_group(self, name: str, role: str | None, teams: list[str], delete: bool, match: str | None) -> None:
        groups = {group["name"]: group["id"] for group in self._org.get("/v1/idp-groups")["data"]}
        path = f"/v1/idp-groups/{groups.get(name, 'gone')}"
        body = None if delete else {"role": role, "teams": teams}
        self._write("DELETE" if delete else "PUT", f"{path}/mapping", body, match, path)

    @invariant()
    def settings_stand_in_their_order(self) -> None:
        sso, scim = (self._org.get(f"/v1/access/{name}") for name in ("sso", "scim"))
        assert not sso["enabled"] or self._org.get("/v1/domains")["total"]
        assert not scim["enabled"] or sso["enabled"]
        assert ("kept" in scim) <= (not scim["enabled"])

    @invariant()
    def what_is_named_is_there(self) -> None:
        default = self._org.get("/v1/access/defaults")
        teams = {team["name"] for team in self._org.get("/v1/teams")["data"]}
        roles = {role["id"] for role in self._org.get("/v1/roles")["data"]}
        assert default["role"] in roles - {"org_admin"}
        assert default["teams"]
        assert set(default["teams"]) <= teams
        for group in self._org.get("/v1/idp-groups")["data"]:
            mapping = group["mapping"] or {"role": None, "teams": ["Everyone"]}
            assert mapping["teams"]
            assert set(mapping["teams"]) <= teams
            assert mapping["role"] in {*roles, None}

    @invariant()
    def the_audit_log_is_a_chain(self) -> None:
        last: dict[str, Any] = {}
        for event in self._org.get("/v1/audit-log?limit=1000")["data"]:
            at = event["address"]
            assert at not in last or event["before"] == last[at], event
            last[at] = event["after"]

    def _write(self, method: str, path: str, body: Any, match: str | None, item: str | None = None) -> None:
        before = self._org.call("GET", item or path)
        standing = before.body.get("etag")
        headers = {} if match is None else {"if_match": standing or "*" if match == "stands" else match}
        done = self._org.call(method, path, body, **headers)
        after = self._org.call("GET", item or path)
        assert done.status < 500
        if done.status >= 400:
            assert after.body == before.body
            return
        assert match in ("stands", "*")
        if after.status == 200:
            seen = self._etags.setdefault(item or path, {standing})
            assert after.body["etag"] not in seen
            seen.add(after.body["etag"])
        if method == "PUT":
            assert done.body == after.body


LocalOrgLaws.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestLocalOrgLaws = LocalOrgLaws.TestCase
