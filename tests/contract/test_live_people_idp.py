"""What is Okta's and Entra's own beside the contract over all sources: each request and answer as the IdP describes it,
who has the app, and how it is set up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from fake_idps import Site, graph_answers, oid, okta_answers, served, uid
from idp_specs import need_specs

from rolecall.errors import SecretError
from rolecall.live.connect import PeopleConnection, connect_people
from rolecall.model.directory import EVERYBODY, Directory, IdpFacts, PeopleScope

EXTENSION = "urn:custom:params:scim:schemas:extension:writer:2.0"
Read = Callable[..., tuple[Directory, IdpFacts | None]]


def a_site(**more: Any) -> Site:
    """Ann and Bo have the app by All; Cy is in a pushed group without having it; Later is not pushed yet."""
    people = {
        "ann@acme.com": ["All", "Admins", "Later"],
        "bo@acme.com": ["All", "Legal"],
        "cy@acme.com": ["Legal", "Later"],
    }
    groups = ["All", "Admins", "Legal", "Later", "Elsewhere"]
    defaults: dict[str, Any] = {
        "assigned_groups": ["All"],
        "pushed": ["Admins", "Legal"],
        "without_app": {"cy@acme.com"},
        "people": people,
        "groups": groups,
    }
    return Site(**{**defaults, **more})


@contextmanager
def source(kind: str, site: Site, wanted: tuple[str, ...] = (), **more: Any) -> Iterator[Any]:
    answers = okta_answers if kind == "okta" else graph_answers
    with served(site, answers, okta=kind == "okta") as url:
        app = "0oa1" if kind == "okta" else uid("app")
        way = PeopleConnection(token=lambda: "secret-token", app=app, groups=wanted, url=url, login_url=url)
        yield connect_people(kind, url if kind == "okta" else "acme", way.__class__(**{**_said(way), **more}))


def _said(way: PeopleConnection) -> dict[str, Any]:
    return {name: getattr(way, name) for name in PeopleConnection._fields}


def read(kind: str, site: Site, wanted: tuple[str, ...] = (), scope: PeopleScope = EVERYBODY, **more: Any) -> Directory:
    async def work(people: Any) -> Directory:
        try:
            return await people.read_people(scope)
        finally:
            await people.close()

    with source(kind, site, wanted, **more) as people:
        return asyncio.run(work(people))


def facts(kind: str, site: Site, *, members: bool = False) -> IdpFacts:
    async def work(people: Any) -> IdpFacts:
        try:
            if members:
                await people.read_people(EVERYBODY)
            return await people.read_idp()
        finally:
            await people.close()

    with source(kind, site) as people:
        return asyncio.run(work(people))


def held(directory: Directory) -> dict[str, set[str]]:
    people = (directory.person(number) for number in range(len(directory)))
    return {person.email: set(person.groups) for person in people}


KINDS = pytest.mark.parametrize("kind", ["okta", "entra"])
SPEC = {"okta": ("okta-subset.openapi.yaml", ""), "entra": ("graph-subset.openapi.yaml", "/v1.0")}


@KINDS
def test_every_request_and_answer_is_as_the_idp_describes_them(kind: str) -> None:
    name, base = SPEC[kind]
    spec = need_specs(name)
    site = a_site(page=1, role_source={"name": "appRoleAssignments", "type": "Attribute"}, namespace=EXTENSION)
    read(kind, site, ("Later", 'O\'Brien "x"'), role_attribute="role")
    facts(kind, site)
    bad = a_site(busy=1)
    read(kind, bad, token=lambda: "wrong")
    read(kind, bad)
    read(kind, bad, app="0oa9" if kind == "okta" else uid("other"))
    statuses = {one.status for one in (*site.seen, *bad.seen)}
    assert {200, 404, 429} <= statuses
    for exchanged in (*site.seen, *bad.seen):
        spec.check(exchanged, base)


def asked(site: Site) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return the requests for first pages."""
    marks = ("after", "$skiptoken")
    return {(one.path, one.query) for one in site.seen if not any(name in marks for name, _ in one.query)}


ODD = 'O\'Brien "x" \xd6'
OKTA_REQUESTS = {
    ("/api/v1/apps/0oa1", ()),
    ("/api/v1/meta/schemas/apps/0oa1/default", ()),
    ("/api/v1/apps/0oa1/group-push/mappings", (("limit", "100"),)),
    ("/api/v1/apps/0oa1/groups", (("limit", "200"),)),
    *((f"/api/v1/groups/{oid(name)}", ()) for name in ("All", "Admins", "Legal")),
    ("/api/v1/groups", (("search", 'profile.name eq "Later"'), ("limit", "200"))),
    ("/api/v1/groups", (("search", 'profile.name eq "O\'Brien \\"x\\" \xd6"'), ("limit", "200"))),
    ("/api/v1/apps/0oa1/users", (("limit", "500"),)),
    *((f"/api/v1/groups/{oid(name)}/users", (("limit", "200"),)) for name in ("Admins", "Legal", "Later")),
}
APP = f"/v1.0/servicePrincipals/{uid('app')}"
GRAPH_REQUESTS = {
    (APP, (("$select", "id,appRoles"),)),
    (f"{APP}/appRoleAssignedTo", (("$top", "999"),)),
    (f"{APP}/synchronization/jobs", ()),
    (f"{APP}/synchronization/jobs/job.1/schema", ()),
    ("/v1.0/groups", (("$filter", "displayName eq 'Later'"), ("$select", "id,displayName"))),
    ("/v1.0/groups", (("$filter", "displayName eq 'O''Brien \"x\" \xd6'"), ("$select", "id,displayName"))),
    *(
        (f"/v1.0/groups/{uid(name)}/members", (("$select", "accountEnabled,id,userPrincipalName"), ("$top", "999")))
        for name in ("Admins", "Legal", "Later")
    ),
}


@pytest.mark.parametrize(("kind", "requests"), [("okta", OKTA_REQUESTS), ("entra", GRAPH_REQUESTS)])
def test_each_request_asks_for_what_is_needed_and_in_large_pages(
    kind: str, requests: set[tuple[str, tuple[tuple[str, str], ...]]]
) -> None:
    site = a_site(page=1, role_source={"name": "appRoleAssignments", "type": "Attribute"})
    read(kind, site, ("Later", ODD), role_attribute="role")
    assert asked(site) == requests


@KINDS
def test_pages_after_the_first_keep_the_query(kind: str) -> None:
    site = a_site(page=1)
    read(kind, site)
    first = {(path, frozenset(query)) for path, query in asked(site)}
    later = [one for one in site.seen if (one.path, one.query) not in asked(site)]
    assert later
    for one in later:
        rest = frozenset((name, value) for name, value in one.query if name not in ("after", "$skiptoken"))
        assert (one.path, rest) in first


@KINDS
def test_who_has_the_app(kind: str) -> None:
    """In Okta whoever is assigned to it (R30), in Entra whoever is in an assigned group."""
    found = read(kind, a_site())
    everybody = {"ann@acme.com": {"Admins"}, "bo@acme.com": {"Legal"}}
    assert held(found) == (everybody if kind == "okta" else {**everybody, "cy@acme.com": {"Legal"}})


@KINDS
def test_a_name_that_two_groups_have_is_reported_with_both_ids(kind: str) -> None:
    site = a_site(groups=["All", "Admins", "Legal", "Later", "Later"])
    (note,) = read(kind, site, ("Later",)).notes
    name, id_of = ("Okta", oid) if kind == "okta" else ("Microsoft Graph", uid)
    ids = ", ".join(sorted(map(id_of, ("Later", "Later 2"))))
    assert note.message == f"{name} has 2 groups named `Later` ({ids})"
    assert note.severity == "warning"


@KINDS
def test_a_name_that_no_group_has_is_reported_for_the_section_idp(kind: str) -> None:
    """A source in `people` gives no further warning than before."""
    assert read(kind, a_site(), ("Ghosts",)).notes == ()
    (note,) = read(kind, a_site(), ("Ghosts",), section=f"idp.{kind}").notes
    assert "has no group named `Ghosts`" in note.message


@KINDS
def test_an_app_that_there_is_not(kind: str) -> None:
    found = read(kind, a_site(), app="0oa9")
    assert found.coverage.state == "unread"
    assert "not found in" in (found.coverage.problem or "")
    assert "check `people.app`" in (found.coverage.problem or "")


@KINDS
def test_what_the_token_may_not_read_of_the_set_up_is_told(kind: str) -> None:
    site = a_site(forbidden=("/default", "/jobs"))
    seen = read(kind, site).coverage
    assert seen.state == ("complete" if kind == "okta" else "partial")
    assert kind == "okta" or "userPrincipalName is assumed" in (seen.problem or "")
    found = facts(kind, site)
    assert "the token cannot read" in (found.unread or "")
    assert facts(kind, a_site()).unread is None


@KINDS
def test_an_answer_that_lies_about_its_form_leaves_people_unread(kind: str) -> None:
    found = read(kind, a_site(broken="users" if kind == "okta" else "appRoleAssignedTo"))
    assert found.coverage.state == "unread"
    assert "undocumented response" in (found.coverage.problem or "") or kind == "entra"


@KINDS
def test_the_token_never_follows_a_page_to_another_host(kind: str) -> None:
    site = a_site(page=1, next_host="http://evil.example")
    found = read(kind, site)
    assert found.coverage.state == "unread"
    assert "another host" in (found.coverage.problem or "")


def okta_page(form: str) -> Callable[[list[Any], str | None], tuple[Any, dict[str, str]]]:
    """Okta's pages with the next one told in another form; ``{}`` is its URL."""
    return lambda part, link: (part, {"link": form.format(link)} if link else {"link": '<x>; rel="self"'})


def relative(link: str) -> str:
    return urlsplit(link)._replace(scheme="", netloc="").geturl()


def graph_page(key: str) -> Callable[[list[Any], str | None], tuple[Any, dict[str, str]]]:
    return lambda part, link: ({"value": part, **({key: link} if link else {})}, {})


@pytest.mark.parametrize(
    ("kind", "paging"),
    [
        ("okta", okta_page('<x>; title="a, b"; rel="self", <{}>; title="Page 2, of 3"; rel="next"')),
        ("okta", lambda part, link: (part, {"link": f"<{relative(link)}>; rel=next" if link else ""})),
        ("entra", graph_page("@odata.nextlink")),
        ("entra", lambda part, link: ({"value": part}, {"link": f'<{link}>; rel="next"'} if link else {})),
    ],
)
def test_pages_in_each_known_form_are_read_whole(kind: str, paging: Any) -> None:
    assert held(read(kind, a_site(page=1, paging=paging))) == held(read(kind, a_site()))
    assert read(kind, a_site(page=1, paging=paging)).coverage.state == "complete"


@pytest.mark.parametrize(
    ("kind", "paging"),
    [
        ("okta", okta_page("{}; rel=next")),
        ("okta", lambda part, link: (part, {"link": "", "x-next-page": "2"} if link else {})),
        ("okta", lambda part, link: (part, {"x-total-count": "99"})),
        ("entra", graph_page("nextLink")),
        ("entra", graph_page("nextPageToken")),
        ("entra", lambda part, link: ({"value": part, "@odata.count": 99}, {})),
    ],
)
def test_a_next_page_in_an_unknown_form_makes_people_partial(kind: str, paging: Any) -> None:
    found = read(kind, a_site(page=1, paging=paging))
    assert found.coverage.state in ("partial", "unread")
    assert found.coverage.problem
    assert "may be incomplete" in (facts(kind, a_site(page=1, paging=paging)).unread or "")


def test_a_full_page_that_lost_its_links_makes_people_partial() -> None:
    many = {f"p{number}@acme.com": ["Admins"] for number in range(200)}
    site = replace(a_site(pushed=["Admins"]), people=many)
    assert read("okta", replace(site, paging=lambda part, link: (part, {}))).coverage.state == "partial"


def test_okta_tells_the_role_attribute_of_the_legacy_endpoint() -> None:
    site = a_site(profiles={"ann@acme.com": {"role": "admin"}, "bo@acme.com": {"role": None}})
    found = read("okta", site, role_attribute="role")
    roles = {person.email: person.traits.role_attribute for person in map(found.person, range(len(found)))}
    assert roles == {"ann@acme.com": "admin", "bo@acme.com": None}


def test_a_group_whose_push_is_paused_in_okta_is_not_pushed() -> None:
    assert facts("okta", a_site(paused=("Legal",))).pushed == {"Admins"}
    assert held(read("okta", a_site(paused=("Legal",))))["bo@acme.com"] == set()


@KINDS
def test_the_reason_that_the_idp_gives_is_told_on_one_line(kind: str) -> None:
    found = facts(kind, a_site(forbidden=("/default", "/jobs")))
    assert "You do not have permission to access the feature" in (found.unread or "")


def test_a_user_of_okta_without_a_profile_or_credentials_is_left_out() -> None:
    site = a_site(profiles={"ann@acme.com": None})
    assert set(held(read("okta", site, role_attribute="role"))) == {"ann@acme.com", "bo@acme.com"}


def test_okta_tells_what_is_wrong_with_its_app() -> None:
    site = a_site(
        pushed=["Admins", "Legal", "All"],
        without_app={"cy@acme.com", "bo@acme.com"},
        failing={"Admins": "group not found in app"},
        namespace=EXTENSION,
    )
    found = facts("okta", site, members=True)
    assert found.pushed & found.assigned == {"All"}
    assert found.unreached == {"Legal"}
    assert found.failing == (("Admins", "group not found in app"),)
    assert found.role_sent
    assert not facts("okta", a_site()).role_sent
    assert facts("okta", a_site()).unreached is None
    assert facts("okta", a_site(status="INACTIVE")).stopped == "the app is inactive"


def test_entra_sends_direct_members_alone() -> None:
    site = a_site(pushed=["Legal"], nested={"Legal": ["Admins"]})
    assert set(held(read("entra", site))) == {"bo@acme.com", "cy@acme.com"}


DIRECT = {"direct": ["dee@acme.com", "bo@acme.com"]}


def test_entra_says_whom_it_cannot_name() -> None:
    """Bo is assigned directly too, and known by his group."""
    found = read("entra", a_site(**DIRECT))
    assert (found.coverage.state, found.coverage.total) == ("partial", len(found) + 1)
    assert "1 user is assigned to the app directly and in none of its groups" in (found.coverage.problem or "")
    assert "dee" not in (found.coverage.problem or ""), "how users may be shown is unknown here"


@pytest.mark.parametrize("scope", [PeopleScope(groups=frozenset({"Legal"})), PeopleScope(org_admins=True)])
def test_who_is_in_no_group_is_not_missed_where_groups_are_asked_for(scope: PeopleScope) -> None:
    found = read("entra", a_site(**DIRECT), scope=scope)
    assert found.coverage.state == "complete"
    assert found.coverage.problem


def attributes(**more: Any) -> dict[str, str | None]:
    found = read("entra", a_site(**more), role_attribute="role")
    people = (found.person(number) for number in range(len(found)))
    return {person.email: person.traits.role_attribute for person in people}


RAW = {"name": "appRoleAssignments", "type": "Attribute"}
ROLES = {"Admins": "admin", "Legal": "member", "bo@acme.com": "admin"}


def test_entra_tells_the_role_attribute_of_the_legacy_endpoint() -> None:
    """The app role of a group that a person is in, or of their own assignment; one that says admin outdoes others."""
    everybody = {"ann@acme.com": "admin", "bo@acme.com": "admin", "cy@acme.com": "member"}
    direct = {"direct": ["bo@acme.com"], "app_roles": ROLES}
    assert attributes(role_source=RAW, **direct) == everybody
    assert attributes(forbidden=("/jobs",), **direct) == everybody, "it may well be sent"
    assert set(attributes(**direct).values()) == {None}, "it is not mapped"
    assert set(attributes(role_source=RAW).values()) == {None}


def test_an_org_admin_whom_entra_does_not_name_is_missed() -> None:
    site = a_site(direct=["dee@acme.com"], app_roles={"dee@acme.com": "admin"}, role_source=RAW)
    found = read("entra", site, scope=PeopleScope(org_admins=True), role_attribute="role")
    assert found.coverage.state == "partial"


def test_a_role_attribute_from_elsewhere_is_not_known() -> None:
    site = a_site(role_source={"name": "extensionAttribute1", "type": "Attribute"})
    found = read("entra", site, role_attribute="role")
    assert found.coverage.state == "partial"
    assert "a role attribute from `extensionAttribute1`" in (found.coverage.problem or "")


@pytest.mark.parametrize(
    ("source_said", "raw"),
    [
        (RAW, True),
        ({"expression": "SingleAppRoleAssignment([appRoleAssignments])", "type": "Function"}, False),
    ],
)
def test_entra_tells_how_its_job_is_set_up(source_said: dict[str, str], raw: bool) -> None:
    site = a_site(role_source=source_said, settings=[{"name": "SyncAll", "value": "true"}], quarantine=True)
    found = facts("entra", site)
    assert (found.role_sent, found.roles_raw, found.everybody) == (True, raw, True)
    assert "quarantine" in (found.stopped or "")
    assert facts("entra", a_site()).everybody is None


def test_entra_asks_for_a_token_of_its_own_and_never_tells_the_secret() -> None:
    client = {"token": None, "client_id": "app", "client_secret": lambda: "client-secret"}
    assert read("entra", a_site(), **client).coverage.state == "complete"
    with pytest.raises(SecretError) as caught:
        read("entra", a_site(), **{**client, "client_secret": lambda: "wrong-secret"})
    assert "AADSTS7000215" in str(caught.value)
    assert "wrong-secret" not in str(caught.value)
    with pytest.raises(SecretError):
        read("entra", a_site(), token=None)


GUEST = "bo_b_partner.com#EXT#@acme.onmicrosoft.com"
ATTRIBUTE = {"type": "Attribute", "name": "mail", "expression": "[mail]"}


def calls(expression: str) -> dict[str, str]:
    return {"type": "Function", "name": expression.partition("(")[0], "expression": expression}


@pytest.mark.parametrize(
    ("user_name", "addresses"),
    [
        (None, {"ann@acme.com", "bo_b@partner.com"}),
        (ATTRIBUTE, {"ann.lee@acme.com", "bo.b@partner.com"}),
        ({**ATTRIBUTE, "name": "originalUserPrincipalName", "expression": None}, {"ann@acme.com", GUEST.lower()}),
        (calls("Coalesce([mail], [userPrincipalName])"), {"ann.lee@acme.com", "bo.b@partner.com"}),
        (calls('ToLower(Append([mailNickname], "@ACME.com"), )'), {"ann.l@acme.com"}),
        (calls('Replace([mail], "@acme.com", , , "@acme.io", , )'), {"ann.lee@acme.io", "bo.b@partner.com"}),
    ],
)
def test_an_entra_user_has_the_address_that_provisioning_sends(user_name: Any, addresses: set[str]) -> None:
    site = a_site(
        user_name=user_name,
        people={"ann@acme.com": ["Legal"], GUEST: ["Legal"]},
        without_app=set(),
        properties={
            "ann@acme.com": {"mail": "ann.lee@acme.com", "mailNickname": "ann.l"},
            GUEST: {"mail": "Bo.B@partner.com", "userType": "Guest"},
        },
    )
    directory = read("entra", site)
    assert set(directory.emails) == addresses
    nickname = "Nickname" in str(user_name)
    assert (directory.coverage.state == "partial") == nickname
    assert not nickname or "the addresses of 1 users could not be determined" in (directory.coverage.problem or "")


@pytest.mark.parametrize(
    ("user_name", "words"),
    [
        (calls('Switch([mail], "a", "b", "c")'), "the result of Switch is unknown"),
        (calls("ToLower([extensionAttribute1])"), "`extensionAttribute1` is not supported"),
        (calls("ToLower([mail]"), "a bracket is not closed"),
        (calls("[mail] & 1"), "cannot be parsed"),
    ],
)
def test_where_the_address_cannot_be_evaluated_users_are_unread(user_name: Any, words: str) -> None:
    directory = read("entra", a_site(user_name=user_name))
    assert (len(directory), directory.coverage.state) == (0, "unread")
    assert words in (directory.coverage.problem or "")
    assert facts("entra", a_site(user_name=user_name)).kind == "entra"


def test_a_user_name_that_is_no_address_leaves_the_e_mail() -> None:
    site = a_site(
        user_name={"type": "Attribute", "name": "mailNickname"},
        emails=ATTRIBUTE,
        people={"ann@acme.com": ["Legal"], "bo@acme.com": ["Legal"], "cy@acme.com": ["Legal"]},
        properties={
            "ann@acme.com": {"mailNickname": "ann", "mail": "Ann.Lee@acme.com"},
            "bo@acme.com": {"mailNickname": "bo", "mail": None},
            "cy@acme.com": {"mailNickname": None},
        },
    )
    directory = read("entra", site)
    assert list(directory.emails) == ["ann.lee@acme.com"]
    assert directory.coverage.problem == "users without an email address are left out (2)"


def test_a_guest_whose_name_tells_no_address_is_unread() -> None:
    site = a_site(people={"odd#EXT#@acme.onmicrosoft.com": ["Legal"], "ann@acme.com": ["Legal"]})
    directory = read("entra", site)
    assert list(directory.emails) == ["ann@acme.com"]
    assert (directory.coverage.state, directory.coverage.total) == ("partial", 2)
