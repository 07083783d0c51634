"""Test users from CSV and JSON lines, and the mistakes that spreadsheets make."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.errors import ConfigError, Problem
from rolecall.live.people.file import PeopleFile, decode_csv
from rolecall.model.directory import EVERYBODY, PLAIN, Directory, Person, Traits
from rolecall.model.policy import TeamRole


def decoded(text: str) -> list[Person]:
    directory = decode_csv(text.encode(), "people.csv")
    return [directory.person(number) for number in range(len(directory))]


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        decode_csv(text if isinstance(text, bytes) else text.encode(), "people.csv")
    assert all(problem.where and problem.where.file == "people.csv" for problem in caught.value.problems)
    return caught.value.problems


def person(email: str, *groups: str, traits: Traits = PLAIN) -> Person:
    return Person(email, email, groups, traits)


def test_a_csv_with_everything() -> None:
    found = decoded(
        "email,groups,origin,active,pending,role_attribute\n"
        "Ann@acme.com,Admins;Staff,scim,true,,admin\n"
        "bo@acme.com,,SAML,no,,\n"
        'cy@acme.com,"A, B",discovery,,yes,\n'
    )
    assert found == [
        person("ann@acme.com", "Admins", "Staff", traits=Traits(role_attribute="admin")),
        person("bo@acme.com", traits=Traits("saml", active=False)),
        person("cy@acme.com", "A, B", traits=Traits("discovery", pending=True)),
    ]


def test_only_an_address_and_groups_must_be_there() -> None:
    assert decoded("Email,Groups\nann@acme.com,A") == [person("ann@acme.com", "A")]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffemail,groups\r\nann@acme.com,A;B\r\n",
        "email;groups\nann@acme.com;A|B\n",
        "email\tgroups\nann@acme.com\tA;B\n",
        "\n".join(["groups,UserPrincipalName", "A ; B,ann@acme.com", "", " , "]),
        "User name,Group name\nann@acme.com,A\nANN@acme.com,B\n",
        "email,groups,department\nann@acme.com,A;;B;,Sales\n",
    ],
    ids=["excel", "semicolons", "tabs", "order and blanks", "a line for each group", "other columns"],
)
def test_the_forms_that_tools_export(text: str) -> None:
    assert decoded(text) == [person("ann@acme.com", "A", "B")]


@pytest.mark.parametrize(
    "text, line, words",
    [
        ("", 0, "has no lines"),
        (" \n\n", 0, "has no lines"),
        (b"email,groups\n\xff,A", 2, "not UTF-8"),
        ("email,groups\na@b.c,A\n".encode("utf-16"), 1, "UTF-16"),
        ("email,groups\na@b.c,A\n".encode("utf-16-le"), 1, "UTF-16"),
        ("\u90f5\u4ef6\uff0c\u7fa4\u7d44".encode("utf-16"), 1, "UTF-16"),
        (b"PK\x03\x04", 1, "is an Excel workbook, not CSV. Save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0", 1, "is an Excel workbook, not CSV. Save it as CSV UTF-8"),
        ("\n<!DOCTYPE html>\n<p>Sign in, please</p>\n", 1, "is a page of HTML or XML, not CSV. Export it again; "),
        ('[{"email": "a@b.c", "groups": []}]', 1, "is JSON, not CSV. Write one object per line, and end the name"),
        ('{"email": "a@b.c", "groups": []}', 1, "is JSON, not CSV. Write one object per line, and end the name"),
        ("name,groups\nann,A\n", 1, "no column for email; the columns are name, groups"),
        ("emial,groups\nann@acme.com,A\n", 1, "Did you mean"),
        (
            "email,gruops\nann@acme.com,A\n",
            1,
            "no column for groups; the columns are email, gruops. Did you mean `groups`?",
        ),
        (f"email,{'x' * 41}\na@b.c,A\n", 1, f"the columns are email, {'x' * 40}. "),
        (
            f"email,{','.join('abcdefghijklmnopqrstu')}\n",
            1,
            f"the columns are email, {', '.join('abcdefghijklmnopqrs')}. ",
        ),
        ("email,mail,groups\na@b.c,a@b.c,A\n", 1, "has two columns for email: `email` and `mail`"),
        ("email,Group name,memberOf\na@b.c,A,A\n", 1, "two columns for groups: `Group name` and `memberOf`"),
        ("email,groups,statsu\na@b.c,A,ACTIVE\n", 1, "the column `statsu` is not read. Did you mean `status`?"),
        ("email,groups\n,A\n", 2, "`email` is empty"),
        ("mail,userPrincipalName,groups\n,,A\n", 2, "`mail` and `userPrincipalName` are empty"),
        ("email,groups\nann,A\n", 2, "not an email address"),
        ("email,active,groups\nann@acme.com,maybe,A\n", 2, "neither true"),
        ("email,status,groups\nann@acme.com,GONE,A\n", 2, "`status` is `GONE`"),
        ("email,origin,groups\n\nann@acme.com,ldap,A\n", 3, "`origin`"),
        ("email,active,groups\na@b.c,yes,A\nA@b.c,no,B\n", 3, "also on line 2"),
        ('email,groups\na@b.c,"A\n', 2, "not CSV"),
        ('email,groups\na@b.c,"A"x\n', 2, "not CSV"),
        ("email,groups\na@b.c,A,B\n", 2, "has 3 cells, but the first line has 2 columns"),
        ("email,groups\na@b.c\n", 2, "has 1 cell, but"),
        ("email,groups,Member type\na@b.c,A,Robot\n", 2, "not a known member type"),
    ],
    ids=range(31),
)
def test_what_is_wrong_has_its_line(text: str | bytes, line: int, words: str) -> None:
    (problem,) = problems(text)
    assert problem.where is not None
    assert problem.where.line == line
    assert words in str(problem)


def test_lines_are_not_compared_with_headings_that_are_wrong() -> None:
    """A title above the headings is one mistake, not one for each line."""
    found = problems("Report of members\n\nemail,groups\na@b.c,A\nb@b.c,A\n")
    assert {problem.where and problem.where.line for problem in found} == {1}
    assert {problem.message.partition(";")[0] for problem in found} == {"no column for email", "no column for groups"}


def test_lines_inside_a_cell_count() -> None:
    (problem,) = problems('email,groups\na@b.c,"A\nB"\nb@b.c,C\n,D\n')
    assert problem.where is not None
    assert problem.where.line == 5


def test_all_lines_are_told_at_once_but_not_without_end() -> None:
    assert len(problems("email,active,groups\n" + "".join(f"p{n}@b.c,?,A\n" for n in range(9)))) == 9
    assert len(problems("email,active,groups\n" + "".join(f"p{n}@b.c,?,A\n" for n in range(999)))) == 50


def test_all_headings_are_told_at_once() -> None:
    found = problems("nmae,active,status\nann,yes,ACTIVE\n")
    assert [problem.message.partition(";")[0] for problem in found] == [
        "has two columns for active: `active` and `status`",
        "no column for email",
        "no column for groups",
    ]


def read(path: Path) -> Directory:
    return asyncio.run(PeopleFile(path.parent, (path.name,)).read_people(EVERYBODY))


def test_an_address_that_is_there_again_has_its_line(tmp_path: Path) -> None:
    """Blank lines, and lines that are no person, count as lines all the same."""
    text = '{"email": "a@b.c", "groups": ["A"]}\n\n{"email": 7}\n{"email": "d@b.c"}\n{"email": "A@b.c"}\n'
    (tmp_path / "p.jsonl").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "p.jsonl")
    assert [(one.where.line, one.code) for one in caught.value.problems if one.where] == [
        (3, "people_invalid"),
        (5, "people_repeated"),
    ]
    assert "see line 1" in caught.value.problems[1].message


def test_json_lines_may_have_manual_edits(tmp_path: Path) -> None:
    row = {"email": "ann@acme.com", "groups": [], "manual": [{"team": "B", "role": "Member"}]}
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    assert read(tmp_path / "p.jsonl").traits(0).manual == (TeamRole("B", "member"),)


@pytest.mark.parametrize("name", ["gone.csv", "gone.jsonl"])
def test_a_file_that_is_missing_is_unread(tmp_path: Path, name: str) -> None:
    """It may be made by a step of a pipeline that did not run; that is no error of the config."""
    directory = read(tmp_path / name)
    assert (directory.coverage.state, directory.coverage.problem) == ("unread", f"{name}: file not found")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "people.csv").mkdir()
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "people.csv")
    assert str(caught.value) == "people.csv: is a folder. Use the path of a file"


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_no_bytes_get_past_a_config_error(data: bytes) -> None:
    with contextlib.suppress(ConfigError):
        assert all(decode_csv(b"email,groups\n" + data, "people.csv").emails)


def test_of_many_headings_the_first_twenty_are_listed() -> None:
    message = problems(",".join(f"c{at}x" for at in range(21)) + "\n")[0].message
    assert "c19x" in message
    assert "c20x" not in message


@pytest.mark.parametrize("lines", [1, 2])
def test_lines_with_two_addresses_are_counted_and_the_first_is_shown(tmp_path: Path, lines: int) -> None:
    rows = "".join(f"u{at}@acme.com,u{at}@mail.example,A\n" for at in range(lines))
    (tmp_path / "p.csv").write_text(f"email,login,groups\n{rows}", encoding="utf-8")
    directory = asyncio.run(PeopleFile(tmp_path, ("p.csv",)).read_people(EVERYBODY))
    (note,) = [note for note in directory.notes if note.code == "people_addresses"]
    assert note.message.startswith(f"{lines} line{'s' if lines > 1 else ''} ")
    assert "u0@mail.example" in note.message


@pytest.mark.parametrize("pattern", ["", "none/*.csv", "none/**.csv", "none**/b*.csv", "/none/*.csv"])
def test_a_pattern_that_matches_no_file_leaves_users_unread(tmp_path: Path, pattern: str) -> None:
    directory = PeopleFile(tmp_path, (pattern,), several=True).read()
    assert (directory.coverage.state, directory.coverage.problem) == ("unread", f"no file matches `{pattern}`")
