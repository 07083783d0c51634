"""What a caller may be able to do at an org, by the names of the contract."""

from __future__ import annotations

from typing import Final

from rolecall.model.kinds import KINDS

WRITES: Final = frozenset(name for kind in KINDS for name in kind.capabilities)
"""The capabilities that are writes of settings; ``idp_groups.update`` sets and removes mappings."""

SEARCH: Final = "people.search"
PEOPLE: Final = "people.read"
AUDIT: Final = "audit.read"
CAPABILITIES: Final = WRITES | {PEOPLE, SEARCH, AUDIT}
"""Every capability that ``GET /v1/org`` may list: those this caller has at this org."""
