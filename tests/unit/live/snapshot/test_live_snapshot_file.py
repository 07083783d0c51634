"""Test invalid snapshot files: each mistake is reported with its place, never as a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rolecall.codec.snapshot import decode_snapshot
from rolecall.errors import ConfigError, Problem, Where
from rolecall.live.snapshot.file import MOST_PROBLEMS, read_snapshot
from rolecall.live.snapshot.reader import decode_snapshot_people

ORG = {"snapshot": 1, "org": {"id": "org_1"}}


def problems(tmp_path: Path, content: bytes | str | dict[str, Any], name: str = "org.json") -> tuple[Problem, ...]:
    path = tmp_path / name
    text = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        read_snapshot(path)
    assert all(problem.where is not None and problem.where.file == str(path) for problem in caught.value.problems)
    return caught.value.problems


def test_a_good_file_comes_back_as_it_is(tmp_path: Path) -> None:
    for name in ("org.json", "org"):
        path = tmp_path / name
        path.write_text(json.dumps(ORG), encoding="utf-8-sig")
        assert read_snapshot(path).value == ORG


@pytest.mark.parametrize(
    "content, code",
    [
        (b"", "json"),
        (b"\xff\xfe{\x00}\x00", "encoding"),
        (b"\x00\x01\x02\xff", "encoding"),
        (b'{"snapshot": 1,', "json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"snapshot": 1, "snapshot": 1}', "duplicate_key"),
        (b'{"snapshot": NaN}', "json"),
        (b'{"snapshot": 1, "org": {"id": "o"}, "teams": ["\\ud800"]}', "json"),
        (b"[]", "snapshot_invalid"),
        (b"null", "snapshot_invalid"),
    ],
)
def test_bad_bytes(tmp_path: Path, content: bytes, code: str) -> None:
    assert [problem.code for problem in problems(tmp_path, content)] == [code]


@pytest.mark.parametrize("name", ["no.json", "no.yaml", "no", "folder"])
def test_a_missing_file_and_a_directory(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError) as caught:
        read_snapshot(tmp_path / name)
    assert [problem.code for problem in caught.value.problems] == ["unreadable"]


def test_a_syntax_error_has_its_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, '{\n  "snapshot": oops\n}')
    assert problem.where is not None
    assert (problem.where.line, problem.where.column) == (2, 15)


def test_an_unknown_key_has_its_path_and_a_near_match(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, ORG | {"idp_groups": {"A": {"role": "member", "taems": []}}})
    assert "taems" in problem.message
    assert problem.hint == "did you mean `teams`?"


def test_yaml_has_lines_and_columns(tmp_path: Path) -> None:
    (problem,) = problems(
        tmp_path, "snapshot: 1\norg: {id: o}\nidp_groups:\n  A: {role: membr, teams: [B]}\n", "o.yaml"
    )
    assert problem.where == (str(tmp_path / "o.yaml"), 4, 13)
    assert problem.hint == "did you mean `member`?"


def test_yaml_and_json_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "org"
    path.write_text("snapshot: 1\norg: {id: org_1}\n")
    assert read_snapshot(path).value == ORG


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, ORG | {"taken_at": "soon", "defaults": {"teams": []}, "scim": {"enabled": "yes"}})
    assert len(found) == 3


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"snapshot": 2}, "format version `2` is not supported; write `snapshot: 1`, or update rolecall"),
        ({"org": {}}, "`id` is missing"),
        ({"scim": {"enabled": "yes"}}, 'must be true or false, not `"yes"`'),
        ({"scim": {"endpoint": "upgradin"}}, "did you mean `upgrading`?"),
        ({"coverage": {"domains": "all"}}, "use one of: complete, partial, unread"),
        ({"taken_at": "today"}, "write it like `2026-11-22T10:00:00Z`"),
        ({"defaults": {"role": "member", "teams": []}}, "is empty"),
        ({"teams": {}}, "must be a list, not a map"),
        ({"org": []}, "must be a map, not a list"),
        ({"scim": {"endpoint": "x" * 58}}, f'`"{"x" * 58}"`'),
        ({"scim": {"endpoint": "x" * 59}}, f'`"{"x" * 58}…`'),
        ({"teams": [""]}, "a name cannot be empty"),
        ({"people": [{"email": "a@b.c", "manual": [{"team": "B"}]}]}, "`role` is missing"),
        ({"people": [{"email": "a@b.c", "origin": "ldap"}]}, "use one of: scim, saml, invite, discovery"),
        ({"sso": {"enabeld": True}}, "did you mean `enabled`?"),
        ({"org": {"id": "o", "counts": {"people": -1}}}, "cannot be `-1`"),
    ],
    ids=range(16),
)
def test_what_the_schema_refuses_is_said_in_plain_words(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    (problem,) = problems(tmp_path, ORG | changes)
    assert words in f"{problem.message}; {problem.hint}"


def test_each_key_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_snapshot(path)
    assert {item.message for item in refused.value.problems} == {"`snapshot` is missing", "`org` is missing"}


def test_a_file_that_is_wrong_throughout_is_told_in_part(tmp_path: Path) -> None:
    found = problems(tmp_path, ORG | {"domains": {f"d{n}.com": None for n in range(2000)}})
    assert len(found) == MOST_PROBLEMS


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"domains": {"acme.com": {}, "ACME.com": {}}}, "the same name"),
        ({"domains": {"no domain": {}}}, "is not a domain name"),
        ({"idp_groups": {"Caf\u00e9": "blank", "Cafe\u0301": "blank"}}, "the same name"),
        ({"idp_groups": {" ": "blank"}}, "cannot be empty"),
        ({"idp_groups": {"A": {"role": "membr", "teams": ["B"]}}}, "unknown role `membr`"),
        ({"defaults": {"role": "owner", "teams": ["B"]}}, "unknown role `owner`"),
        ({"coverage": {"sso": "complete"}}, "this file has no `sso`"),
    ],
)
def test_what_a_schema_cannot_say(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    (problem,) = problems(tmp_path, ORG | changes)
    assert words in problem.message


def test_a_role_is_known_by_its_word_and_when_listed(tmp_path: Path) -> None:
    path = tmp_path / "org.json"
    groups = {"A": {"role": "Org admin", "teams": ["IT"]}, "B": {"role": "Editor", "teams": ["IT"]}}
    path.write_text(json.dumps(ORG | {"roles": [{"id": "editor", "name": "Editor"}], "idp_groups": groups}))
    assert read_snapshot(path).value["idp_groups"] == groups


@pytest.mark.parametrize("people", ["../people.jsonl", "/etc/hostname"])
def test_users_outside_the_folder_of_a_snapshot_are_not_read(tmp_path: Path, people: str) -> None:
    path = tmp_path / "folder" / "org.json"
    path.parent.mkdir()
    snapshot = decode_snapshot(ORG | {"people": people})
    with pytest.raises(ConfigError) as caught:
        decode_snapshot_people(snapshot, path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("outside", Where(str(path)))
    assert people in problem.message
    assert problem.hint
