"""Count the users of changes that a plan lists separately: pending, expired, manual, no longer managed, sign-up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from rolecall.access.rules import default_team_roles
from rolecall.model.change import Change
from rolecall.model.kinds import field_changes, split_address, value_at
from rolecall.model.settings import BLANK, UNSET, Address, Domain, Settings, Sso
from rolecall.plan.dates import day
from rolecall.plan.forecast import AccessForecast
from rolecall.plan.headline import Shift, access_words, count_users, enumerate_words, sentence, shift_of, shifts
from rolecall.plan.impact.expiries import expiry_row, suppose
from rolecall.plan.inputs import PlanInput, pending_mappings
from rolecall.plan.moves import share
from rolecall.plan.resolve import expires_soon
from rolecall.plan.value import Apart, ApartKind, Move, Released, Tally

_MOST_SENTENCES = 4
_NAMED = 3


def apart(
    plan_input: PlanInput,
    forecast: AccessForecast,
    changes: Sequence[Change],
    moves: Sequence[Move],
    released: Sequence[Released],
) -> tuple[Apart, ...]:
    """Return a row for each kind that the plan has."""
    waiting = [c for c in changes if c.via == "waiting"]
    parts = (
        _pending(plan_input, forecast, waiting),
        _listed("expired", [c for c in changes if c.reason == "expired"], moves),
        _expiring(plan_input, forecast),
        expiry_row(plan_input, forecast),
        sign_up_row(forecast, changes),
        _listed("human", [c for c in changes if c.via == "human"], moves),
        _released(released),
    )
    return tuple(part for part in parts if part is not None)


def _listed(kind: ApartKind, changes: Sequence[Change], moves: Sequence[Move]) -> Apart | None:
    if not changes:
        return None
    addresses = tuple(change.address for change in changes)
    own = [share(move, addresses) for move in moves if not set(move.because).isdisjoint(addresses)]
    return _apart(kind, addresses, own)


def _apart(kind: ApartKind, addresses: Iterable[Address], own: Sequence[Move], lead: str = "") -> Apart:
    counts = {name: sum(move.size for move in own if move.kind == name) for name in ("gain", "lose", "change")}
    sentences = tuple(f"{lead}{sentence(*shift)}" for shift in shifts(own)[:_MOST_SENTENCES])
    default = sum(move.size for move in own if move.to_default)
    return Apart(kind, tuple(addresses), Tally(**counts), default, sentences)


def _pending(plan_input: PlanInput, forecast: AccessForecast, waiting: Sequence[Change]) -> Apart | None:
    """Return what changes once the IdP pushes the groups, as far as the source of users knows their members."""
    if not waiting:
        return None
    directory = forecast.directory
    known = () if directory is None else directory.groups
    mappings = [change for change in waiting if change.address.startswith("idp_groups/")]
    moves = suppose(forecast, mappings) if any(_group(change) in known for change in mappings) else ()
    part = _apart("waiting", [change.address for change in waiting], moves)
    sentences = tuple(_with_names(shift, size, moves) for shift, size in shifts(moves)[:_MOST_SENTENCES])
    return part._replace(
        sentences=(*sentences, *_not_forecast(plan_input, known, pending_mappings(plan_input, waiting)))
    )


def _not_forecast(plan_input: PlanInput, known: Collection[str], pending: Sequence[Change]) -> Iterator[str]:
    """Yield why the forecast is missing or incomplete, where the source of users should know."""
    coverage = None if plan_input.directory is None else plan_input.directory.coverage
    if not pending:
        return
    if coverage is None or coverage.state != "complete":
        state = "partially" if coverage is not None and coverage.state == "partial" else "not"
        why = f": {coverage.problem}" if coverage is not None and coverage.problem else ""
        yield f"the users who gain access are unknown, since users were {state} read{why.rstrip('.')}."
        return
    missing = [
        change.address for change in pending if change.after not in (None, BLANK) and _group(change) not in known
    ]
    if missing:
        names = enumerate_words(missing, _MOST_SENTENCES)
        yield f"the users who gain access by {names} are unknown, since the source of users has no such group."


def _with_names(shift: Shift, size: int, forecast: Sequence[Move]) -> str:
    """Return a sentence with the names of the users, where they are few and may be named."""
    text = sentence(shift, size)
    own = [move for move in forecast if shift_of(move) == shift] if size <= _NAMED else []
    who = sorted(user.email or "" for move in own for user in move.people)
    few = 0 < len(who) == size <= _NAMED and all(who) and text.endswith(".") and text.count(". ") == 0
    return f"{text[:-1]}: {', '.join(who)}." if few else text


def _group(change: Change) -> str:
    return change.address.partition("/")[2]


def _expiring(plan_input: PlanInput, forecast: AccessForecast) -> Apart | None:
    """Return the mappings that expire within 14 days, with the affected users."""
    soon = [
        Change(at, "delete", mapping, None, "expired", intent=intent)
        for at, intent in sorted(plan_input.desired.intents.items())
        if expires_soon(intent, plan_input.as_of)
        if (mapping := value_at(forecast.last.settings, at)) not in (None, BLANK)
    ]
    if not soon:
        return None
    moves = suppose(forecast, soon)
    first = min(change.intent.expires for change in soon if change.intent.expires is not None)
    return _apart("expiring", (change.address for change in soon), moves, f"After {day(first)}: ")


def _released(released: Sequence[Released]) -> Apart | None:
    if not released:
        return None
    return Apart(
        "released",
        tuple(entry.address for entry in released),
        sentences=tuple(_kept_access(released))[:_MOST_SENTENCES],
    )


def _kept_access(released: Iterable[Released]) -> Iterator[str]:
    for entry in released:
        if entry.people is not None:
            has = count_users(entry.people, "keeps", "keep")
            yield f"{has} access from {entry.address}, which is no longer managed."


_FIELDS = {"domains": {"discoverable", "join"}, "sso": {"enabled", "allow_uninvited"}}


def sign_up_row(forecast: AccessForecast, changes: Iterable[Change]) -> Apart | None:
    """Return a sentence for each change that decides who can join and with what; None where there is none."""
    deciding = [change for change in changes if change.via != "waiting" and _decides(change)]
    after = forecast.last.settings
    sentences = tuple(text for change in deciding for text in _sentences(change.address, after))
    return Apart("sign_up", tuple(change.address for change in deciding), sentences=sentences) if sentences else None


def _decides(change: Change) -> bool:
    section, _ = split_address(change.address)
    fields = _FIELDS.get(section, set())
    if section == "domains" and None in (change.before, change.after):
        return True
    return any(difference.path in fields for difference in field_changes(section, change.before, change.after))


def _sentences(at: Address, after: Settings) -> Iterator[str]:
    section, name = split_address(at)
    value = value_at(after, at)
    if section == "sso":
        if isinstance(value, Sso) and value.enabled is True and value.allow_uninvited is not UNSET:
            yield _by_sso(value, after)
    elif value is None:
        yield f"New users with an address at {name} can no longer join without an invitation."
    elif isinstance(value, Domain):
        yield from _by_domain(name or "", value, after)


def _by_sso(sso: Sso, after: Settings) -> str:
    if sso.allow_uninvited:
        return f"Anyone who signs in through SSO gets an account immediately, {_default(after)}."
    return "Signing in through SSO does not create an account; new users need an invitation or the IdP."


def _by_domain(name: str, domain: Domain, after: Settings) -> Iterator[str]:
    if domain.discoverable is False:
        yield f"New users with an address at {name} need an invitation or the IdP to join."
    elif domain.discoverable is True and domain.join == "immediate":
        yield f"Anyone who signs up with an address at {name} joins immediately, {_default(after)}."
    elif domain.discoverable is True and domain.join == "approval":
        yield (
            f"Anyone with an address at {name} can request to join; approved users join {_default(after)}. "
            "Until then they have no access."
        )
    if domain.discoverable is not True or domain.join == "approval":
        sso = after.sso
        if sso is not UNSET and sso.enabled is True and sso.allow_uninvited is True:
            yield f"Through SSO they still get an account immediately, {_default(after)}."


def _default(after: Settings) -> str:
    granted = default_team_roles(after.defaults)
    return f"with default access ({access_words(granted)})" if granted else "with default access"
