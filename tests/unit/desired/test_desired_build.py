"""Test building a configuration that has every key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from saml import METADATA

from rolecall.desired.build import Config, read_config
from rolecall.errors import ConfigError, Where
from rolecall.model.desired import Intent
from rolecall.model.policy import Allow, Band, Ignore, Limit, TeamRole
from rolecall.model.settings import BLANK, UNSET, Address, Defaults, Domain, GroupMapping, Scim, Sso
from rolecall.model.target import JournalTarget, PeopleSource, SecretRef

EVERYTHING = """\
version: 1
org:
  name: acme
  id: org_8817
  url: https://rolecall.example.com
  token: {env: ROLECALL_TOKEN}
people: {okta: "https://acme.okta.com", app: 0oa1, token: {file: okta.token}}
journal: {url: {env: JOURNAL_URL}, keep: 6w}
manage: {domains: authoritative}
ignore:
  - {address: "idp_groups/tmp-*", reason: sandbox, until: 2027-03-31}
domains:
  Acme.COM: {discoverable: true, join: approval, owner: it@acme.com}
  acme.old: {remove: true, reason: sold}
defaults: {role: Member, teams: [Everyone]}
sso: {enabled: true, name: Okta, idp: okta, allow_uninvited: false, allow_passwords: false, metadata: {file: okta.xml}}
scim: {enabled: true, idp: okta, endpoint: new, manual_editing: false}
idp_groups:
  Writer-Admins: {role: Org admin, teams: [IT], owner: it-lead@acme.com, reason: SEC-1201, protect: true}
  Writer-Marketing: {role: member, teams: [Marketing], previously: [Mktg-Writers], ticket: CHG-1}
  Contractors: {role: member, teams: [Marketing, Legal], id: 5f0c, expires: 2026-12-31}
  All-Staff: blank
  Interns: {blank: true, owner: hr@acme.com}
guards:
  min_org_admins: 2
  required_org_admins: [Breakglass@acme.com]
  require_self: false
  max_people_losing_access: {review: 10, block: 2.5%}
  escalations: {custom: deny}
  observed_age: {review: 2w}
  approval: recorded
allow:
  - {guard: max_people_losing_access, for: idp_groups/A, up_to: 40, until: 2026-12-05, reason: CHG-4411}
watch: {roles: [Org admin]}
reports: {people: masked}
access_tests:
  - {name: a, person: {groups: [Writer-Marketing]}, expect: [{team: Marketing, role: Member}], never: [org_admin]}
  - {name: b, person: IT-lead@acme.com, has: org_admin}
  - {name: c, role: org_admin, granted_by_only: [Writer-Admins]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "rolecall.yaml").write_text(EVERYTHING, encoding="utf-8")
    (tmp_path / "okta.xml").write_text(f"{METADATA}\r\n", encoding="utf-8")
    return read_config(tmp_path)


def test_settings_are_normalised_values_of_the_model(config: Config) -> None:
    settings = config.desired.settings
    assert settings.domains == {"acme.com": Domain(True, "approval")}
    assert settings.defaults == Defaults("member", frozenset({"Everyone"}))
    assert settings.sso == Sso(True, "Okta", "okta", False, False, METADATA)
    assert settings.scim == Scim(True, "okta", "new", False, UNSET)
    assert settings.idp_groups == {
        "Writer-Admins": GroupMapping("org_admin", frozenset({"IT"})),
        "Writer-Marketing": GroupMapping("member", frozenset({"Marketing"})),
        "Contractors": GroupMapping("member", frozenset({"Marketing", "Legal"})),
        "All-Staff": BLANK,
        "Interns": BLANK,
    }


def test_intents_carry_what_is_said_about_an_address(config: Config) -> None:
    def intent(at: str) -> Intent:
        return config.desired.intent(Address(at))

    assert intent("idp_groups/Writer-Admins") == Intent(
        Where("rolecall.yaml", 19, 3), owner="it-lead@acme.com", reason="SEC-1201", protect=True
    )
    assert intent("idp_groups/Writer-Marketing").previously == ("Mktg-Writers",)
    assert intent("idp_groups/Contractors").expires == date(2026, 12, 31)
    assert intent("idp_groups/Contractors").id == "5f0c"
    assert intent("idp_groups/Interns").owner == "hr@acme.com"
    assert intent("idp_groups/All-Staff") == Intent(Where("rolecall.yaml", 22, 3))
    assert intent("domains/acme.old").remove
    assert intent("scim").source == Where("rolecall.yaml", 17, 1)


def test_policy_is_parsed_whole(config: Config) -> None:
    policy = config.desired.policy
    assert policy.managing("domains") == "authoritative"
    assert policy.managing("idp_groups") == "additive"
    assert policy.ignore == (Ignore("idp_groups/tmp-*", "sandbox", date(2027, 3, 31), Where("rolecall.yaml", 11, 5)),)
    guards = policy.guards
    assert (guards.min_org_admins, guards.require_self, guards.approval) == (2, False, "recorded")
    assert guards.required_org_admins == ("breakglass@acme.com",)
    assert guards.max_people_losing_access == Band(Limit(10), Limit(2.5, percent=True))
    assert guards.max_removals == Band(Limit(1), Limit(30, percent=True))
    assert guards.escalations == {"team_admin": "review", "org_admin": "review", "custom": "deny"}
    assert guards.observed_age == Band(Limit(14))
    assert policy.allow == (
        Allow(
            "max_people_losing_access",
            "idp_groups/A",
            40,
            date(2026, 12, 5),
            "CHG-4411",
            Where("rolecall.yaml", 33, 5),
        ),
    )
    assert policy.watch_roles == {"org_admin"}
    assert policy.sources["guards.approval"] == Where("rolecall.yaml", 31, 3)


def test_access_tests_are_parsed_with_roles_as_ids(config: Config) -> None:
    persona, person, role = config.desired.policy.access_tests
    assert persona.groups == ("Writer-Marketing",)
    assert persona.expect == {TeamRole("Marketing", "member")}
    assert persona.never == ("org_admin",)
    assert person.person == "it-lead@acme.com"
    assert person.has == ("org_admin",)
    assert (role.role, role.granted_by_only) == ("org_admin", ("Writer-Admins",))


def test_targets_hold_references_and_never_secrets(config: Config) -> None:
    assert config.org.kind == "https"
    assert config.org.token == SecretRef("env", "ROLECALL_TOKEN", Where("rolecall.yaml", 6, 3))
    assert config.people == PeopleSource(
        kind="okta",
        at="https://acme.okta.com",
        app="0oa1",
        token=SecretRef("file", "okta.token", Where("rolecall.yaml", 7, 52)),
        source=Where("rolecall.yaml", 7, 1),
    )
    assert config.journal.url == SecretRef("env", "JOURNAL_URL", Where("rolecall.yaml", 8, 11))
    assert config.journal.keep_days == 42
    assert config.reports_people == "masked"


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_text("version: 1\norg: {name: a, url: 'local:org.db'}\n", encoding="utf-8")
    config = read_config(tmp_path)
    assert config.people == PeopleSource()
    assert config.journal == JournalTarget("sqlite:.rolecall/journal.db", 730)
    assert config.journal.is_default
    assert config.desired.settings.domains is UNSET
    assert (config.org.kind, config.org.path) == ("local", "org.db")


def test_absent_and_empty_sections_differ(tmp_path: Path) -> None:
    head = "version: 1\norg: {name: a, url: 'local:org.db'}\n"
    (tmp_path / "rolecall.yaml").write_text(f"{head}domains: {{}}\n", encoding="utf-8")
    settings = read_config(tmp_path).desired.settings
    assert settings.domains == {}
    assert settings.idp_groups is UNSET


def test_the_digest_follows_what_the_config_means(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        (tmp_path / "rolecall.yaml").write_text(text, encoding="utf-8")
        return read_config(tmp_path).digest

    head = "version: 1\norg: {name: a, url: 'local:org.db'}\n"
    one = digest(f"{head}defaults: {{role: member, teams: [A]}}\n")
    assert one == digest(f"# why\n{head}defaults:\n  teams: ['A']\n  role: member\n")
    assert one != digest(f"{head}defaults: {{role: member, teams: [B]}}\n")


def test_all_errors_are_raised_together(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_text("version: 1\norg: {name: a}\nscim: {enabled: maybe}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path)
    assert len(caught.value.problems) == 2
