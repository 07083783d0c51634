"""Test tables of groups as browsers copy them and as spreadsheets save them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.jobs.observe_table import Known, read_csv, read_paste, split_teams, write_csv
from rolecall.model.roles import BUILT_IN, Role

KNOWN = Known(
    frozenset({"IT", "Marketing", "Legal", "R, D", "R"}), {**BUILT_IN, "editor": Role("editor", "Content editor")}
)
ADMINS = {"role": "org_admin", "teams": ["IT"]}

PASTES = {
    "cells parted by tabs, with a heading": (
        "IdP group\tRole\tTeams\tMembers\t\nAdmins\tOrg admin\tIT\t1,204\tEdit\nStaff\t—\t—\t\tEdit\n",
        {"Admins": {**ADMINS, "members": 1204}, "Staff": "blank"},
    ),
    "columns in another order": ("Team\tGroup name\tRole\nIT\tAdmins\tOrg admin\n", {"Admins": ADMINS}),
    "no heading": ("Admins\tOrg admin\tIT\nStaff\t\t\n", {"Admins": ADMINS, "Staff": "blank"}),
    "windows line ends and blank lines": ("\r\nAdmins\tOrg admin\tIT\r\n\r\n", {"Admins": ADMINS}),
    "each cell on a line of its own": (
        "IdP group\nRole\nTeams\nAdmins\nOrg admin\nIT\nEdit\nStaff\n—\n—\nEdit\n"
        "Both\nMember\nLegal\nMarketing\nEdit\n",
        {"Admins": ADMINS, "Staff": "blank", "Both": {"role": "member", "teams": ["Legal", "Marketing"]}},
    ),
    "names alone": ("Group\nAdmins\nStaff\n", {"Admins": "blank", "Staff": "blank"}),
    "a team with a comma in its name": (
        "A\tMember\tR, D, Legal\n",
        {"A": {"role": "member", "teams": ["Legal", "R, D"]}},
    ),
    "spaces that do not break, and what nobody sees": (
        "IdP\u00a0group\u00a0\tRole\tTeams\r\nAdmins\u200b\u00a0\tOrg\u00a0admin\t\u00a0IT\tEdit\r\n",
        {"Admins": ADMINS},
    ),
    "a cell of several lines, in a browser": (
        "IdP group\tRole\tTeams\nBoth\tMember\tLegal\nMarketing\tEdit\nStaff\t—\t—\tEdit\n",
        {"Both": {"role": "member", "teams": ["Legal", "Marketing"]}, "Staff": "blank"},
    ),
    "a cell of several lines, in a spreadsheet": (
        'IdP group\tRole\tTeams\nBoth\tMember\t"Legal\nMarketing"\n"Staff ""all"""\t\t\n',
        {"Both": {"role": "member", "teams": ["Legal", "Marketing"]}, 'Staff "all"': "blank"},
    ),
    "a column of boxes to tick": (
        "\tName\tRole\tTeam\n\tAdmins\tOrg admin\tIT\n\tStaff\t\t\n",
        {"Admins": ADMINS, "Staff": "blank"},
    ),
    "the page around the table": (
        "IdP groups\nShowing 1–2 of 2\nName\tRole\tTeam\tActions\n"
        "Admins\tOrg admin\tIT\t⋮\nStaff\tSelect role\tSelect team\t⋮\n",
        {"Admins": ADMINS, "Staff": "blank"},
    ),
    "a table of Markdown": (
        "| Group | Role | Teams |\n|:--|---|---|\n| Admins | Org admin | IT |\n| Staff | | |\n",
        {"Admins": ADMINS, "Staff": "blank"},
    ),
    "columns parted by spaces": (
        "Group      Role        Teams\nAdmins     Org admin   IT\nAll staff  –           –\n",
        {"Admins": ADMINS, "All staff": "blank"},
    ),
    "CSV": ("group,role,teams\nAdmins,Org admin,IT\nStaff,,\n", {"Admins": ADMINS, "Staff": "blank"}),
    "a group called like a button": (
        "Edit\tMember\tLegal\tEdit\n",
        {"Edit": {"role": "member", "teams": ["Legal"]}},
    ),
    "a role of the org's own, and a mapping without one": (
        "A\tContent editor\tLegal\nB\t–\tLegal\n",
        {"A": {"role": "editor", "teams": ["Legal"]}, "B": {"teams": ["Legal"]}},
    ),
}


@pytest.mark.parametrize("name", PASTES)
def test_a_paste_is_read(name: str) -> None:
    text, groups = PASTES[name]
    found = read_paste(text, KNOWN)
    assert found.problems == ()
    assert dict(found.groups) == groups


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A\tMember\tMarketng", "no team `Marketng`; did you mean `Marketing`?"),
        ("A\tMembr\tLegal", "no role `Membr`; did you mean `Member`?"),
        ("A\tMember\t—", "the role Member needs at least one team"),
        ("A\tMember\tLegal, +2 more", "`Legal, +2 more` does not show all teams: open the row and enter all of them"),
    ],
)
def test_a_row_that_cannot_be_is_told_with_its_line_and_the_rest_is_read(row: str, message: str) -> None:
    found = read_paste(f"Admins\tOrg admin\tIT\n{row}\n", KNOWN)
    assert dict(found.groups) == {"Admins": ADMINS}
    (problem,) = found.problems
    assert problem.message == f"`A`: {message}"
    assert problem.where is not None
    assert problem.where.line == 2


def test_a_line_that_may_be_a_group_or_not_is_told_and_not_guessed() -> None:
    found = read_paste("Group\tRole\tTeams\nA\tMember\tLegal\nMarketing West\nB\t\t\n", KNOWN)
    assert set(found.groups) == {"A", "B"}
    assert [(one.code, one.where and one.where.line) for one in found.problems] == [("table_alone", 3)]


@pytest.mark.parametrize("text", ["", " \n\n", "Group\tRole\tTeams\n", "Group\n"])
def test_a_paste_without_a_group_is_a_mistake(text: str) -> None:
    """It would say of every mapping that it is gone."""
    assert [one.message for one in read_paste(text, KNOWN).problems] == ["contains no groups"]


@given(st.text(max_size=80))
@settings(max_examples=200)
def test_no_paste_is_too_odd(text: str) -> None:
    found = read_paste(text, KNOWN)
    assert found.groups or found.problems
    assert all(problem.where and problem.where.line >= 0 for problem in found.problems)


def test_a_group_that_comes_twice_is_told() -> None:
    found = read_paste("A\tMember\tLegal\nA\tMember\tIT\n", KNOWN)
    assert "is also on line 1" in found.problems[0].message


def test_csv_is_read_and_written_alike() -> None:
    text = 'group,role,teams\nAdmins,Org admin,IT\nBoth,Member,"Legal;R, D"\nStaff,,\n'
    found = read_csv(text, KNOWN, "g.csv")
    assert found.problems == ()
    assert found.groups["Both"] == {"role": "member", "teams": ["Legal", "R, D"]}
    assert write_csv(found.groups, KNOWN) == text


def test_csv_of_a_spreadsheet_with_semicolons_and_a_mark() -> None:
    found = read_csv("\ufeffgroup;role;teams\nAdmins;Org admin;IT\n", KNOWN, "g.csv")
    assert dict(found.groups) == {"Admins": ADMINS}


@pytest.mark.parametrize("text", ["", "Admins,Org admin,IT\n"])
def test_csv_without_a_heading_is_refused(text: str) -> None:
    assert read_csv(text, KNOWN, "g.csv").problems[0].message == "has no header line"


def test_homonyms_are_kept_apart_by_their_ids() -> None:
    found = read_csv("group,role,teams,id\nA,Member,IT,1\nA,,,2\n", KNOWN, "g.csv")
    assert found.groups == {"A": {"role": "member", "teams": ["IT"], "id": "1"}, "A [2]": {"id": "2"}}


def test_teams_that_start_alike_are_told_apart() -> None:
    assert split_teams("R, R, D, IT", KNOWN) == ["R", "R, D", "IT"]


def test_teams_of_a_csv_may_have_commas_between_where_the_teams_are_known() -> None:
    text = 'group,role,teams\nA,Member,"Brand, Legal"\nB,Member,"R, D"\nC,Member,"Brand, Lega"\n'
    table = read_csv(text, Known(frozenset({"Brand", "Legal", "R, D"})), "groups.csv")
    assert table.groups["A"]["teams"] == ["Brand", "Legal"]
    assert table.groups["B"]["teams"] == ["R, D"]
    assert "C" not in table.groups
    assert len(table.problems) == 1
