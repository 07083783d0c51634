"""What a change of domains or SSO means for users who are not in the org yet (R26)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.access.rules import default_combos
from rolecall.model.change import Change
from rolecall.model.comparison import field_changes
from rolecall.model.kinds import split_address, value_at
from rolecall.model.settings import UNSET, Address, Domain, Settings, Sso
from rolecall.plan.headline import combos
from rolecall.plan.outlook import Outlook
from rolecall.plan.value import Apart

_FIELDS = {"domains": {"discoverable", "join"}, "sso": {"enabled", "allow_uninvited"}}


def sign_up_row(outlook: Outlook, changes: Iterable[Change]) -> Apart | None:
    """Return a sentence for each change that decides who can join and with what; None where there is none."""
    deciding = [change for change in changes if change.via != "waiting" and _decides(change)]
    after = outlook.last.settings
    told = tuple(text for change in deciding for text in _told(change.address, after))
    return Apart("sign_up", tuple(change.address for change in deciding), sentences=told) if told else None


def _decides(change: Change) -> bool:
    section, _ = split_address(change.address)
    fields = _FIELDS.get(section, set())
    if section == "domains" and None in (change.before, change.after):
        return True
    return any(row.path in fields for row in field_changes(section, change.before, change.after))


def _told(at: Address, after: Settings) -> Iterator[str]:
    section, name = split_address(at)
    value = value_at(after, at)
    if section == "sso":
        if isinstance(value, Sso) and value.enabled is True and value.allow_uninvited is not UNSET:
            yield _by_sso(value, after)
    elif value is None:
        yield f"New users with an address at {name} can no longer join by themselves."
    elif isinstance(value, Domain):
        yield from _by_domain(name or "", value, after)


def _by_sso(sso: Sso, after: Settings) -> str:
    if sso.allow_uninvited:
        return f"Anyone who signs in through SSO gets an account at once, {_default(after)}."
    return "Signing in through SSO does not create an account: new users need an invitation or the IdP."


def _by_domain(name: str, domain: Domain, after: Settings) -> Iterator[str]:
    if domain.discoverable is False:
        yield f"New users with an address at {name} cannot join by themselves: they need an invitation or the IdP."
    elif domain.discoverable is True and domain.join == "immediate":
        yield f"Anyone who signs up with an address at {name} joins at once, {_default(after)}."
    elif domain.discoverable is True and domain.join == "approval":
        yield (
            f"Anyone with an address at {name} can ask to join; who is approved joins {_default(after)}. "
            "Until then they have no access."
        )
    if domain.discoverable is not True or domain.join == "approval":
        sso = after.sso
        if sso is not UNSET and sso.enabled is True and sso.allow_uninvited is True:
            yield f"Through SSO they still get an account at once, {_default(after)}."


def _default(after: Settings) -> str:
    given = default_combos(after.defaults)
    return f"with default access ({combos(given)})" if given else "with default access"
