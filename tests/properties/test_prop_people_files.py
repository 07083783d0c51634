"""The law of people files: however an export is written, who is in it is read, or the file is refused.

The same users are written with other headings, columns shuffled and added, quoted or not, with a BOM or without, with
any line end and delimiter, one line a user or one a membership, in one file or one for each group.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rolecall.errors import ConfigError, Problem
from rolecall.live.people.file import PeopleFile
from rolecall.live.people.lines import ACTIVE, INACTIVE
from rolecall.live.people.table import COLUMNS
from rolecall.model import normalise
from rolecall.model.directory import Directory

People = dict[str, tuple[bool, tuple[str, ...]]]
GROUPS = ("Writer-Admins", "Writer Legal", "B\xfcro", "Team {A}", "#1", 'O\'Neil "x"')
emails = st.builds(
    "{}@{}".format,
    st.text("abz.-+_\xdf\xe9'", min_size=1, max_size=6),
    st.sampled_from(["acme.com", "b\xfccher.de", "x.io"]),
)
held = st.tuples(st.booleans(), st.sets(st.sampled_from(GROUPS), max_size=4).map(sorted).map(tuple))
people: st.SearchStrategy[People] = st.dictionaries(emails, held, min_size=1, max_size=6).filter(
    lambda users: any(groups for _, groups in users.values()) and any(active for active, _ in users.values())
)
others = st.dictionaries(
    st.sampled_from(["displayName", "department", "id", "userType", "Manager", "state", "Last login", "surname"]),
    st.text('ab ,;|"\t\n\xe4', max_size=5),
    max_size=4,
)


def one_of(column: str) -> st.SearchStrategy[str]:
    return st.sampled_from(COLUMNS[column]).flatmap(
        lambda heading: st.sampled_from([heading, heading.upper(), heading.replace(" ", "_"), f" {heading} "])
    )


headings = st.fixed_dictionaries(
    {"email": st.one_of(one_of("email"), one_of("login")), "groups": one_of("groups"), "active": one_of("active")}
)


def users_of(directory: Directory) -> People:
    found = (directory.person(number) for number in range(len(directory)))
    return {person.email: (person.traits.active, tuple(sorted(person.groups))) for person in found}


def wanted(users: People) -> People:
    found: People = {}
    for email, (active, groups) in users.items():
        found[normalise.email(email)] = (active, tuple(sorted(map(normalise.name, groups))))
    return found


def lines(draw: Any, users: People, per_membership: bool, sign: str) -> list[dict[str, str]]:
    rows = []
    for email, (active, groups) in users.items():
        states = [*sorted(ACTIVE), "true", "Yes"] if active else [*sorted(INACTIVE), "False", "no"]
        cells = [*groups] if per_membership and groups else [sign.join(groups)]
        rows += [{"email": email, "groups": cell, "active": draw(st.sampled_from(states))} for cell in cells]
    return draw(st.permutations(rows))


def written(draw: Any, rows: list[dict[str, str]], names: dict[str, str], delimiter: str) -> bytes:
    extra = draw(others)
    columns = draw(st.permutations([*names, *(f"+{name}" for name in extra)]))
    out = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow([names.get(column, column[1:]) for column in columns])
    writer.writerows([row[column] if column in row else extra[column[1:]] for column in columns] for row in rows)
    text = out.getvalue() if draw(st.booleans()) else out.getvalue().rstrip("\r\n")
    start = draw(st.sampled_from(["", "\ufeff"])) + (draw(st.sampled_from(["", f"sep={delimiter}{end}"])))
    return f"{start}{text}".encode()


def more(data: st.DataObject) -> dict[str, str]:
    """Other keys of a JSON object; an ``id`` would be read."""
    return {name: value for name, value in data.draw(others).items() if name != "id"}


def read(files: dict[str, bytes], *, several: bool = False) -> Directory:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        names = ("*",) if several else tuple(files)
        return PeopleFile(Path(folder), names, several).with_groups(GROUPS, whole=True).read()


@given(people.filter(lambda users: len(wanted(users)) == len(users)), headings, st.data())
def test_an_export_is_read_however_it_is_written(users: People, names: dict[str, str], data: st.DataObject) -> None:
    delimiter = data.draw(st.sampled_from(",;\t"))
    sign = data.draw(st.sampled_from(["|"] if delimiter == ";" else [";", "; ", ",", "|"]))
    rows = lines(data.draw, users, data.draw(st.booleans()), sign)
    assert users_of(read({"p.csv": written(data.draw, rows, names, delimiter)})) == wanted(users)


@given(people.filter(lambda users: len(wanted(users)) == len(users)), headings, st.data())
def test_json_lines_are_read_under_the_same_headings(users: People, names: dict[str, str], data: st.DataObject) -> None:
    rows = lines(data.draw, users, data.draw(st.booleans()), ";")
    texts = [json.dumps({names[key]: value for key, value in row.items()} | more(data)) for row in rows]
    canonical = set(names.values()) <= {"email", "groups", "active"}
    if not canonical:
        assert users_of(read({"p.jsonl": "\n".join(texts).encode()})) == wanted(users)


def _kept_apart(users: People) -> bool:
    """Whether no two users have one address, and an active one is in a group."""
    return len(wanted(users)) == len(users) and any(active and groups for active, groups in users.values())


@given(people.filter(_kept_apart), headings, st.data())
def test_a_file_for_each_group(users: People, names: dict[str, str], data: st.DataObject) -> None:
    """Whoever is in no group is in no file."""
    rows = lines(data.draw, users, True, ";")
    del names["groups"]
    files = {}
    for group in sorted({row["groups"] for row in rows} - {""}):
        of_group = [row for row in rows if row["groups"] == group]
        files[f"{group}.csv"] = written(data.draw, of_group, names, data.draw(st.sampled_from(",;\t")))
    expected = {email: held for email, held in wanted(users).items() if held[1]}
    assert users_of(read(files, several=True)) == expected


@given(people, headings, st.data())
def test_a_broken_heading_is_never_read_as_nobody(users: People, names: dict[str, str], data: st.DataObject) -> None:
    """A heading that is cut, or has a letter too many, is an error; or that column is listed as ignored."""
    broken = data.draw(st.sampled_from(sorted(names)))
    heading = names[broken].strip()
    names[broken] = data.draw(st.sampled_from([heading[:-1], f"{heading}x", f"my {heading}"]))
    rows = lines(data.draw, users, False, ";")
    directory, problems = attempted({"p.csv": written(data.draw, rows, names, ",")})
    assert all(problem.where and problem.where.line for problem in problems)
    listed = any(names[broken] in note.message for note in directory.notes)
    assert problems or listed or names[broken] in _all_headings()


def attempted(files: dict[str, bytes]) -> tuple[Directory, tuple[Problem, ...]]:
    try:
        return read(files), ()
    except ConfigError as error:
        return Directory(), error.problems


def _all_headings() -> set[str]:
    known = [text for texts in COLUMNS.values() for text in texts]
    return {form for text in known for form in (text, text.upper(), text.replace(" ", "_"))}
