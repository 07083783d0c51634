"""Test saved plans: read back unchanged, and refused if they were edited."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from workbench import WANTED, Workbench

from rolecall.errors import ConfigError, RolecallError, Stale
from rolecall.jobs.saved import MOST, as_edited, differences, plan_json, plan_of_text, read_plan
from rolecall.outside.files import write_file
from rolecall.plan.saved.digest import digest, document, parts_of
from rolecall.plan.saved.encode import encode_plan


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Workbench:
    return Workbench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def plan(bench):
    return bench.plan(WANTED)


def saved(folder: Path, plan, edit=lambda said: None) -> Path:
    said = json.loads(plan_json(plan))
    edit(said)
    path = folder / "plan.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    return path


def test_a_plan_comes_back_as_it_was_even_reformatted(plan, tmp_path):
    found = read_plan(saved(tmp_path, plan))
    assert digest(found) == digest(plan)
    assert found.changes == plan.changes
    assert found.guards == plan.guards


def test_each_change_and_each_user_has_a_line(plan):
    text, content = plan_json(plan), encode_plan(plan)
    assert json.loads(text) == json.loads(json.dumps({**content, "parts": parts_of(content)}))
    lines = text.splitlines()
    assert content["changes"]
    assert all(f"  {json.dumps(change, separators=(',', ':'))}" in map(_item, lines) for change in content["changes"])
    assert any(line.startswith(' "digest": "') for line in lines)


def _item(line: str) -> str:
    return line.removesuffix(",")


EDITS = {
    "changes": lambda said: said["changes"][0]["after"].update(role="org_admin"),
    "desired": lambda said: said["desired"]["settings"]["idp_groups"].popitem(),
    "guards": lambda said: said["guards"].clear(),
    "expires_at": lambda said: said.update(expires_at="2099-01-01T00:00:00+00:00"),
    "org": lambda said: said["org"].update(id="org_2"),
    "impact": lambda said: said["impact"].update(lose=0),
    "errored": lambda said: said.update(errored=True),
}


@pytest.mark.parametrize("part", EDITS)
def test_an_edited_plan_says_which_part_was_edited(plan, tmp_path, part):
    path = saved(tmp_path, plan, EDITS[part])
    with pytest.raises(Stale) as refused:
        read_plan(path)
    assert [problem.code for problem in refused.value.problems] == ["edited"]
    assert f"`{part}`" in str(refused.value)


def test_without_the_hashes_it_was_edited_too(plan, tmp_path):
    with pytest.raises(Stale, match="hashes of its parts are missing"):
        read_plan(saved(tmp_path, plan, lambda said: said.pop("parts")))


def test_a_part_added_by_hand_is_an_edit(plan, tmp_path):
    with pytest.raises(Stale, match="`note`"):
        read_plan(saved(tmp_path, plan, lambda said: said.update(note="x")))


def test_an_edit_with_its_hashes_made_anew_is_found_by_the_digest(plan, tmp_path):
    def edit(said):
        from rolecall.plan.saved.digest import parts_of

        said["changes"][0]["after"]["role"] = "org_admin"
        said["parts"] = parts_of(said)

    with pytest.raises(Stale, match="its digest is"):
        read_plan(saved(tmp_path, plan, edit))


def test_an_unknown_major_is_refused_and_a_minor_is_not(plan, tmp_path):
    with pytest.raises(Stale, match=r"has format 2\.0"):
        read_plan(saved(tmp_path, plan, lambda said: said.update(format_version="2.0")))
    text = json.dumps({**encode_plan(plan), "format_version": "1.7"})
    assert plan_of_text(text, "run 1").changes == plan.changes


def test_what_is_no_plan_is_no_edited_plan(tmp_path):
    path = tmp_path / "x.json"
    for text in ("[]", "{}", '{"format_version": "1.0"}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError):
            read_plan(path)
        assert as_edited(path) is None


def misshapen(edit):
    def reshape(said):
        from rolecall.plan.saved.digest import parts_of

        edit(said)
        said["parts"] = parts_of(said)

    return reshape


MISSHAPEN = {
    "a role that is a number": lambda said: said["changes"][0]["after"].update(teams=[7]),
    "a test without a name": lambda said: said["desired"]["policy"].update(access_tests=[{}]),
    "a limit of words": lambda said: said["desired"]["policy"]["guards"].update(max_removals="x"),
    "an address of nothing": lambda said: said["changes"][0].update(address=""),
    "a scope that is a number": lambda said: said["relied"].update(people_scope=0),
}


@pytest.mark.parametrize("edit", MISSHAPEN.values(), ids=MISSHAPEN)
def test_a_plan_made_up_by_hand_is_refused_in_words(plan, tmp_path, edit):
    path = saved(tmp_path, plan, misshapen(edit))
    with pytest.raises(ConfigError) as refused:
        read_plan(path)
    assert {problem.where.file for problem in refused.value.problems} == {str(path)}
    assert len(set(map(str, refused.value.problems))) == len(refused.value.problems), refused.value.problems
    assert as_edited(path) is None


def test_half_a_character_is_no_plan(plan, tmp_path):
    with pytest.raises(ConfigError, match="is not a saved plan"):
        read_plan(saved(tmp_path, plan, lambda said: said["org"].update(name="\ud800")))


def test_a_file_that_is_not_there_and_a_pipe_are_no_plans(tmp_path):
    with pytest.raises(ConfigError, match="file not found") as refused:
        read_plan(tmp_path / "x.json")
    assert "rolecall plan --out" in str(refused.value)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="not a regular file"):
        read_plan(tmp_path / "pipe")


def test_a_file_that_cannot_be_written_is_named_as_the_person_named_it(tmp_path):
    with pytest.raises(FileNotFoundError) as refused:
        write_file(tmp_path / "no" / "x.json", "")
    assert refused.value.filename == str(tmp_path / "no" / "x.json")


def test_how_an_edited_plan_differs_from_one_made_again(plan, tmp_path):
    edited = as_edited(saved(tmp_path, plan, EDITS["changes"]))
    told = [problem.message for problem in differences(document(edited), document(plan))]
    assert told == [
        'create idp_groups/Writer-Brand/after/role: approved as "org_admin", now "member"',
    ]


def test_equal_plans_do_not_differ(plan):
    assert differences(document(plan), document(plan)) == ()


def test_changes_that_came_and_went_are_named_whole(plan):
    said = document(plan)
    less = {**said, "changes": said["changes"][1:], "escalated": [["p1", [["IT", "org_admin"]]]]}
    assert [problem.message for problem in differences(said, less)] == [
        "create idp_groups/Writer-Brand: approved, but no longer planned",
        'p1 now gains, without approval, ["org_admin on IT"]',
    ]
    assert "create idp_groups/Writer-Brand: planned now, but not approved" in str(differences(less, said))


def test_a_changed_policy_is_named_by_its_path(plan):
    said = document(plan)
    other = {**said, "policy": {**said["policy"], "guards": {"min_org_admins": 7}}}
    assert "policy/guards" in str(differences(said, other))


def test_many_differences_are_counted(plan):
    said = document(plan)
    many = {**said, "changes": [[f"idp_groups/G{n}", "create", None, {"role": "member"}] for n in range(50)]}
    told = differences(said, many)
    assert len(told) == MOST + 1
    assert told[-1].message == "and 33 more differences"


def test_a_folder_in_the_place_of_a_file_is_named_and_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    for path in (tmp_path / "out", tmp_path / "out" / "."):
        with pytest.raises(IsADirectoryError) as refused:
            write_file(path, "x")
        assert refused.value.filename == str(path)
    assert [item.name for item in tmp_path.rglob("*")] == ["out"]


def test_a_pipe_is_written_to_and_a_link_is_followed(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_file(tmp_path / "pipe", "through")
    assert os.read(reading, 99) == b"through"
    os.close(reading)
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "link").symlink_to("target")
    write_file(tmp_path / "link", "there")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "there"


def nested(depth: int):
    value = []
    for _ in range(depth):
        value = [value]
    return value


ODD = [None, True, -1, 1.5, "x", "", [], {}, [[]], [None], {"a": None}, nested(90), nested(300)]


def places(value, path=()):
    """The path of each part of a JSON value."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in entries:
        yield from places(held, (*path, key))


def put(said, path, value):
    *outer, last = path
    for key in outer:
        said = said[key]
    said[last] = value


@pytest.mark.parametrize("odd", ODD, ids=[str(value)[:12] for value in ODD])
@pytest.mark.parametrize("hashes", ["kept", "made anew"])
def test_a_plan_with_anything_in_the_place_of_a_part_ends_in_an_error(plan, tmp_path, odd, hashes):
    whole = json.loads(plan_json(plan))
    for path in list(places(whole))[1 + ODD.index(odd) :: 29]:
        said = json.loads(json.dumps(whole))
        put(said, path, odd)
        if said == whole:
            continue
        if hashes == "made anew" and path[0] != "parts":
            said["parts"] = parts_of(said)
        file = tmp_path / "plan.json"
        file.write_text(json.dumps(said), encoding="utf-8")
        with suppress(RolecallError):
            read_plan(file)
        edited = as_edited(file)
        if edited is not None:
            assert isinstance(differences(document(edited), document(plan)), tuple)


def test_a_plan_nested_without_end_ends_in_an_error(plan, tmp_path):
    for depth in (128, 200, 900, 100_000):
        text = plan_json(plan).replace('"warnings": ', f'"extra": {"[" * depth}{"]" * depth}, "warnings": ', 1)
        (tmp_path / "deep.json").write_text(text)
        with pytest.raises(RolecallError):
            read_plan(tmp_path / "deep.json")
        with suppress(RolecallError):  # a part that no plan has may be passed over
            plan_of_text(text, "run 1")
