"""Find the users that a change of settings may affect, so that no others need to be read or evaluated."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping

from rolecall.access.evaluate import memberships
from rolecall.access.rules import Rules, endpoint_of, scim_on
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope, Traits
from rolecall.model.kinds import address, value_at
from rolecall.model.settings import UNSET, Address, Settings

DEFAULTS, SCIM = address("defaults"), address("scim")


def candidates(before: Rules, after: Rules, directory: Directory) -> dict[Address, array[int]]:
    """Return the users that each address which differs can affect, ascending.

    The union has all users whose access can differ: evaluating the others would find no more.
    """
    by_address: dict[Address, array[int]] = {}
    if scim := _by_scim(before, after, directory):
        by_address[SCIM] = scim
    moved = _given_moved(before, after)
    own = _by_themselves(before, after, moved)
    if defaults := _by_defaults(before, after, directory, moved - own):
        by_address[DEFAULTS] = defaults
    for name, numbers in _by_group(directory, own).items():
        by_address[address("idp_groups", name)] = numbers
    return by_address


def everyone(by_address: Mapping[Address, Iterable[int]]) -> list[int]:
    """Return all candidates, ascending, each once."""
    return sorted(set().union(*by_address.values()))


def scope(before: Rules, after: Rules, emails: Iterable[str] = ()) -> PeopleScope:
    """Return the users to read for the candidates, apart from org admins and those named by ``emails``."""
    if _regime_moves(before, after) or (_default_moves(before, after) and before.scim.endpoint == "legacy"):
        return EVERYBODY
    return PeopleScope(
        groups=_given_moved(before, after),
        emails=frozenset(emails),
        org_admins=True,
        unmapped=_default_moves(before, after),
        manual=before.scim.editing != after.scim.editing,
        attribute_admins=_attribute(before.settings) != _attribute(after.settings),
    )


def mappings_moved(before: Rules, after: Rules) -> frozenset[str]:
    """Return the groups that give something else because of their own mapping."""
    return _by_themselves(before, after, _given_moved(before, after))


def _given_moved(before: Rules, after: Rules) -> frozenset[str]:
    old, new = before.scim.masks, after.scim.masks
    mask_after = new.get
    return frozenset([*(name for name, mask in old.items() if mask_after(name) != mask), *(new.keys() - old.keys())])


def _by_themselves(before: Rules, after: Rules, moved: Iterable[str]) -> frozenset[str]:
    """Return those whose own mapping changed; the others differ only because the default role did (R31)."""
    at = {name: address("idp_groups", name) for name in moved}
    return frozenset(n for n in at if value_at(before.settings, at[n]) != value_at(after.settings, at[n]))


def _regime_moves(before: Rules, after: Rules) -> bool:
    """Return whether SCIM is turned on or off, or the endpoint is upgraded (R20, R33)."""
    old, new = before.settings, after.settings
    return scim_on(old) != scim_on(new) or endpoint_of(old) != endpoint_of(new)


def _default_moves(before: Rules, after: Rules) -> bool:
    return before.default != after.default or before.scim.default != after.scim.default


def _attribute(settings: Settings) -> object:
    return UNSET if settings.scim is UNSET else settings.scim.role_attribute


def _by_scim(before: Rules, after: Rules, directory: Directory) -> array[int]:
    if _regime_moves(before, after):
        uncommon = directory.others
        return array(
            "I", (number for number in range(len(directory)) if number not in uncommon or _synced(uncommon[number]))
        )
    concerns: list[Callable[[Traits], object]] = []
    if before.scim.editing != after.scim.editing:
        concerns.append(lambda traits: traits.manual)
    if _attribute(before.settings) != _attribute(after.settings):
        concerns.append(lambda traits: traits.role_attribute)
    return _of_others(directory, lambda traits: _synced(traits) and any(concern(traits) for concern in concerns))


def _by_defaults(before: Rules, after: Rules, directory: Directory, roleless: frozenset[str]) -> array[int]:
    """Return the users affected by the change of default access; ``roleless`` are the groups that follow its role
    (R31)."""
    users: set[int] = set()
    if before.scim.default != after.scim.default:
        users.update(_defaulted(before, directory), _defaulted(after, directory))
    if before.default != after.default:
        users.update(_of_others(directory, lambda traits: _unedited(before, traits)))
    for numbers in _by_group(directory, roleless).values():
        users.update(numbers)
    return array("I", sorted(users))


def _defaulted(rules: Rules, directory: Directory) -> Iterator[int]:
    """Return active SCIM users with default access: all under legacy, else those in no mapped group."""
    mapped: set[int] = set()
    if rules.scim.endpoint == "new":
        mapped.update(group for group, name in enumerate(directory.groups) if name in rules.scim.groups)
    flags = bytes(map(mapped.__contains__, directory.members))
    offsets, uncommon = directory.offsets, directory.others
    for number in range(len(directory)):
        if flags.find(1, offsets[number], offsets[number + 1]) < 0 and (
            number not in uncommon or _synced(uncommon[number])
        ):
            yield number


def _by_group(directory: Directory, names: frozenset[str]) -> dict[str, array[int]]:
    """Return the active SCIM members of each of the named groups that has any."""
    group_numbers = {group for group, name in enumerate(directory.groups) if name in names}
    by_number: dict[int, array[int]] = {}
    for number, group in memberships(directory, group_numbers):
        if number not in directory.others or _synced(directory.others[number]):
            by_number.setdefault(group, array("I")).append(number)
    return {directory.groups[group]: by_number[group] for group in sorted(by_number)}


def _of_others(directory: Directory, concerned: Callable[[Traits], object]) -> array[int]:
    return array("I", sorted(number for number, traits in directory.others.items() if concerned(traits)))


def _synced(traits: Traits) -> bool:
    return traits.origin == "scim" and traits.active and not traits.pending


def _unedited(rules: Rules, traits: Traits) -> bool:
    """Return users of another origin with default access: none of their manual team roles counts (R5, R26)."""
    present = traits.origin != "scim" and traits.active and not traits.pending
    return present and not any(map(rules.exists, traits.manual))
