"""Test changing entries of a configuration in place: everything else stays the same to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.desired.build import read_config
from rolecall.desired.edit.config import edited, removing, setting
from rolecall.desired.load.read import load
from rolecall.errors import ConfigError
from rolecall.model.settings import BLANK, Defaults, Domain, GroupMapping, Scim, Sso

HEAD = 'version: 1\norg: {name: a, url: "local:org.db"}   # the org\n'


def mapping(role, *teams):
    return GroupMapping(role, frozenset(teams))


def changed(tmp_path: Path, text: str, *edits, name: str = "rolecall.yaml") -> str:
    (tmp_path / "rolecall.yaml").write_text(HEAD + text, encoding="utf-8")
    return edited(load(tmp_path), edits)[name].removeprefix(HEAD)


CASES = [
    pytest.param(
        "idp_groups:\n  A: {role: member, teams: [X, 'Y'], owner: me}  # why\n",
        setting("idp_groups/A", mapping("team_admin", "Y", "Z")),
        "idp_groups:\n  A: {role: team_admin, teams: ['Y', Z], owner: me}  # why\n",
        id="a flow map keeps its comment, its quotes and what else it says",
    ),
    pytest.param(
        "idp_groups:\n  B:\n    role: \"member\"   # r\n    teams:\n    - X   # x\n    - Y   # y\n    # end\n",
        setting("idp_groups/B", mapping("member", "X", "Z")),
        "idp_groups:\n  B:\n    role: \"member\"   # r\n    teams:\n    - X   # x\n    - Z\n    # end\n",
        id="a block list loses one line and gains one",
    ),
    pytest.param(
        "idp_groups:\n  B:\n    teams:\n      - X\n    role: member\n",
        setting("idp_groups/B", mapping("member", "Z")),
        "idp_groups:\n  B:\n    teams:\n      - Z\n    role: member\n",
        id="a block list whose items are all others",
    ),
    pytest.param(
        "idp_groups:\n  C: blank # c\n",
        setting("idp_groups/C", mapping("member", "X"), "id1"),
        "idp_groups:\n  C: {role: member, teams: [X], id: id1} # c\n",
        id="blank becomes a mapping",
    ),
    pytest.param(
        "idp_groups:\n  D:\n    owner: you\n    role: member\n    teams: [X]\n  E: blank\n",
        setting("idp_groups/D", BLANK),
        "idp_groups:\n  D:\n    owner: you\n    blank: true\n  E: blank\n",
        id="a mapping becomes blank and keeps its owner",
    ),
    pytest.param(
        "idp_groups:\n    A: blank\n    # about nothing\n\n# next\nscim: {enabled: true}\n",
        setting("idp_groups/no", mapping("member", "yes")),
        'idp_groups:\n    A: blank\n    "no": {role: member, teams: ["yes"]}\n    # about nothing\n\n'
        "# next\nscim: {enabled: true}\n",
        id="a new entry takes the indent of the others",
    ),
    pytest.param(
        "domains: {}  # none\nscim: {enabled: true}\n",
        setting("domains/acme.com", Domain(True)),
        "domains:\n  acme.com: {discoverable: true}  # none\nscim: {enabled: true}\n",
        id="an empty map becomes a block",
    ),
    pytest.param(
        "domains: {a.com: {}, b.com: {}}\n",
        removing("domains/a.com"),
        "domains: {b.com: {}}\n",
        id="the first of a flow map goes",
    ),
    pytest.param(
        "domains: {a.com: {}, b.com: {}}\n",
        removing("domains/b.com"),
        "domains: {a.com: {}}\n",
        id="the last of a flow map goes",
    ),
    pytest.param(
        "# all\ndomains: # d\n  a.com: {}\n# end\n",
        removing("domains/A.com.".lower().rstrip(".")),
        "# all\ndomains: {} # d\n# end\n",
        id="the only entry goes and the section stays managed",
    ),
    pytest.param(
        "defaults:\n  role: member # r\n  teams: [X]\n# tail",
        setting("defaults", Defaults("team_admin")),
        "defaults:\n  role: team_admin # r\n  teams: [X]\n# tail",
        id="a field that the value does not speak of stays",
    ),
    pytest.param(
        "scim: {enabled: true}\n",
        setting("sso", Sso(enabled=False, name="a: b")),
        'scim: {enabled: true}\n\nsso:\n  enabled: false\n  name: "a: b"\n',
        id="a new section comes last",
    ),
    pytest.param("scim: {enabled: true}\nx: &x 1\n", removing("scim"), "x: &x 1\n", id="a singleton goes as a section"),
    pytest.param(
        "idp_groups:\n  A: &a {role: member, teams: [X]}\n  B: *a\n",
        setting("idp_groups/B", mapping("member", "Z")),
        "idp_groups:\n  A: &a {role: member, teams: [X]}\n  B: {role: member, teams: [Z]}\n",
        id="an alias is replaced, not what it stands for",
    ),
    pytest.param(
        "idp_groups:\n  'Cafe\u0301': blank\n",
        setting("idp_groups/Caf\u00e9", mapping("member", "X")),
        "idp_groups:\n  'Cafe\u0301': {role: member, teams: [X]}\n",
        id="names are found after NFC",
    ),
    pytest.param(
        "scim:\n  endpoint: new\n  enabled: true  # on\n",
        setting("scim", Scim(enabled=True, idp="okta")),
        "scim:\n  endpoint: new\n  enabled: true  # on\n  idp: okta\n",
        id="a field is added and an equal one left alone",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "edit", "after"), CASES)
def test_an_edit_changes_only_what_it_means(tmp_path: Path, before: str, edit, after: str) -> None:
    assert changed(tmp_path, before, edit) == after


def test_several_edits_of_one_file_at_once(tmp_path: Path) -> None:
    text = "idp_groups:\n  A: blank\n  B: {role: member, teams: [X]}\n  C: blank\n"
    edits = [removing("idp_groups/B"), setting("idp_groups/C", mapping("member", "Z")), setting("idp_groups/D", BLANK)]
    after = "idp_groups:\n  A: blank\n  C: {role: member, teams: [Z]}\n  D: blank\n"
    assert changed(tmp_path, text, *edits) == after


def test_an_entry_is_changed_in_the_file_that_holds_it(tmp_path: Path) -> None:
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups/a.yaml").write_text("idp_groups:\n  A: blank\n  B: blank\n")
    (tmp_path / "groups/b.json").write_text('{"idp_groups": {"C": "blank"}}')
    (tmp_path / "rolecall.yaml").write_text(f"{HEAD}include: [groups/*]\n")
    edits = [
        setting("idp_groups/A", mapping("member", "X")),
        setting("idp_groups/C", mapping("member", "no")),
        setting("idp_groups/New", BLANK, "id-1"),
        setting("domains/acme.com", Domain()),
    ]
    made = edited(load(tmp_path), edits)
    assert made["groups/a.yaml"] == (
        "idp_groups:\n  A: {role: member, teams: [X]}\n  B: blank\n  New: {blank: true, id: id-1}\n"
    )
    assert made["groups/b.json"] == '{"idp_groups": {"C": {"role": "member", "teams": ["no"]}}}'
    assert made["rolecall.yaml"] == f"{HEAD}include: [groups/*]\n\ndomains:\n  acme.com: {{}}\n"


def test_with_an_overlay_only_the_overlay_changes(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env/prod.yaml").write_text("# prod\nidp_groups:\n  A: {role: team_admin}\n")
    text = "idp_groups:\n  A: {role: member, teams: [X]}\n  B: {role: member, teams: [X], owner: me}\n  C: blank\n"
    (tmp_path / "rolecall.yaml").write_text(HEAD + text)
    edits = [
        setting("idp_groups/A", mapping("org_admin", "X")),
        setting("idp_groups/B", mapping("member", "Y")),
        removing("idp_groups/C"),
    ]
    made = edited(load(tmp_path, "prod"), edits)
    assert set(made) == {"env/prod.yaml"}
    (tmp_path / "env/prod.yaml").write_text(made["env/prod.yaml"])
    assert load(tmp_path, "prod").effective["idp_groups"] == {
        "A": {"role": "org_admin", "teams": ["X"]},
        "B": {"role": "member", "teams": ["Y"], "owner": "me"},
    }


INHERITED = {
    "a mapping": "{role: team_admin, teams: [X], owner: me}",
    "blank": "blank",
    "a mapping that ends": "{role: team_admin, teams: [X, Y], expires: 2031-01-01}",
}


@pytest.mark.parametrize("inherited", INHERITED.values(), ids=INHERITED)
@pytest.mark.parametrize("value", [mapping("member", "X"), mapping("team_admin", "Y")], ids=["role", "teams"])
@pytest.mark.parametrize("over", ["", "  A: {owner: you}\n", "  A: {remove: true}\n"], ids=repr)
def test_an_overlay_over_what_it_inherits_says_the_value(
    tmp_path: Path, inherited: str, value: GroupMapping, over: str
) -> None:
    (tmp_path / "env").mkdir()
    overlay = tmp_path / "env/prod.yaml"
    overlay.write_text(f"idp_groups:\n{over}  Z: blank\n")
    (tmp_path / "rolecall.yaml").write_text(f"{HEAD}idp_groups:\n  A: {inherited}\n")
    made = edited(load(tmp_path, "prod"), [setting("idp_groups/A", value)])
    overlay.write_text(made.get("env/prod.yaml", overlay.read_text()))
    assert read_config(tmp_path, "prod").desired.settings.idp_groups["A"] == value


@pytest.mark.parametrize("inherited", INHERITED.values(), ids=INHERITED)
@pytest.mark.parametrize("pin", [None, "id-1"])
def test_an_overlay_makes_blank_what_it_inherits(tmp_path: Path, inherited: str, pin: str | None) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env/prod.yaml").write_text("idp_groups:\n  Z: blank\n")
    (tmp_path / "rolecall.yaml").write_text(f"{HEAD}idp_groups:\n  A: {inherited}\n")
    made = edited(load(tmp_path, "prod"), [setting("idp_groups/A", BLANK, pin)])
    (tmp_path / "env/prod.yaml").write_text(made["env/prod.yaml"])
    assert read_config(tmp_path, "prod").desired.settings.idp_groups["A"] == BLANK


def test_lines_go_on_ending_as_they_did(tmp_path: Path) -> None:
    text = (
        f"{HEAD}idp_groups:\n  A: {{role: member, teams: [X]}}   # why\n  B:\n    teams:\n    - X\n    role: member\n"
    )
    (tmp_path / "rolecall.yaml").write_bytes(text.replace("\n", "\r\n").encode())
    edits = [setting("idp_groups/A", mapping("member", "Y")), setting("idp_groups/B", mapping("member", "X", "Y"))]
    made = edited(load(tmp_path), [*edits, setting("idp_groups/C", BLANK)])["rolecall.yaml"]
    (tmp_path / "rolecall.yaml").write_text(text)
    again = edited(load(tmp_path), [*edits, setting("idp_groups/C", BLANK)])["rolecall.yaml"]
    assert made == again.replace("\n", "\r\n")


def test_what_is_so_already_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_text(f"{HEAD}idp_groups:\n  A: {{role: member, teams: [Y, X]}}\n")
    assert edited(load(tmp_path), [setting("idp_groups/A", mapping("member", "X", "Y")), removing("sso")]) == {}


def test_a_file_that_cannot_be_changed_in_place_is_left_and_said(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_text(f"{HEAD}idp_groups:\n  A: &a blank\n  B: *a\n")
    with pytest.raises(ConfigError):
        edited(load(tmp_path), [removing("idp_groups/A")])
