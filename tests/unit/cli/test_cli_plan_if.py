"""Test `plan --if` and `--fail-on`: what is refused, what is reported, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.cli.report_options import FORMATS
from rolecall.errors import ConfigError, Exit, Problem
from rolecall.jobs.moves_file import read_moves
from rolecall.jobs.what_if import Reading, stated

Capture = pytest.CaptureFixture[str]
UNCHANGED = CONFIG.replace("[Brand]", "[Marketing]")
JOIN = ("--if", "cy@tiny.co+Admins")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo", UNCHANGED)
    monkeypatch.chdir(made)
    capsys.readouterr()
    return made


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("ann@acme.com+Writer-Admins", [("ann@acme.com", "Writer-Admins", True)]),
        ("ann+test@acme.com-Writer", [("ann+test@acme.com", "Writer", False)]),
        ("a-b@my-firm.com-R&D+Sales", [("a-b@my-firm.com", "R&D+Sales", False)]),
        ("a@b.co-op.com+x", [("a@b.co", "op.com+x", False), ("a@b.co-op.com", "x", True)]),
        ("a@b.co-op.com-x", [("a@b.co", "op.com-x", False), ("a@b.co-op.com", "x", False)]),
        ("ann@acme.com+ Writer ", [("ann@acme.com", "Writer", True)]),
    ],
)
def test_a_membership_is_read_where_the_address_ends(text: str, readings: list[tuple[str, str, bool]]) -> None:
    entry = stated(text)
    assert not isinstance(entry, Problem)
    assert list(entry.readings) == [Reading(*reading) for reading in readings]


@pytest.mark.parametrize("text", ["", "ann", "ann@acme.com", "ann@acme.com+", "ann+Group", "@acme.com+G", "a@b+G"])
def test_other_texts_are_no_membership(text: str) -> None:
    problem = stated(text)
    assert isinstance(problem, Problem)
    assert problem.code == "what_if_syntax"


def test_a_membership_alone_is_evaluated_by_guards(repo: Path, capsys: Capture) -> None:
    assert run(["plan", *JOIN]) == Exit.OK
    out = capsys.readouterr().out
    assert "What if cy@tiny.co joins Admins?" in out
    assert "Org admins: 2 → 3." in out
    assert "REVIEW  escalations" in out
    assert "Cause: join/Admins   rolecall.yaml:6" in out
    assert "Nothing was changed: " in out
    assert "rolecall apply" not in out
    assert run(["plan", *JOIN, "--fail-on", "review"]) == Exit.REFUSED
    assert run(["plan", "--fail-on", "review"]) == Exit.OK
    assert run(["plan", *JOIN, "--assert", "no-escalation"]) == Exit.REFUSED


def test_fail_on_review_is_for_any_plan(repo: Path) -> None:
    (repo / "rolecall.yaml").write_text(CONFIG.replace("{role: org_admin", "{role: team_admin"), encoding="utf-8")
    assert run(["plan"]) == Exit.REFUSED
    (repo / "rolecall.yaml").write_text(CONFIG.replace("role: member\n", "role: team_admin\n"), encoding="utf-8")
    assert run(["plan"]) == Exit.OK
    assert run(["plan", "--fail-on", "review"]) == Exit.REFUSED


def test_the_last_org_admin_who_leaves_is_blocked(repo: Path, capsys: Capture) -> None:
    assert run(["plan", "--if", "ann@tiny.co-Admins", "--if", "bo@tiny.co-Admins"]) == Exit.REFUSED
    out = capsys.readouterr().out
    assert "No org admins after this plan" in out
    assert "Cause: leave/Admins" in out
    assert "leave them in `Admins`" in out


def test_a_what_if_is_never_applied(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    assert run(["plan", *JOIN, "--out", "plan.json"]) == Exit.USAGE
    assert not (repo / "plan.json").exists()
    assert run(["plan", *JOIN, "--report", "json=plan.json"]) == Exit.OK
    digest = json.loads((repo / "plan.json").read_text(encoding="utf-8"))["digest"]
    capsys.readouterr()
    assert run(["apply", "plan.json", "--approve", digest]) == Exit.STALE
    assert "never applied" in capsys.readouterr().err
    assert run(["apply", "--approve", digest]) == Exit.STALE
    assert run(["show", "plan.json"]) == Exit.OK
    assert "What if cy@tiny.co joins Admins?" in capsys.readouterr().out


def test_every_problem_is_reported_at_once(repo: Path, capsys: Capture) -> None:
    lines = [
        "user,group,change",
        "ann@tiny.co,Amdins,join",
        "ann@tiny.co,Marketing,leave",
        "cyy@tiny.co,Marketing,leave",
        "bo@tiny.co,Marketing,join",
        "BO@tiny.co,Marketing,leave",
    ]
    (repo / "moves.csv").write_text("\n".join(lines), encoding="utf-8")
    assert run(["plan", "--if", "moves.csv"]) == Exit.USAGE
    err = capsys.readouterr().err
    assert "moves.csv:2:1: no group `Amdins`" in err
    assert "did you mean `Admins`?" in err
    assert "moves.csv:3:1: ann@tiny.co is not a member of `Marketing`; the user is in `Admins`" in err
    assert "moves.csv:4:1: no user cyy@tiny.co in this org; did you mean cy@tiny.co?" in err
    assert "moves.csv:6:1: BO@tiny.co and `Marketing`: the user both joins and leaves it; see moves.csv:5:1" in err


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["1:1: has no lines"]),
        ("who,group", ["1:1: unknown column `who`"]),
        ("user", ["1:1: no column for group"]),
        ("user,user,group", ["1:6: has two columns for user"]),
        (
            'user;group;change\nx;;jion\n"a b";c\n',
            ["2:3: the group is missing", "2:4: unknown change `jion`", "3:1: has 2"],
        ),
    ],
)
def test_a_csv_file_is_read_whole_or_refused(tmp_path: Path, text: str, problems: list[str]) -> None:
    path = tmp_path / "moves.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_moves(path)
    said = [str(problem).removeprefix(f"{path}:") for problem in raised.value.problems]
    assert [problem for problem in problems if not any(text.startswith(problem) for text in said)] == []


def test_a_csv_file_may_be_from_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "moves.csv"
    path.write_bytes(
        '\ufeffEmail;Group name;action\r\n"ann@acme.com";"R;""D""";\'-\r\n\r\nbo@acme.com;X;Join\r\n'.encode()
    )
    assert [entry.readings[0] for entry in read_moves(path)] == [
        Reading("ann@acme.com", 'R;"D"', False),
        Reading("bo@acme.com", "X", True),
    ]


def test_memberships_without_effect_and_new_users_are_warned_of(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [
        {"email": "in@tiny.co", "origin": "saml", "active": True, "groups": []},
        {"email": "off@tiny.co", "origin": "scim", "active": False, "groups": []},
    ]
    raw: dict[str, Any] = {**SNAPSHOT, "people": [*SNAPSHOT["people"], *people]}
    monkeypatch.chdir(make_repo(repo / "more", UNCHANGED, raw))
    capsys.readouterr()
    users = ("in", "off", "ann", "new")
    assert run(["plan", *(part for user in users for part in ("--if", f"{user}@tiny.co+Admins"))]) == Exit.OK
    out = capsys.readouterr().out
    assert "in@tiny.co is not provisioned over SCIM" in out
    assert "off@tiny.co is not active in this org" in out
    assert "ann@tiny.co is already a member of `Admins`" in out
    assert "new@tiny.co is not a user of this org; the plan supposes that the IdP adds them" in out
    assert "Org admins: 2 → 3." in out


def test_a_group_that_is_not_pushed_gives_access_later(repo: Path, capsys: Capture) -> None:
    config = UNCHANGED.replace("  Marketing:", "  Soon: {role: member, teams: [Brand]}\n  Marketing:")
    (repo / "rolecall.yaml").write_text(config, encoding="utf-8")
    assert run(["plan", "--if", "cy@tiny.co+Soon"]) == Exit.OK
    out = capsys.readouterr().out
    assert "No user's access changes." in out
    assert "Once the IdP pushes the pending groups: 1 user gains Brand member: cy@tiny.co." in out
    assert "the org does not have `Soon` yet" in out


def test_unread_users_leave_with_seven(repo: Path, capsys: Capture) -> None:
    raw = {name: part for name, part in SNAPSHOT.items() if name != "people"}
    (repo / "live.json").write_text(json.dumps(raw), encoding="utf-8")
    assert run(["plan", "--snapshot", "live.json", *JOIN]) == Exit.UNSEEN
    out = capsys.readouterr().out
    assert "Users were not read" in out
    assert "No user's access changes" not in out
    assert run(["plan", "--snapshot", "live.json", "--if", "cy@tiny.co-Nothing"]) == Exit.USAGE


def test_every_format_reports_it_and_names_only_if_allowed(repo: Path, capsys: Capture) -> None:
    for form in FORMATS:
        assert run(["plan", *JOIN, "--format", form, "--people", "masked"]) == Exit.OK
        out = capsys.readouterr().out
        assert "Admins" in out or form == "gitlab"
        assert "cy@tiny.co" not in out


def test_the_environment_never_makes_a_plan_a_what_if(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLECALL_WHAT_IF", "cy@tiny.co+Admins")
    assert run(["plan"]) == Exit.USAGE


def test_no_command_forgets_what_is_supposed(repo: Path, capsys: Capture) -> None:
    """A command without the memberships would make another plan; with them it would have names that are not shown."""
    config = (repo / "rolecall.yaml").read_text()
    (repo / "rolecall.yaml").write_text(config.replace("review: 10, block: 100%", "review: 0, block: 0"))
    assert run(["plan", "--if", "cy@tiny.co-Marketing", "--people", "counts"]) == Exit.REFUSED
    out = " ".join(capsys.readouterr().out.split())
    assert "To allow it once, add --allow max_people_losing_access=1." in out
    assert "To see their names: rolecall plan --if ... --people names" in out
    assert "rolecall plan --allow" not in out


def test_a_sentence_is_not_repeated_for_the_only_group(repo: Path, capsys: Capture) -> None:
    leave = [word for user in ("ann", "bo") for word in ("--if", f"{user}@tiny.co-Admins")]
    assert run(["plan", *leave, "--people", "counts"]) == Exit.REFUSED
    sentence = "2 users move from org admin to member in Everyone and fall back to default access (Everyone member)."
    assert capsys.readouterr().out.count(sentence) == 1


def test_a_page_does_not_look_like_a_plan_to_approve(repo: Path) -> None:
    assert run(["plan", *JOIN, "--report", "html=if.html"]) == Exit.OK
    page = (repo / "if.html").read_text(encoding="utf-8")
    assert "<h1>What if? tinyco" in page
    assert "it answers a question and is never applied." in page
    assert "valid until" not in page
    assert "Digest" not in page


def test_a_group_that_does_not_exist_is_reported_once(repo: Path, capsys: Capture) -> None:
    rows = "".join(f"u{number}@tiny.co,{('Marketng', 'Adminz')[number % 2]},join\n" for number in range(3000))
    (repo / "moves.csv").write_text(f"user,group,change\n{rows}")
    assert run(["plan", "--if", "moves.csv"]) == Exit.USAGE
    assert capsys.readouterr().err.splitlines()[:2] == [
        "error: moves.csv:2:1: no group `Marketng` in the org, the configuration or the IdP (1,500 memberships); "
        "did you mean `Marketing`?",
        "error: moves.csv:3:1: no group `Adminz` in the org, the configuration or the IdP (1,500 memberships); "
        "did you mean `Admins`?",
    ]
