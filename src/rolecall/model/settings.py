"""The settings of an org. Desired, live, last applied and after-state are all this one type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, NamedTuple, NewType


class Unset(Enum):
    """Says nothing: not managed (desired) or not read (live). Never null, never empty."""

    UNSET = 0

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET

Section = Literal["domains", "defaults", "sso", "scim", "idp_groups"]
Join = Literal["immediate", "approval"]
Endpoint = Literal["legacy", "upgrading", "new"]

Address = NewType("Address", str)
"""``defaults``, ``sso``, ``scim``, ``domains/acme.com``, ``idp_groups/Writer-Admins``."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A claimed e-mail domain; its name is its key."""

    discoverable: bool | Unset = UNSET
    join: Join | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Defaults:
    """The org-wide default of R2: one role id and at least one team name."""

    role: str | Unset = UNSET
    teams: frozenset[str] | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Sso:
    """SAML sign-on. ``metadata`` is the text of the IdP's metadata XML; None means the org has none."""

    enabled: bool | Unset = UNSET
    name: str | Unset = UNSET
    idp: str | Unset = UNSET
    allow_uninvited: bool | Unset = UNSET
    allow_passwords: bool | Unset = UNSET
    metadata: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class Scim:
    """SCIM settings. ``role_attribute`` is rolecall's own knowledge (R18) and is never written."""

    enabled: bool | Unset = UNSET
    idp: str | Unset = UNSET
    endpoint: Endpoint | Unset = UNSET
    manual_editing: bool | Unset = UNSET
    role_attribute: str | Unset = UNSET


class GroupMapping(NamedTuple):
    """What one IdP group gives: one value, never merged with the live one. ``GroupMapping()`` is blank (R10).

    Of all values this one is there by the thousand, so it is of the kind that is quickly made and compared.
    """

    role: str | None = None
    teams: frozenset[str] = frozenset()

    @property
    def blank(self) -> bool:
        return self.role is None and not self.teams


BLANK: Final = GroupMapping()

Value = Domain | Defaults | Sso | Scim | GroupMapping


@dataclass(frozen=True, slots=True)
class Settings:
    """Every section of an org, each UNSET when it says nothing. Map keys are normalised names."""

    domains: Mapping[str, Domain] | Unset = UNSET
    defaults: Defaults | Unset = UNSET
    sso: Sso | Unset = UNSET
    scim: Scim | Unset = UNSET
    idp_groups: Mapping[str, GroupMapping] | Unset = UNSET
