"""Who has what: the rules R1 to R34 as one pure function, with reasons, and the difference of two results.

One person::

    rules = compile_access(settings, facts)        # live settings, or an after-state
    access = effective(rules, person)              # Access(combos, silent), .org_admin, .pairs
    access.combos[0].reasons[0]                    # Reason("group:G1", "team_admin", "R8"), the winner first

``rules.missing`` names what would have to be read before the answers can be relied on.
"""

from rolecall.access.person import Access, Granted, Reason, Silent, effective
from rolecall.access.rules import Rules, compile_access

__all__ = ["Access", "Granted", "Reason", "Rules", "Silent", "compile_access", "effective"]
