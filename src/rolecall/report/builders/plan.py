"""A plan as a document: its changes with their users and reasons, the guards, and what to do next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Literal

from rolecall.model.change import Change
from rolecall.model.kinds import SECTIONS, split_address
from rolecall.model.settings import Address
from rolecall.plan.saved.digest import short
from rolecall.plan.saved.summary import renames_as_one, summary
from rolecall.plan.value import Move, Plan
from rolecall.report.builders.changes import BLANK_IS, REASONS, VIA_REASONS, diffs
from rolecall.report.builders.checks import access_results, guard_result, passed_words
from rolecall.report.builders.header import plan_banner, planned_sentence, users_sentence
from rolecall.report.builders.next_steps import naming_command, next_step
from rolecall.report.builders.unmanaged import left_words, released_words, unmanaged_notes
from rolecall.report.builders.users import (
    change_notes,
    flows,
    left_on_default,
    moves_by_address,
    partly_named,
    plan_notes,
    user_moves,
    user_table,
)
from rolecall.report.document import ChangeTable, Document, Entry, Gap, Mark, Note, Status
from rolecall.report.phrases import count, inline_yaml, visible

MARKS: Mapping[str, Mark] = {"create": "+", "update": "~", "delete": "-", "upgrade": "↑"}

_APART: Mapping[Literal["waiting", "human"], str] = {
    "waiting": "Waiting for the IdP: planned, not written until it pushes the group",
    "human": "By hand: steps that a person must take",
}
"""The changes that are reported apart from the sections, with their titles."""


def plan_document(plan: Plan, digest: str | None = None) -> Document:
    """Return the report of a plan, which shows of users what it may. Without its ``digest`` no approval is offered."""
    org, env = plan.org.name, f" · {plan.org.env}" if plan.org.env else ""
    step = next_step(plan, digest)
    return Document(
        "plan",
        title=visible(f"Plan for {org}{env}"),
        org_id=plan.org.id,
        env=plan.org.env,
        banner=plan_banner(plan),
        status=_status(plan),
        headline=_headline(plan),
        validity=f"made {plan.created_at:%Y-%m-%d %H:%M} UTC for {plan.as_of}, "
        f"good until {plan.expires_at:%Y-%m-%d %H:%M} UTC",
        digest=short(digest) if digest else "",
        summary=summary_line(plan),
        changes=tuple(_changes(plan)),
        users=tuple(plan_notes(plan)),
        policy=tuple(_policy(plan)),
        left=tuple(_left(plan)),
        checks=(*map(guard_result, plan.guards), *access_results(plan.access_tests)),
        passed=passed_words([guard for guard in plan.guards if guard.verdict == "pass"]),
        gaps=tuple(_gaps(plan)),
        problems=plan.warnings,
        naming=naming_command(plan) if partly_named(plan.impact) else "",
        next_steps=(step,) if step else (),
        unread=plan.unread,
        teams=plan.impact.teams,
        unmanaged=plan.unmanaged,
        moves=partial(user_moves, plan.impact),
        flows=partial(flows, plan.impact),
        table=partial(user_table, plan),
    )


def summary_line(plan: Plan) -> str:
    """Return ``Plan: 4 to create, 2 to update; 3 of them wait for the IdP, 1 of them by hand.``"""
    counts = summary(plan)
    actions = [
        f"{counts[action]:,} to {action}" for action in ("create", "update", "delete", "upgrade") if counts[action]
    ]
    actions += [count(counts["rename"], "rename")] if counts["rename"] else []
    apart = [
        text
        for key, text in (
            ("waiting", f"{counts['waiting']:,} of them {'waits' if counts['waiting'] == 1 else 'wait'} for the IdP"),
            ("human", f"{counts['human']:,} of them by hand"),
            ("released", f"{counts['released']:,} no longer managed"),
        )
        if counts[key]
    ]
    if actions:
        text = f"Plan: {', '.join(actions)}"
    else:
        text = "No changes found, but not everything was read" if plan.unread else "No changes"
    return f"{text}{'; ' + ', '.join(apart) if apart else ''}."


def _status(plan: Plan) -> Status:
    if plan.verdict in ("block", "not judged"):
        return "refused"
    if plan.verdict == "review":
        return "attention"
    return "incomplete" if plan.unread and plan.verdict == "pass" else "ok"


def _headline(plan: Plan) -> str:
    if plan.errored:
        return "This plan could not be computed whole and must not be applied."
    sentences = [visible(plan.impact.headline)] if plan.impact.headline else []
    if plan.impact.problem:
        sentences.append(visible(plan.impact.problem))
    elif users := users_sentence(plan.coverage):
        sentences.append(users)
    if unread := planned_sentence(plan.coverage):
        sentences.append(unread)
    elif not plan.changes:
        whole = "The org is as the config wants it."
        sentences.append(whole if not plan.partial else "Nothing to do within the targets.")
    elif not plan.writes:
        sentences.append("Nothing to write: what is left waits for the IdP or for a person.")
    return " ".join(sentences)


def _gaps(plan: Plan) -> Iterable[Gap]:
    """Yield what a pipeline must not take for an answer: users whom the plan needs and that were not read."""
    if text := users_sentence(plan.coverage):
        yield Gap("plan.people_unread", "warning", text, "users read")


def _changes(plan: Plan) -> Iterable[ChangeTable]:
    grouped: defaultdict[str, list[Entry]] = defaultdict(list)
    unmapped = set()
    for change, entry in entries(plan):
        key = change.via if change.via != "api" else split_address(change.address)[0]
        grouped[key].append(entry)
        if change.action == "delete" and change.address.startswith("idp_groups/"):
            unmapped.add(key)
    for key, title in (*((section, section) for section in SECTIONS), *_APART.items()):
        if key in grouped:
            notes = (Note(BLANK_IS),) if key in unmapped else ()
            yield ChangeTable(key, title, tuple(grouped[key]), notes, titled=key in _APART)


def entries(plan: Plan) -> Iterable[tuple[Change, Entry]]:
    """Yield each change as a reader sees it, in the order of the steps; a rename once."""
    moves = moves_by_address(plan.impact)
    for change in renames_as_one(plan.changes):
        yield change, _entry(change, plan, moves)


def _entry(change: Change, plan: Plan, moves: Mapping[Address, tuple[Move, ...]]) -> Entry:
    section, _ = split_address(change.address)
    own = moves.get(change.address, ())
    return Entry(
        "~" if change.moved else MARKS[change.action],
        visible(change.address),
        diffs(section, change),
        change.intent.source,
        (*change_notes(plan, change.address, own), *_reasons(change, left_on_default(own))),
        f"change.{change.action}",
    )


def _reasons(change: Change, default: str) -> Iterable[Note]:
    intent = change.intent
    texts = [default] if default else []
    if change.moved:
        texts.append(f"renamed from {visible(split_address(change.moved.before)[1] or change.moved.before)}")
    elif change.reason == "expired" and intent.expires:
        texts.append(f"expired after {intent.expires}")
    elif REASONS[change.reason]:
        texts.append(REASONS[change.reason])
    if change.via_reason:
        texts.append(VIA_REASONS[change.via_reason])
    texts += [f"owner {visible(intent.owner)}"] if intent.owner else []
    texts += [visible(text) for text in (intent.reason, intent.ticket) if text]
    texts += ["protected"] if intent.protect else []
    if texts:
        yield Note(" · ".join(texts), "dim")


def _policy(plan: Plan) -> Iterable[Note]:
    """Yield the guards that change: one that becomes less strict takes effect from the next plan on."""
    for change in plan.policy_changes:
        before, after = (visible(inline_yaml(value)) for value in (change.before, change.after))
        looser = "; looser, so it holds from the next plan on" if change.loosens else ""
        tone: Literal["warn", "plain"] = "warn" if change.loosens else "plain"
        yield Note(f"Policy: {visible(change.path)}: {before} → {after}{looser}", tone)


def _left(plan: Plan) -> Iterable[Note]:
    yield from (Note(text) for text in released_words(plan.released))
    yield from unmanaged_notes(plan.unmanaged)
    if plan.desired.policy.managing("idp_groups") == "additive":
        yield from (Note(text, "dim") for text in left_words(plan.unmanaged))
    if plan.partial:
        yield Note("Cut to targets: other differences are not shown, and not applied.", "warn")
