"""Test which findings are news: each drift once when it appears and once when it clears."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drifts import LEAD, A, L, M, inquiry
from hypothesis import given
from hypothesis import strategies as st

from rolecall.drift.scan import scan
from rolecall.jobs.drift import news, note_of
from rolecall.jobs.metrics import drift_metrics
from rolecall.model.live import UNREAD
from rolecall.model.policy import Guards, Policy
from rolecall.outside.metrics import metrics_text

AT = "idp_groups/G"


def look(there, policy=None, unread=False):
    made = inquiry({"G": M}, {"G": there}, {"G": M}, policy)
    if unread:
        live = replace(made.plan_input.live, coverage={"idp_groups": UNREAD})
        made = replace(made, plan_input=made.plan_input._replace(live=live))
    return scan(made).report


def said(found, told):
    fresh = news(found, told)
    return [row.address for row in fresh.drifts], [item["what"] for _, item in fresh.cleared], fresh.now


def test_once_when_it_comes_and_once_when_it_clears():
    new, cleared, told = said(look(L), {})
    assert (new, cleared) == ([AT], [])
    new, cleared, still = said(look(L), told)
    assert (new, cleared, still) == ([], [], told)
    new, cleared, now = said(look(M), told)
    assert (new, cleared, now) == ([], [AT], {})


def named(address, known_id="g-1"):
    """A look at the drift of a group of this address and id; without the id, as 0.1.0 took it."""
    found = look(L)
    rows = tuple(replace(row, address=address, id=known_id, applied_as=AT) for row in found.entries)
    return replace(found, entries=rows, counted=frozenset(row.fingerprint for row in rows))


def test_a_rename_is_no_news():
    _, _, told = said(named(AT), {})
    new, cleared, now = said(named("idp_groups/New"), told)
    assert (new, cleared, now.keys()) == ([], [], told.keys())
    assert [item["what"] for item in now.values()] == ["idp_groups/New"]
    assert [item["since"] for item in now.values()] == [item["since"] for item in told.values()]


@pytest.mark.parametrize("address", [AT, "idp_groups/New"])
def test_what_0_1_0_told_by_its_address_is_no_news(address):
    _, _, told = said(named(AT, None), {})
    new, cleared, now = said(named(address), told)
    assert (new, cleared, len(now)) == ([], [], 1)
    assert now.keys() != told.keys()
    assert said(look(M), now)[1] == [address]


def test_another_change_of_the_same_address_is_news_and_nothing_cleared():
    _, _, told = said(look(L), {})
    new, cleared, now = said(look(LEAD), told)
    assert (new, cleared) == ([AT], [])
    assert len(now) == 1


def test_what_could_not_be_read_is_not_cleared():
    _, _, told = said(look(L), {})
    new, cleared, now = said(look(L, unread=True), told)
    assert (new, cleared) == ([], [])
    assert now.items() > told.items()


def test_what_cannot_be_read_is_news_once_and_once_when_it_can_be_read_again():
    fresh = news(look(M, unread=True), {})
    assert fresh.unread == ("idp_groups",)
    assert not news(look(M, unread=True), fresh.now).any
    assert [item["what"] for _, item in news(look(M), fresh.now).cleared] == ["idp_groups"]


def test_alarms_are_told_like_drifts():
    policy = Policy(guards=Guards(min_org_admins=3))
    fresh = news(look(M, policy), {})
    assert [alarm.name for alarm in fresh.alarms] == ["min_org_admins"]
    again = news(look(M, policy), fresh.now)
    assert not again.any
    assert [item["what"] for _, item in news(look(M), again.now).cleared] == ["min_org_admins"]


def test_the_address_itself_is_not_kept():
    assert "s3cret" not in note_of("https://chat.acme.com/s3cret")
    assert note_of("https://a") != note_of("https://b")


looks = st.lists(st.sampled_from([M, L, LEAD, A]), max_size=12)


@given(looks)
def test_what_was_told_and_did_not_clear_is_what_is_there(run):
    told, open_ = {}, set()
    for there in run:
        found = look(there)
        fresh = news(found, told)
        open_ |= {row.address for row in fresh.drifts}
        open_ -= {item["what"] for _, item in fresh.cleared}
        assert open_ == {row.address for row in found.drifts}
        assert not news(found, fresh.now).any
        told = fresh.now


@pytest.mark.parametrize(("there", "number"), [(L, 1), (M, 0)])
def test_metrics_have_a_zero_where_nothing_drifted_so_that_alerts_end(there, number):
    text = metrics_text(drift_metrics(look(there), 1.25))
    labels = 'org="org_1",env="prod"'
    assert f'rolecall_drift{{{labels},section="idp_groups",class="console"}} {number}\n' in text
    assert f"rolecall_drift_counted{{{labels}}} {number}\n" in text
    assert f"rolecall_org_admins{{{labels}}} 2\n" in text
    assert f"rolecall_people_without_access{{{labels}}} 0\n" in text
    assert f"rolecall_unread_sections{{{labels}}} 0\n" in text
    assert f"rolecall_duration_seconds{{{labels}}} 1.25\n" in text
    assert f"rolecall_last_success_timestamp_seconds{{{labels}}} 1795348800\n" in text


def test_metrics_say_nothing_of_people_who_were_not_read():
    made = inquiry({"G": M}, {"G": L}, {"G": M})
    text = metrics_text(
        drift_metrics(scan(replace(made, plan_input=made.plan_input._replace(directory=None))).report, 1)
    )
    assert "rolecall_org_admins" not in text
    assert "rolecall_people_without_access" not in text
