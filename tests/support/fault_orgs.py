"""Random small orgs and what is wanted of them, for applies that break."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

from rolecall.model.desired import Desired
from rolecall.model.policy import Policy
from rolecall.model.settings import Defaults, Domain, GroupMapping, Scim, Settings

TEAMS = ("Everyone", "Brand", "Legal", "Sales")
GROUPS = ("A", "B", "C", "D", "E")
ROLES = ("member", "member", "team_admin", "org_admin")


class Wish(NamedTuple):
    """A snapshot as JSON, and what is wanted of it."""

    snapshot: dict[str, Any]
    desired: Desired


teams = st.lists(st.sampled_from(TEAMS), min_size=1, max_size=2, unique=True)
mappings = st.one_of(st.none(), st.builds(lambda role, on: {"role": role, "teams": on}, st.sampled_from(ROLES), teams))
live_groups = st.fixed_dictionaries(dict.fromkeys(GROUPS, mappings))
wanted = st.one_of(
    st.just(GroupMapping()),
    st.builds(lambda role, on: GroupMapping(role, frozenset(on)), st.sampled_from(ROLES), teams),
)
wanted_groups = st.dictionaries(st.sampled_from(GROUPS), wanted, min_size=1, max_size=5)
default_pairs = st.tuples(st.sampled_from(["member", "team_admin"]), teams)
people = st.lists(st.lists(st.sampled_from(GROUPS), max_size=3, unique=True), min_size=2, max_size=6)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    role, on = draw(default_pairs)
    editing = draw(st.booleans())
    snapshot = {
        "snapshot": 1,
        "taken_at": "2026-11-22T10:00:00Z",
        "org": {"id": "org_1", "name": "acme"},
        "teams": list(TEAMS),
        "roles": ["org_admin", "team_admin", "member"],
        "domains": {"acme.com": {"discoverable": True, "join": "approval"}},
        "defaults": {"role": role, "teams": on},
        "sso": {"enabled": True, "name": "Okta", "idp": "okta", "allow_uninvited": False, "allow_passwords": False},
        "scim": {"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": editing},
        "idp_groups": draw(live_groups),
        "people": [{"email": f"p{n}@acme.com", "groups": groups} for n, groups in enumerate(draw(people))],
    }
    settings: dict[str, Any] = {"idp_groups": draw(wanted_groups)}
    if draw(st.booleans()):
        will, at = draw(default_pairs)
        settings["defaults"] = Defaults(will, frozenset(at))
    if draw(st.booleans()):
        settings["scim"] = Scim(manual_editing=draw(st.booleans()))
    if draw(st.booleans()):
        settings["domains"] = {"acme.com": Domain(draw(st.booleans()), "approval")}
    manage = {"idp_groups": "authoritative"} if draw(st.booleans()) else {}
    return Wish(snapshot, Desired(Settings(**settings), policy=Policy(manage=manage)))
