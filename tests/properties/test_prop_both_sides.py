"""The law of both sides, end to end: the access that a plan of Okta's groups predicts is the access in the org once the
changes are made in Okta, Okta has provisioned, and the groups are mapped."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from idp import Okta
from idp.random_orgs import ASSIGNED, GROUPS, IdpWorld, idp_worlds
from test_prop_provisioning import (
    Site,
    actual,
    emptied,
    examples,
    map_groups,
    mappings,
    predicted,
    roles_of,
    shown,
)
from test_prop_provisioning import site as site

assignments = st.lists(st.sampled_from(ASSIGNED), unique=True)
pushes = st.lists(st.sampled_from(GROUPS), unique=True)


def configure(
    site: Site, okta: Okta, url: str, people: Any, idp_groups: dict[str, Any], assigned: list[str], pushed: list[str]
) -> None:
    """Write a configuration that manages both sides, and the whole of Okta's."""
    connection = {"url": url, "app": okta.app, "token": {"env": "IDP_TOKEN"}}
    text = {
        "version": 1,
        "org": {"name": "acme", "url": "local:org.db"},
        "idp": {"okta": connection, "assignments": assigned, "pushes": pushed},
        "people": people,
        "manage": {"idp_assignments": "authoritative", "idp_pushes": "authoritative"},
        "idp_groups": idp_groups,
        "guards": {"max_people_losing_access": {"block": "100%"}},
    }
    (site.folder / "rolecall.yaml").write_text(json.dumps(text), encoding="utf-8")


@examples
@given(idp_worlds(), mappings, assignments, pushes, st.booleans(), st.sampled_from(["idp", "org"]), st.data())
def test_access_that_a_plan_predicts_is_access_after_provisioning(
    site: Site,
    world: IdpWorld,
    drawn: dict[str, Any],
    assigned: list[str],
    more: list[str],
    invited: bool,
    people: str,
    data: st.DataObject,
) -> None:
    site = emptied(site, invited)
    okta = world.okta()
    okta.connect(site.url, site.token)
    with okta.served() as url:
        okta.provision()
        before = {group: value for group, value in drawn.items() if group in world.sent}
        map_groups(site, before)
        pushed = sorted({*world.sent, *more})
        mapped = {group: value for group, value in drawn.items() if group in pushed}
        configure(site, okta, url, people, mapped, assigned, pushed)
        known = predicted(site, "desired")
        email = data.draw(st.sampled_from(sorted(known) or ["ann@acme.com"]))
        why = shown(site, "why", email, "--at", "desired") if email in known else None
        for group in world.assigned:
            if group not in assigned:
                okta.unassign(group)
        for group in assigned:
            okta.assign(group)
        for group in pushed:
            if group not in world.sent:
                okta.push(group)
        okta.provision()
        map_groups(site, mapped)
        end = actual(site)
        assert {user: access for user, access in known.items() if user in end} == end
        unsent = {user for user in known if user not in end}
        assert unsent <= ({"ann@acme.com"} if invited else set()), "only a user who was invited is not Okta's"
        assert why is None or roles_of(why) == known[email]
