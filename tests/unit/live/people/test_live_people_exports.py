"""Test people files as Okta and Entra export them, with the headings of the products."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from rolecall.errors import ConfigError
from rolecall.live.people.file import PeopleFile, decode_csv
from rolecall.live.people.lines import ACTIVE, INACTIVE, split_groups
from rolecall.model.directory import EVERYBODY, Directory

ENTRA_USERS = (
    "userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,department,accountEnabled,"
    "usageLocation,streetAddress,state,country,physicalDeliveryOfficeName,city,postalCode,telephoneNumber,mobile,"
    "authenticationAlternativePhoneNumber,authenticationEmail,alternateEmailAddress,ageGroup,"
    "consentProvidedForMinor,legalAgeGroupClassification"
)
ENTRA_MEMBERS = "Object ID,User principal name,Display name,Member type"


def users(directory: Directory) -> dict[str, tuple[bool, set[str]]]:
    people = (directory.person(number) for number in range(len(directory)))
    return {person.email: (person.traits.active, set(person.groups)) for person in people}


def read(folder: Path, *names: str, known: tuple[str, ...] = (), several: bool = True, **more: bool) -> Directory:
    source = PeopleFile(folder, names, several, **more)
    if known:
        source = source.with_groups(known, whole=True)
    return asyncio.run(source.read_people(EVERYBODY))


def refused(folder: Path, *names: str, known: tuple[str, ...] = (), several: bool = True) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, *names, known=known, several=several)
    return [str(problem) for problem in caught.value.problems]


def test_okta_group_membership_report() -> None:
    text = (
        "Group name,Group source,Okta username,User fullname,Okta user status,Group membership type\n"
        "Writer-Admins,Okta,ann@acme.com,Ann Lee,Active,Direct\n"
        '"Sales, EMEA",Okta,ann@acme.com,Ann Lee,Active,By Rule\n'
        "Writer-Admins,Okta,bo@acme.com,Bo Ek,Suspended,Direct\n"
        "Writer-Legal,Okta,cy@acme.com,Cy Oh,Password expired,Direct\n"
    )
    directory = decode_csv(text.encode(), "p.csv", known=frozenset({"Writer-Admins", "Sales"}))
    assert users(directory) == {
        "ann@acme.com": (True, {"Writer-Admins", "Sales, EMEA"}),
        "bo@acme.com": (False, {"Writer-Admins"}),
        "cy@acme.com": (True, {"Writer-Legal"}),
    }
    (note,) = directory.notes
    ignored = "ignored columns of the people files: Group source, User fullname, Group membership type"
    assert (note.message, note.severity) == (ignored, "warning")


def test_okta_people_with_their_groups() -> None:
    """As the browser extensions of Okta admins write them: names of the profile, all groups in a cell."""
    text = (
        "id,status,login,email,Group memberships\n"
        '1,ACTIVE,ann@acme.okta.com,ann@acme.com,"Writer-Admins,All"\n'
        "2,DEPROVISIONED,bo@acme.com,bo@acme.com,All\n"
        "3,STAGED,cy@acme.com,,\n"
    )
    directory = decode_csv(text.encode(), "p.csv", known=frozenset({"Writer-Admins", "All"}))
    assert users(directory) == {
        "ann@acme.com": (True, {"Writer-Admins", "All"}),
        "bo@acme.com": (False, {"All"}),
        "cy@acme.com": (False, set()),
    }
    assert [note.message for note in directory.notes] == [
        "ignored columns of the people files: id",
        "1 line has two addresses: `email` ann@acme.com and `login` ann@acme.okta.com; `email` is used",
    ]
    assert directory.notes[1].where == ("p.csv", 2, 1)


@pytest.mark.parametrize("status", [*sorted(ACTIVE | INACTIVE), "Password reset", "locked out"])
def test_every_status_of_okta(status: str) -> None:
    directory = decode_csv(f"login,groups,User status\nann@acme.com,A,{status}\n".encode(), "p.csv")
    assert directory.traits(0).active == (status.upper().replace(" ", "_") in ACTIVE)


def test_entra_user_download_has_no_groups(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(f"{ENTRA_USERS}\r\nann@acme.com{',' * 24}\r\n", encoding="utf-8-sig")
    (problem,) = refused(tmp_path, "users.csv", several=False)
    assert problem.startswith("users.csv:1:1: no column for groups; the columns are userPrincipalName, displayName")
    (problem,) = refused(tmp_path, "*.csv", known=("Writer-Legal",))
    assert problem.startswith("users.csv:1:1: no column `groups`, so the file has the users of the group `users`")


def test_entra_group_downloads(tmp_path: Path) -> None:
    members = tmp_path / "members"
    members.mkdir()
    (members / "Writer-Legal.csv").write_text(
        f"{ENTRA_MEMBERS}\r\n1,ann@acme.com,Ann,User\r\n2,bo_b_partner.com#EXT#@acme.onmicrosoft.com,Bo,User\r\n"
        "3,,Nested,Group\r\n4,,Robot,Service principal\r\n",
        encoding="utf-8-sig",
    )
    (members / "Büro.csv").write_text(
        "id,userPrincipalName,displayName,mail,userType,accountEnabled\n"
        "1,ann@acme.com,Ann,ann@acme.com,Member,True\n"
        "2,bo_b_partner.com#EXT#@acme.onmicrosoft.com,Bo,bo_b@partner.com,Guest,False\n"
    )
    directory = read(tmp_path, "members/*.csv", known=("Writer-Legal", "Büro"))
    assert users(directory) == {
        "ann@acme.com": (True, {"Writer-Legal", "Büro"}),
        "bo_b@partner.com": (False, {"Writer-Legal", "Büro"}),
    }
    assert [note.code for note in directory.notes] == ["people_ignored", "people_no_users"]
    assert directory.notes[1].message == "group members that are not users are left out (2, R29)"


def test_files_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text("mail,accountEnabled\nann@acme.com,True\n")
    (tmp_path / "B.csv").write_text("mail,accountEnabled\n\nANN@acme.com,False\nx,True\n")
    first, second = refused(tmp_path, "*.csv")
    assert first == "B.csv:3:1: ann@acme.com is also on A.csv:2 with a different `active`"
    assert second.startswith("B.csv:4:1: `mail` is `x`")


def test_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("gruops,mail\nA,ann@acme.com\n", encoding="utf-16")
    (tmp_path / "b.csv").write_text("groups,mial\nA,ann@acme.com\n")
    (tmp_path / "c.csv").write_text("groups,mail\nA,ann\n")
    assert [problem[:7] for problem in refused(tmp_path, "*.csv")] == ["a.csv:1", "b.csv:1", "c.csv:2"]


def test_json_lines_under_the_headings_of_an_export(tmp_path: Path) -> None:
    rows = [
        {"login": "ann@acme.com", "status": "ACTIVE", "memberOf": ["A", "B, C"], "manager": None},
        {"login": "ann@acme.com", "memberOf": "D;E", "accountEnabled": None},
        {"login": "bo@acme.com", "status": "SUSPENDED"},
    ]
    (tmp_path / "p.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(ConfigError, match="two columns for active"):
        read(tmp_path, "p.jsonl", several=False)
    del rows[1]["accountEnabled"]
    (tmp_path / "p.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    directory = read(tmp_path, "p.jsonl", several=False)
    assert users(directory) == {"ann@acme.com": (True, {"A", "B, C", "D", "E"}), "bo@acme.com": (False, set())}
    assert [note.message for note in directory.notes] == ["ignored columns of the people files: manager"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"email": "ann@acme.com", "gruops": ["A"]}',
            "no column for groups; the columns are email, gruops. Did you mean",
        ),
        ('{"email": "ann@acme.com"}', "p.jsonl:1:1: no column for groups; the columns are email"),
        ('{"email": "ann@acme.com", "groups": [], "actvie": false}', "`actvie` is not read. Did you mean `active`?"),
        ('{"mail": "ann@acme.com", "groups": 7}', "`groups` is neither text nor a list of names"),
        ('{"mail": "ann@acme.com", "groups": ["A"]}\n[]\nx', "p.jsonl:2:1: is not an object"),
    ],
)
def test_json_lines_that_are_not_understood(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.jsonl").write_text(text)
    assert words in "\n".join(refused(tmp_path, "p.jsonl", several=False))


KNOWN = ("A", "B", "C", "A,B", "X, Y", "A;C")


@pytest.mark.parametrize(
    ("cell", "groups"),
    [
        ("A;B", ["A", "B"]),
        ("B, C", ["B", "C"]),
        ("B|C", ["B", "C"]),
        ("B|C,A", ["B", "C", "A"]),
        ("X, Y", ["X, Y"]),
        ("S, T", ["S, T"]),
        ("A, T;", ["A, T"]),
        ("", []),
        (" ; ", []),
    ],
)
def test_a_cell_is_parted_where_that_is_clear(tmp_path: Path, cell: str, groups: list[str]) -> None:
    (tmp_path / "p.csv").write_text(f'email,groups\na@b.c,"{cell}"\nd@b.c,Z\n')
    assert users(read(tmp_path, "p.csv", known=KNOWN, several=False))["a@b.c"][1] == set(groups)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("A,B", "`A,B` is ambiguous: it is a group, and so are `A`, `B`"),
        ("A;C", "`A;C` is ambiguous: it is a group, and so are `A`, `C`"),
        ("A, T", "`A, T` is not a known group, and neither is its part `T`"),
        ("B|C;A", "`B|C` has a different separator"),
    ],
)
def test_a_cell_that_can_be_read_in_two_ways_is_an_error(tmp_path: Path, cell: str, words: str) -> None:
    (tmp_path / "p.csv").write_text(f'email,groups\na@b.c,"{cell}"\n')
    (problem,) = refused(tmp_path, "p.csv", known=KNOWN, several=False)
    assert problem.startswith("p.csv:2:1: ")
    assert words in problem


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("p.csv", "email,groups\n", "users"),
        ("p.csv", "email,groups\n,\n", "users"),
        ("p.jsonl", "\n", "users"),
        ("p.csv", "email,groups\na@b.c,\nd@b.c,;\n", "memberships in groups"),
        ("p.jsonl", '{"email": "a@b.c", "groups": []}', "memberships in groups"),
    ],
)
def test_nobody_at_all_is_an_error_unless_it_is_allowed(tmp_path: Path, name: str, text: str, what: str) -> None:
    (tmp_path / name).write_text(text)
    (problem,) = refused(tmp_path, name, several=False)
    assert problem.startswith(f"{name}: has no {what}. ")
    assert "allow_empty: true" in problem
    assert len(read(tmp_path, name, several=False, allow_empty=True)) in (0, 1, 2)


def test_no_file_that_matches_is_unread(tmp_path: Path) -> None:
    (tmp_path / ".hidden.csv").write_text("email,groups\na@b.c,A\n")
    assert read(tmp_path, "*.csv").coverage.problem == "no file matches `*.csv`"
    (tmp_path / "A.csv").symlink_to("gone.csv")
    assert read(tmp_path, "*.csv").coverage.problem == "A.csv: file not found"
    (tmp_path / "A.csv").unlink()
    (tmp_path / "A.csv").symlink_to("/etc/hostname")
    assert "is outside" in refused(tmp_path, "*.csv")[0]


@pytest.mark.parametrize("heading", ["Block credential", "Suspended", "Account disabled", "blocked"])
def test_a_column_that_says_who_is_blocked_makes_users_inactive(heading: str) -> None:
    text = f"User principal name,Group name,{heading}\nann@acme.com,A,False\nbo@acme.com,A,True\ncy@acme.com,A,\n"
    active = {email: state for email, (state, _) in users(decode_csv(text.encode(), "p.csv")).items()}
    assert active == {"ann@acme.com": True, "bo@acme.com": False, "cy@acme.com": True}


def test_a_user_who_is_active_and_blocked_is_inactive_and_a_date_is_no_flag() -> None:
    text = "email,groups,enabled,Suspended\nann@acme.com,A,true,yes\n"
    assert users(decode_csv(text.encode(), "p.csv")) == {"ann@acme.com": (False, {"A"})}
    with pytest.raises(ConfigError, match=r"p\.csv:2:1: `Deleted` is `2026-11-02`, which is neither true"):
        decode_csv(b"email,groups,Deleted\nann@acme.com,A,2026-11-02\n", "p.csv")


@pytest.mark.parametrize(
    "cell", ["mailto:bo@acme.com", "Bo Ek <bo@acme.com>", '"bo@acme.com;cy@acme.com"', "bo@@acme.com"]
)
def test_a_cell_with_more_than_an_address_is_an_error(cell: str) -> None:
    with pytest.raises(ConfigError, match=r"p\.csv:2:1: .*not an email address"):
        decode_csv(f"email,groups\n{cell},A\n".encode(), "p.csv")


def test_blanks_after_a_separator_do_not_make_quotes_part_of_a_name() -> None:
    directory = decode_csv(b'email, groups\nann@acme.com, "Sales, EMEA"\n', "p.csv", known=frozenset({"Sales, EMEA"}))
    assert users(directory) == {"ann@acme.com": (True, {"Sales, EMEA"})}


def test_a_file_without_active_users_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("email,groups,status\nann@acme.com,A,Deprovisioned\n")
    assert refused(tmp_path, "p.csv", several=False) == [
        "p.csv: has no active users. Export it again; if this is correct, set `people.allow_empty: true`"
    ]
    assert len(read(tmp_path, "p.csv", several=False, allow_empty=True)) == 1


@pytest.mark.parametrize("pattern", ["members/*.csv", "**/*.csv", "mem*/*.csv"])
def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    (tmp_path / "members").mkdir()
    (tmp_path / "users.csv").write_text("email,groups\nann@acme.com,IT\n", encoding="utf-8")
    list_folder = os.scandir

    def refuse(path: Any = ".") -> Any:
        if Path(path).name == "members":
            raise PermissionError(13, "Permission denied", str(path))
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse)
    directory = read(tmp_path, pattern)

    assert directory.coverage.state == "unread"
    assert "members: this folder cannot be listed" in (directory.coverage.problem or "")


def test_a_value_that_is_no_flag_is_shown_in_short() -> None:
    for text, shown in (("x" * 40, "x" * 40), ("y" * 41, "y" * 40)):
        with pytest.raises(ConfigError) as caught:
            decode_csv(f"email,groups,Blocked\na@b.c,A,{text}\n".encode(), "p.csv")
        assert f"`{shown}`" in str(caught.value)


@pytest.mark.parametrize("text", ["ACTIVE", "SUSPENDED", "maybe"])
def test_only_true_and_false_say_whether_a_user_is_blocked(text: str) -> None:
    with pytest.raises(ConfigError, match="neither true nor false"):
        decode_csv(f"email,groups,Blocked\na@b.c,A,{text}\n".encode(), "p.csv")


def test_a_long_cell_of_groups_is_shown_in_short() -> None:
    cell = f"{'x' * 78},A,B"
    with pytest.raises(ValueError, match="not a known group") as caught:
        split_groups(cell, ";", frozenset({"A", "B"}))
    assert str(caught.value).startswith(f"`{cell[:80]}`")
