"""What Okta and Entra know of one user's provisioning, and what each failing request leaves open."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from fake_idps import MOMENT, Site, graph_answers, oid, okta_answers, served, uid
from faulty_client import FakeClock
from faulty_proxy import Seen
from idp_specs import need_specs
from people_sources import TOKEN, Place, between

from rolecall.errors import RolecallError
from rolecall.live.connect import PeopleConnection, connect_people
from rolecall.model.directory import Person
from rolecall.model.idp_app import IdpApp
from rolecall.model.settings import GroupMapping
from rolecall.model.trace import IdpTrace, NotRead, TraceStep
from rolecall.plan.explain.trace import TraceInput, trace

ANN, BO, CY = "ann@acme.com", "bo@acme.com", "cy@acme.com"
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
KINDS = pytest.mark.parametrize("kind", ["okta", "entra"])
LEGAL = {"Legal": GroupMapping("member", frozenset({"Legal"}))}


def a_site(kind: str, **more: Any) -> Site:
    """Ann has arrived; Bo does not have the app; Cy is in Legal only through Counsel."""
    people = {ANN: ["Legal"], BO: ["Lunch"], CY: ["Counsel"]}
    defaults: dict[str, Any] = {
        "people": people,
        "groups": ["Legal", "Lunch", "Counsel"],
        "pushed": ["Legal"],
        "assigned_groups": ["Legal"],
        "without_app": {BO},
        "nested": {"Legal": ["Counsel"]},
        "log": [okta_event(ANN) if kind == "okta" else entra_entry(ANN)],
        "token": TOKEN,
    }
    return Site(**{**defaults, **more})


def okta_event(email: str, result: str = "SUCCESS", reason: str | None = None, app: str = "0oa1") -> dict[str, Any]:
    return {
        "published": MOMENT,
        "eventType": "application.provision.user.push",
        "displayMessage": "Push new user to external application",
        "outcome": {"result": result, "reason": reason},
        "target": [{"id": oid(email), "type": "User"}, {"id": app, "type": "AppInstance"}],
    }


def entra_entry(email: str, status: str = "success", reason: str | None = None, at: str = MOMENT) -> dict[str, Any]:
    return {
        "activityDateTime": at,
        "provisioningAction": "create",
        "provisioningStatusInfo": {"status": status, "errorInformation": {"reason": reason} if reason else None},
        "sourceIdentity": {"id": uid(email)},
    }


def reached(kind: str, url: str, app: str | None = None) -> Place:
    """Where the stand-in of an IdP is reached."""
    if kind == "okta":
        return Place(kind, url, PeopleConnection(token=lambda: TOKEN, app=app or "0oa1"))
    way = PeopleConnection(token=lambda: TOKEN, app=app or uid("app"), url=url, login_url=url)
    return Place(kind, "acme", way)


def traced(place: Place, email: str = ANN) -> IdpTrace:
    people: Any = connect_people(place.kind, place.at, place.way._replace(clock=FakeClock()))

    async def work() -> IdpTrace:
        try:
            found: IdpTrace = await people.trace(email, SINCE)
            return found
        finally:
            await people.close()

    return asyncio.run(work())


def of(kind: str, site: Site, email: str = ANN, app: str | None = None) -> IdpTrace:
    with served(site, okta_answers if kind == "okta" else graph_answers, okta=kind == "okta") as url:
        return traced(reached(kind, url, app), email)


def steps_of(idp: IdpTrace, email: str = ANN) -> tuple[TraceStep, ...]:
    return trace(TraceInput(email, idp, Person(email, groups=("Legal",)), LEGAL))


@cache
def full_steps(kind: str) -> tuple[TraceStep, ...]:
    """The steps of a trace in which everything can be read."""
    return steps_of(of(kind, a_site(kind)))


def states(idp: IdpTrace, email: str = ANN) -> dict[str, str]:
    return {step.step: step.state for step in steps_of(idp, email)}


@KINDS
def test_every_answer_about_a_user_who_has_arrived(kind: str) -> None:
    found = of(kind, a_site(kind))
    assert set(states(found).values()) == {"ok"}
    assert not [part for part in found if isinstance(part, NotRead)]


@KINDS
def test_an_address_in_other_letters_is_the_same(kind: str) -> None:
    assert of(kind, a_site(kind), "Ann@ACME.com") == of(kind, a_site(kind))


@KINDS
def test_a_user_without_the_app(kind: str) -> None:
    found = states(of(kind, a_site(kind, log=[]), BO), BO)
    assert (found["idp_user"], found["assignment"], found["membership"]) == ("ok", "failed", "failed")


@KINDS
def test_a_user_whom_the_idp_does_not_have(kind: str) -> None:
    found = of(kind, a_site(kind), "zoe@acme.com")
    assert found.user is None
    assert states(found, "zoe@acme.com")["idp_user"] == "failed"


@KINDS
def test_an_account_that_is_off(kind: str) -> None:
    assert states(of(kind, a_site(kind, suspended={ANN})))["idp_user"] == "failed"


def test_a_user_name_in_the_app_that_is_another_address() -> None:
    site = a_site("okta", properties={ANN: {"userName": "ann.lee@acme.com"}})
    (first, second, *_) = steps_of(of("okta", site))
    assert (first.step, first.state) == ("idp_user", "failed")
    assert "sends this user to WRITER as ann.lee@acme.com" in first.text
    assert (second.step, second.state) == ("assignment", "ok")
    upper = a_site("okta", properties={ANN: {"userName": "ANN@acme.com"}})
    assert set(states(of("okta", upper)).values()) == {"ok"}, "found by its id where the search is exact"


def test_whether_a_user_has_the_app_is_no_guess() -> None:
    """Only Okta's 404 for the user of the app says that there is none."""
    site = a_site("okta", statuses={f"/apps/0oa1/users/{oid(BO)}": 403})
    assert states(of("okta", site, BO), BO)["assignment"] == "not_readable"


def test_a_nested_group_gives_nothing_in_entra() -> None:
    found = of("entra", a_site("entra", log=[]), CY)
    assert states(found, CY)["membership"] == "failed"
    assert states(found, CY)["assignment"] == "failed"


def test_a_push_that_failed_or_is_off() -> None:
    failed = steps_of(of("okta", a_site("okta", failing={"Legal": "409: the group exists"})))
    assert [step.text for step in failed if step.step == "push"] == ["The last push failed: 409: the group exists."]
    off = steps_of(of("okta", a_site("okta", paused=("Legal",))))
    assert [step.state for step in off if step.step == "push"] == ["failed"]


@KINDS
def test_the_newest_log_entry_counts(kind: str) -> None:
    failed = okta_event(ANN, "FAILURE", "timeout") if kind == "okta" else entra_entry(ANN, "failure", "timeout")
    older = okta_event(ANN) if kind == "okta" else entra_entry(ANN, at="2026-11-21T10:00:00.1234567Z")
    found = steps_of(of(kind, a_site(kind, log=[failed, older])))
    (log,) = [step for step in found if step.step == "log"]
    assert log.state == "failed"
    assert log.text.endswith("failure: timeout.")


def test_an_event_of_another_app_is_not_one_of_this_app() -> None:
    assert of("okta", a_site("okta", log=[okta_event(ANN, app="0oa9")])).log is None


def test_a_job_in_quarantine_and_a_cycle_that_failed() -> None:
    assert states(of("entra", a_site("entra", quarantine=True)))["provisioning"] == "failed"
    failed = {"state": "Failed", "timeEnded": MOMENT, "error": {"message": "401 Unauthorized"}}
    assert states(of("entra", a_site("entra", execution=failed)))["provisioning"] == "failed"


def test_a_scope_of_everything_needs_no_assignment() -> None:
    site = a_site("entra", settings=[{"name": "SyncAll", "value": "true"}], people={ANN: ["Counsel"]})
    found = of("entra", site)
    assert states(found)["assignment"] == "ok"


def test_an_address_that_entra_builds_otherwise() -> None:
    source = {"type": "Attribute", "name": "mailNickname", "expression": "[mailNickname]"}
    site = a_site("entra", user_name=source, properties={ANN: {"mailNickname": "ann.lee@acme.com"}})
    (first, *_) = steps_of(of("entra", site))
    assert (first.step, first.state) == ("idp_user", "failed")
    assert "ann.lee@acme.com" in first.text
    assert states(of("entra", site, "zoe@acme.com"), "zoe@acme.com")["idp_user"] == "not_readable"


def test_two_users_of_one_address_are_no_answer() -> None:
    twin = "twin@acme.com"
    properties = {twin: {"mail": ANN, "userPrincipalName": ANN}}
    found = of("entra", a_site("entra", people={ANN: ["Legal"], twin: []}, properties=properties))
    assert isinstance(found.user, NotRead)


def test_two_users_of_one_email_in_okta_are_no_answer() -> None:
    """Neither has the address as username, so either may be meant: that is not the same as no user."""
    shared = {name: {"email": "team@acme.com"} for name in (BO, "twin@acme.com")}
    site = a_site("okta", people={BO: [], "twin@acme.com": []}, without_app={BO, "twin@acme.com"}, properties=shared)
    assert isinstance(of("okta", site, "team@acme.com").user, NotRead)


def test_an_app_user_who_is_no_longer_sent_does_not_hide_another() -> None:
    former = "former@acme.com"
    site = a_site(
        "okta", people={former: [], ANN: ["Legal"]}, inactive={former}, properties={former: {"userName": ANN}}
    )
    assert states(of("okta", site))["assignment"] == "ok"


@KINDS
def test_a_url_of_the_app_that_is_no_url_is_left_out(kind: str) -> None:
    site = a_site(kind, urls=("https://[acme", "https://app.writer.com/scim"))
    assert app_of(kind, site).hosts == {"app.writer.com"}


def app_of(kind: str, site: Site) -> IdpApp:
    with served(site, okta_answers if kind == "okta" else graph_answers, okta=kind == "okta") as url:
        place = reached(kind, url)
        people: Any = connect_people(place.kind, place.at, place.way._replace(clock=FakeClock()))

        async def work() -> IdpApp:
            try:
                app: IdpApp = await people.read_app()
                return app
            finally:
                await people.close()

        return asyncio.run(work())


def test_a_user_without_an_address() -> None:
    source = {"type": "Attribute", "name": "mailNickname", "expression": "[mailNickname]"}
    (first, *_) = steps_of(of("entra", a_site("entra", user_name=source)))
    assert (first.state, "sends no address" in first.text) == ("failed", True)


SPEC = {"okta": ("okta-subset.openapi.yaml", ""), "entra": ("graph-subset.openapi.yaml", "/v1.0")}
NOT_DESCRIBED = r"/users/[^/]+(/\w+)?$|v1(\.0)?/users$|/auditLogs/provisioning$|/logs$"
"""Paths that the subsets of the specifications lack; the stand-ins follow the published reference for them."""


@KINDS
def test_each_request_is_a_read_that_the_idp_describes(kind: str) -> None:
    name, base = SPEC[kind]
    spec = need_specs(name)
    site = a_site(kind, page=1)
    of(kind, site)
    of(kind, site, "zoe@acme.com")
    assert {one.method for one in site.seen} == {"GET"}
    described = [one for one in site.seen if not re.search(NOT_DESCRIBED, one.path)]
    assert described
    for exchanged in described:
        spec.check(exchanged, base)


def requests_of(kind: str) -> int:
    site = a_site(kind)
    of(kind, site)
    return len(site.seen)


NUMBERS = {"okta": 6, "entra": 7}
FAULTS = ("refused", "cut_after_headers", "cut_in_body", "lost_answer", "429_bare", "500", "502_html", "401", "html")


@KINDS
def test_the_number_of_requests_of_a_trace(kind: str) -> None:
    assert requests_of(kind) == NUMBERS[kind]


EACH = pytest.mark.parametrize(
    ("kind", "number"), [(kind, number) for kind, most in NUMBERS.items() for number in range(1, most + 1)]
)


def broken(kind: str, fault: Callable[[int, Seen], str | None]) -> IdpTrace:
    """A trace through a proxy that breaks every try of the path that ``fault`` chooses."""
    answers = okta_answers if kind == "okta" else graph_answers
    with served(a_site(kind), answers, okta=kind == "okta") as url, between(reached(kind, url), fault) as (place, _):
        return traced(place)


@pytest.mark.parametrize("fault", FAULTS)
@EACH
def test_a_request_that_fails_is_never_an_answer(kind: str, number: int, fault: str) -> None:
    """Every try of the request with this number fails; each other answer is that of a complete trace."""
    paths: list[str] = []

    def fails(_: int, seen: Seen) -> str | None:
        path = seen.path.partition("?")[0]
        if path not in paths:
            paths.append(path)
        return fault if paths.index(path) == number - 1 else None

    full = full_steps(kind)
    steps = steps_of(broken(kind, fails))
    unread = [step for step in steps if step.state == "not_readable"]
    assert unread
    assert [step for step in steps if step.state != "not_readable" and step not in full] == []
    assert all(step.next for step in unread)
    assert TOKEN not in str(steps)


ENDS = {
    "okta": ("/0oa1", "/mappings", "/0oa1/users", "/v1/users", "/groups", "/logs"),
    "entra": (
        "/jobs",
        "/schema",
        "/appRoleAssignedTo",
        "/v1.0/users",
        "/memberOf",
        "/transitiveMemberOf",
        "/provisioning",
    ),
}


@pytest.mark.parametrize(("kind", "end"), [(kind, end) for kind, ends in ENDS.items() for end in ends])
def test_a_missing_permission_is_named(kind: str, end: str) -> None:
    full = full_steps(kind)
    steps = steps_of(of(kind, a_site(kind, forbidden=(end,))))
    unread = [step for step in steps if step.state == "not_readable"]
    assert [step for step in steps if step.state != "not_readable" and step not in full] == []
    assert unread
    assert "The credential needs " in " ".join(step.next or "" for step in unread)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
@pytest.mark.parametrize(("kind", "end"), [(kind, end) for kind, ends in ENDS.items() for end in ends])
def test_no_status_of_an_error_is_an_answer(kind: str, end: str, status: int) -> None:
    """Not even 404: that a list or an app is not found does not say that the user is not in it."""
    full = full_steps(kind)
    steps = steps_of(of(kind, a_site(kind, statuses={end: status})))
    assert [step for step in steps if step.state != "not_readable" and step not in full] == []
    assert "not_readable" in {step.state for step in steps}
    assert TOKEN not in str(steps)


@KINDS
def test_an_idp_that_repeats_the_token_does_not_reveal_it(kind: str) -> None:
    steps = steps_of(of(kind, a_site(kind, echo=True)))
    assert {step.state for step in steps if step.step in ("idp_user", "assignment", "push")} <= {"not_readable"}
    assert TOKEN not in str(steps)


@KINDS
@pytest.mark.parametrize("broken_end", ["users", "groups", "mappings", "jobs", "memberOf", "logs", "provisioning"])
def test_an_answer_of_another_form_is_no_answer(kind: str, broken_end: str) -> None:
    full = full_steps(kind)
    steps = steps_of(of(kind, a_site(kind, broken=broken_end)))
    assert [step for step in steps if step.state != "not_readable" and step not in full] == []


@KINDS
def test_an_idp_that_is_not_there_is_asked_once(kind: str) -> None:
    found = traced(reached(kind, "http://127.0.0.1:9"))
    assert {type(part) for part in found[1:]} == {NotRead}


@KINDS
def test_an_app_that_is_not_there(kind: str) -> None:
    try:
        steps = steps_of(of(kind, a_site(kind), app="0oa9"))
    except RolecallError as error:  # pragma: no cover
        pytest.fail(str(error))
    assert {step.state for step in steps if step.step in ("assignment", "provisioning")} == {"not_readable"}
