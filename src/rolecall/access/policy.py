"""The one policy for manual edits of SCIM people: who wins when a person in the console and the IdP disagree.

R15 and R16 in one place, once over combos and once over bits. The articles contradict each other here; the
reading is: what a group gives stands, what no group gives may be edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from rolecall.access.atoms import Atoms
from rolecall.model.policy import Combo
from rolecall.model.roles import ORG_ADMIN


def stands_beside(edit: Combo, firm: Set[Combo]) -> bool:
    """Whether a manual edit counts: in a team that no group gives, as org admin, which is an extra, or where it says
    what a group says too (R15)."""
    return edit.role == ORG_ADMIN or edit in firm or all(combo.team != edit.team for combo in firm)


def replaces_default(edits: Iterable[Combo], team: str) -> bool:
    """Whether manual edits take the place of the default's role in this team (R16)."""
    return any(edit.team == team for edit in edits)


def edited(atoms: Atoms, firm: int, default: Sequence[Combo], edits: Sequence[Combo]) -> int:
    """The same over bits: what a SCIM person has with editing on.

    ``firm`` is what groups or the role attribute give, 0 for nothing. ``default`` is what is given beside it: the
    default's combos where it applies.
    """
    mask = firm
    for combo in default:
        if firm & atoms.held_in(combo.team) or not replaces_default(edits, combo.team):
            mask |= atoms.mask(combo)
    for edit in edits:
        if edit.role == ORG_ADMIN or not firm & atoms.held_in(edit.team):
            mask |= atoms.mask(edit)
    return mask
