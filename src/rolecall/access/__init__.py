"""Evaluate access: the rules R1 to R36 as one pure function, with reasons, and the difference of two results.

One user::

    rules = compile_access(settings, facts)       # live settings, or live ones with changes in them
    access = effective(rules, user)               # Access(team roles, silent), .org_admin, .pairs
    access.team_roles[0].reasons[0]                   # Reason("group:G1", "team_admin", "R8"), the winner first
    access.silent                                 # what gave nothing, and by which rule

Many users, before and after a change; masks are ints numbered by ``rules.entitlements``::

    before, after = compile_change(live, planned, facts)
    touched = candidates(before, after, directory)                           # address -> numbers of users
    moved = shifts(before, after, directory, everyone(touched))              # (mask, mask) -> numbers of users
    for (b, a), numbers in moved.items():
        kind(before.entitlements, b, a)                                      # gain | lose | change
        loses(...), escalates(...), to_nothing(...), to_default(b, a)
        before.entitlements.team_roles(b), after.entitlements.team_roles(a)  # as (team, role) pairs
    org_admins(after, directory)                                             # numbers of users
    scope(before, after, emails)                                             # what must be read for this

``masks(rules, directory, numbers)`` gives one mask after another, of all users or of those numbered. ``facts_after``,
``synced`` and ``returned`` return facts and users after a change of settings, or of a user's state.
``ways_in``, ``password_locked`` and ``joining`` are about getting in (R26, R27); ``encode_access`` is the JSON.
``rules.missing`` names what would have to be read before the answers can be relied on, ``rules.gone`` what R25 reports.
"""

from rolecall.access.candidates import candidates, everyone, mappings_moved, scope
from rolecall.access.encode import encode_access
from rolecall.access.entitlements import Entitlements
from rolecall.access.evaluate import masks, org_admins, person_mask, shifts
from rolecall.access.moves import compile_change, facts_after, returned, synced
from rolecall.access.person import Access, Granted, Reason, Silent, effective
from rolecall.access.rules import Rules, compile_access, default_team_roles, mapping_team_roles
from rolecall.access.shift import escalates, is_org_admin, kind, loses, to_default, to_nothing
from rolecall.access.signin import joining, password_locked, ways_in

__all__ = [
    "Access",
    "Entitlements",
    "Granted",
    "Reason",
    "Rules",
    "Silent",
    "candidates",
    "compile_access",
    "compile_change",
    "default_team_roles",
    "effective",
    "encode_access",
    "escalates",
    "everyone",
    "facts_after",
    "is_org_admin",
    "joining",
    "kind",
    "loses",
    "mapping_team_roles",
    "mappings_moved",
    "masks",
    "org_admins",
    "password_locked",
    "person_mask",
    "returned",
    "scope",
    "shifts",
    "synced",
    "to_default",
    "to_nothing",
    "ways_in",
]
