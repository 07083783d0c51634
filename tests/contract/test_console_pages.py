"""The console without a browser: signing in, every page, every form, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from org_client import Client as Api
from org_client import fill
from scim_org import new_token
from sqlalchemy import select

from rolecall.localorg.console import session
from rolecall.localorg.console.handle import handle_page
from rolecall.localorg.store import Database, tokens
from rolecall.localorg.store.tables import AUDIT, GROUPS, USERS
from rolecall.localorg.web import Request

TABS = ["/admin/access", "/admin/sso", "/admin/scim", "/admin/idp-groups"]
PAGES = ["/", *TABS, "/people", "/audit"]
GROUPS_TAB = "/admin/idp-groups"
FORM = "application/x-www-form-urlencoded"


class Seen(NamedTuple):
    """A page as a browser gets it."""

    status: int
    html: str
    headers: dict[str, str]

    def cookie(self, name: str) -> str:
        """A cookie that it sets, as it is sent back."""
        (found,) = re.findall(rf"(?:^|, ){name}=[^;]*", self.headers["set-cookie"])
        return found.removeprefix(", ")

    @property
    def text(self) -> str:
        """What it says, without its tags."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", self.html)))

    def value(self, name: str) -> str:
        """A hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html[self.html.index("<main") :])
        assert found, name
        return unescape(found[1])


class Visitor:
    """A browser that keeps its cookie."""

    def __init__(self, db: Database, token: str | None = None) -> None:
        self.db = db
        self.cookie = "" if token is None else f"{session.COOKIE}={session.open_session(db, token).id}"

    def call(self, method: str, where: str, form: Any = None, **headers: str) -> Seen:
        body = b"" if form is None else urlencode(form, doseq=True).encode()
        return self.send(method, where, body, FORM, **headers)

    def send(self, method: str, where: str, body: bytes, content_type: str, **headers: str) -> Seen:
        path, _, query = where.partition("?")
        sent = {"host": "127.0.0.1:8787", "cookie": self.cookie, "content-type": content_type, **headers}
        answer = handle_page(Request(method, path, query, sent, body, "127.0.0.1"), self.db)
        return Seen(answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.headers})

    def get(self, where: str) -> Seen:
        return self.call("GET", where)

    def sign_in(self, token: str, **headers: str) -> Seen:
        """Fill in and send the sign-in page."""
        shown = self.get("/sign-in")
        self.cookie = shown.cookie(session.SIGN_IN_COOKIE)
        return self.call("POST", "/sign-in", {"csrf": shown.value("csrf"), "token": token}, **headers)

    def submit(self, where: str, page: str, **fields: Any) -> Seen:
        """Fill in and send a form of a page: the one with that address."""
        shown = self.get(page)
        _, _, after = shown.html.partition(f'action="{where}"')
        form = shown._replace(html=f"<main {after}")
        return self.call("POST", where, {"csrf": form.value("csrf"), "etag": form.value("etag"), **fields})


@pytest.fixture
def visitor(scim_db: Database) -> Visitor:
    """Somebody signed in with a service's token, in the small company."""
    fill(scim_db)
    return Visitor(scim_db, new_token(scim_db, "admin"))


def group_id(db: Database, name: str) -> str:
    with db.read() as tx:
        return str(tx.execute(select(GROUPS.c.id).where(GROUPS.c.display_name == name)).scalar_one())


def person_id(db: Database, email: str) -> str:
    with db.read() as tx:
        return str(tx.execute(select(USERS.c.id).where(USERS.c.email == email)).scalar_one())


def last_event(db: Database) -> dict[str, Any]:
    with db.read() as tx:
        return dict(tx.execute(select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(1)).one()._mapping)


@pytest.mark.parametrize("where", PAGES)
def test_every_page_says_that_it_is_a_rehearsal(visitor: Visitor, where: str) -> None:
    seen = visitor.get(where)
    assert seen.status == 200
    assert "Local rehearsal" in seen.text
    assert "<script" not in seen.html
    assert seen.html.count("aria-current") == 1
    assert "default-src 'none'" in seen.headers["content-security-policy"]
    assert seen.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("where", [*PAGES, "/people/x", "/nothing"])
def test_without_a_token_there_is_only_the_door(scim_db: Database, where: str) -> None:
    for cookie in ("", f"{session.COOKIE}=", f"{session.COOKIE}=rolecall_admin_wrong", "\x00;;=", "x" * 5000):
        visitor = Visitor(scim_db)
        visitor.cookie = cookie
        seen = visitor.get(where)
        assert (seen.status, seen.headers["location"], seen.html) == (303, "/sign-in", "")
    assert Visitor(scim_db).call("POST", "/admin/scim/scim", {"manual_editing": "on"}).status == 303


def test_signing_in_and_out(scim_db: Database) -> None:
    fill(scim_db)
    visitor, token = Visitor(scim_db), new_token(scim_db, "admin", email="ann@acme.com")
    assert "Admin token" in visitor.get("/sign-in").text
    behind_tls = visitor.sign_in(token, **{"x-forwarded-proto": "https"})
    assert behind_tls.headers["set-cookie"].endswith("; Secure")
    seen = visitor.sign_in(f" {token} ")
    cookie = seen.headers["set-cookie"]
    assert (seen.status, seen.headers["location"]) == (303, "/")
    assert re.fullmatch(rf"{session.COOKIE}=[\w-]{{43}}; Path=/; HttpOnly; SameSite=Strict", cookie)
    assert token not in cookie
    assert cookie.partition(";")[0] != behind_tls.headers["set-cookie"].partition(";")[0]
    visitor.cookie = cookie.partition(";")[0]
    home = visitor.get("/")
    assert "ann@acme.com" in home.text
    assert token not in home.html
    csrf = re.findall(r'name="csrf" value="([^"]*)"', home.html)[0]
    out = visitor.call("POST", "/sign-out", {"csrf": csrf})
    assert (out.status, "Max-Age=0" in out.headers["set-cookie"]) == (303, True)
    assert visitor.get("/").status == 303, "the id opens nothing any more, whoever kept it"


def test_no_other_site_signs_a_browser_in(scim_db: Database) -> None:
    """Login CSRF: a form of another site knows neither the cookie nor the proof of the sign-in page."""
    fill(scim_db)
    token = new_token(scim_db, "admin")
    for form in ({}, {"csrf": ""}, {"csrf": session.proof("")}, {"csrf": session.proof("guessed")}):
        visitor = Visitor(scim_db)
        assert visitor.call("POST", "/sign-in", {"token": token, **form}).status == 403
        visitor.cookie = visitor.get("/sign-in").cookie(session.SIGN_IN_COOKIE)
        refused = visitor.call("POST", "/sign-in", {"token": token, **form})
        assert refused.status == 403
        assert f"{session.COOKIE}=" not in refused.headers["set-cookie"]
    first, second = Visitor(scim_db).get("/sign-in"), Visitor(scim_db).get("/sign-in")
    visitor.cookie = first.cookie(session.SIGN_IN_COOKIE)
    assert visitor.call("POST", "/sign-in", {"token": token, "csrf": second.value("csrf")}).status == 403


def test_the_raw_token_in_the_cookie_opens_nothing(scim_db: Database) -> None:
    fill(scim_db)
    visitor = Visitor(scim_db)
    visitor.cookie = f"{session.COOKIE}={new_token(scim_db, 'admin')}"
    assert visitor.get("/").status == 303


def test_sessions_end_when_idle_and_the_oldest_when_there_are_too_many(
    scim_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(scim_db)
    token = new_token(scim_db, "admin")
    first = Visitor(scim_db, token)
    assert first.get("/").status == 200
    monkeypatch.setattr(session, "IDLE_SECONDS", -1.0)
    assert first.get("/").status == 303
    monkeypatch.undo()
    monkeypatch.setattr(session, "MOST", 2)
    crowd = [Visitor(scim_db, token) for _ in range(3)]
    assert [visitor.get("/").status for visitor in crowd] == [303, 200, 200]


def test_who_is_not_let_in(scim_db: Database) -> None:
    fill(scim_db)
    with scim_db.write() as tx:
        gone = tokens.issue_token(tx, "admin")
        tokens.revoke_token(tx, gone.token.id, "admin")
    member = new_token(scim_db, "admin", email="bo@acme.com")
    for token, status in ((gone.secret, 401), (new_token(scim_db, "scim"), 401), ("", 401), (member, 403)):
        seen = Visitor(scim_db).sign_in(token)
        opened = f"{session.COOKIE}=" in seen.headers["set-cookie"]
        assert (seen.status, opened, "alert" in seen.html) == (status, False, True)
    assert Visitor(scim_db, member).get("/people").status == 403
    assert Visitor(scim_db, gone.secret).get("/people").status == 303


def edited(visitor: Visitor, **groups: tuple[str, list[str]]) -> Seen:
    """Edit some rows of the IdP groups page and save it, as a browser sends it."""
    return visitor.call("POST", GROUPS_TAB, form_of(visitor, **groups))


def form_of(visitor: Visitor, **groups: tuple[str, list[str]]) -> dict[str, Any]:
    """The form of the IdP groups page with some rows changed; every row is sent."""
    shown = visitor.get(f"{GROUPS_TAB}?edit=1")
    form: dict[str, Any] = {"csrf": shown.value("csrf"), "etag": ""}
    names = {group_id(visitor.db, name): change for name, change in groups.items()}
    for group, was in re.findall(r'name="shown:([^"]*)" value="([^"]*)"', shown.html):
        role, teams = names.get(group) or json.loads(unescape(was))
        etag = re.search(rf'name="etag:{group}" value="([^"]*)"', shown.html)
        assert etag
        form |= {f"shown:{group}": unescape(was), f"etag:{group}": unescape(etag[1])}
        form |= {f"role:{group}": role, f"teams:{group}": teams}
    return form


def mappings(visitor: Visitor) -> dict[str, Any]:
    """The mappings of all groups, by name."""
    return {group["name"]: group["mapping"] for group in Api(visitor.db).get("/v1/idp-groups")["data"]}


def test_all_mappings_are_edited_and_saved_at_once(visitor: Visitor) -> None:
    """Article 002: one Edit and one Save for the page. Rows that stay as they are are not written."""
    assert "Marketing Member" in visitor.get(GROUPS_TAB).text
    before = mappings(visitor)
    saved = edited(visitor, Marketing=("team_admin", ["Sales", "Marketing"]), Blank=("", ["Legal"]))
    assert (saved.status, saved.headers["location"]) == (303, f"{GROUPS_TAB}?done=saved")
    shown = visitor.get(f"{GROUPS_TAB}?done=saved").text
    assert "Saved." in shown
    assert "Marketing, Sales Team admin" in shown
    assert "Legal Default role" in shown
    changed = {
        "Marketing": {"role": "team_admin", "teams": ["Marketing", "Sales"]},
        "Blank": {"role": None, "teams": ["Legal"]},
    }
    assert mappings(visitor) == {**before, **changed}
    with visitor.db.read() as tx:
        events = tx.execute(select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(3)).all()
    assert {(event.channel, event.actor, event.address) for event in events[:2]} == {
        ("console", "service", "idp_groups/Marketing"),
        ("console", "service", "idp_groups/Blank"),
    }
    assert events[2].action == "load", "the third group was not written"


def test_a_group_is_unmapped(visitor: Visitor) -> None:
    assert edited(visitor, Marketing=("", [])).status == 303
    assert mappings(visitor)["Marketing"] is None
    before = last_event(visitor.db)
    assert edited(visitor, Marketing=("", [])).status == 303
    assert last_event(visitor.db) == before, "nothing changed, so nothing was written"


def test_a_page_of_mappings_is_saved_whole_or_not_at_all(visitor: Visitor) -> None:
    before = mappings(visitor)
    refused = edited(visitor, Marketing=("member", ["Sales"]), Blank=("member", []))
    assert (refused.status, "Blank: A mapping names at least one team" in refused.text) == (422, True)
    assert mappings(visitor) == before
    marketing = group_id(visitor.db, "Marketing")
    row = refused.html[refused.html.index(f"shown:{marketing}") :]
    assert 'value="Sales" checked' in row[: row.index("</tr>")], "what was entered is still there"


def test_what_changed_meanwhile_is_not_written_over(visitor: Visitor) -> None:
    form = form_of(visitor, Marketing=("member", ["IT"]), Blank=("member", ["IT"]))
    assert edited(visitor, Marketing=("member", ["Legal"])).status == 303
    stale = visitor.call("POST", GROUPS_TAB, form)
    assert (stale.status, "Marketing: It has changed since you read it" in stale.text) == (422, True)
    assert mappings(visitor)["Marketing"]["teams"] == ["Legal"]
    assert mappings(visitor)["Blank"] is None
    untouched = form_of(visitor, Blank=("member", ["IT"]))
    assert edited(visitor, Marketing=("member", ["Sales"])).status == 303
    assert visitor.call("POST", GROUPS_TAB, untouched).status == 303, "a row that was not edited does not matter"
    assert mappings(visitor)["Marketing"]["teams"] == ["Sales"]


@pytest.mark.parametrize(
    ("where", "fields", "reads", "after"),
    [
        (
            "/admin/scim/scim",
            {"enabled": "on", "manual_editing": "on"},
            "/v1/access/scim",
            {"manual_editing": True, "enabled": True},
        ),
        ("/admin/sso/sso", {"enabled": "on"}, "/v1/access/sso", {"allow_passwords": False, "enabled": True}),
        (
            "/admin/access/defaults",
            {"role": "team_admin", "teams": ["IT", "Legal"]},
            "/v1/access/defaults",
            {"role": "team_admin"},
        ),
        (
            "/admin/access/domains/acme.com",
            {"join": "immediate"},
            "/v1/domains/acme.com",
            {"join": "immediate", "discoverable": False},
        ),
    ],
)
def test_toggles_are_turned_by_hand(
    visitor: Visitor, where: str, fields: dict[str, Any], reads: str, after: dict[str, Any]
) -> None:
    assert visitor.submit(where, tab_of(where), **fields).status == 303
    held = Api(visitor.db).get(reads)
    assert {name: held[name] for name in after} == after
    assert last_event(visitor.db)["channel"] == "console"


@pytest.mark.parametrize(
    ("where", "fields", "words"),
    [
        ("/admin/sso/sso", {}, "SSO cannot be off while SCIM is on"),
        ("/admin/access/defaults", {"role": "org_admin", "teams": ["IT"]}, "never org admin"),
        ("/admin/access/defaults", {"role": "member"}, "teams"),
        ("/admin/access/defaults", {"role": "member", "teams": ["Nowhere"]}, "Nowhere"),
    ],
)
def test_what_the_org_refuses_is_said_beside_the_form(
    visitor: Visitor, where: str, fields: dict[str, Any], words: str
) -> None:
    before = visitor.get(tab_of(where))
    seen = visitor.submit(where, tab_of(where), **fields)
    assert (seen.status, words in seen.text) == (422, True)
    assert visitor.get(tab_of(where)).html == before.html


def tab_of(where: str) -> str:
    """The address of the tab that has a form."""
    return next(tab for tab in TABS if where.startswith(tab))


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda fields: {key: value for key, value in fields.items() if key != name}


@pytest.mark.parametrize(
    "spoil", [without("csrf"), lambda f: {**f, "csrf": "x"}, lambda f: {**f, "csrf": f["csrf"][:-1]}]
)
def test_a_form_from_elsewhere_does_nothing(visitor: Visitor, spoil: Any) -> None:
    shown = visitor.get("/admin/scim")
    fields = {"csrf": shown.value("csrf"), "etag": shown.value("etag"), "enabled": "on", "manual_editing": "on"}
    before = last_event(visitor.db)
    assert visitor.call("POST", "/admin/scim/scim", spoil(fields)).status == 403
    assert visitor.call("POST", "/sign-out", spoil(fields)).status == 403
    assert visitor.call("POST", "/admin/scim/scim", fields, **{"content-type": "text/plain"}).status == 415
    assert last_event(visitor.db) == before


def test_another_session_s_proof_does_not_do(visitor: Visitor) -> None:
    other = Visitor(visitor.db, new_token(visitor.db, "admin")).get("/admin/scim").value("csrf")
    fields = {"csrf": other, "etag": visitor.get("/admin/scim").value("etag"), "enabled": "on"}
    assert visitor.call("POST", "/admin/scim/scim", fields).status == 403


def test_a_reading_token_reads(visitor: Visitor) -> None:
    reader = Visitor(visitor.db, new_token(visitor.db, "admin", scope="read"))
    assert "read only" in reader.get("/admin/scim").text
    seen = reader.submit("/admin/scim/scim", "/admin/scim", enabled="on", manual_editing="on")
    assert (seen.status, "may only read" in seen.text) == (422, True)


def test_a_person_s_access_has_its_reasons(visitor: Visitor) -> None:
    seen = visitor.get(f"/people/{person_id(visitor.db, 'bo@acme.com')}").text
    assert "group Marketing: Member R8" in seen
    assert "Blank" in seen
    admin = visitor.get(f"/people/{person_id(visitor.db, 'ann@acme.com')}").text
    assert "Org admin" in admin
    gone = visitor.get(f"/people/{person_id(visitor.db, 'fay@acme.com')}").text
    assert "No access." in gone
    assert visitor.get("/people/nobody").status == 404


@pytest.mark.parametrize("q", ["BO@", "bo", "o@acme", "%", "_", "' OR 1=1 --", "<script>alert(1)</script>"])
def test_people_are_found_by_a_part_of_their_e_mail(visitor: Visitor, q: str) -> None:
    seen = visitor.get(f"/people?{urlencode({'q': q})}")
    assert seen.status == 200
    assert ("bo@acme.com" in seen.text) == (q.casefold() in "bo@acme.com")
    assert "<script" not in seen.html


def test_long_lists_come_in_pages(scim_db: Database) -> None:
    people = [{"email": f"p{number:03}@acme.com", "groups": [f"g{number:03}"]} for number in range(120)]
    groups = {f"g{number:03}": "blank" for number in range(120)}
    fill(scim_db, people=people, idp_groups=groups)
    visitor = Visitor(scim_db, new_token(scim_db, "admin"))
    for start, pattern in (("/people", r">(p\d\d\d@acme.com)<"), (GROUPS_TAB, r">(g\d\d\d)<")):
        found: list[str] = []
        where: str | None = start
        while where:
            seen = visitor.get(where)
            found += re.findall(pattern, seen.html)
            following = re.search(r'rel="next" href="([^"]*)"', seen.html)
            where = unescape(following[1]) if following else None
        assert len(found) == len(set(found)) == 120
        assert found == sorted(found)


def test_names_are_only_text(scim_db: Database) -> None:
    odd = "<img src=x onerror=alert(1)>\"'&"
    fill(scim_db, idp_groups={odd: "blank"}, people=[{"email": '"<b>"@acme.com', "groups": [odd]}])
    visitor = Visitor(scim_db, new_token(scim_db, "admin"))
    for where in (GROUPS_TAB, f"{GROUPS_TAB}?edit=1", "/people", f"{GROUPS_TAB}/{group_id(scim_db, odd)}", "/audit"):
        seen = visitor.get(where)
        assert "<img" not in seen.html
        assert '<b>"' not in seen.html
    assert odd in visitor.get(GROUPS_TAB).text


@pytest.mark.parametrize(
    "where",
    [
        "/people?after=x",
        "/admin/idp-groups?after=|",
        "/audit?after=nonsense",
        "/people?q=%00",
        "/people?q=%ff",
        "/%00",
        "/%ff",
    ],
)
def test_odd_addresses(visitor: Visitor, where: str) -> None:
    assert visitor.get(where).status in (200, 400, 404, 422)


def test_the_stylesheet_needs_no_token(scim_db: Database) -> None:
    seen = Visitor(scim_db).get("/console.css")
    assert (seen.status, seen.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "prefers-color-scheme: dark" in seen.html
