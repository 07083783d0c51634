"""`fleet.yaml`: which directories belong to a fleet, their labels, and every problem with its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from rolecall.cli.main import run
from rolecall.errors import Exit, Misuse
from rolecall.fleet.declaration import Fleet, read_fleet
from rolecall.fleet.select import select_orgs
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]
FLEET = 'fleet: 1\norgs: ["orgs/*/*"]\nlabels: {orgs/emea/*: {region: emea}, orgs/*/lab: {tier: canary}}\n'
CONFIG = "version: 1\norg: {{name: {name}, id: {name}-1, url: local:org.db}}\n"
PATHS = ("orgs/apac/lab", "orgs/emea/lab", "orgs/emea/sales")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in PATHS:
        add_org(tmp_path, path)
    (tmp_path / "fleet.yaml").write_text(FLEET, encoding="utf-8")
    return tmp_path


def add_org(folder: Path, path: str, name: str | None = None) -> Path:
    (folder / path).mkdir(parents=True)
    text = CONFIG.format(name=name or path.replace("/", "-"))
    (folder / path / "rolecall.yaml").write_text(text, encoding="utf-8")
    return folder / path


def fleet_of(folder: Path, text: str) -> Fleet:
    (folder / "fleet.yaml").write_text(text, encoding="utf-8")
    return read_fleet(folder)


def problems(fleet: Fleet) -> list[tuple[str, str]]:
    """Each problem's code and place."""
    return [(problem.code, str(problem.where)) for problem in fleet.problems]


def validate(folder: Path, *options: str, code: Exit = Exit.OK) -> None:
    assert run(["-C", str(folder), "fleet", "validate", *options]) == code


def test_orgs_and_their_labels(folder: Path) -> None:
    fleet = read_fleet(folder)

    assert fleet.problems == ()
    assert [org.path for org in fleet.orgs] == list(PATHS)
    assert fleet.orgs[1].labels == {"path": "orgs/emea/lab", "name": "lab", "region": "emea", "tier": "canary"}


def test_the_order_of_globs_changes_no_org(folder: Path) -> None:
    one = fleet_of(folder, 'fleet: 1\norgs: ["orgs/emea/*", "orgs/apac/*", "orgs/*/lab"]\n')
    two = fleet_of(folder, 'fleet: 1\norgs: ["orgs/*/lab", "orgs/apac/*", "orgs/emea/*"]\n')

    assert [(org.path, org.labels) for org in one.orgs] == [(org.path, org.labels) for org in two.orgs]
    assert [org.path for org in one.orgs] == list(PATHS)


REFUSED = [
    ("orgs: [orgs/*/*]\n", "missing_key", "fleet.yaml:1:1"),
    ("fleet: 1\n", "missing_key", "fleet.yaml:1:1"),
    ("fleet: 2\norgs: [orgs/*/*]\n", "version", "fleet.yaml:1:8"),
    ("fleet: true\norgs: [orgs/*/*]\n", "version", "fleet.yaml:1:8"),
    ("fleet: 1\norgs: orgs/*\n", "type", "fleet.yaml:2:7"),
    ("fleet: 1\norgs: []\n", "type", "fleet.yaml:2:7"),
    ("fleet: 1\norgs: [orgs/*/*]\nlabel: {}\n", "unknown_key", "fleet.yaml:3:1"),
    ("fleet: 1\norgs: [orgs/*/*, ../other]\n", "fleet_glob", "fleet.yaml:2:18"),
    ("fleet: 1\norgs: [orgs/*/*, /etc]\n", "fleet_glob", "fleet.yaml:2:18"),
    ("fleet: 1\norgs: [orgs/**]\n", "fleet_glob", "fleet.yaml:2:8"),
    ("fleet: 1\norgs: [orgs/*/*, 7]\n", "fleet_glob", "fleet.yaml:2:18"),
    ("fleet: 1\norgs: [orgs/*/*]\nlabels: [a]\n", "type", "fleet.yaml:3:9"),
    ("fleet: 1\norgs: [orgs/*/*]\nlabels: {orgs/*/*: {}}\n", "type", "fleet.yaml:3:20"),
    ("fleet: 1\norgs: [orgs/*/*]\nlabels: {orgs/*/*: {name: x}}\n", "fleet_label", "fleet.yaml:3:21"),
    ("fleet: 1\norgs: [orgs/*/*]\nlabels: {orgs/*/*: {Tier: x}}\n", "fleet_label", "fleet.yaml:3:21"),
    ("fleet: 1\norgs: [orgs/*/*]\nlabels: {orgs/*/*: {tier: 1}}\n", "fleet_label", "fleet.yaml:3:27"),
    ("fleet: 1\norgs: [orgs/*/*]\nlabels: {orgs/*/*: {tier: 'a,b'}}\n", "fleet_label", "fleet.yaml:3:27"),
    ("[]\n", "type", "fleet.yaml:1:1"),
]


@pytest.mark.parametrize(("text", "code", "place"), REFUSED)
def test_the_schema_and_the_check_refuse_the_same(folder: Path, text: str, code: str, place: str) -> None:
    validator = jsonschema_rs.Draft7Validator(json.loads(schema_text("fleet.schema.json")))

    assert problems(fleet_of(folder, text)) == [(code, place)]
    assert not validator.is_valid(yaml.safe_load(text))
    assert validator.is_valid(yaml.safe_load(FLEET))


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("fleet: 1\norgs: [orgs/*/*, orgs/latam/*]\n", "no_match", "fleet.yaml:2:18"),
        ("fleet: 1\norgs: [orgs/*/*, orgs/emea/gone]\n", "no_match", "fleet.yaml:2:18"),
        ("fleet: 1\norgs: [orgs/*/*, orgs/emea]\n", "fleet_no_config", "fleet.yaml:2:18"),
        ("fleet: 1\norgs: [orgs/*/*]\nlabels: {orgs/emae/*: {a: b}}\n", "no_match", "fleet.yaml:3:10"),
        (
            "fleet: 1\norgs: [orgs/*/*]\nlabels:\n  orgs/*/*: {a: b}\n  orgs/emea/lab: {a: c}\n",
            "fleet_label_twice",
            "fleet.yaml:5:19",
        ),
    ],
)
def test_a_glob_is_checked_with_the_directories(folder: Path, text: str, code: str, place: str) -> None:
    assert problems(fleet_of(folder, text)) == [(code, place)]


def test_links(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = add_org(tmp_path_factory.mktemp("outside"), "other")
    (folder / "orgs" / "emea" / "outside").symlink_to(outside)
    (folder / "orgs" / "emea" / "zz").symlink_to(folder / "orgs" / "emea" / "lab")
    (folder / "orgs" / "emea" / "broken").symlink_to(folder / "gone")
    fleet = read_fleet(folder)

    assert [problem.message for problem in fleet.problems] == [
        "`orgs/emea/broken` is a broken link",
        "`orgs/emea/outside` leads out of the fleet's folder",
        "`orgs/emea/zz` is the same folder as `orgs/emea/lab`",
    ]
    assert [org.path for org in fleet.orgs] == list(PATHS)


def test_hidden_folders_and_files_are_no_orgs(folder: Path) -> None:
    add_org(folder, "orgs/emea/.cache")
    (folder / "orgs" / "emea" / "README.md").write_text("", encoding="utf-8")

    assert [org.path for org in read_fleet(folder).orgs] == list(PATHS)


def test_errors_of_every_org_have_their_place(folder: Path, capsys: Capture) -> None:
    for path in PATHS[:2]:
        with (folder / path / "rolecall.yaml").open("a", encoding="utf-8") as file:
            file.write("domans: {}\n")
    validate(folder, "--format", "json", code=Exit.ERROR)
    body = json.loads(capsys.readouterr().out)

    errors = [problem for problem in body["problems"] if problem["severity"] == "error"]
    assert [(error["file"], error["line"]) for error in errors] == [(f"{path}/rolecall.yaml", 3) for path in PATHS[:2]]
    assert [org["path"] for org in body["orgs"]] == list(PATHS)


def test_the_same_org_in_two_directories(folder: Path, capsys: Capture) -> None:
    add_org(folder, "orgs/emea/twin", name="orgs-apac-lab")
    validate(folder, "--select", "name=sales", code=Exit.ERROR)

    assert "orgs/emea/twin/rolecall.yaml:2:32: `orgs/apac/lab` has the same `org.id`" in capsys.readouterr().out


def test_the_result_is_the_same_each_time(folder: Path, capsys: Capture) -> None:
    shown = []
    for _ in range(2):
        validate(folder)
        shown.append(capsys.readouterr().out)

    assert shown[0] == shown[1]
    assert shown[0].startswith("3 orgs checked.\n  orgs/apac/lab  tier=canary\n")


@pytest.mark.parametrize("form", ["json", "markdown", "github", "sarif", "junit"])
def test_each_format_names_the_org(folder: Path, form: str, capsys: Capture) -> None:
    (folder / PATHS[2] / "rolecall.yaml").write_text("version: 1\n", encoding="utf-8")
    validate(folder, "--format", form, "--report", f"text={folder / 'out.txt'}", code=Exit.ERROR)

    assert f"{PATHS[2]}/rolecall.yaml" in capsys.readouterr().out
    assert f"{PATHS[2]}/rolecall.yaml" in (folder / "out.txt").read_text(encoding="utf-8")


def test_a_fleet_above_is_found_only_in_the_same_repository(folder: Path, capsys: Capture) -> None:
    validate(folder / PATHS[0], code=Exit.ERROR)
    assert "no fleet found" in capsys.readouterr().err
    (folder / ".git").mkdir()
    validate(folder / PATHS[0])
    assert "3 orgs checked" in capsys.readouterr().out


def test_a_broken_fleet_does_not_concern_a_single_org(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / "fleet.yaml").write_text("fleet: [\n", encoding="utf-8")

    assert run(["-C", str(folder / PATHS[0]), "validate"]) == Exit.OK
    validate(folder, code=Exit.ERROR)


def test_a_deleted_directory_is_reported(folder: Path) -> None:
    shutil.rmtree(folder / "orgs")
    validate(folder, code=Exit.ERROR)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("*", PATHS),
        ("region=emea", PATHS[1:]),
        ("region=emea,tier=canary", PATHS[1:2]),
        ("path=orgs/*/lab", PATHS[:2]),
    ],
)
def test_select(folder: Path, text: str, paths: tuple[str, ...]) -> None:
    assert tuple(org.path for org in select_orgs(read_fleet(folder).orgs, text)) == paths


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("regio=emea", "did you mean `region`?"),
        ("region=emae", "did you mean `emea`?"),
        ("emea", "write such as `--select region=emea,tier=canary`"),
        ("name=sales,tier=canary", "remove one of them"),
    ],
)
def test_a_selection_that_matches_nothing_is_an_error(folder: Path, text: str, hint: str) -> None:
    with pytest.raises(Misuse) as raised:
        select_orgs(read_fleet(folder).orgs, text)
    assert raised.value.problems[0].hint == hint
    validate(folder, "--select", text, code=Exit.USAGE)


def test_a_file_for_one_org_is_refused(folder: Path) -> None:
    assert run(["-c", str(folder / PATHS[0] / "rolecall.yaml"), "fleet", "validate"]) == Exit.USAGE


def test_of_many_orgs_the_first_are_listed(folder: Path, capsys: Capture) -> None:
    for number in range(100):
        add_org(folder, f"orgs/more/org{number:03}")
    validate(folder)
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[-2], len(lines)) == ("103 orgs checked.", "  63 more; -v lists them.", 43)
    validate(folder, "-v")
    assert len(capsys.readouterr().out.splitlines()) == 105
