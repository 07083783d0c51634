"""A plan as a document: summary, changes with their users and reasons, guards, and what to do next."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Literal

from rolecall.model.change import Action, Change, ViaReason
from rolecall.model.kinds import KINDS, SECTIONS, address, split_address
from rolecall.model.settings import Address, IdpPush
from rolecall.plan.dates import day, moment_words
from rolecall.plan.headline import (
    Shift,
    as_far_as_known,
    by_shift,
    count_users,
    counts_sentence,
    escalation_sentences,
    org_admins_sentence,
    ranked,
    sentence,
    summary_sentences,
)
from rolecall.plan.saved.digest import short
from rolecall.plan.saved.summary import renames_as_one, summary
from rolecall.plan.value import AppUserCounts, Impact, Plan, Tally
from rolecall.report.builders.changes import REASONS, SIGN_IN, UNMAPPED, VIA_REASONS, diffs
from rolecall.report.builders.checks import access_results, guard_result, passed_words
from rolecall.report.builders.header import idp_banner, plan_banner, planned_sentence, users_sentence
from rolecall.report.builders.next_steps import apply_command, naming_command, next_steps
from rolecall.report.builders.shares import Share, shares_by_address
from rolecall.report.builders.unmanaged import left_words, released_words, unmanaged_notes
from rolecall.report.builders.users import (
    change_notes,
    default_access_note,
    escalations,
    flows,
    naming_lead,
    plan_notes,
    shift_tone,
    user_moves,
    user_table,
)
from rolecall.report.document import ChangeTable, Document, Entry, Gap, Mark, Note, Status, Tone
from rolecall.report.phrases import count, inline_yaml, visible

MARKS: Mapping[str, Mark] = {"create": "+", "update": "~", "delete": "-", "upgrade": "↑"}

_TITLES: Mapping[Literal["waiting", "human"], str] = {"human": "Manual steps", "waiting": "Pending"}
"""The changes that rolecall does not write, with the titles of their tables."""


def plan_document(plan: Plan, digest: str | None = None, saved: str = "") -> Document:
    """Return the report of a plan, which shows of users what it may. Without its ``digest`` nothing is offered next;
    ``saved`` is the file that the plan is in."""
    org, env = plan.org.name, f" · {plan.org.env}" if plan.org.env else ""
    accept = None if digest is None else apply_command(plan, digest, saved)
    overview = tuple(_overview(plan))
    lead = naming_lead(plan.impact)
    return Document(
        "plan",
        title=visible(f"{'What if? ' if plan.what_if else 'Plan for '}{org}{env}"),
        org_id=plan.org.id,
        env=plan.org.env,
        banner=plan_banner(plan),
        idp=idp_banner(plan.idp_side, plan.coverage, plan.counts),
        status=_status(plan),
        headline=_headline(plan, overview),
        escalations=tuple(escalations(plan)),
        totals=tuple(map(visible, escalation_sentences(plan.impact))),
        overview=overview,
        validity=_validity(plan),
        digest=short(digest) if digest and not plan.what_if else "",
        summary=summary_line(plan),
        changes=tuple(_changes(plan)),
        users=tuple(plan_notes(plan)),
        policy=tuple(_policy(plan)),
        left=tuple(_left(plan)),
        checks=(*(guard_result(guard, accept) for guard in plan.guards), *access_results(plan.access_tests)),
        passed=_passed(plan),
        gaps=tuple(_gaps(plan)),
        problems=plan.warnings,
        naming_lead=lead,
        naming=naming_command(plan) if lead else "",
        supposed=tuple(note.text for note in _supposed(plan)),
        next_steps=tuple(next_steps(plan, digest, saved)),
        unread=plan.unread,
        teams=plan.impact.teams,
        unmanaged=plan.unmanaged,
        moves=partial(user_moves, plan.impact),
        flows=partial(flows, plan.impact),
        table=partial(user_table, plan),
    )


NOTHING_TO_CHECK = "There are no changes for the guards to check."
"""The text that replaces the number of guards that passed: without changes, a pass says nothing about the org."""


def _passed(plan: Plan) -> str:
    if not plan.changes and not plan.what_if:
        return NOTHING_TO_CHECK
    return passed_words(sum(guard.verdict == "pass" for guard in plan.guards))


def summary_line(plan: Plan) -> str:
    """Return ``Plan: 4 to create, 2 to update (3 pending, 1 manual step).``, or nothing where there are no changes."""
    counts = summary(plan)
    actions = [
        f"{counts[action]:,} to {action}"
        for action in ("create", "update", "delete", "upgrade", "rename")
        if counts[action]
    ]
    apart = [f"{counts['waiting']:,} pending"] if counts["waiting"] else []
    apart += [count(counts["human"], "manual step")] if counts["human"] else []
    aside = f" ({', '.join(apart)})" if apart else ""
    text = f"Plan: {', '.join(actions)}{aside}." if actions else ""
    released = f"{count(counts['released'], 'setting')} no longer managed." if counts["released"] else ""
    return " ".join(filter(None, (text, released)))


def _validity(plan: Plan) -> str:
    """Return when a plan was made and until when it can be applied, and its day if that is another one."""
    another_day = "" if plan.as_of == plan.created_at.date() else f" for {day(plan.as_of)}"
    made = f"made {moment_words(plan.created_at)}{another_day}"
    if plan.what_if:
        return f"{made}; it answers a question and is never applied"
    return f"{made}; valid until {moment_words(plan.expires_at)}"


def _status(plan: Plan) -> Status:
    if plan.verdict in ("block", "not judged"):
        return "refused"
    if plan.verdict == "review":
        return "attention"
    return "incomplete" if (plan.unread or plan.outdated) and plan.verdict == "pass" else "ok"


def _supposed(plan: Plan) -> Iterable[Note]:
    """Return the memberships that a plan supposes, which few do."""
    if not plan.what_if:
        return ()
    from rolecall.report.builders.what_if import what_if_notes

    return what_if_notes(plan)


def _overview(plan: Plan) -> Iterator[Note]:
    """Yield what a plan does as a whole, without its escalations: first what is unknown."""
    if plan.errored:
        yield Note("This plan could not be computed completely and must not be applied.", "warn")
        return
    supposed = list(_supposed(plan))
    yield from supposed
    if unread := planned_sentence(plan.coverage):
        yield Note(unread, "warn")
    unknown = visible(plan.impact.problem) if plan.impact.problem else users_sentence(plan.coverage)
    if unknown:
        yield Note(unknown, "warn")
    if plan.changes or plan.what_if:
        known = {*escalation_sentences(plan.impact), *(note.text for note in supposed)}
        tallies = by_shift(plan.impact.moves)
        tones = _tones(plan.impact, tallies)
        for text in summary_sentences(plan.impact, tallies):
            if not known & {text, visible(text)}:
                yield Note(visible(text), tones.get(text.removeprefix("Most common: "), "plain"))
    if not plan.writes:
        yield Note(_nothing_written(plan))


def _tones(impact: Impact, tallies: Mapping[Shift, Tally]) -> Mapping[str, Tone]:
    """Return how much the sentences of a summary matter: the counts of users, and the most common way."""
    counts = counts_sentence(impact)
    tones: dict[str, Tone] = {counts: "risk" if impact.losing else "plain"}
    before, after = impact.org_admins or (0, 0)
    if after < before:
        tones[org_admins_sentence(before, after)] = "risk"
    for shift, size in ranked(tallies)[:1]:
        tones[sentence(shift, size)] = tones[as_far_as_known(impact, sentence(shift, size))] = shift_tone(shift)
    return tones


def _nothing_written(plan: Plan) -> str:
    """Return why there is nothing to write. What was not read is never reported as unchanged."""
    if not plan.changes and (plan.unread or plan.outdated):
        return "No changes found in what was read."
    if not plan.changes:
        return f"No changes. {'The targets match' if plan.partial else 'The org matches'} the configuration."
    counts = summary(plan)
    pending = f"{count(counts['waiting'], 'change')} {'is' if counts['waiting'] == 1 else 'are'} pending in the IdP"
    manual = f"{counts['human']:,} {'is a manual step' if counts['human'] == 1 else 'are manual steps'}"
    if not plan.human:
        return f"rolecall writes nothing to this org: {pending}."
    if not plan.waiting:
        manual = "the change is a manual step" if counts["human"] == 1 else f"all {counts['human']:,} are manual steps"
        return f"rolecall writes nothing to this org: {manual}."
    return f"rolecall writes nothing to this org: {pending}, {manual}."


def _headline(plan: Plan, overview: Iterable[Note]) -> str:
    """Return the overview as one text, with the number of escalations first."""
    still = not plan.changes and not plan.what_if
    escalated = [] if plan.errored or still else map(visible, escalation_sentences(plan.impact))
    return " ".join((*escalated, *(note.text for note in overview)))


def _gaps(plan: Plan) -> Iterable[Gap]:
    """Yield what a pipeline must not take for an answer: users that the plan needs and that were not read."""
    if text := users_sentence(plan.coverage):
        yield Gap("plan.people_unread", "warning", text, "users read")


Group = tuple[str, ViaReason | None]
"""The key of a table, and why rolecall does not write its changes."""


def _changes(plan: Plan) -> Iterable[ChangeTable]:
    """Yield the changes by section, then manual steps and pending changes by their reason, which is stated once."""
    grouped: defaultdict[Group, list[tuple[Change, Entry]]] = defaultdict(list)
    for change, entry in entries(plan):
        key = change.via if change.via != "api" else split_address(change.address)[0]
        grouped[key, change.via_reason if change.via != "api" else None].append((change, entry))
    falling = {at for move in plan.impact.moves if move.falls_back for at in move.because}
    reasons: tuple[ViaReason | None, ...] = (None, *VIA_REASONS)
    for section in SECTIONS:
        if (section, None) in grouped:
            yield _table(section, section, grouped[section, None], falling)
    for via, title in _TITLES.items():
        for reason in reasons:
            if (via, reason) in grouped:
                why = f" ({VIA_REASONS[reason]})" if reason else ""
                yield _table(via, f"{title}{why}", grouped[via, reason], falling)


def _table(key: str, title: str, listed: list[tuple[Change, Entry]], falling: Set[Address]) -> ChangeTable:
    """Return a table in which a reason that several entries share is a note of the table.

    ``falling`` are the changes by which users fall back to default access.
    """
    reasons: defaultdict[Note, Counter[Action]] = defaultdict(Counter)
    for change, entry in listed:
        for note in _reasons_of(entry):
            reasons[note][change.action] += 1
    sizes = Counter(change.action for change, _ in listed)
    shared = [note for note, counts in reasons.items() if _is_shared(counts, sizes)]
    notes = [Note(f"{_actions(reasons[note], sizes)}: {note.text}", "dim") for note in shared]
    if any(change.action == "delete" and change.address.startswith("idp_groups/") for change, _ in listed):
        notes.append(Note(UNMAPPED, "dim"))
    elif any(change.address in falling for change, _ in listed):
        notes.append(Note(SIGN_IN, "dim"))
    table_entries = (
        entry._replace(notes=tuple(note for note in entry.notes if note not in shared)) for _, entry in listed
    )
    return ChangeTable(key, title, tuple(table_entries), tuple(notes), titled=key in _TITLES)


def _reasons_of(entry: Entry) -> set[Note]:
    return {note for note in entry.notes if note.tone == "dim"}


def _is_shared(counts: Counter[Action], sizes: Counter[Action]) -> bool:
    """Return whether all changes with the actions of those that have a reason have it; only then a note of the table
    can replace it. ``counts`` are the changes with the reason, ``sizes`` all of the table, by action."""
    return counts.total() > 1 and all(number == sizes[action] for action, number in counts.items())


_ALL: Mapping[Action, str] = {
    "create": "new entries",
    "update": "updates",
    "delete": "deletions",
    "upgrade": "upgrades",
}


def _actions(actions: Collection[Action], all_actions: Collection[Action]) -> str:
    """Return ``All deletions`` for changes with these actions, ``All changes`` where there are no others."""
    if len(actions) == len(all_actions):
        return "All changes"
    return f"All {' and '.join(name for action, name in _ALL.items() if action in actions)}"


def entries(plan: Plan) -> Iterable[tuple[Change, Entry]]:
    """Yield each change as a reader sees it, in the order of the steps; a rename once."""
    shares = shares_by_address(plan.impact)
    for change in renames_as_one(plan.changes):
        yield change, _entry(change, plan, shares.get(change.address, ()))


def _entry(change: Change, plan: Plan, own: Sequence[Share]) -> Entry:
    section, _ = split_address(change.address)
    return Entry(
        "~" if change.moved else MARKS[change.action],
        visible(change.address),
        diffs(section, change),
        change.intent.source,
        (
            *(_group_facts(plan, change) if plan.idp_side else ()),
            *change_notes(plan, change.address, own),
            *default_access_note((share.move for share in own), complete=not plan.impact.problem),
            *_reasons(change),
        ),
        f"change.{change.action}",
    )


def _group_facts(plan: Plan, change: Change) -> Iterator[Note]:
    """Yield what a group of the IdP is that the plan assigns or pushes."""
    at = change.address
    group = plan.idp_side.groups.get(at) if plan.idp_side else None
    if group is not None:
        members = "members not read" if group.members is None else count(group.members, "member")
        yield Note(f"{visible(group.type) or 'group'}, {members}")
    users = plan.idp_side.users.get(at, AppUserCounts()) if plan.idp_side else AppUserCounts()
    if users.gain:
        taken = f" {_taken_over(users)}" if users.taken_over else ""
        yield Note(f"{count_users(users.gain, 'gets', 'get')} the app.{taken}", "more")
        if any(split_address(pending.address)[0] == "idp_groups" for pending in plan.waiting):
            yield Note("They have default access until their groups are mapped.")
    if users.lose:
        yield Note(f"{count_users(users.lose, 'loses', 'lose')} the app: {DEACTIVATED}", "risk")
    section, key = split_address(at)
    mapping = address("idp_groups", key)
    if section == _PUSHES and change.after is None:
        yield Note("The group stays in WRITER with its members; the IdP no longer changes them.", "dim")
    elif section == _PUSHES and any(pending.address == mapping for pending in plan.waiting):
        yield Note(f"New in WRITER: {visible(mapping)} is mapped once the group arrives.")


def _taken_over(users: AppUserCounts) -> str:
    was = (
        "was in the org without it, and becomes" if users.taken_over == 1 else "were in the org without it, and become"
    )
    return f"{users.taken_over:,} of them {was} IdP-managed (R12)."


DEACTIVATED = "the IdP deactivates them in WRITER, and their documents are transferred (R23, R24)."
_PUSHES = next(kind.section for kind in KINDS if kind.type is IdpPush)


def _reasons(change: Change) -> Iterator[Note]:
    """Yield why a change is planned, then what the config says about it."""
    intent = change.intent
    if change.moved:
        yield Note(f"Renamed from {visible(split_address(change.moved.before)[1] or change.moved.before)}.", "dim")
    elif change.reason == "expired" and intent.expires:
        yield Note(f"Expired after {day(intent.expires)}.", "dim")
    elif REASONS[change.reason]:
        yield Note(REASONS[change.reason], "dim")
    labeled = (("Reason", intent.reason), ("Ticket", intent.ticket), ("Owner", intent.owner))
    texts = [f"{label}: {visible(text)}" for label, text in labeled if text]
    texts += ["Protected"] if intent.protect else []
    if texts:
        yield Note(" · ".join(texts), "dim")


def _policy(plan: Plan) -> Iterable[Note]:
    """Yield the guards that change: one that becomes less strict takes effect from the next plan."""
    for change in plan.policy_changes:
        before, after = (visible(inline_yaml(value)) for value in (change.before, change.after))
        effect = " (less strict; takes effect from the next plan)" if change.loosens else ""
        tone: Literal["warn", "plain"] = "warn" if change.loosens else "plain"
        yield Note(f"Policy change: {visible(change.path)}: {before} → {after}{effect}", tone)


def _left(plan: Plan) -> Iterable[Note]:
    """Yield what the plan does not change."""
    yield from (Note(text) for text in released_words(plan.released))
    yield from unmanaged_notes(plan.unmanaged)
    if plan.desired.policy.managing("idp_groups") == "additive":
        yield from (Note(text, "dim") for text in left_words(plan.unmanaged))
    if plan.partial:
        by = f"to what `{plan.command}` is about" if plan.command else "by --target, --exclude or --only"
        yield Note(f"Limited {by}: other changes are neither shown nor applied.", "warn")
