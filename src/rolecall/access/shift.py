"""The difference of two masks, in the words of a plan: gain, lose, change, escalation, losing."""

from __future__ import annotations

from typing import Literal

from rolecall.access.atoms import BY_DEFAULT, ORG, Atoms
from rolecall.model.policy import Combo

Kind = Literal["gain", "lose", "change"]


def kind(atoms: Atoms, before: int, after: int) -> Kind | None:
    """Gain: something more and nothing less. Lose: the other way round. Change: neither. None: the same combos."""
    if not (before ^ after) & ~BY_DEFAULT:
        return None
    had, has = atoms.atoms(before), atoms.atoms(after)
    if had == has:
        return "change"
    if had & has == had:
        return "gain"
    return "lose" if had & has == has else "change"


def loses(atoms: Atoms, before: int, after: int) -> bool:
    """Whether something held before is not held after: what ``max_people_losing_access`` counts."""
    return bool(atoms.atoms(before) & ~after)


def escalates(atoms: Atoms, before: int, after: int) -> tuple[Combo, ...]:
    """The combos held after through which something above member is gained; empty for no escalation."""
    new = atoms.above_member(after) & ~before
    return tuple(combo for combo in atoms.combos(after) if atoms.mask(combo) & new) if new else ()


def to_default(before: int, after: int) -> bool:
    """Whether the person ends with nothing but the default, and had something else before."""
    return bool(after & BY_DEFAULT) and not before & BY_DEFAULT


def to_nothing(atoms: Atoms, before: int, after: int) -> bool:
    """Whether the person ends without any access, and had some."""
    return bool(atoms.atoms(before)) and not atoms.atoms(after)


def is_org_admin(mask: int) -> bool:
    """Whether the mask gives org admin of the org (R21)."""
    return bool(mask & ORG)
