"""The flows of WRITER's articles on the console: claim a domain, set up SSO, set up SCIM, upgrade, and back."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from org_client import Client as Api
from org_client import fill
from saml import METADATA
from scim_org import GROUP, new_token
from scim_org import Client as Scim
from test_console_pages import FORM, Seen, Visitor

from rolecall.localorg.store import Database
from rolecall.model import console

ACCESS, SSO, SCIM, GROUPS = "/admin/access", "/admin/sso", "/admin/scim", "/admin/idp-groups"
ANN = {"email": "ann@acme.com", "origin": "invite", "manual": [{"team": "IT", "role": "org_admin"}]}
OFF = {
    "domains": {},
    "sso": {"enabled": False, "name": "", "idp": "other"},
    "scim": {"enabled": False, "idp": "other"},
    "idp_groups": {},
    "people": [ANN],
}


def ann(db: Database, **changes: Any) -> Visitor:
    """An org admin of acme.com, signed in."""
    fill(db, **changes)
    return Visitor(db, new_token(db, "admin", email="ann@acme.com"))


def setting(visitor: Visitor, name: str) -> Any:
    return Api(visitor.db).get(f"/v1/access/{name}")


def upload(visitor: Visitor, where: str, page: str, files: dict[str, bytes], **fields: str) -> Seen:
    """Send a form with files as a browser does."""
    shown = visitor.get(page)
    fields = {"csrf": shown.value("csrf"), "etag": shown.value("etag"), **fields}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    head = '--b\r\nContent-Disposition: form-data; name="{}"; filename="idp.xml"\r\nContent-Type: text/xml\r\n\r\n'
    parts += [head.format(name).encode() + content + b"\r\n" for name, content in files.items()]
    return visitor.send("POST", where, b"".join([*parts, b"--b--\r\n"]), "multipart/form-data; boundary=b")


def test_a_domain_is_claimed_and_removed(scim_db: Database) -> None:
    visitor = ann(scim_db, **OFF)
    assert "No domain is claimed." in visitor.get(ACCESS).text
    refused = visitor.submit(f"{ACCESS}/domains", ACCESS, name="globex.com")
    assert (refused.status, "only the domain of the address" in refused.text) == (422, True)
    claimed = visitor.submit(f"{ACCESS}/domains", ACCESS, name="acme.com")
    assert (claimed.status, claimed.headers["location"]) == (303, f"{ACCESS}?done=saved")
    assert visitor.submit(f"{ACCESS}/domains/acme.com", ACCESS, discoverable="on", join="immediate").status == 303
    domain = Api(scim_db).get("/v1/domains/acme.com")
    assert (domain["discoverable"], domain["join"]) == (True, "immediate")
    assert visitor.submit(f"{ACCESS}/domains/acme.com", ACCESS, do="remove").status == 303
    assert Api(scim_db).get("/v1/domains")["total"] == 0


def test_sso_is_set_up_with_the_metadata_of_the_idp(scim_db: Database) -> None:
    visitor = ann(scim_db, **{**OFF, "domains": {"acme.com": {"discoverable": False}}})
    assert console.SET_UP_SSO in visitor.get(SSO).text
    page = visitor.get(f"{SSO}/set-up").text
    assert f"{console.ENTITY_ID} http://127.0.0.1:8787/saml/org_1" in page
    assert f"{console.ACS_URL} http://127.0.0.1:8787/saml/org_1/acs" in page
    fields = {"set_up": "1", "enabled": "on", "name": "Okta", "idp": "okta", "allow_passwords": "on"}
    refused = upload(visitor, f"{SSO}/sso", f"{SSO}/set-up", {"metadata": b""}, **fields)
    assert (refused.status, "without the IdP's metadata" in refused.text) == (422, True)
    assert console.ACS_URL in refused.text, "it is the page that sets up SSO again"
    assert upload(visitor, f"{SSO}/sso", f"{SSO}/set-up", {"metadata": METADATA.encode()}, **fields).status == 303
    sso = setting(visitor, "sso")
    assert (sso["enabled"], sso["name"], sso["idp"], sso["allow_uninvited"]) == (True, "Okta", "okta", False)
    assert METADATA in sso["metadata"]
    assert upload(visitor, f"{SSO}/sso", SSO, {"metadata": b""}, **fields, allow_uninvited="on").status == 303
    assert setting(visitor, "sso")["metadata"] == sso["metadata"], "no file leaves what is stored"
    assert console.SET_UP_SSO not in visitor.get(SSO).text
    assert visitor.submit(f"{SSO}/remove", SSO).status == 303
    assert (setting(visitor, "sso")["enabled"], console.SET_UP_SSO in visitor.get(SSO).text) == (False, True)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\x00b"])
def test_a_file_that_is_not_text_is_refused(scim_db: Database, content: bytes) -> None:
    visitor = ann(scim_db)
    before = setting(visitor, "sso")
    refused = upload(visitor, f"{SSO}/sso", SSO, {"metadata": content}, enabled="on", name="Okta", idp="okta")
    assert refused.status == 400
    assert setting(visitor, "sso") == before


def test_the_sign_in_form_takes_no_files(scim_db: Database) -> None:
    refused = Visitor(scim_db).send("POST", "/sign-in", b"--b--", "multipart/form-data; boundary=b")
    assert refused.status == 415


def test_scim_is_set_up_and_the_idp_is_given_three_values(scim_db: Database) -> None:
    """Article 002: select the IdP, then Unique identifier, Endpoint and Bearer token."""
    visitor = ann(scim_db, scim={"enabled": False, "idp": "other"}, idp_groups={}, people=[ANN])
    assert console.SET_UP_SCIM in visitor.get(SCIM).text
    assert console.UNIQUE_IDENTIFIER not in visitor.get(SCIM).text
    for name in ("Okta", "Microsoft Entra ID", "Other IdP", "Editing users manually"):
        assert name in visitor.get(SCIM).text
    shown = visitor.submit(f"{SCIM}/set-up", SCIM)
    assert shown.status == 200
    assert f"{console.UNIQUE_IDENTIFIER} email {console.ENDPOINT} http://127.0.0.1:8787/api/scim/v2" in shown.text
    (token,) = re.findall(r"rolecall_scim_[\w-]+", shown.html)
    assert token not in visitor.get(SCIM).html
    assert setting(visitor, "scim")["enabled"] is True
    assert Scim(scim_db, token).get("/Users").status == 200


def test_scim_without_sso_is_not_set_up(scim_db: Database) -> None:
    visitor = ann(scim_db, **OFF)
    refused = visitor.submit(f"{SCIM}/set-up", SCIM)
    assert (refused.status, "SCIM needs SSO" in refused.text) == (422, True)
    assert setting(visitor, "scim")["tokens"] == [], "no token is created when SCIM stays off"


def test_tokens_are_created_tested_and_revoked(scim_db: Database) -> None:
    visitor = ann(scim_db)
    assert "There is no bearer token" in visitor.submit(f"{SCIM}/test", SCIM).text
    created = visitor.submit(f"{SCIM}/token", SCIM)
    (token,) = re.findall(r"rolecall_scim_[\w-]+", created.html)
    assert "SCIM has not changed anything yet" in visitor.submit(f"{SCIM}/test", SCIM).text
    Scim(scim_db, token).user("new@acme.com")
    assert "The endpoint is ready" in visitor.submit(f"{SCIM}/test", SCIM).text
    assert "Last change by SCIM" in visitor.submit(f"{SCIM}/test", SCIM).text
    assert visitor.submit(f"{SCIM}/token", SCIM).status == 200
    assert console.CREATE_TOKEN not in visitor.get(SCIM).text, "two are the most"
    for item in setting(visitor, "scim")["tokens"]:
        assert visitor.submit(f"{SCIM}/token/{item['id']}", SCIM).status == 303
    assert Scim(scim_db, token).get("/Users").status == 401


@pytest.mark.parametrize(
    ("fields", "idp"),
    [
        ({"idp": "okta", "idp.custom": "ignored"}, "okta"),
        ({"idp": "other", "idp.custom": ""}, "other"),
        ({"idp": "other", "idp.custom": " onelogin "}, "onelogin"),
    ],
)
def test_another_idp_may_have_a_name(scim_db: Database, fields: dict[str, str], idp: str) -> None:
    visitor = ann(scim_db)
    assert visitor.submit(f"{SCIM}/scim", SCIM, enabled="on", **fields).status == 303
    assert setting(visitor, "scim")["idp"] == idp
    html = visitor.get(SCIM).html
    selected = re.findall(r'<option value="(\w+)" selected', html)
    assert selected == ["okta" if idp == "okta" else "other"]
    assert f'name="idp.custom" value="{"onelogin" if idp == "onelogin" else ""}"' in html


def test_the_configuration_is_removed(scim_db: Database) -> None:
    visitor = ann(scim_db)
    assert visitor.submit(f"{SCIM}/remove", SCIM).status == 303
    assert setting(visitor, "scim")["enabled"] is False
    assert console.SET_UP_SCIM in visitor.get(SCIM).text


def legacy(db: Database) -> Visitor:
    people = [{"email": "ann@acme.com", "role_attribute": "admin"}, {"email": "bo@acme.com", "groups": ["Marketing"]}]
    scim = {"enabled": True, "idp": "okta", "endpoint": "legacy"}
    return ann(db, scim=scim, idp_groups={"Marketing": {"teams": ["Marketing"]}}, people=people)


def flow(visitor: Visitor, **groups: tuple[str, list[str]]) -> dict[str, Any]:
    """The form that completes the upgrade, with some groups mapped."""
    html = visitor.get(SCIM).html
    html = html[html.index(f'action="{SCIM}/complete"') :]
    form: dict[str, Any] = {"csrf": Seen(200, f"<main {html}", {}).value("csrf")}
    form["etag"] = Seen(200, f"<main {html}", {}).value("etag")
    for name, (role, teams) in groups.items():
        group = Api(visitor.db).group(name)
        form |= {f"shown:{group['id']}": '["",[]]', f"etag:{group['id']}": group["etag"]}
        form |= {f"role:{group['id']}": role, f"teams:{group['id']}": teams}
    return form


def test_the_endpoint_is_upgraded_as_in_the_article(scim_db: Database) -> None:
    """Article 000: Upgrade, push again, select team and role, Complete upgrade; the message is on the groups tab."""
    visitor = legacy(scim_db)
    assert "upgrade the endpoint" in visitor.get(GROUPS).text
    assert console.EDIT not in visitor.get(GROUPS).html.partition("<main")[2]
    assert visitor.submit(f"{SCIM}/upgrade", SCIM).headers["location"] == SCIM
    assert "The IdP has not pushed a group yet" in visitor.get(SCIM).text
    scim = Scim(scim_db)
    for name in ("Admins", "Marketing"):
        users = scim.get("/Users", filter=f'userName eq "{"ann" if name == "Admins" else "bo"}@acme.com"').ids
        scim.post("/Groups", {"schemas": [GROUP], "displayName": name, "members": [{"value": u} for u in users]})
    mapped = {"Admins": ("org_admin", ["IT"]), "Marketing": ("member", ["Marketing", "Sales"])}
    refused = visitor.call("POST", f"{SCIM}/complete", flow(visitor, **{**mapped, "Marketing": ("member", [])}))
    assert (refused.status, "Marketing: A mapping names at least one team" in refused.text) == (422, True)
    assert setting(visitor, "scim")["endpoint"] == "upgrading", "nothing is completed that was not mapped as entered"
    done = visitor.call("POST", f"{SCIM}/complete", flow(visitor, **mapped))
    assert (done.status, done.headers["location"]) == (303, f"{GROUPS}?done=upgraded")
    assert console.UPGRADED in visitor.get(done.headers["location"]).text
    assert setting(visitor, "scim")["endpoint"] == "new"
    assert Api(scim_db).team_roles("bo@acme.com") == {("Marketing", "member"), ("Sales", "member")}
    assert console.UPGRADE not in visitor.get(SCIM).html.partition("<main")[2]


def test_groups_may_be_mapped_on_their_tab_before_the_upgrade_is_completed(scim_db: Database) -> None:
    visitor = legacy(scim_db)
    visitor.submit(f"{SCIM}/upgrade", SCIM)
    Scim(scim_db).group("Marketing")
    assert console.EDIT in visitor.get(GROUPS).text
    form = flow(visitor, Marketing=("member", ["Sales"]))
    form["csrf"] = visitor.get(f"{GROUPS}?edit=1").value("csrf")
    assert visitor.call("POST", GROUPS, form).status == 303
    assert Api(scim_db).group("Marketing")["mapping"] == {"role": "member", "teams": ["Sales"]}
    form = flow(visitor, Marketing=("member", ["Legal"]))
    shown = json.dumps(["member", ["Sales"]], separators=(",", ":"))
    form |= {name: shown for name in form if name.startswith("shown:")}
    saved = visitor.call("POST", f"{SCIM}/complete", {**form, "do": "save"})
    assert (saved.headers["location"], setting(visitor, "scim")["endpoint"]) == (f"{SCIM}?done=saved", "upgrading")
    assert visitor.call("POST", f"{SCIM}/complete", flow(visitor)).status == 303
    assert Api(scim_db).group("Marketing")["mapping"] == {"role": "member", "teams": ["Legal"]}


def test_large_forms_are_read(scim_db: Database) -> None:
    """Every group and its teams are in one form."""
    names = [f"Team {number:03}" for number in range(60)]
    groups = {f"g{number:03}": {"role": "member", "teams": names} for number in range(60)}
    visitor = ann(scim_db, teams=["Everyone", "IT", *names], idp_groups={**groups, "Z": "blank"}, people=[ANN])
    shown = visitor.get(f"{GROUPS}?edit=1")
    assert shown.html.count('name="shown:') == 61, "one page has all rows"
    items = Api(scim_db).get("/v1/idp-groups?limit=100")["data"]
    form: list[tuple[str, str]] = [("csrf", shown.value("csrf"))]
    for item in items:
        teams = (item["mapping"] or {"teams": []})["teams"]
        shown_mapping = json.dumps(["member" if teams else "", teams], separators=(",", ":"))
        form += [
            (f"shown:{item['id']}", shown_mapping),
            (f"etag:{item['id']}", item["etag"]),
            (f"role:{item['id']}", "member"),
        ]
        form += [(f"teams:{item['id']}", team) for team in (teams or ["IT"])]
    assert visitor.send("POST", GROUPS, urlencode(form).encode(), FORM).status == 303
    assert Api(scim_db).group("Z")["mapping"] == {"role": "member", "teams": ["IT"]}
    assert Api(scim_db).get("/v1/audit-log?order=desc&limit=2")["data"][1]["action"] == "load", "one row was written"
