"""The law of runbooks: an admin who follows the text on the console, by its labels alone, reaches the desired state.

Orgs and configurations are random, from a seed. Each is planned as an org without an API. The runbook's Markdown is
followed on the console of a local org in Chromium, and the IdP pushes what the runbook says. Then the org is read
again, and so on until a plan is empty; the org's own API must agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import replace
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest
from browser import Tab, tab
from console_admin import Admin, Stumble
from runbook_reader import Item, Part, parts_of, values
from saml import METADATA
from scim_org import GROUP, USER, new_token, served
from scim_org import Client as Scim

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import Database, open_database

TEAMS = ["Everyone", "Brand", "IT", "Legal", "Sales & Ops", "Vertrieb Köln"]
NAMES = ["Writer-Admins", "Marketing", "All | Staff", "*Legal*", "Équipe 5", "Sales [EMEA]", "it_ops", "<Brand>"]
USERS = [f"{name}@acme.com" for name in ("bo", "cy", "di", "ed", "fay")]
ADMIN = {"email": "ann@acme.com", "origin": "invite", "manual": [{"team": "IT", "role": "org_admin"}]}
IDPS = ["okta", "entra", "other", "onelogin"]
ROUNDS = 6
Json = dict[str, Any]


def mapping(rng: Random) -> Any:
    """A mapping of a configuration; org admin is rare."""
    if rng.random() < 0.15:
        return "blank"
    role = rng.choice(["member", "member", "team_admin", "org_admin"])
    return {"role": role, "teams": sorted(rng.sample(TEAMS, rng.randint(1, 3)))}


def sso(rng: Random, **fixed: Any) -> Json:
    flags = {name: rng.random() < 0.5 for name in ("allow_uninvited", "allow_passwords")}
    return {"enabled": True, "name": rng.choice(["Okta", "Acme SSO"]), "idp": rng.choice(IDPS), **flags, **fixed}


def settings(rng: Random) -> Json:
    """An org with everything on, as a configuration has it."""
    return {
        "domains": {"acme.com": {"discoverable": rng.random() < 0.5, "join": rng.choice(["immediate", "approval"])}},
        "defaults": {
            "role": rng.choice(["member", "team_admin"]),
            "teams": sorted(rng.sample(TEAMS, rng.randint(1, 2))),
        },
        "sso": sso(rng),
        "scim": {"enabled": True, "idp": rng.choice(IDPS), "endpoint": "new", "manual_editing": rng.random() < 0.5},
        "idp_groups": {name: mapping(rng) for name in rng.sample(NAMES, rng.randint(3, 5))},
    }


def mappings_and_settings(rng: Random) -> tuple[Json, Json]:
    """Some of everything changes; a group is new and pending."""
    live, desired = settings(rng), settings(rng)
    live["sso"]["metadata"] = METADATA
    live["domains"]["old.acme.com"] = {"discoverable": True, "join": "approval"}
    for name in live["idp_groups"].keys() - desired["idp_groups"].keys():
        if rng.random() < 0.5:
            desired["idp_groups"][name] = "blank"
    return live, desired


def new_org(rng: Random) -> tuple[Json, Json]:
    """Nothing is set up: claim, SSO, SCIM, default, groups."""
    off = {"enabled": False, "name": "", "idp": "other", "allow_uninvited": False, "allow_passwords": True}
    live = {
        "domains": {},
        "defaults": {"role": "member", "teams": ["Everyone"]},
        "sso": {**off, "metadata": None},
        "scim": {"enabled": False, "idp": "other", "endpoint": "new", "manual_editing": False},
        "idp_groups": {},
    }
    desired = settings(rng)
    desired["sso"]["metadata"] = {"file": "idp.xml"}
    return live, desired


def upgrade(rng: Random) -> tuple[Json, Json]:
    """A legacy org, whose groups are linked to teams, is upgraded and mapped."""
    live, desired = settings(rng), settings(rng)
    live["sso"]["metadata"] = METADATA
    live["scim"] |= {"endpoint": "legacy"}
    live["idp_groups"] = {name: {"teams": [rng.choice(TEAMS)]} for name in desired["idp_groups"]}
    desired["scim"]["idp"] = live["scim"]["idp"]
    return live, desired


def switched_off(rng: Random) -> tuple[Json, Json]:
    """SCIM goes off, and perhaps SSO."""
    live, desired = settings(rng), settings(rng)
    live["sso"]["metadata"] = METADATA
    desired["scim"]["enabled"] = False
    desired["sso"]["enabled"] = rng.random() < 0.5
    del desired["idp_groups"]
    return live, desired


KINDS = {each.__name__: each for each in (mappings_and_settings, new_org, upgrade, switched_off)}
SEEDS = [(name, seed) for name, seeds in zip(KINDS, ((1, 10), (1, 2), (1, 2), (1, 2)), strict=True) for seed in seeds]


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("profile")) as page:
        yield page


class Rehearsal:
    """One org: its configuration and what was read of it, its local twin, the IdP, and the admin."""

    def __init__(self, folder: Path, window: Tab, kind: str, seed: int, idp: str | None = None) -> None:
        rng = Random(f"{kind} {seed}")
        live, self.desired = KINDS[kind](rng)
        for section in ("sso", "scim") if idp else ():
            self.desired[section]["idp"] = idp
        self.folder = folder
        self.members = {name: rng.sample(USERS, rng.randint(0, 3)) for name in NAMES}
        self._write(live)
        self.db: Database = open_database(folder / "local/org.db")
        self.scim = Scim(self.db, new_token(self.db, "scim"))
        self.text = ""
        self.admin = Admin(window, folder / "observed/idp.xml")

    def _write(self, live: Json) -> None:
        pushed = live["idp_groups"]
        people = [{"email": user, "groups": [name for name in pushed if user in self.members[name]]} for user in USERS]
        if not live["scim"]["enabled"]:
            people = []
        org = {
            "snapshot": 1,
            "org": {"id": "org_1", "name": "acme"},
            "teams": TEAMS,
            **live,
            "people": [ADMIN, *people],
        }
        guards = {"max_people_losing_access": {"block": "100%"}, "max_removals": {"block": "100%"}}
        for name, url in (("observed", "observed:org.json"), ("local", "local:org.db")):
            place = self.folder / name
            place.mkdir()
            config = {"version": 1, "org": {"name": "acme", "url": url}, **deepcopy(self.desired), "guards": guards}
            (place / "rolecall.yaml").write_text(json.dumps(config), encoding="utf-8")
            (place / "idp.xml").write_text(METADATA, encoding="utf-8")
        (self.folder / "observed/org.json").write_text(json.dumps(org), encoding="utf-8")
        self.rolecall("local", "local", "load", "../observed/org.json")

    def rolecall(self, place: str, *words: str) -> str:
        """Run a command for one of the two configurations, and return what it prints."""
        with redirect_stdout(StringIO()) as out:
            run(["-C", str(self.folder / place), *words])
        return out.getvalue()

    def runbook(self) -> list[Part]:
        """Read the org again, plan, and return the runbook's parts; none when the plan is empty."""
        self.rolecall("local", "snapshot", "--out", str(self.folder / "observed/org.json"))
        saved = self.folder / "observed/plan.json"
        saved.unlink(missing_ok=True)
        printed = self.rolecall("observed", "plan", "--out", str(saved))
        assert saved.exists(), printed
        plan = json.loads(saved.read_text("utf-8"))
        if not plan["changes"]:
            return []
        self.text = text = self.rolecall("observed", "runbook", str(saved))
        assert "Do not follow this runbook" not in text, printed
        return parts_of(text)

    def follow(self, parts: list[Part]) -> None:
        """Do what the parts of a runbook say, in their order."""
        for part in parts:
            if part.kind == "step":
                self.admin.follow(part, self._in_idp)
            elif part.kind == "push":
                named = [value for item in part.items for value in values(item.text)]
                self._push([name for name in named if name in NAMES] or list(self.desired.get("idp_groups", ())))

    def _in_idp(self, item: Item) -> None:
        """Test the connection, where the IdP is told to, with the token and the endpoint that the admin copied."""
        if "test" in item.text.lower() and self.admin.token:
            call = Call(f"{self.admin.endpoint}/Users", headers={"Authorization": f"Bearer {self.admin.token}"})
            with urlopen(call, timeout=10) as answer:
                assert answer.status == 200

    def _push(self, names: list[str]) -> None:
        known = {user["userName"]: user["id"] for user in self.scim.get("/Users").body["Resources"]}
        pushed = {group["displayName"] for group in self.scim.get("/Groups").body["Resources"]}
        for user in USERS:
            if user not in known:
                known[user] = self.scim.post("/Users", {"schemas": [USER], "userName": user}).body["id"]
        for name in names:
            if name not in pushed:
                members = [{"value": known[user]} for user in self.members[name]]
                self.scim.post("/Groups", {"schemas": [GROUP], "displayName": name, "members": members})


@contextmanager
def rehearsed(folder: Path, window: Tab, kind: str, seed: int, idp: str | None = None) -> Iterator[Rehearsal]:
    """A rehearsal on a served org, with the admin signed in; with ``idp`` SSO and SCIM use that one."""
    rehearsal = Rehearsal(folder, window, kind, seed, idp)
    with served(rehearsal.db) as url:
        rehearsal.admin.sign_in(url, make_token(rehearsal.db, "admin", email="ann@acme.com").secret)
        yield rehearsal
    rehearsal.db.close()


@pytest.mark.parametrize(("kind", "seed"), SEEDS)
def test_following_the_runbook_leads_to_an_empty_plan(window: Tab, tmp_path: Path, kind: str, seed: int) -> None:
    with rehearsed(tmp_path, window, kind, seed) as rehearsal:
        followed = 0
        while (parts := rehearsal.runbook()) and followed < ROUNDS:
            rehearsal.follow(parts)
            followed += 1
        assert parts == [], f"the plan is never empty; the last runbook:\n{rehearsal.text}"
        assert followed, "there was nothing to do"
        assert run(["-C", str(tmp_path / "local"), "plan", "--detailed-exitcode"]) == Exit.OK


@pytest.mark.parametrize(("idp", "seed"), [("okta", 3), ("entra", 4), ("other", 5)])
def test_following_the_setup_runbook_sets_up_a_new_org(window: Tab, tmp_path: Path, idp: str, seed: int) -> None:
    """`rolecall runbook setup` alone, without a plan, leads from a new org to the configuration."""
    with rehearsed(tmp_path, window, "new_org", seed, idp=idp) as rehearsal:
        rehearsal.text = rehearsal.rolecall("observed", "runbook", "setup", "--idp", idp)
        rehearsal.follow(parts_of(rehearsal.text))
        assert rehearsal.runbook() == [], rehearsal.text
        assert run(["-C", str(tmp_path / "local"), "plan", "--detailed-exitcode"]) == Exit.OK


def without_save(part: Part) -> Part:
    return replace(part, items=[item for item in part.items if "**Save**" not in item.text])


def without_the_last_row(part: Part) -> Part:
    return replace(part, table=part.table[:-1])


@pytest.mark.parametrize("omit", [without_save, without_the_last_row])
def test_a_runbook_that_leaves_something_out_does_not(
    window: Tab, tmp_path: Path, omit: Callable[[Part], Part]
) -> None:
    with rehearsed(tmp_path, window, "mappings_and_settings", 1) as rehearsal:
        rehearsal.follow([omit(part) for part in rehearsal.runbook()])
        assert rehearsal.runbook() != []


@pytest.mark.parametrize("label", ["Save", "Editing users manually", "Default teams", "IdP groups"])
def test_a_label_that_is_not_on_the_page_is_noticed(window: Tab, tmp_path: Path, label: str) -> None:
    def renamed(text: str) -> str:
        return text.replace(label, f"{label} now")

    def misnamed(part: Part) -> Part:
        items = [item._replace(text=renamed(item.text).replace(" if the page shows it", "")) for item in part.items]
        table = [[renamed(cell) for cell in row] for row in part.table]
        return replace(part, page=renamed(part.page), items=items, table=table)

    with rehearsed(tmp_path, window, "mappings_and_settings", 1) as rehearsal:
        parts = rehearsal.runbook()
        with pytest.raises(Stumble, match=f"{label} now"):
            rehearsal.follow([misnamed(part) for part in parts])
