"""Laws of proofs from the audit log: what may never confirm a step, and what an unread log may never say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rolecall.codec.audit import decode_record
from rolecall.drift.evidence import look_up
from rolecall.model.audit import AuditLog, AuditPosition, AuditRecord, Gap
from rolecall.model.evidence import Finding, Question
from rolecall.model.live import Coverage
from rolecall.model.settings import Address, Defaults, Domain, GroupMapping, Scim, Sso

START = datetime(2026, 11, 12, 9, tzinfo=UTC)
REPORTED = START + timedelta(hours=2)
END = REPORTED + timedelta(days=1)
SECOND = timedelta(seconds=1)
SLACK = timedelta(minutes=1)

SSO = Sso(enabled=True, allow_passwords=False, name="Okta")
QUESTIONS = [
    Question(Address("sso"), SSO, replace(SSO, allow_passwords=True), START, END, REPORTED),
    Question(Address("sso"), SSO, replace(SSO, enabled=False), START, END, REPORTED),
    Question(Address("sso"), SSO, Sso(enabled=False, allow_passwords=True, name="New"), START, END, REPORTED),
    Question(Address("domains/acme.com"), Domain(True), Domain(False), START, END, REPORTED),
    Question(Address("domains/acme.com"), None, Domain(True), START, END, REPORTED),
    Question(Address("domains/acme.com"), Domain(True), None, START, END, REPORTED),
]
PROVING = {
    "sso.allow_passwords": {("Sign in", "Enable password"): True, ("Sign in", "Disable password"): False},
    "sso.enabled": {("SAML", "Enabled"): True, ("SAML", "Disabled"): False},
    "domains/acme.com.discoverable": {("Domain discoverability", "Settings updated"): None},
    "domains/acme.com": {("Security", "Domain management settings updated"): None},
}
"""What proves each field, written out independently of the table: the action, and the value that it states."""
ACTIONS = [
    *(pair for pairs in PROVING.values() for pair in pairs),
    ("SAML", "Domain enabled"),
    ("SAML", "Updated"),
    ("User", "Role changed"),
    ("", ""),
]
TIMES = st.one_of(
    st.integers(-90, 27 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from([START - SLACK, START - SLACK - SECOND, REPORTED, END, END + SECOND]),
    st.none(),
)


@st.composite
def records(draw: st.DrawFn) -> AuditRecord:
    area, action = draw(st.sampled_from(ACTIONS))
    at = draw(TIMES)
    return decode_record(
        {
            "n": draw(st.integers(0, 5)),
            "createdAt": at and at.isoformat(),
            "actor": draw(st.sampled_from(["ann@acme.com", "BO@acme.com", "user-17", ""])),
            "result": draw(st.sampled_from(["SUCCESS", "SUCCESS", "SUCCESS", "FAILURE", None, "pending"])),
            "area": area,
            "action": action,
            "object": draw(st.sampled_from(["acme.com", "ACME.com", "other.org", "", "Acme Inc"])),
        }
    )


def log_of(records: Sequence[AuditRecord], skew: timedelta = timedelta(), **more: Any) -> AuditLog:
    position = AuditPosition("c", START - timedelta(days=1), END, ended_at=END)
    return AuditLog(tuple(records), Coverage(), position, skew)._replace(**more)


QUESTION = st.builds(
    lambda question, by: question._replace(by=by),
    st.sampled_from(QUESTIONS),
    st.sampled_from(["", "ann@acme.com", "bo@acme.com", "root"]),
)
SKEW = st.sampled_from([timedelta(), 50 * SECOND, timedelta(hours=3), timedelta(hours=-3)])


def could_prove(question: Question, record: AuditRecord, skew: timedelta = timedelta()) -> bool:
    """The law, spelled out: whether a record may be a proof of any field of a change."""
    if record.result != "success" or record.at is None:
        return False
    at = record.at - (skew if abs(skew) > SLACK else timedelta())
    if not START - SLACK <= at <= END:
        return False
    if "/" in question.address and record.object.lower() != "acme.com":
        return False
    return any((record.area, record.action) in pairs for pairs in PROVING.values())


@given(QUESTION, st.lists(records(), max_size=6), SKEW)
def test_a_confirmation_names_records_that_prove_it(
    question: Question, log: list[AuditRecord], skew: timedelta
) -> None:
    finding = look_up(question, log_of(log, skew))
    by_key = {record.key: record for record in log}
    for proof in finding.proofs:
        record = by_key[proof.key]
        assert could_prove(question, record, skew)
        assert (proof.stated_at or proof.at, proof.actor) == (record.at, record.actor)
        assert proof.at <= END
        for name in proof.fields:
            stated = PROVING[name][record.area, record.action]
            assert stated is None or stated == getattr(question.after, name.rpartition(".")[2])
    shown = {name for proof in finding.proofs for name in proof.fields}
    assert not shown & {*finding.missing, *finding.unlogged}
    if finding.status == "confirmed":
        assert shown
        assert not finding.missing
        named = {question.by, "", "user-17"} if "@" in question.by else {"ann@acme.com", "bo@acme.com", "", "user-17"}
        assert {proof.actor.lower() for proof in finding.proofs} <= named


@given(QUESTION, st.lists(records(), max_size=8), SKEW)
def test_what_proves_nothing_never_confirms(question: Question, log: list[AuditRecord], skew: timedelta) -> None:
    others = [record for record in log if not could_prove(question, record, skew)]
    assert look_up(question, log_of(others, skew)).status not in ("confirmed", "another_actor")


UNREAD = [
    {"coverage": Coverage("unread", problem="no key")},
    {"coverage": Coverage("partial", problem="its pages repeat")},
    {"position": AuditPosition("c", START - timedelta(days=1), END)},
    {"position": AuditPosition("c", START - timedelta(days=1), END, ended_at=REPORTED - SECOND)},
    {"position": AuditPosition("c", START + 2 * SLACK, END, ended_at=END)},
    {"position": AuditPosition("c", START - SLACK, END, (Gap(START - SLACK, START + SECOND),), END)},
]


@given(QUESTION, st.lists(records(), max_size=4), st.sampled_from(UNREAD))
def test_a_log_that_was_not_read_never_says_that_it_lacks_the_change(
    question: Question, log: list[AuditRecord], unread: dict[str, Any]
) -> None:
    finding = look_up(question, log_of(log, **unread))
    assert finding.status != "not_in_log"
    assert (finding.status == "unread") <= bool(finding.problem)


@given(QUESTION, st.lists(records(), max_size=4))
def test_the_order_of_records_and_repeated_ones_do_not_matter(question: Question, log: list[AuditRecord]) -> None:
    expected = look_up(question, log_of(log))
    for shuffled in permutations(log):
        assert look_up(question, log_of(shuffled)) == expected
    assert look_up(question, log_of([*log, *log])) == expected


@given(st.lists(records(), max_size=6))
def test_what_is_not_logged_is_never_judged(log: list[AuditRecord]) -> None:
    values: list[Any] = [
        (Address("scim"), Scim(enabled=False), Scim(enabled=True)),
        (Address("defaults"), Defaults("member"), Defaults("team_admin")),
        (Address("idp_groups/acme.com"), None, GroupMapping("member", frozenset({"IT"}))),
        (Address("sso"), SSO, replace(SSO, name="New")),
    ]
    for address, before, after in values:
        question = Question(address, before, after, START, END, REPORTED)
        finding = look_up(question, log_of(log, coverage=Coverage("unread")))
        assert finding == Finding("not_logged", unlogged=finding.unlogged)


@given(QUESTION, st.lists(records(), max_size=6))
def test_a_record_without_values_confirms_nothing_once_another_value_was_requested(
    question: Question, log: list[AuditRecord]
) -> None:
    finding = look_up(question._replace(rival=START), log_of(log))
    assert all(proof.with_values or proof.at < START for proof in finding.proofs)


@given(QUESTION, st.lists(records(), max_size=6), st.sampled_from([{}, *UNREAD]))
def test_the_writer_of_a_drifted_field_is_named_only_if_it_is_certain(
    question: Question, log: list[AuditRecord], unread: dict[str, Any]
) -> None:
    question = question._replace(reported=None, by="")
    read = log_of(log, **unread)
    finding = look_up(question, read)
    assert finding.status != "another_actor"
    if unread:
        assert finding.status in ("unread", "unclear")
    if finding.status != "confirmed":
        return
    for proof in finding.proofs:
        for name in proof.fields:
            alike = {
                record.key: record
                for record in log
                if could_prove(question, record) and (record.area, record.action) in PROVING[name]
            }
            if proof.with_values:
                value = getattr(question.after, name.rpartition(".")[2])
                later = [r for r in alike.values() if r.at is not None and r.at > proof.at]
                assert {PROVING[name][r.area, r.action] for r in later} <= {value}
            else:
                after = [r for r in alike.values() if r.at is not None and r.at >= START + SLACK]
                assert [r.key for r in after] == [proof.key]


@given(st.sampled_from(QUESTIONS[:2]), st.sampled_from(UNREAD))
def test_a_record_of_an_unread_log_does_not_name_the_last_writer(question: Question, unread: dict[str, Any]) -> None:
    action = ("Sign in", "Enable password") if question == QUESTIONS[0] else ("SAML", "Disabled")
    at = (START + timedelta(hours=1)).isoformat()
    raw = {"createdAt": at, "actor": "ann@acme.com", "result": "ok", "area": action[0], "action": action[1]}
    record = decode_record(raw)
    question = question._replace(reported=None)
    assert look_up(question, log_of([record])).status == "confirmed"
    finding = look_up(question, log_of([record], **unread))
    assert (finding.status, [proof.key for proof in finding.proofs]) == ("unclear", [record.key])
    assert finding.problem
