"""Defines the capabilities that a caller may have in an org, by their names in the contract."""

from __future__ import annotations

from typing import Final

from rolecall.model.kinds import ORG_KINDS

WRITES: Final = frozenset(name for kind in ORG_KINDS for name in kind.capabilities)
"""The capabilities that write settings; ``idp_groups.update`` sets and removes mappings."""

SEARCH: Final = "people.search"
PEOPLE: Final = "people.read"
AUDIT: Final = "audit.read"
CAPABILITIES: Final = WRITES | {PEOPLE, SEARCH, AUDIT}
"""Every capability that ``GET /v1/org`` may list for a caller."""
