"""Test names that the org does not have, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.desired.build import read_config
from rolecall.desired.references import references, with_role_ids
from rolecall.errors import Where
from rolecall.model.live import Facts, Group
from rolecall.model.policy import TeamRole
from rolecall.model.roles import BUILT_IN, Role

HEAD = "version: 1\norg: {name: a, url: 'local:org.db'}\n"
ROLES = {**BUILT_IN, "brand_editor": Role("brand_editor", "Brand editor")}
FACTS = Facts(
    teams=frozenset({"Marketing", "Legal", "Everyone"}),
    roles=ROLES,
    groups={"Writer-Marketing": Group("g1"), "Writer-Legal": Group("g2")},
)


def problems(folder: Path, text: str, facts: Facts = FACTS) -> list[str]:
    (folder / "rolecall.yaml").write_text(HEAD + text, encoding="utf-8")
    return [str(problem) for problem in references(read_config(folder), facts)]


def test_names_that_are_there_are_no_problem(tmp_path: Path) -> None:
    text = """\
defaults: {role: member, teams: [Everyone]}
idp_groups:
  Writer-Legal: {role: Brand editor, teams: [Legal]}
  Late-Group: {role: member, teams: [" Marketing "]}
"""
    assert problems(tmp_path, text) == []


def test_an_unknown_team_names_its_item_and_a_near_one(tmp_path: Path) -> None:
    text = """\
defaults: {role: member, teams: [Everyone, Staff]}
idp_groups:
  Writer-Legal:
    role: member
    teams:
      - Legal
      - Marketign
"""
    assert problems(tmp_path, text) == [
        "rolecall.yaml:3:44: the org has no team `Staff`. Choose one of the org's teams: Everyone, Legal, Marketing",
        "rolecall.yaml:9:9: the org has no team `Marketign`. Did you mean `Marketing`?",
    ]


def test_an_unknown_role_is_told_wherever_it_stands(tmp_path: Path) -> None:
    text = """\
defaults: {role: membre, teams: [Everyone]}
idp_groups:
  Writer-Legal: {role: admin, teams: [Legal]}
watch: {roles: [org_admin, Brand-editor]}
access_tests:
  - {name: t, person: a@b.c, never: [team_admni]}
"""
    found = problems(tmp_path, text)
    assert [line.split(": the")[0] for line in found] == [
        "rolecall.yaml:3:18",
        "rolecall.yaml:5:24",
        "rolecall.yaml:6:28",
        "rolecall.yaml:8:5",
    ]
    assert "Did you mean `member`?" in found[0]


def test_a_misspelt_group_is_a_warning_and_a_new_one_is_not(tmp_path: Path) -> None:
    text = """\
idp_groups:
  Writer-Marketin: {role: member, teams: [Marketing]}
  Something-Else: {role: member, teams: [Marketing]}
  Writer-Lega: blank
  Pinned-Legal: {role: member, teams: [Legal], id: g2}
"""
    (tmp_path / "rolecall.yaml").write_text(HEAD + text, encoding="utf-8")
    (problem,) = references(read_config(tmp_path), FACTS)
    assert problem.severity == "warning"
    assert problem.where == Where("rolecall.yaml", 4, 3)
    assert problem.hint == "did you mean `Writer-Marketing`?"


def test_teams_that_could_not_be_read_are_not_checked(tmp_path: Path) -> None:
    assert problems(tmp_path, "defaults: {role: member, teams: [Nobody]}\n", Facts(teams=None)) == []


def test_the_consoles_words_become_ids_once_the_org_is_known(tmp_path: Path) -> None:
    text = """\
defaults: {role: brand editor, teams: [Everyone]}
idp_groups:
  A: {role: Brand editor, teams: [Legal]}
  B: {role: member, teams: [Legal]}
watch: {roles: [Brand editor]}
access_tests:
  - {name: t, person: a@b.c, never: [Brand editor], has: [{team: Legal, role: Brand editor}]}
"""
    (tmp_path / "rolecall.yaml").write_text(HEAD + text, encoding="utf-8")
    desired = with_role_ids(read_config(tmp_path).desired, ROLES)
    assert desired.settings.defaults.role == "brand_editor"
    assert [mapping.role for mapping in desired.settings.idp_groups.values()] == ["brand_editor", "member"]
    assert desired.policy.watch_roles == {"brand_editor"}
    assert desired.policy.access_tests[0].never == ("brand_editor",)
    assert desired.policy.access_tests[0].has == (TeamRole("Legal", "brand_editor"),)


@pytest.mark.parametrize("count", [30])
def test_near_matches_are_bounded(tmp_path: Path, count: int) -> None:
    text = "idp_groups:\n" + "".join(f"  Writer-Marketing{n}: {{role: member, teams: [Legal]}}\n" for n in range(count))
    assert len(problems(tmp_path, text)) == 20
