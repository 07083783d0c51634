"""Report the users that a plan affects, as sentences and as tables. Names were removed before where they may not be
shown: a plan is redacted as a whole."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rolecall.model.kinds import split_address
from rolecall.model.policy import TeamRole
from rolecall.model.roles import MEMBER, ORG_ADMIN, ORG_ROLES, RANK, role_words
from rolecall.model.settings import Address
from rolecall.model.usage import TeamUsage, Usage
from rolecall.plan.coverage import USERS, members_count
from rolecall.plan.headline import (
    Shift,
    access_words,
    by_shift,
    count_users,
    escalation_words,
    ranked,
    sentence,
    shift_of,
    tally_words,
)
from rolecall.plan.moves import LISTED, Attribution, Escalation
from rolecall.plan.order.transients import transient_sentences
from rolecall.plan.saved.privacy import users_of
from rolecall.plan.value import Apart, ApartKind, Impact, Move, Plan, Tally, UpgradeImpact, Who
from rolecall.report.builders.shares import Share, shifts_by
from rolecall.report.document import EscalationText, Flow, Note, Part, Sense, Table, Tone, UserMove
from rolecall.report.phrases import count, visible

COLUMNS = ("email", "people", "kind", "before", "after", "left_with_default", "because")
"""Of a plan's table for a spreadsheet."""

_AT = re.compile(r" at (\S+) ")
_NAMED = 3
_WAYS = 3
_MOST = 10
_USAGE_TEAMS = 3

_APART: Mapping[ApartKind, str] = {
    "waiting": "Once the IdP pushes the pending groups: ",
    "expired": "Because a mapping expired: ",
    "expiring": "",
    "expiry": "",
    "sign_up": "",
    "human": "By the manual steps: ",
}
"""The introduction of the users of changes that are reported separately."""


def change_notes(plan: Plan, at: Address, shares: Sequence[Share]) -> Iterable[Note]:
    """Yield the users that one change affects: the largest ways their access changes, then a count of the others."""
    if at in plan.impact.members:
        source = "console" if plan.org.url.startswith("observed:") else "org"
        members = members_count(plan.impact.members[at])
        yield Note(f"{members} according to the {source}; the users were not read.", "risk")
    tally = plan.impact.tallies.get(at)
    if not shares:
        if tally and tally.total:
            yield Note(f"Access: {tally_words(tally)}.", "risk" if tally.lose or tally.change else "plain")
        return
    yield from _ways(list(zip((share.move for share in shares), shifts_by(at, shares), strict=True)))
    yield from _joint_causes(at, shares, each=False)
    yield from _joint_causes(at, shares, each=True)


def shift_tone(shift: Shift) -> Tone:
    """Return how much it matters that access changes in a way: rights above member, then access that is lost."""
    if _roles_above_member(shift):
        return "more"
    return "risk" if shift.loses else "plain"


def _roles_above_member(shift: Shift) -> set[str]:
    """Return the roles above member that are gained."""
    gained = {team_role.role for team_role in shift.gained} | {level.after for level in shift.levels if level.rises}
    return gained - {MEMBER, ""}


def _joint_causes(at: Address, shares: Sequence[Share], *, each: bool) -> Iterable[Note]:
    """Yield the changes that have an effect only together with this one, or that each have the same effect alone."""
    addresses: set[Address] = set()
    size = 0
    for move, own, _ in shares:
        causes = own or (Attribution((), (), move.because),)
        more = {address for cause in causes if cause.each is each for address in cause.because} - {at}
        addresses |= more
        size += move.size if more else 0
    if not addresses:
        return
    first = visible(min(addresses))
    named = f"{first}{f' and {len(addresses) - 1:,} more' if len(addresses) > 1 else ''}"
    of = "" if size == sum(share.move.size for share in shares) else f", for {count_users(size)}"
    if each:
        yield Note(f"{named} causes the same{of}; undoing any one of these changes avoids it.", "dim")
    else:
        yield Note(f"Together with {named}{of}.", "dim")


def ways(moves: Iterable[Move], lead: str = "") -> Iterable[Note]:
    """Yield the largest ways in which users' access changes, then a count of the others."""
    return _ways([(move, shift_of(move)) for move in moves], lead)


def _ways(shifts: Sequence[tuple[Move, Shift]], lead: str = "") -> Iterable[Note]:
    sizes: Counter[Shift] = Counter()
    for move, shift in shifts:
        sizes[shift] += move.size
    largest = ranked({shift: Tally(change=size) for shift, size in sizes.items()})
    for shift, size in largest[:_WAYS]:
        who = _named(move for move, own in shifts if own == shift) if size <= _NAMED else ""
        text = _with_names(visible(sentence(shift, size)), count_users(size), who)
        yield Note(f"{lead}{text}", shift_tone(shift))
    if len(largest) > _WAYS:
        more = sum(size for _, size in largest[_WAYS:])
        ways = len(largest) - _WAYS
        how = "another way" if ways == 1 else f"{ways:,} other ways"
        yield Note(f"And {count_users(more, 'changes', 'change')} access in {how}.")


def default_access_note(moves: Iterable[Move], *, complete: bool) -> Iterator[Note]:
    """Yield how many users still have default access only, or that no one falls back to it; for a change that takes
    access. Users who do fall back to it are in the sentence about them. ``complete``: whether all users were read."""
    listed = list(moves)
    if all(move.kind == "gain" for move in listed) or any(move.to_default or not move.after for move in listed):
        return
    unchanged = sum(move.size for move in listed if move.on_default)
    if unchanged:
        yield Note(f"{count_users(unchanged, 'has', 'have')} default access only, as before.", "detail")
    elif complete:
        yield Note("No one falls back to default access.", "detail")


def plan_notes(plan: Plan) -> Iterable[Note]:
    """Yield what a plan does to users apart from its single changes: the upgrade, temporary access changes, and the
    users of changes that are reported separately."""
    impact = plan.impact
    if impact.upgrade:
        yield from _upgrade(impact.upgrade)
    temporary: Tone = "risk" if impact.transients else "detail"
    yield from (Note(visible(text), temporary) for text in transient_sentences(impact))
    yield from _hashed_notes(impact)
    everything = {change.address for change in plan.changes}
    moved = {at for apart in impact.apart if apart.kind == "expiry" for at in apart.addresses}
    for apart in impact.apart:
        if apart.kind == "expiring" and moved.issuperset(apart.addresses):
            continue
        whole = apart.kind in ("expired", "human") and everything <= set(apart.addresses)
        texts = _sign_up(apart) if apart.kind == "sign_up" else apart.sentences
        if apart.kind in _APART and not whole:
            yield from (Note(f"{_APART[apart.kind]}{visible(text)}") for text in texts)
    yield from _seat_notes(impact)
    yield from _org_role_notes(impact)
    yield from _usage_notes(plan.usage)


def _hashed_notes(impact: Impact) -> Iterator[Note]:
    """Yield how many users a saved plan does not list."""
    number = sum(move.size for move in impact.moves if move.members_hash)
    if number:
        why = f"because more than {LISTED:,} users have the same access before and after"
        yield Note(f"{number:,} users are saved as a number and a hash of their IDs, {why}.")


def _seat_notes(impact: Impact) -> Iterator[Note]:
    """Yield how many users would get a role that their seat cannot hold (R35)."""
    if impact.lite_seats == 1:
        yield Note("1 user with a Lite seat would get a role that Lite seats cannot hold (R35).", "risk")
    elif impact.lite_seats:
        yield Note(
            f"{impact.lite_seats:,} users with Lite seats would get a role that Lite seats cannot hold (R35).", "risk"
        )


def _org_role_notes(impact: Impact) -> Iterator[Note]:
    """Yield how many users whose access changes have a role at org level, which stays (R36)."""
    if not impact.org_roles:
        return
    listed = ", ".join(
        f"{visible(role_words(role, ORG_ROLES))} {number:,}" for role, number in impact.org_roles.items()
    )
    users = count_users(sum(impact.org_roles.values()), "keeps", "keep")
    yield Note(f"{users} a role at org level, which no plan changes (R36): {listed}.")


def _usage_notes(usage: Usage | None) -> Iterator[Note]:
    """Yield the evidence in total, then for the largest teams; one note where all users lose one team. Unread data is
    among the warnings of the plan."""
    if usage is None or usage.state == "unread":
        return
    if len(usage.teams) == 1 and usage.teams[0].losing == usage.losing:
        yield _usage_note(usage.teams[0], visible(usage.teams[0].team))
        return
    yield _usage_note(usage, "access")
    yield from (_usage_note(team, visible(team.team)) for team in usage.teams[:_USAGE_TEAMS])
    if len(usage.teams) > _USAGE_TEAMS:
        yield Note(f"{len(usage.teams) - _USAGE_TEAMS:,} more teams: see `usage` in the JSON report.", "dim")


def _usage_note(counts: Usage | TeamUsage, lost: str) -> Note:
    users = f"{count_users(counts.losing, 'loses', 'lose')} {lost}"
    matched = f"({counts.matched:,} of {counts.losing:,} matched by name)"
    if not counts.used:
        known = "the user is not known" if counts.losing == 1 else "none of them is known"
        return Note(f"{users}; {known} to have used WRITER this month {matched}.")
    if counts.losing == 1:
        return Note(f"{users} and used WRITER this month {matched}.", "risk")
    return Note(f"{users}; at least {counts.used:,} of them used WRITER this month {matched}.", "risk")


def _sign_up(apart: Apart) -> Iterator[str]:
    """Yield who can join without an invitation; the same sentence about several domains once."""
    domains = {split_address(at)[1] for at in apart.addresses}
    about: dict[str, list[str]] = {}
    for text in apart.sentences:
        match = _AT.search(text)
        domain = match[1] if match and match[1] in domains else None
        named = about.setdefault(text if domain is None else text.replace(f" at {domain} ", " at {} "), [])
        named += [] if domain is None else [domain]
    for text, named in about.items():
        yield text.replace(" at {} ", f" at {_either(named)} ") if named else text


def _either(domains: Sequence[str]) -> str:
    """Return ``a.com``, ``a.com or b.com``, or the first three and the number of the others."""
    if len(domains) > _NAMED:
        return f"{', '.join(domains[:_NAMED])} or {len(domains) - _NAMED:,} other domains"
    return domains[0] if len(domains) == 1 else f"{', '.join(domains[:-1])} or {domains[-1]}"


def name(who: Who) -> str:
    """Return the name that a plan shows of a user, or that it is a user."""
    return visible(who.email) if who.email else "a user"


def _named(moves: Iterable[Move]) -> str:
    """Return the names of users if they are few and may be shown; else nothing."""
    users = [who for move in moves for who in move.people]
    return ", ".join(map(name, users)) if 0 < len(users) <= _NAMED and all(who.email for who in users) else ""


def _with_names(text: str, subject: str, names: str) -> str:
    """Return ``ann@acme.com gains …`` for one user, ``2 users (ann@acme.com, bo@acme.com) gain …`` for a few."""
    if not names:
        return text
    predicate = text.removeprefix(subject)
    return f"{names}{predicate}" if subject == count_users(1) else f"{subject} ({names}){predicate}"


def escalations(plan: Plan) -> Iterator[EscalationText]:
    """Yield the users who gain a role above member, those with the same gains together: new org admins first."""
    alike: defaultdict[tuple[bool, tuple[TeamRole, ...]], list[Escalation]] = defaultdict(list)
    for gain in plan.impact.escalations:
        alike[gain.was_org_admin, gain.gains].append(gain)
    places = {change.address: change.intent.source for change in plan.changes}
    for gains in sorted(alike.values(), key=lambda gains: (not gains[0].new_org_admin, -len(gains), gains[0].gains)):
        users = tuple(name(gain.who) for gain in gains if gain.who.email)
        shown = users[:_MOST]
        more = len(gains) - len(shown)
        names = f": {', '.join(shown)}{f' and {more:,} more' if more else ''}" if shown else ""
        lead = visible(escalation_words(gains[0], len(gains)))
        listed = users if len(users) == len(gains) else ()
        causes = list(dict.fromkeys(at for gain in gains for at in gain.because))
        where = places.get(causes[0]) if causes else None
        admin = gains[0].new_org_admin
        yield EscalationText(f"{lead}{names}", admin, tuple(map(visible, causes)), where, lead, listed)


def _upgrade(upgrade: UpgradeImpact) -> Iterable[Note]:
    does = "Completing the upgrade" if upgrade.stage == "complete" else "The upgrade, once complete,"
    tone: Tone = "risk" if upgrade.differ else "plain"
    differ = f"{'' if upgrade.keep else 'all '}{count_users(upgrade.differ)}"
    keep = f"; {count_users(upgrade.keep, 'keeps', 'keep')} theirs" if upgrade.keep else ""
    yield Note(f"{does} changes the access of {differ}{keep}.", tone)
    yield Note(f"{upgrade.pushed:,} of {count(upgrade.groups, 'group')} pushed to the new endpoint.")
    yield from ways(upgrade.moves, "Once complete: ")
    if lost := upgrade.org_admins_lost:
        names = ", ".join(name(who) for who in lost[:_MOST] if who.email)
        yield Note(f"{count_users(len(lost), 'loses', 'lose')} org admin{f': {names}' if names else ''}.", "risk")


def naming_lead(impact: Impact) -> str:
    """Return the introduction of the command that names users; nothing where the plan names all who are affected."""
    if all(any(map(_is_named, move.people)) for move in impact.moves if move.size):
        return ""
    some = any(map(_is_named, users_of(impact)))
    return f"{'Not all users are named here' if some else 'Users are not named here'}. To see their names:"


def _is_named(user: Who) -> bool:
    return user.email is not None and "@" in user.email


def user_moves(impact: Impact) -> list[UserMove]:
    """Return the access of users before and after a plan, and the changes that cause the difference."""
    moves = []
    for move in impact.moves:
        names = tuple(visible(who.email) for who in move.people if who.email)
        moves.append(
            UserMove(
                move.kind,
                _parts(move.before, move.after, "less"),
                _parts(move.after, move.before, "same" if move.falls_back else "more"),
                tuple(map(visible, move.because)),
                move.on_default,
                names,
                move.size - len(names),
            )
        )
    return moves


def _parts(access: Sequence[TeamRole], other_side: Sequence[TeamRole], sense: Sense) -> tuple[Part, ...]:
    """Return team roles as parts; those have a sense that the other side does not have, not even as a higher role."""
    known = {(item.team, rank) for item in other_side for rank in range(1, RANK.get(item.role, 0) + 1)}
    return tuple(
        Part(_team_roles([item]), "same" if item in other_side or (item.team, RANK.get(item.role)) in known else sense)
        for item in access
    )


def flows(impact: Impact) -> list[Flow]:
    """Return what users lose and gain, the largest flow first."""
    listed = []
    for shift, tally in by_shift(impact.moves).items():
        lost = [*shift.lost, *(TeamRole(level.team, level.before) for level in shift.levels)]
        for kind, size in tally._asdict().items():
            if size:
                listed.append(Flow(_team_roles(lost) or "nothing", _gained(shift), size, _kind(shift, kind)))
    return sorted(listed, key=lambda flow: -flow.size)


def _gained(shift: Shift) -> str:
    if shift.bare:
        return "nothing: no access left"
    if shift.default:
        return f"default access only: {_team_roles(shift.default)}"
    return _team_roles([*shift.gained, *(TeamRole(level.team, level.after) for level in shift.levels)]) or "nothing"


def _kind(shift: Shift, kind: str) -> str:
    """Return what happens to users: they gain org admin, or another role above member, or else as the headline counts
    them, see ``partition``."""
    if above := _roles_above_member(shift):
        return "admin" if ORG_ADMIN in above else "more"
    return "lose" if kind == "change" and (shift.default or shift.bare) else kind


def _team_roles(access: Sequence[TeamRole]) -> str:
    return visible(access_words(access)) if access else ""


def user_table(plan: Plan) -> Table:
    """Return a table with a row for each user whose access changes. ``people`` is 1 unless a row is for several users
    that the plan does not name.

    Where users were not read completely the last rows are of kind ``unknown``: one for each change of a mapping, with
    the members that the org counts, or one without a number.
    """
    return Table(COLUMNS, (*_user_rows(plan.impact), *(_unknown(plan) if USERS in plan.unread else ())))


def _user_rows(impact: Impact) -> Iterator[tuple[str, ...]]:
    for move in impact.moves:
        access = (_listed(move.before), _listed(move.after), "yes" if move.on_default else "no")
        because = "; ".join(move.because)
        emails = [who.email for who in move.people if who.email]
        yield from ((email, "1", move.kind, *access, because) for email in emails)
        if len(emails) < move.size:
            yield ("", str(move.size - len(emails)), move.kind, *access, because)


def _unknown(plan: Plan) -> Iterator[tuple[str, ...]]:
    for at, number in sorted(plan.impact.members.items()):
        yield ("", str(number), "unknown", "", "", "", at)
    if not plan.impact.members:
        yield ("", "", "unknown", "", "", "", "")


def _listed(access: Iterable[TeamRole]) -> str:
    return "; ".join(f"{team_role.team} {team_role.role}".strip() for team_role in access)
