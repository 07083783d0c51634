"""Test domains, default access, SSO and SCIM in the admin API: what is stored, and what an org refuses."""

from __future__ import annotations

from typing import Any

import pytest
from org_client import Client

from rolecall.localorg.store.tables import DOMAINS, NEW_DOMAIN, domain_columns

METADATA = "<EntityDescriptor entityID='https://idp'/>"


@pytest.fixture
def ann(new_org: Client) -> Client:
    """The first org admin of a new org."""
    return new_org.as_person("ann@acme.com")


@pytest.fixture
def signed_on(ann: Client) -> Client:
    """An org with a domain and SSO."""
    assert ann.call("POST", "/v1/domains", {"name": "acme.com"}).status == 201
    assert ann.write("PUT", "/v1/access/sso", {"enabled": True, "metadata": METADATA}).status == 200
    return ann


def test_a_person_claims_their_own_domain(ann: Client) -> None:
    made = ann.call("POST", "/v1/domains", {"name": "ACME.com", "discoverable": True})
    assert made.status == 201
    assert made.body == {
        "name": "acme.com",
        **NEW_DOMAIN,
        "discoverable": True,
        "etag": made.headers["etag"],
    }
    assert made.headers["location"] == "/v1/domains/acme.com"
    assert ann.get("/v1/domains/acme.com") == made.body
    assert ann.get("/v1/domains")["data"] == [made.body]


@pytest.mark.parametrize("name", ["example.com", "mail.acme.com", "acme.co"])
def test_somebody_elses_domain_is_refused_with_what_to_do(ann: Client, name: str) -> None:
    refused = ann.call("POST", "/v1/domains", {"name": name})
    assert (refused.status, refused.key) == (403, "not_your_domain")
    assert "WRITER support" in refused.body["errors"][0]["description"]
    assert ann.get("/v1/domains")["total"] == 0


def test_a_service_is_no_person_of_any_domain(new_org: Client) -> None:
    assert new_org.call("POST", "/v1/domains", {"name": "acme.com"}).key == "not_your_domain"
    assert "domains.create" not in new_org.get("/v1/org")["capabilities"]


def test_an_international_domain_is_one_domain_in_both_scripts(new_org: Client) -> None:
    person = new_org.as_person("ann@bücher.example")
    assert person.call("POST", "/v1/domains", {"name": "BÜCHER.example"}).body["name"] == "xn--bcher-kva.example"
    assert person.call("POST", "/v1/domains", {"name": "xn--bcher-kva.example"}).status == 409
    assert person.get("/v1/domains/b%C3%BCcher.example")["name"] == "xn--bcher-kva.example"


@pytest.mark.parametrize("name", ["acme", "-acme.com", "a..b", "acme.com/x", "@"])
def test_what_is_no_domain_name_is_refused(ann: Client, name: str) -> None:
    assert ann.call("POST", "/v1/domains", {"name": name}).status == 422


def test_a_field_that_is_left_out_keeps_its_value(signed_on: Client) -> None:
    signed_on.write("PUT", "/v1/domains/acme.com", {"discoverable": True})
    after = signed_on.write("PUT", "/v1/domains/acme.com", {"join": "immediate"}).body
    assert (after["discoverable"], after["join"]) == (True, "immediate")
    before = signed_on.get("/v1/access/sso")
    after = signed_on.write("PUT", "/v1/access/sso", {"allow_uninvited": True}).body
    moved = {name for name in after if after[name] != before[name]}
    assert moved == {"allow_uninvited", "etag"}


def test_the_last_domain_stays_while_sso_is_on(signed_on: Client) -> None:
    assert signed_on.write("DELETE", "/v1/domains/acme.com").key == "last_domain"
    assert signed_on.write("PUT", "/v1/access/sso", {"enabled": False}).status == 200
    assert signed_on.write("DELETE", "/v1/domains/acme.com").body == {"id": "acme.com", "deleted": True}
    assert signed_on.call("GET", "/v1/domains/acme.com").status == 404


def test_one_of_two_domains_may_go(org: Client) -> None:
    gus = org.as_person("ann@acme.com")
    with org.db.write() as tx:
        row = {"name": "acme.de", **domain_columns(NEW_DOMAIN), "version": 999}
        tx.execute(DOMAINS.insert().values(**row, created="", modified=""))
    assert gus.write("DELETE", "/v1/domains/acme.de").status == 200


def test_settings_come_in_their_order(ann: Client) -> None:
    sso = {"enabled": True, "metadata": METADATA}
    assert ann.write("PUT", "/v1/access/scim", {"enabled": True}).key == "sso_first"
    assert ann.write("PUT", "/v1/access/sso", sso).key == "domain_first"
    ann.call("POST", "/v1/domains", {"name": "acme.com"})
    assert ann.write("PUT", "/v1/access/sso", {"enabled": True}).key == "metadata_needed"
    assert ann.write("PUT", "/v1/access/sso", sso).status == 200
    assert ann.write("PUT", "/v1/access/scim", {"enabled": True}).status == 200
    assert ann.write("PUT", "/v1/access/sso", {"enabled": False}).key == "scim_is_on"
    assert ann.write("PUT", "/v1/access/scim", {"enabled": False}).status == 200
    assert ann.write("PUT", "/v1/access/sso", {"enabled": False}).status == 200


def test_metadata_is_asked_for_once_and_cannot_go_while_sso_is_on(signed_on: Client) -> None:
    assert signed_on.write("PUT", "/v1/access/sso", {"metadata": None}).key == "metadata_needed"
    signed_on.write("PUT", "/v1/access/sso", {"enabled": False})
    assert signed_on.write("PUT", "/v1/access/sso", {"enabled": True}).status == 200
    assert signed_on.get("/v1/access/sso")["metadata"] == METADATA


def test_a_default_is_a_role_below_org_admin_on_teams_that_exist(org: Client) -> None:
    def put(body: Any) -> Any:
        return org.write("PUT", "/v1/access/defaults", body)

    assert put({"role": "org_admin"}).key == "default_org_admin"
    assert put({"role": "boss"}).key == "unknown_role"
    assert put({"teams": []}).status == 400
    wrong = put({"teams": ["marketing", "Nowhere", "Legal"]})
    assert wrong.status == 422
    assert [fault["extras"]["team"] for fault in wrong.body["errors"]] == ["Nowhere", "marketing"]
    assert "did you mean `Marketing`?" in wrong.body["errors"][1]["description"]
    after = put({"role": "team_admin", "teams": ["Sales", "Legal"]}).body
    assert (after["role"], after["teams"]) == ("team_admin", ["Legal", "Sales"])


def test_scim_tells_the_idp_where_to_go(org: Client) -> None:
    scim = org.call("GET", "/v1/access/scim", host="org.example:8787").body
    assert scim["unique_identifier"] == "email"
    assert scim["endpoint_url"] == "http://org.example:8787/api/scim/v2"
    assert org.get("/v1/access/sso")["service_provider"]["entity_id"].endswith("/saml/org_1")


def test_the_endpoint_is_no_field(org: Client) -> None:
    refused = org.write("PUT", "/v1/access/scim", {"endpoint": "legacy"})
    assert (refused.status, refused.key) == (400, "unknown_field")


def test_a_plan_without_scim_says_so(org: Client) -> None:
    from rolecall.localorg.manage import Knobs, set_knobs

    set_knobs(org.db, Knobs(plan="team", scim_in_plan=False))
    group = org.group("Marketing")["id"]
    for method, path, body in (
        ("PUT", "/v1/access/scim", {"manual_editing": True}),
        ("POST", "/v1/access/scim/token", {}),
        ("POST", "/v1/access/scim/upgrade", None),
        ("PUT", f"/v1/idp-groups/{group}/mapping", {"teams": ["Legal"]}),
    ):
        refused = org.write(method, path, body)
        assert (refused.status, refused.key) == (403, "scim_not_in_plan"), path
    facts = org.get("/v1/org")
    assert facts["features"] == []
    assert not {"scim.update", "scim.upgrade", "idp_groups.update"} & set(facts["capabilities"])
    assert org.get("/v1/access/scim")["enabled"] is True


def test_while_scim_is_off_its_people_keep_what_they_had(org: Client) -> None:
    bo = org.team_roles("bo@acme.com")
    org.write("PUT", "/v1/access/scim", {"enabled": False})
    org.write("DELETE", f"/v1/idp-groups/{org.group('Marketing')['id']}/mapping")
    org.write("PUT", "/v1/access/defaults", {"teams": ["Legal"]})
    assert org.team_roles("bo@acme.com") == bo == {("Marketing", "member")}
    assert org.team_roles("di@acme.com") == {("Legal", "member")}
    kept = org.get("/v1/access/scim")["kept"]
    assert kept["idp_groups"]["Marketing"] == {"role": "member", "teams": ["Marketing"]}
    org.write("PUT", "/v1/access/scim", {"idp": "entra"})
    assert org.get("/v1/access/scim")["kept"] == kept
    org.write("PUT", "/v1/access/scim", {"enabled": True})
    assert "kept" not in org.get("/v1/access/scim")
    assert org.team_roles("bo@acme.com") == {("Legal", "member")}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/access/sso", {"enabled": None}),
        ("/v1/access/sso", {"enabled": "true"}),
        ("/v1/access/sso", {"name": "x" * 201}),
        ("/v1/access/sso", {"name": "line\nbreak"}),
        ("/v1/access/sso", {"metadata": 5}),
        ("/v1/access/sso", {"color": "red"}),
        ("/v1/access/scim", {"manual_editing": 1}),
        ("/v1/access/scim", {"idp": ""}),
        ("/v1/access/defaults", {"teams": "Everyone"}),
        ("/v1/access/defaults", {"teams": ["Everyone", "Everyone"]}),
        ("/v1/access/defaults", {"teams": [5]}),
        ("/v1/access/defaults", ["Everyone"]),
        ("/v1/domains/acme.com", {"join": "whenever"}),
        ("/v1/domains/acme.com", {"name": "acme.org"}),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_nothing_written(org: Client, path: str, body: Any) -> None:
    before = org.get(path)
    assert org.write("PUT", path, body).status == 400
    assert org.get(path) == before


def test_all_faults_of_a_body_are_told_at_once(org: Client) -> None:
    refused = org.write("PUT", "/v1/access/sso", {"enabled": 1, "name": 2, "color": 3})
    assert {fault["extras"]["field"] for fault in refused.body["errors"]} == {"enabled", "name", "color"}
