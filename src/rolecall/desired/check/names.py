"""Checks names, ids, dates and addresses in a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rolecall.desired.load.sources import Sources, ValidConfig
from rolecall.errors import Problem, did_you_mean
from rolecall.model import normalise
from rolecall.model.kinds import BY_SECTION, KINDS, SECTIONS
from rolecall.source.document import Step

IDPS = frozenset(
    {
        "okta",
        "entra",
        "adfs",
        "auth0",
        "cyberark",
        "duo",
        "google",
        "jumpcloud",
        "keycloak",
        "onelogin",
        "ping",
        "other",
    }
)
"""Names of IdPs. WRITER's console knows Okta and Entra, and takes any other name."""


def check_names(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield problems with ids, former names, dates and addresses."""
    groups = {name: entry for name, entry in sound.get("idp_groups", {}).items() if isinstance(entry, dict)}
    yield from _pins(groups, sources)
    yield from _previously(groups, sound.get("idp_groups", {}), sources)
    yield from _dates(sound, groups, sources)
    yield from _addresses(sound, sources)
    yield from _idps(sound, sources)


def _pins(groups: ValidConfig, sources: Sources) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, entry in groups.items():
        pin = entry.get("id")
        if pin is not None and first.setdefault(pin, name) != name:
            first_place = sources.where(("idp_groups", first[pin], "id"))
            message = f"the id `{pin}` is already used by `{first[pin]}` at {first_place}"
            yield Problem("same_id", message, sources.where(("idp_groups", name, "id")), "keep one entry per group")


def _previously(groups: ValidConfig, listed: ValidConfig, sources: Sources) -> Iterator[Problem]:
    claimed: dict[str, str] = {}
    for name, entry in groups.items():
        for at, former in enumerate(entry.get("previously", ())):
            where = sources.where(("idp_groups", name, "previously", at))
            old = normalise.name(former)
            if old == name:
                yield Problem(
                    "previously", f"`{old}` is the current name of the group", where, "remove it from `previously`"
                )
            elif old in listed:
                place = sources.where(("idp_groups", old), key=True)
                message = f"`{old}` cannot be a former name: it has its own entry at {place}"
                yield Problem("previously", message, where, "keep one of the two")
            elif claimed.setdefault(old, name) != name:
                message = f"`{old}` is also listed as a former name of `{claimed[old]}`"
                yield Problem("previously", message, where, "keep it only for the group that was renamed")


def _dates(sound: ValidConfig, groups: ValidConfig, sources: Sources) -> Iterator[Problem]:
    dated: list[tuple[tuple[Step, ...], str]] = [
        (("idp_groups", name, "expires"), entry["expires"]) for name, entry in groups.items() if "expires" in entry
    ]
    for section in ("ignore", "allow"):
        for at, entry in enumerate(sound.get(section, ())):
            if entry and "until" in entry:
                dated.append(((section, at, "until"), entry["until"]))
    for path, day in dated:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield Problem(
                "date", f"`{day}` is not a valid date", sources.where(path), "write a date such as 2030-01-31"
            )


def _idps(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield a warning for an IdP name close to a known one. WRITER takes any name, including a misspelled one."""
    for section in (kind.section for kind in KINDS if any(field.name == "idp" for field in kind.fields)):
        name = sound.get(section, {}).get("idp")
        if not isinstance(name, str) or any(known in name.casefold() for known in IDPS):
            continue
        if hint := did_you_mean(name, IDPS):
            where = sources.where((section, "idp"))
            yield Problem("unknown_idp", f"`{name}` is not a known IdP", where, hint, "warning")


def _addresses(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    for section, key in (("ignore", "address"), ("allow", "for")):
        for at, entry in enumerate(sound.get(section, ())):
            if entry and key in entry and (problem := _address(entry[key])):
                yield problem._replace(where=sources.where((section, at, key)))


def _address(pattern: str) -> Problem | None:
    """Return what is wrong with an address or a glob of addresses, without its place."""
    section, slash, _ = pattern.partition("/")
    if any(mark in section for mark in "*?["):
        return None
    if section not in BY_SECTION:
        hint = did_you_mean(section, SECTIONS) or f"start it with one of: {', '.join(SECTIONS)}"
        return Problem("address", f"`{pattern}` is not a valid address", None, hint)
    if BY_SECTION[section].keyed != bool(slash):
        hint = f"for all entries, write `{section}/*`" if not slash else f"write `{section}`"
        return Problem("address", f"`{pattern}` is not a valid address", None, hint)
    return None
