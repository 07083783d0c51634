"""Test reports about many changes: totals first, a few groups of users openly, one sentence for many domains."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cli_repo import SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
TEAMS = [f"T{n}" for n in range(8)]
HEAD = "version: 1\norg: {name: tinyco, url: local:org.db}\n"
GUARDS = "guards: {max_people_losing_access: {review: 1, block: 90%}, min_org_admins: 1}\n"


def org(domains: int = 1) -> dict[str, Any]:
    """Eight groups of four users, each in a team of its own, and an admin."""
    groups = {f"G{n}": {"role": "member", "teams": [team]} for n, team in enumerate(TEAMS)}
    people = [{"email": f"u{n}{at}@tiny.co", "groups": [f"G{n}"]} for n in range(8) for at in "abcd"]
    return {
        **SNAPSHOT,
        "teams": ["Everyone", *TEAMS],
        "domains": {f"tiny{n}.co": {"discoverable": False, "join": "approval"} for n in range(domains)},
        "idp_groups": {**groups, "Admins": {"role": "org_admin", "teams": ["Everyone"]}},
        "people": [*people, {"email": "ann@tiny.co", "groups": ["Admins"]}],
    }


def mapped(role: str = "team_admin", number: int = 8) -> str:
    """A configuration in which a number of groups get a role in their team, and the others move to the next."""
    roles = ["org_admin" if role == "team_admin" and n == 7 else role for n in range(number)]
    lines = [f"  G{n}: {{role: {r}, teams: [{TEAMS[n]}]}}\n" for n, r in enumerate(roles)]
    lines += [f"  G{n}: {{role: member, teams: [{TEAMS[(n + 1) % 8]}]}}\n" for n in range(number, 8)]
    return f"{HEAD}idp_groups:\n{''.join(lines)}{GUARDS}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_repo(tmp_path / "repo", mapped(), org()))
    return tmp_path / "repo"


def output(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    return capsys.readouterr().out


def section(text: str, title: str) -> list[str]:
    """The lines below a title, without indent."""
    lines = text.splitlines()
    start = lines.index(title) + 1
    end = next((at for at in range(start, len(lines)) if not lines[at]), len(lines))
    return [line.strip() for line in lines[start:end]]


def test_many_escalations_are_counted_and_the_first_are_named(folder: Path, capsys: Capture) -> None:
    lines = section(output(capsys, "plan"), "Summary")
    assert lines[:2] == ["! 4 users gain org admin.", "! 28 users gain a role above member."]
    assert lines[2].startswith(
        "! 4 users gain org admin (org-wide, team T7): u7a@tiny.co, u7b@tiny.co, u7c@tiny.co and 1 more"
    )
    assert lines[6].startswith("! 4 users gain T3 team admin: u3a@tiny.co, u3b@tiny.co, u3c@tiny.co and 1 more")
    assert lines[7] == "and 3 more; -v lists them"
    assert "u7d" not in "".join(lines)


def test_with_v_all_of_them_are_named(folder: Path, capsys: Capture) -> None:
    lines = section(output(capsys, "plan", "-v"), "Summary")
    groups = [line for line in lines if line.startswith("! 4 users gain") and ": " in line]
    assert len(groups) == 8
    assert all(f"u{n}d@tiny.co" in "".join(groups) for n in range(8))
    assert "and 1 more" not in "".join(groups)


def test_few_escalations_are_listed_without_totals(folder: Path, capsys: Capture) -> None:
    (folder / "rolecall.yaml").write_text(mapped(number=5), encoding="utf-8")
    lines = section(output(capsys, "plan"), "Summary")
    escalations = [line for line in lines if line.startswith("! ")]
    assert [f"G{n}" in line or f"u{n}a@tiny.co" in line for n, line in enumerate(escalations)] == [True] * 5
    assert "-v lists them" not in "".join(lines)


def test_markdown_has_the_same_cap(folder: Path, capsys: Capture) -> None:
    text = output(capsys, "plan", "--format", "markdown")
    quoted = [line for line in text.splitlines() if line.startswith("> ") and line != "> "]
    assert quoted[0] == "> 🔶 **4 users gain org admin.**"
    assert quoted[1] == "> 🔶 **28 users gain a role above member.**"
    assert len(quoted) == 8
    assert quoted[-1] == "> and 3 more; the JSON report has all of them"


def test_a_page_has_its_verdict_and_its_totals_on_top(folder: Path, capsys: Capture) -> None:
    text = output(capsys, "plan", "--format", "html")
    order = [
        text.index(part)
        for part in ("Requires approval", "users gain access", "Plan: 8 to update.", "4 users gain org admin. 28 users")
    ]
    assert order == sorted(order)
    assert order[-1] < text.index('<h2 id="changes">')
    assert "3 more</summary>" in text


def test_headline_guard_and_picture_count_the_same_users(folder: Path, capsys: Capture) -> None:
    (folder / "rolecall.yaml").write_text(
        mapped("member", 4).replace("G0: {role: member, teams: [T0]}", "G0: blank"), encoding="utf-8"
    )
    plan = json.loads(output(capsys, "plan", "--format", "json"))
    impact = plan["impact"]
    assert (impact["lose"], impact["change"], impact["gain"]) == (0, 20, 0)
    (guard,) = [guard for guard in plan["guards"] if guard["name"] == "max_people_losing_access"]
    assert "20 users lose access (16 of them also gain access)" in guard["message"]
    assert impact["headline"].startswith("4 users lose access and 16 users change access.")
    page = output(capsys, "plan", "--format", "html")
    sizes = {"lose": 0, "change": 0}
    for kind, size in re.findall(r'<tr data-kind="(\w+)"><td>(\d+)', page):
        sizes[kind] += int(size)
    assert sizes == {"lose": 4, "change": 16}
    assert "</svg> change access</span>" in page


def test_one_sentence_for_many_domains(folder: Path, capsys: Capture) -> None:
    make_repo(folder, mapped(), org(domains=12))
    domains = "".join(f"  tiny{n}.co: {{discoverable: {str(n > 1).lower()}, join: immediate}}\n" for n in range(12))
    (folder / "rolecall.yaml").write_text(f"{mapped('member')}domains:\n{domains}", encoding="utf-8")
    lines = [line for line in output(capsys, "plan").splitlines() if "with an address at" in line]
    assert len(lines) == 2
    assert any("at tiny0.co or tiny1.co need an invitation" in line for line in lines)
    assert any("at tiny10.co, tiny11.co, tiny2.co or 7 other domains joins immediately" in line for line in lines)


def test_drift_leads_with_what_drifted_by_kind(folder: Path, capsys: Capture) -> None:
    text = mapped("member")
    (folder / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    moved = org()
    for n in range(8):
        moved["idp_groups"][f"G{n}"] = {"role": "member", "teams": [TEAMS[(n + 1) % 8]]}
    make_repo(folder, text.replace("G0: {role: member, teams: [T0]}", "G0: {role: member, teams: [T5]}"), moved)
    lines = section(output(capsys, "drift"), "Summary")
    assert lines[0].startswith("Drift: 7 settings changed in the console")
    kinds = [
        line.strip() for line in output(capsys, "drift").splitlines() if line.startswith("      Changed in the console")
    ]
    assert kinds[-1].startswith("Changed in the console and in the config")
    assert not any(kind.startswith("Changed in the console and") for kind in kinds[:-1])
    page = output(capsys, "drift", "--format", "markdown")
    assert page.index("Drift: 7 settings") < page.index("Effect on users")


def test_a_saved_plan_says_which_users_it_does_not_list(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("moves", "saved.encode"):
        monkeypatch.setattr(f"rolecall.plan.{module}.LISTED", 3)
    assert run(["plan", "--people", "names", "--out", "plan.json"]) == Exit.OK
    text = output(capsys, "show", "plan.json")
    assert "32 users are saved as a number and a hash of their IDs, because more than" in text
    assert "Not all users are named here. To see their names: rolecall plan --people names" in text
    assert "u0a@tiny.co" in text
    counted = output(capsys, "plan", "--people", "counts")
    assert "Users are not named here. To see their names: rolecall plan --people names" in counted
    assert "named here" not in output(capsys, "plan", "--people", "names")
    assert "a hash of their IDs" not in output(capsys, "plan", "--people", "names")
