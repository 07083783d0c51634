"""Test that `export --update` replaces the commented samples of `init` with sections."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from rolecall.desired.build import read_config
from rolecall.jobs.init import Answers, config_text
from rolecall.jobs.samples import without_samples

BEFORE = config_text(Answers("acme", "observed:org.yaml", "entra"))
ADDED = """
domains:
  acme.com: {discoverable: true, join: approval}

defaults:
  role: member
  teams: [Everyone]

sso: {enabled: true}

scim:
  enabled: true

idp_groups:
  # who may do what
  Admins: {role: org_admin, teams: [IT]}

  Staff: blank
"""


def test_every_section_stands_where_its_sample_was() -> None:
    after = without_samples(BEFORE, BEFORE + ADDED)
    for section in yaml.safe_load(ADDED):
        assert f"\n# {section}:" not in after
        assert after.count(f"\n{section}:") == 1
    assert after.index("\n# people:") < after.index("\ndomains:") < after.index("\ndefaults:") < after.index("\nsso:")
    assert after.index("\nidp_groups:") < after.index("\n# guards:") < after.index("\n# access_tests:")
    assert (
        "idp_groups:\n  # who may do what\n  Admins: {role: org_admin, teams: [IT]}\n\n  Staff: blank\n\n# guards:"
        in after
    )
    assert "\n\n\n" not in after
    assert after.endswith("#     never: [org_admin]\n")


def test_a_section_that_was_there_before_stays_where_it_was() -> None:
    before = BEFORE + "\ndefaults:\n  role: member\n  teams: [IT]\n"
    assert without_samples(before, before.replace("IT", "Everyone")) == before.replace("IT", "Everyone")


def test_a_sample_that_was_edited_stays() -> None:
    before = BEFORE.replace(
        "# defaults: {role: member, teams: [Everyone]}", "# defaults: {role: member, teams: [Ours]}"
    )
    after = without_samples(before, before + ADDED)
    assert "# defaults: {role: member, teams: [Ours]}" in after
    assert "\ndefaults:\n  role: member\n  teams: [Everyone]\n" in after
    assert "# domains:" not in after


def test_line_ends_stay() -> None:
    after = without_samples(BEFORE.replace("\n", "\r\n"), (BEFORE + ADDED).replace("\n", "\r\n"))
    assert after == without_samples(BEFORE, BEFORE + ADDED).replace("\n", "\r\n")


def test_a_last_line_without_an_end_is_not_lost() -> None:
    after = without_samples(BEFORE, BEFORE + "\ndefaults:\n  role: member")
    assert "\ndefaults:\n  role: member\n" in after


def test_the_samples_of_writers_own_apis_are_valid_where_an_org_can_have_them(tmp_path: Path) -> None:
    for url, expected in (("observed:org.yaml", 2), ("https://writer.acme.com", 2), ("local:org.db", 0)):
        text = config_text(Answers("acme", url, "okta"))
        uncommented, number = re.subn(r"^# (?=(?:audit|usage): )", "", text, flags=re.MULTILINE)
        assert number == expected
        (tmp_path / "rolecall.yaml").write_text(uncommented)
        config = read_config(tmp_path)
        assert [target and target.writer for target in (config.audit, config.usage)] == (
            ["123456"] * 2 if expected else [None] * 2
        )
