"""Test the last applied values as the planner and the drift check get them."""

from __future__ import annotations

from datetime import date

from journals import ADMIN, ADMINS, BRAND, DOMAIN, ME, MEMBER, ORG, Ticking, opening

from rolecall.journal.port import AppliedState, Journal
from rolecall.model.desired import NOTHING_APPLIED
from rolecall.model.kinds import address
from rolecall.model.policy import Guards, Ignore, Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, Scim

ALL_STAFF = address("idp_groups", "All-Staff")
DEFAULTS = Defaults("member", frozenset({"Everyone"}))
POLICY = Policy({"domains": "authoritative"}, (Ignore("idp_groups/tmp-*", "sandbox"),), Guards(min_org_admins=3))
SEEN = AppliedState(
    values={
        ADMINS: ADMIN,
        BRAND: MEMBER,
        ALL_STAFF: BLANK,
        DOMAIN: Domain(False),
        address("defaults"): DEFAULTS,
        address("scim"): Scim(enabled=True, endpoint="new"),
    },
    policy=POLICY,
    protected=frozenset({ADMINS}),
    group_ids={"Writer-Admins": "g1", "Brand/Ops é": "g2"},
    unmanaged=frozenset({address("idp_groups", "okta-superusers")}),
    expires=frozenset({ADMINS}),
    waiting={address("idp_groups", "New"): date(2026, 10, 1)},
    config="acme@git.example.com:acme/access//rolecall.yaml",
    commit="c0ffee",
)


def remember(journal: Journal, seen: AppliedState, org: str = ORG) -> int:
    number = journal.begin(opening(org_id=org))
    with journal.lock(org, ME) as held:
        held.remember(number, seen)
    journal.close_run(number, "done")
    return number


def test_nothing_is_remembered_of_an_org_never_seen(journal: Journal) -> None:
    assert journal.applied(ORG) == NOTHING_APPLIED
    assert journal.records(ORG) == ()


def test_what_was_seen_comes_back_as_settings(journal: Journal) -> None:
    remember(journal, SEEN)
    applied = journal.applied(ORG)
    assert applied.settings.idp_groups == {"Writer-Admins": ADMIN, "Brand/Ops é": MEMBER, "All-Staff": BLANK}
    assert applied.settings.domains == {"acme.de": Domain(False)}
    assert (applied.settings.defaults, applied.settings.sso) == (DEFAULTS, UNSET)
    assert applied.settings.scim == Scim(enabled=True, endpoint="new")
    assert applied.policy == POLICY
    assert (applied.protected, applied.unmanaged) == (SEEN.protected, SEEN.unmanaged)
    assert (applied.expires, applied.waiting) == (SEEN.expires, SEEN.waiting)
    assert applied.group_ids == SEEN.group_ids
    assert set(applied.config.values()) == {SEEN.config}
    assert journal.applied("org_2") == NOTHING_APPLIED


def test_a_record_tells_the_run_that_brought_the_value(journal: Journal, clock: Ticking) -> None:
    first = remember(journal, SEEN)
    clock.jump(days=1)
    second = remember(journal, AppliedState({ADMINS: ADMIN, BRAND: ADMIN}, config=SEEN.config, commit="beef"))
    rows = {record.address: record for record in journal.records(ORG)}
    assert len(rows) == 6
    assert (rows[ADMINS].run, rows[ADMINS].commit, rows[ADMINS].value) == (first, "c0ffee", ADMIN)
    assert (rows[BRAND].run, rows[BRAND].commit, rows[BRAND].value) == (second, "beef", ADMIN)
    assert (rows[BRAND].at - rows[ADMINS].at).days == 1
    assert rows[ALL_STAFF].value is None
    assert [record.address for record in journal.records(ORG)] == sorted(rows)


def test_seeing_the_same_again_adds_nothing(journal: Journal) -> None:
    remember(journal, SEEN)
    before = journal.verify(ORG).entries
    again = remember(journal, SEEN)
    assert journal.verify(ORG).entries == before + 3  # begin, plan, close
    assert again not in {record.run for record in journal.records(ORG)}


def test_another_config_takes_an_address_over(journal: Journal) -> None:
    remember(journal, SEEN)
    remember(journal, AppliedState({ADMINS: ADMIN}, config="elsewhere"))
    applied = journal.applied(ORG)
    assert (applied.config[ADMINS], applied.config[BRAND]) == ("elsewhere", SEEN.config)


def test_what_is_forgotten_is_gone_and_the_rest_stays(journal: Journal) -> None:
    remember(journal, SEEN)
    remember(
        journal,
        AppliedState(forgotten=[ADMINS, DOMAIN, address("sso")], group_ids={"New": "g3"}, protected=frozenset()),
    )
    applied = journal.applied(ORG)
    assert applied.settings.domains is UNSET
    assert applied.settings.idp_groups == {"Brand/Ops é": MEMBER, "All-Staff": BLANK}
    assert (applied.policy, applied.unmanaged, applied.protected) == (POLICY, SEEN.unmanaged, frozenset())
    assert applied.group_ids == {**SEEN.group_ids, "New": "g3"}
    assert journal.verify(ORG).problems == ()


def test_an_org_with_an_empty_inventory_is_not_one_never_looked_at(journal: Journal) -> None:
    remember(journal, AppliedState(unmanaged=frozenset()))
    assert journal.applied(ORG).unmanaged == frozenset()


def test_two_orgs_in_one_journal(journal: Journal) -> None:
    remember(journal, SEEN)
    remember(journal, AppliedState({ADMINS: MEMBER}, config="x"), "org_2")
    assert journal.applied("org_2").settings.idp_groups == {"Writer-Admins": MEMBER}
    assert journal.applied(ORG).settings.idp_groups["Writer-Admins"] == ADMIN  # type: narrowed by the test above
    assert (journal.verify(ORG).problems, journal.verify("org_2").problems) == ((), ())
