"""Random users, groups, assignments and pushes, as a stand-in Okta or Entra has them, and random changes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hypothesis import strategies as st

from idp.entra import Entra
from idp.okta import Okta

LOGINS = tuple(f"{name}@acme.com" for name in ("ann", "bo", "cy", "dee", "eve", "flo"))
GROUPS = ("All-Staff", "Legal", 'O\'Brien "x" & Söhne', "Sales", "Support")
ASSIGNED = ("WRITER-Everyone", "WRITER-Partners")
"""Groups for assignment alone: Okta does not support one group for assignment and push."""


class Change(NamedTuple):
    """A change in the IdP: ``what`` is a method of `IdpWorld`, by name, and what it changes."""

    what: str
    group: str = ""
    login: str = ""


class IdpWorld(NamedTuple):
    """What an IdP has. ``off`` are deactivated accounts, ``suspended`` those that are paused; ``members`` are logins by
    group, ``inner`` groups by the group that contains them (Entra); ``direct`` have the app without a group; groups
    that are ``sent`` are pushed (Okta) or assigned (Entra)."""

    members: Mapping[str, tuple[str, ...]]
    inner: Mapping[str, tuple[str, ...]]
    assigned: tuple[str, ...]
    direct: tuple[str, ...]
    sent: tuple[str, ...]
    off: frozenset[str]
    suspended: frozenset[str]

    def entra(self) -> Entra:
        """Return a stand-in Entra with this world in it: whatever is assigned is sent, and nothing is pushed."""
        entra = Entra()
        for login in LOGINS:
            entra.add_user(login, login not in self.off)
        for group, members in self.members.items():
            entra.add_group(group, members)
        for group, inner in self.inner.items():
            entra.group(group).inner += [entra.group(name).id for name in inner if name != group]
        for principal in (*self.assigned, *self.direct, *self.sent):
            entra.assign(principal)
        return entra

    def okta(self) -> Okta:
        """Return a stand-in Okta with this world in it."""
        okta = Okta()
        for login in LOGINS:
            status = "DEPROVISIONED" if login in self.off else "SUSPENDED" if login in self.suspended else "ACTIVE"
            okta.add_user(login, status)
        for group, members in self.members.items():
            okta.add_group(group, members)
        for group in self.assigned:
            okta.assign(group)
        okta.direct += [okta.user(login).id for login in self.direct]
        for group in self.sent:
            okta.push(group)
        return okta


def change_okta(okta: Okta, change: Change) -> None:
    """Make a change in a stand-in Okta; one that makes no difference is none."""
    user = okta.user(change.login) if change.login else None
    group = okta.group(change.group) if change.group else None
    if user is not None and group is not None:
        _change_members(group.members, user.id, change.what)
    elif user is not None:
        user.status = {"switch_off": "DEPROVISIONED", "suspend": "SUSPENDED"}.get(change.what, "ACTIVE")
    elif group is not None and change.what == "assign":
        okta.assign(group.id)
    elif group is not None:
        okta.unassign(group.id)


def change_entra(entra: Entra, change: Change) -> None:
    """Make a change in a stand-in Entra; one that makes no difference is none."""
    user = entra.user(change.login) if change.login else None
    group = entra.group(change.group) if change.group else None
    if user is not None and group is not None:
        _change_members(group.members, user.id, change.what)
    elif user is not None:
        user.enabled = change.what not in ("switch_off", "suspend")
    elif group is not None and change.what == "assign":
        if group.id not in {assignment.principal for assignment in entra.assignments.values()}:
            entra.assign(group.id)
    elif group is not None:
        entra.unassign(group.id)


def _change_members(members: list[str], user: str, what: str) -> None:
    if what == "join" and user not in members:
        members.append(user)
    elif what == "leave" and user in members:
        members.remove(user)


logins = st.sampled_from(LOGINS)
several = st.lists(logins, unique=True, max_size=4).map(tuple)
everyone = st.lists(logins, unique=True, min_size=2).map(tuple)
groups = st.sampled_from(GROUPS)
few = st.frozensets(logins, max_size=1)


@st.composite
def idp_worlds(draw: st.DrawFn) -> IdpWorld:
    """Return random worlds in which most users have the app and most groups are sent."""
    members = {group: draw(several) for group in GROUPS} | {group: draw(everyone) for group in ASSIGNED}
    inner = draw(st.dictionaries(groups, st.lists(groups, max_size=2, unique=True).map(tuple), max_size=2))
    assigned = tuple(draw(st.lists(st.sampled_from(ASSIGNED), unique=True, min_size=1)))
    direct = draw(st.one_of(st.just(()), several))
    sent = tuple(draw(st.lists(groups, unique=True, min_size=1)))
    return IdpWorld(members, inner, assigned, direct, sent, draw(few), draw(few))


def changes(assignable: tuple[str, ...] = ASSIGNED) -> st.SearchStrategy[list[Change]]:
    """Return random changes; those that end or begin an assignment are of the ``assignable`` groups."""
    anywhere = st.sampled_from((*GROUPS, *ASSIGNED))
    return st.lists(
        st.one_of(
            st.builds(Change, st.sampled_from(["join", "leave"]), anywhere, logins),
            st.builds(Change, st.sampled_from(["switch_off", "switch_on", "suspend"]), st.just(""), logins),
            st.builds(Change, st.sampled_from(["assign", "unassign"]), st.sampled_from(assignable), st.just("")),
        ),
        max_size=6,
    )
