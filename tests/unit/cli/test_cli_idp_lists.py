"""Lists of groups in `idp` that follow Okta: `drift --accept` and `export --update` edit them in place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from idp import Fault, Okta, oid
from idp_repo import AUTHORITATIVE, IdpRepo, an_okta, config, served_repo

from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
FLOW = "  assignments: [Core, 'Former'] # who has the app\n  pushes: [Admins, Old]\n"
BLOCK = """\
  assignments:
    - Core      # all of them
    - Former    # until spring
  pushes:
    # pinned
    - {name: Admins, id: ADMINS}
    - name: Old
      id: OLD
""".replace("ADMINS", oid("Admins")).replace("OLD", oid("Old"))
ACCEPT = ("drift", "--accept", "--no-input")


@pytest.fixture
def okta() -> Okta:
    return an_okta()


@pytest.fixture
def repo(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, okta: Okta) -> Iterator[IdpRepo]:
    """Okta has what the lists have, and an apply has recorded it; base.yaml has the lists of then."""
    with served_repo(tmp_path / "repo", capsys, monkeypatch, okta, lists=FLOW, manage=AUTHORITATIVE) as repo:
        repo.apply()
        (repo.folder / "base.yaml").write_text(config(repo.url, lists=FLOW, manage=AUTHORITATIVE))
        yield repo


def edited(repo: IdpRepo) -> str:
    text = (repo.folder / "rolecall.yaml").read_text(encoding="utf-8")
    lines = text[text.index("  assignments:") :].splitlines(keepends=True)
    return "".join(takewhile(lambda line: line.startswith("  "), lines))


def changed_in_okta(okta: Okta) -> None:
    okta.unassign("Former")
    okta.assign("Extra")
    okta.unpush("Old")


EXTRA = f'{{name: Extra, id: "{oid("Extra")}"}}'


@pytest.mark.parametrize("command", [(*ACCEPT, "--baseline", "base.yaml"), ("export", "--update")])
def test_lists_follow_okta_and_keep_comments(repo: IdpRepo, okta: Okta, command: tuple[str, ...]) -> None:
    for lists, expected in (
        (FLOW, f"  assignments: [Core, {EXTRA}] # who has the app\n  pushes: [Admins]\n"),
        (
            BLOCK,
            f"  assignments:\n    - Core      # all of them\n    - {EXTRA}\n  pushes:\n    # pinned\n"
            f"    - {{name: Admins, id: {oid('Admins')}}}\n",
        ),
    ):
        repo.configure(lists=lists, manage=AUTHORITATIVE)
        if lists == FLOW:
            changed_in_okta(okta)
        repo.run(*command)
        assert edited(repo) == expected
        assert repo.changed() == {}
    repo.run("drift", "--detailed-exitcode")


def test_the_last_group_of_a_list_leaves_an_empty_list(repo: IdpRepo, okta: Okta) -> None:
    repo.configure(lists="  assignments: [Core, Former]\n  pushes:\n    - Admins\n    - Old\n", manage=AUTHORITATIVE)
    for name in ("Admins", "Old"):
        okta.unpush(name)
    repo.run("export", "--update")
    assert edited(repo) == "  assignments: [Core, Former]\n  pushes: []\n"
    assert repo.changed() == {}


def test_additive_lists_get_what_okta_has(repo: IdpRepo, okta: Okta) -> None:
    repo.configure(lists="  assignments: [Core]\n", manage="{idp_groups: authoritative}")
    okta.add_group("Former", ["di@tiny.co"], "00gsecond")
    okta.assigned["00gsecond"] = 7
    repo.run("export", "--update")
    first, second = sorted((oid("Former"), "00gsecond"))
    expected = f'  assignments: [Core, {{name: Former, id: "{first}"}}, {{name: Former, id: "{second}"}}]\n'
    assert edited(repo) == expected
    assert repo.changed() == {}


@pytest.mark.parametrize("command", [ACCEPT, ("export", "--update")])
@pytest.mark.parametrize("ended", [oid("Former"), "00gsecond"])
def test_one_of_two_groups_of_a_name_is_removed(
    repo: IdpRepo, okta: Okta, command: tuple[str, ...], ended: str
) -> None:
    okta.add_group("Former", ["di@tiny.co"], "00gsecond")
    okta.assigned["00gsecond"] = 7
    items = [f"{{name: Former, id: {group}}}" for group in (oid("Former"), "00gsecond")]
    repo.configure(lists=f"  assignments: [Core, {', '.join(items)}]\n", manage=AUTHORITATIVE)
    repo.apply()
    del okta.assigned[ended]
    repo.run(*command)
    (left,) = [item for item in items if ended not in item]
    assert edited(repo) == f"  assignments: [Core, {left}]\n"
    assert repo.changed() == {}


def test_a_pinned_group_is_removed_although_another_one_has_its_name(repo: IdpRepo, okta: Okta) -> None:
    okta.add_group("Former", ["di@tiny.co"], "00gsecond")
    okta.assigned["00gsecond"] = 7
    repo.configure(lists=f"  assignments: [Core, {{name: Former, id: {oid('Former')}}}]\n", manage="{}")
    repo.apply("--allow", "policy=9")
    okta.unassign(oid("Former"))
    repo.run(*ACCEPT)
    assert edited(repo) == "  assignments: [Core]\n"


def test_ignored_groups_stay(repo: IdpRepo, okta: Okta) -> None:
    ignored = "ignore: [{address: idp_assignments/Extra, reason: tried out}]\n"
    repo.configure(lists=FLOW + ignored, manage=AUTHORITATIVE)
    changed_in_okta(okta)
    repo.run("export", "--update")
    assert edited(repo) == "  assignments: [Core] # who has the app\n  pushes: [Admins]\n"


def test_pushes_that_follow_the_mappings_are_no_list(repo: IdpRepo, okta: Okta) -> None:
    repo.configure(lists="  assignments: [Core, Former]\n  pushes: idp_groups\n", manage=AUTHORITATIVE)
    repo.apply()
    before = edited(repo)
    okta.unpush("Marketing")
    text = repo.run(*ACCEPT, code=Exit.REFUSED)
    assert "idp_pushes/Marketing cannot be accepted: `idp.pushes` is `idp_groups`, not a list" in text
    text = repo.run("export", "--update")
    assert "Kept as configured, although the org differs: idp_pushes/Marketing" in text
    assert edited(repo) == before


def test_an_overlay_gets_a_list_of_its_own(repo: IdpRepo, okta: Okta) -> None:
    folder = repo.folder
    (folder / "env").mkdir()
    (folder / "env/prod.yaml").write_text("idp:\n  pushes: [Admins, Old]\n")
    main = (folder / "rolecall.yaml").read_text()
    changed_in_okta(okta)
    repo.run("--env", "prod", *ACCEPT)
    assert (folder / "rolecall.yaml").read_text() == main
    assert (folder / "env/prod.yaml").read_text() == "idp:\n  pushes: [Admins]\n  assignments: [Core]\n"
    repo.run("--env", "prod", "drift", "--detailed-exitcode")


def test_a_list_that_cannot_be_read_stays(repo: IdpRepo, okta: Okta) -> None:
    changed_in_okta(okta)
    okta.faults.append(Fault(403, path="/apps/0oa1/groups", times=20))
    text = repo.run("export", "--update")
    assert "Not exported: idp_assignments: " in text
    assert edited(repo) == "  assignments: [Core, 'Former'] # who has the app\n  pushes: [Admins]\n"


def test_a_list_in_json_stays_json(repo: IdpRepo, okta: Okta) -> None:
    import yaml

    value = yaml.safe_load(config(repo.url, lists=FLOW, manage=AUTHORITATIVE))
    (repo.folder / "rolecall.yaml").unlink()
    (repo.folder / "rolecall.json").write_text(json.dumps(value, indent=2))
    changed_in_okta(okta)
    repo.run("--config", "rolecall.json", "export", "--update")
    idp = json.loads((repo.folder / "rolecall.json").read_text())["idp"]
    assert idp["assignments"] == ["Core", {"name": "Extra", "id": oid("Extra")}]
    assert idp["pushes"] == ["Admins"]
