"""A section that was changed in the console after it was read: what a plan that relies on it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import orgs
import pytest
from small_org import ask, config, live, many, verdict

from rolecall.model.live import ChangedSince, Coverage
from rolecall.model.policy import Band, Guards, Limit, Policy
from rolecall.model.settings import Domain, Sso
from rolecall.plan.commands import observe_command
from rolecall.plan.make import make
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.saved.privacy import redact
from rolecall.plan.value import OrgRef

A, B = {"A": "member: X"}, {"A": "member: Y"}
READ = orgs.NOW - timedelta(days=2)
CHANGE = ChangedSince(orgs.NOW - timedelta(days=1), "ann@acme.com")


def observed(**changed: ChangedSince):
    """An observed org with SSO on, of which these sections were changed after they were read."""
    org = live(A, observed=True, can=frozenset())
    settings = replace(
        org.settings, sso=Sso(enabled=True, allow_passwords=True), domains={"acme.com": Domain(True, "approval")}
    )
    names = ("sso", "domains", "idp_groups", "people")
    coverage = {name: Coverage(taken_at=READ, changed_since=changed.get(name)) for name in names}
    return replace(org, settings=settings, coverage=coverage)


def plan(desired, users=(), policy=Policy(), **changed: ChangedSince):
    asked = ask(config(desired, policy, sso=Sso(allow_passwords=False)), observed(**changed), list(users))
    directory = asked.directory
    if directory is not None and "people" in changed:
        coverage = directory.coverage._replace(taken_at=READ, changed_since=changed["people"])
        asked = asked._replace(directory=replace(directory, coverage=coverage))
    return make(asked)


def test_it_is_named_with_the_admin_and_the_time():
    made = plan(A, sso=CHANGE)
    (warning,) = [problem for problem in made.warnings if problem.code == "changed_since"]
    at = f"{CHANGE.at.day} {CHANGE.at:%b %Y}, {CHANGE.at:%H:%M} UTC"
    assert str(warning) == (
        f"SSO was changed by ann@acme.com on {at}, after it was last read. Run: rolecall observe --only sso"
    )
    assert made.outdated == ("sso",)


def test_the_age_requires_approval_and_guards_of_the_section_are_not_evaluated():
    made = plan(A, many(2, "A"), sso=CHANGE)
    assert verdict(made, "observed_age").verdict == "review"
    assert "SSO was changed" in verdict(made, "observed_age").message
    for name in ("sign_in", "preconditions"):
        assert verdict(made, name).verdict == "not judged"
    assert verdict(made, "unread").verdict == "review"
    assert "sign_in and preconditions cannot be evaluated. SSO was changed" in str(verdict(made, "unread"))
    assert verdict(made, "max_people_losing_access").verdict == "pass"


def test_a_section_that_the_plan_does_not_touch_only_ages():
    made = make(ask(config(B, domains={"acme.com": Domain(discoverable=True)}), observed(domains=CHANGE), []))
    assert verdict(made, "observed_age").verdict == "review"
    assert [guard.name for guard in made.guards if guard.verdict == "not judged"] == []


def test_a_limit_of_days_that_is_exceeded_comes_first():
    policy = Policy(guards=Guards(observed_age=Band(None, Limit(1))))
    assert verdict(plan(A, policy=policy, sso=CHANGE), "observed_age").verdict == "block"


def test_users_that_changed_make_guards_of_users_not_evaluated():
    policy = Policy(guards=Guards(max_people_losing_access=Band(Limit(10))))
    made = plan(B, many(4, "A"), policy, people=CHANGE)
    assert verdict(made, "max_people_losing_access").verdict == "not judged"
    assert "Users were changed by ann@acme.com" in verdict(made, "escalations").message
    assert made.outdated == ("people",)


def test_users_in_the_file_are_not_read_again_by_observe():
    """`observe` records settings only, so its command would lead nowhere."""
    made = plan(B, many(4, "A"), people=CHANGE)
    fixes = [fix for name in ("escalations", "observed_age") for fix in verdict(made, name).ways]
    hints = [problem.hint for problem in made.warnings if problem.code == "changed_since"]
    assert hints == ["update `people` and `coverage.people.taken_at` in the org's file, or read users from the IdP"]
    assert fixes.count(f"To read them again: {hints[0]}") == 2
    assert not any("rolecall observe" in fix for fix in fixes)
    assert "To read it again: rolecall observe --only sso" in verdict(plan(A, sso=CHANGE), "observed_age").ways


@pytest.mark.parametrize(("section", "only"), [("sso", " --only sso"), ("teams", " --only teams"), ("roles", "")])
def test_a_section_is_recorded_again_on_its_own(section, only):
    assert observe_command(OrgRef("acme", "org_1", "observed:org.yaml"), section) == f"rolecall observe{only}"


def test_a_change_from_before_the_reading_is_none():
    assert plan(A).outdated == ()
    assert verdict(plan(A), "observed_age").verdict == "pass"


def test_it_is_saved_and_read_back_and_no_part_of_the_digest():
    made, plain = plan(A, sso=CHANGE), plan(A)
    json = encode_plan(made)
    assert json["coverage"]["sso"]["changed_since"] == {"at": CHANGE.at.isoformat(), "by": "ann@acme.com"}
    assert decode_plan(json).coverage["sso"].changed_since == CHANGE
    assert digest(made) == digest(plain)
    assert all("changed_since" not in part for part in encode_plan(plain)["coverage"].values())


@pytest.mark.parametrize(("mode", "by"), [("counts", "1 user"), ("masked", "person-")])
def test_the_admin_is_hidden_as_every_user(mode, by):
    shown = redact(plan(A, sso=CHANGE), mode, b"key")
    assert "ann@acme.com" not in str(encode_plan(shown))
    assert shown.coverage["sso"].changed_since.by.startswith(by)


def test_a_setting_without_an_admin():
    made = plan(A, sso=CHANGE._replace(by=None))
    assert any("SSO was changed on" in problem.message for problem in made.warnings)
