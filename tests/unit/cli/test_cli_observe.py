"""Test `rolecall observe`: without a terminal, in a dialog, and when it is stopped and continued."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from fake_idps import Site, okta_answers, served
from terminal import ROLECALL, Terminal, answered

from rolecall.cli.main import run
from rolecall.live.snapshot.file import read_snapshot

CONFIG = "version: 1\norg: {name: acme, url: observed:org.yaml}\n"
TEAMS = "snapshot: 1\norg: {id: acme}\nteams: [Everyone, IT, Legal]\n"
PASTE = "IdP group\tRole\tTeams\nAdmins\tOrg admin\tIT\tEdit\nStaff\t—\t—\tEdit\n"
GROUPS = {"Admins": {"role": "org_admin", "teams": ["IT"]}, "Staff": "blank"}
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "rolecall.yaml").write_text(CONFIG)
    (tmp_path / "org.yaml").write_text(TEAMS)
    return tmp_path


def org(repo: Path) -> dict[str, Any]:
    return read_snapshot(repo / "org.yaml").value


def test_a_paste_through_a_pipe(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASTE))
    assert run(["observe", "--paste", "--by", "ann@acme.com"]) == 0
    assert org(repo)["idp_groups"] == GROUPS
    seen = org(repo)["coverage"]["idp_groups"]
    assert (seen["state"], seen["taken_by"]) == ("complete", "ann@acme.com")
    assert org(repo)["coverage"]["sso"] == "unread"
    assert org(repo)["coverage"]["teams"]["state"] == "complete"


def test_what_people_wrote_around_it_stays(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Comments, order and quoting, and the ids that no table shows."""
    (repo / "org.yaml").write_text(f"""\
# Kept by the identity team
{TEAMS}idp_groups:
  # nobody may leave these two out
  'Staff': blank   # everybody
  Admins: {{role: member, teams: [IT], id: g-1}} # four people
""")
    monkeypatch.setattr("sys.stdin", io.StringIO(PASTE))
    assert run(["observe", "--paste", "--by", "ann@acme.com"]) == 0
    text = (repo / "org.yaml").read_text()
    assert text.startswith(f"# Kept by the identity team\n{TEAMS.splitlines()[0]}\n")
    assert text.rstrip().endswith(
        "  # nobody may leave these two out\n  'Staff': blank   # everybody\n"
        "  Admins: {role: org_admin, teams: [IT], id: g-1} # four people"
    )


def test_a_paste_with_a_mistake_writes_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASTE.replace("\tIT\t", "\tTI\t")))
    assert run(["observe", "--paste"]) == 1
    assert "the paste:2:1: `Admins`: no team `TI`" in capsys.readouterr().err
    assert (repo / "org.yaml").read_text() == TEAMS


def test_csv_is_written_to_be_filled_in_and_then_read(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(f"{CONFIG}idp_groups:\n  Admins: blank\n  Staff: blank\n")
    assert run(["observe", "--csv", "groups.csv"]) == 0
    assert (repo / "groups.csv").read_text() == "group,role,teams\nAdmins,,\nStaff,,\n"
    (repo / "groups.csv").write_text("group,role,teams\nAdmins,Org admin,IT\nStaff,,\n")
    assert run(["observe", "--csv", "groups.csv"]) == 0
    assert org(repo)["idp_groups"] == GROUPS


@pytest.mark.parametrize("how", ["--paste", "--csv"])
def test_a_table_that_is_no_text_is_refused_and_nothing_written(
    how: str, repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (repo / "groups.csv").write_bytes("group,role,teams\nIngénierie,,\n".encode("utf-16"))
    monkeypatch.setattr("sys.stdin", io.StringIO(PASTE.replace("Staff", "St\udcffff")))
    assert run(["observe", how, *(["groups.csv"] if how == "--csv" else [])]) == 1
    assert "is not UTF-8 text; save it as CSV UTF-8" in capsys.readouterr().err
    assert (repo / "org.yaml").read_text() == TEAMS


def test_names_come_from_the_idp(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_TOKEN", "secret-token")
    site = Site({}, ["Admins", "Staff"], ["Admins", "Staff"])
    with served(site, okta_answers, okta=True) as url:
        (repo / "rolecall.yaml").write_text(
            f"{CONFIG}people: {{okta: '{url}', app: 0oa1, token: {{env: IDP_TOKEN}}}}\n"
        )
        assert run(["observe", "--csv", "groups.csv"]) == 0
    assert (repo / "groups.csv").read_text() == "group,role,teams\nAdmins,,\nStaff,,\n"


@pytest.mark.parametrize("flags", [[], ["--only", "scim"]])
def test_questions_need_somebody_to_answer_them(repo: Path, flags: list[str], capsys: Capture) -> None:
    assert run(["observe", "--no-input", *flags]) == 64
    assert "observe asks questions, and there is no terminal" in capsys.readouterr().err


def test_only_an_observed_org_is_observed(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text("version: 1\norg: {name: acme, url: local:org.db}\n")
    assert run(["observe", "--no-input"]) == 64
    assert "this org is not an observed org" in capsys.readouterr().err


def observed(repo: Path, flags: list[str], *exchange: tuple[str, str]) -> str:
    return answered([*ROLECALL, "observe", "--by", "ann@acme.com", *flags], repo, *exchange)


def test_who_reads_is_asked_for_as_an_address(repo: Path) -> None:
    terminal = Terminal([*ROLECALL, "observe", "--only", "teams"], repo)
    try:
        for wrong in ("ann", "ann@acme", "ann bo@acme.com", "@acme.com", "a@b@acme.com"):
            terminal.expect("Your email address")
            terminal.type(wrong)
            terminal.expect("Enter an email address, such as ann@acme.com")
        terminal.expect("Your email address")
        terminal.type("quit")
    except AssertionError:
        terminal.kill()
        raise
    assert terminal.end() == 0, terminal.seen


def test_prompts_are_folded_between_words(repo: Path) -> None:
    terminal = Terminal([*ROLECALL, "observe", "--by", "ann@acme.com", "--only", "idp_groups", "--paste"], repo, NARROW)
    try:
        terminal.expect("ends it:")
        terminal.type("quit")
    except AssertionError:
        terminal.kill()
        raise
    assert terminal.end() == 0, terminal.seen
    lines = terminal.seen.partition("ends it:")[0].splitlines()
    assert max(map(len, lines)) < 40
    assert "Copy the whole table from the page and" in lines


NARROW = {"COLUMNS": "40"}


@pytest.mark.parametrize(
    "section, prompt, then",
    [("scim", "Is SCIM on: ", "\nStopped at SCIM"), ("teams", "ends the list:", "\n\nStopped at Access")],
)
def test_ctrl_c_stops_where_one_can_go_on(repo: Path, section: str, prompt: str, then: str) -> None:
    (repo / "org.yaml").unlink()
    terminal = Terminal([*ROLECALL, "observe", "--by", "ann@acme.com", "--only", section], repo)
    try:
        terminal.expect(prompt)
        terminal.interrupt()
        terminal.expect(then)
    except AssertionError:
        terminal.kill()
        raise
    assert terminal.end() == 0, terminal.seen
    assert "To continue: rolecall observe" in terminal.seen


def test_what_is_skipped_stays_unread_and_what_was_known_is_not_believed(repo: Path) -> None:
    observed(repo, ["--only", "teams"], ("Is this still correct", "no"), ("one per line", "skip"))
    assert org(repo)["coverage"]["teams"] == "unread"
    assert "teams" not in org(repo)


def test_a_question_that_is_skipped_leaves_its_field_unread(repo: Path) -> None:
    observed(
        repo,
        ["--only", "scim"],
        ("Is SCIM on", "yes"),
        ("Identity provider", "skip"),
        ("Endpoint", "maybe"),
        ("Enter legacy, upgrading or new", "n"),
        ("Is manual editing", "skip"),
    )
    assert org(repo)["scim"] == {"enabled": True, "endpoint": "new"}


def test_groups_one_by_one_and_a_row_of_a_paste_that_has_to_be_asked_for(repo: Path) -> None:
    (repo / "rolecall.yaml").write_text(f"{CONFIG}idp_groups:\n  Admins: blank\n  Staff: blank\n")
    observed(
        repo,
        ["--only", "idp_groups"],
        ("one by one", "one"),
        ("Admins [blank]", "Org admin IT"),
        ("Enter role and teams, such as", "Org admin: IT"),
        ("Staff [blank]", ""),
    )
    assert org(repo)["idp_groups"] == GROUPS
    seen = observed(
        repo,
        ["--only", "idp_groups", "--paste"],
        ("An empty line ends it", PASTE.replace("\tIT\t", "\tTI\t")),
        ("Admins:", ""),
        ("Enter role and teams, such as", "Org admin: IT"),
        ("2 groups, 1 of them mapped. Is this correct", "yes"),
    )
    assert "no team `TI`" in seen
    assert org(repo)["idp_groups"] == GROUPS


BEFORE = f"""\
{TEAMS}idp_groups:
  Admins: {{role: org_admin, teams: [IT]}}
  Staff: blank
  Writers: {{role: member, teams: [Legal]}}
"""


@pytest.mark.parametrize("how", ["--paste", "--csv"])
def test_a_table_that_lacks_groups_of_the_last_reading_is_refused_without_a_terminal(
    how: str, repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (repo / "org.yaml").write_text(BEFORE)
    (repo / "groups.csv").write_text("group,role,teams\nAdmins,Member,IT\nStaff,,\nNew,,\n")
    monkeypatch.setattr("sys.stdin", io.StringIO((repo / "groups.csv").read_text()))
    command = ["observe", how, *(["groups.csv"] if how == "--csv" else [])]
    assert run(command) == 1
    told = capsys.readouterr().err
    assert "1 group of the last reading is missing: Writers" in told
    assert "--accept-missing" in told
    assert (repo / "org.yaml").read_text() == BEFORE
    monkeypatch.setattr("sys.stdin", io.StringIO((repo / "groups.csv").read_text()))
    assert run([*command, "--accept-missing"]) == 0
    told = capsys.readouterr().out
    for line in ("is missing: Writers", "1 group is mapped differently: Admins", "1 group is new: New"):
        assert line in told
    assert set(org(repo)["idp_groups"]) == {"Admins", "Staff", "New"}


def test_prose_or_a_table_without_its_columns_does_not_erase_mappings(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (repo / "org.yaml").write_text(BEFORE)
    for text in ("Hello Ann\nplease have a look\n", "group,role,teams\nAdmins,,\nStaff,,\nWriters,,\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert run(["observe", "--paste"]) == 1
        assert (repo / "org.yaml").read_text() == BEFORE
    assert "no group in this table is mapped, but some were" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "group,teams\nAdmins,IT\nStaff,\nWriters,Legal\n",
        "group,role,teams\nAdmins,,IT\nStaff,,\nWriters,Member,Legal\n",
    ],
)
def test_a_table_without_roles_does_not_erase_them(
    text: str, repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (repo / "org.yaml").write_text(BEFORE)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert run(["observe", "--paste"]) == 1
    assert "without the former role: Admins" in capsys.readouterr().err
    assert (repo / "org.yaml").read_text() == BEFORE
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert run(["observe", "--paste", "--accept-missing"]) == 0
    assert org(repo)["idp_groups"]["Admins"]["teams"] == ["IT"]


def test_a_list_that_was_cut_is_asked_for_again(repo: Path) -> None:
    (repo / "org.yaml").write_text(BEFORE)
    whole = "IdP group\tRole\tTeams\nAdmins\tOrg admin\tIT\nStaff\t\t\nWriters\tMember\tLegal\n"
    seen = observed(
        repo,
        ["--only", "idp_groups", "--paste"],
        ("An empty line ends it", PASTE),
        ("1 group of the last reading missing. Enter removed, or cut", ""),
        ("An empty line ends it", whole),
        ("3 groups, 2 of them mapped. Is this correct", "yes"),
    )
    assert "1 group of the last reading is missing: Writers" in seen
    assert "Writers" in org(repo)["idp_groups"]
    observed(
        repo,
        ["--only", "idp_groups", "--paste"],
        ("An empty line ends it", PASTE),
        ("Enter removed, or cut", "removed"),
        ("2 groups, 1 of them mapped. Is this correct", "yes"),
    )
    assert org(repo)["idp_groups"] == GROUPS


def test_a_list_of_teams_that_was_cut_is_asked_for_again(repo: Path) -> None:
    teams = org(repo)["teams"]
    observed(
        repo,
        ["--only", "teams"],
        ("Is this still correct", "no"),
        ("Enter all teams", f"{teams[0]}\n"),
        ("of the last reading missing. Enter removed, or cut", "cut"),
        ("Enter all teams", "\n".join([*teams, "More", ""])),
    )
    assert org(repo)["teams"] == sorted([*teams, "More"])


def test_a_paste_may_have_empty_lines_of_its_own(repo: Path) -> None:
    observed(
        repo,
        ["--only", "idp_groups", "--paste"],
        ("An empty line ends it", PASTE.replace("Staff", "\n  \nStaff")),
        ("2 groups, 1 of them mapped. Is this correct", "yes"),
    )
    assert org(repo)["idp_groups"] == GROUPS


def test_a_line_that_stands_alone_is_asked_about(repo: Path) -> None:
    seen = observed(
        repo,
        ["--only", "idp_groups", "--paste"],
        ("An empty line ends it", f"{PASTE}Legal West\nOthers\n"),
        ("Is it a group [no]", ""),
        ("Is it a group [no]", "yes"),
        ("Others [blank]", "Member: Legal"),
        ("3 groups, 2 of them mapped. Is this correct", "yes"),
    )
    assert "`Legal West` is alone on its line" in seen
    assert org(repo)["idp_groups"] == {**GROUPS, "Others": {"role": "member", "teams": ["Legal"]}}


def test_each_section_keeps_its_own_reader_and_moment(repo: Path) -> None:
    (repo / "org.yaml").write_text(f"taken_at: 2026-01-02T03:04:05Z\ntaken_by: old@acme.com\n{TEAMS}")
    observed(
        repo, ["--only", "scim"], ("Is SCIM", "no"), ("Identity", "skip"), ("Endpoint", "skip"), ("manual", "skip")
    )
    coverage = org(repo)["coverage"]
    assert coverage["teams"] == {"state": "complete", "taken_at": "2026-01-02T03:04:05Z", "taken_by": "old@acme.com"}
    assert coverage["scim"]["taken_by"] == "ann@acme.com"


def test_reading_a_section_again_removes_who_reported_its_values(repo: Path) -> None:
    report = "{by: bo@acme.com, at: 2026-01-02T03:04:05Z}"
    (repo / "org.yaml").write_text(f"{TEAMS}reported:\n  scim.enabled: {report}\n  sso.name: {report}\n")
    observed(
        repo, ["--only", "scim"], ("Is SCIM", "no"), ("Identity", "skip"), ("Endpoint", "skip"), ("manual", "skip")
    )
    assert list(org(repo)["reported"]) == ["sso.name"]


def test_a_plan_says_whose_reading_it_is_and_how_old(repo: Path, capsys: Capture) -> None:
    (repo / "org.yaml").write_text(
        f"taken_at: 2026-01-02T03:04:05Z\ntaken_by: ann@acme.com\n{TEAMS}defaults: {{role: member, teams: [IT]}}\n"
    )
    (repo / "rolecall.yaml").write_text(f"{CONFIG}defaults: {{role: member, teams: [Everyone]}}\n")
    assert run(["plan", "--detailed-exitcode"]) == 2
    said = " ".join(capsys.readouterr().out.split())
    assert "The org was observed by ann@acme.com on 2 Jan 2026" in said
    assert "later changes in the console are not included" in said
    assert "observed_age" in said
    assert run(["plan", "--format", "json"]) == 0
    guards = {row["name"]: row["verdict"] for row in json.loads(capsys.readouterr().out)["guards"]}
    assert guards["observed_age"] == "review"


def test_the_next_step_is_to_write_the_configuration_and_later_to_plan(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASTE))
    assert run(["observe", "--paste", "--by", "ann@acme.com"]) == 0
    assert capsys.readouterr().out.endswith("Next: rolecall export --update\n")
    (repo / "rolecall.yaml").write_text(f"{CONFIG}idp_groups: {{Staff: blank}}\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(PASTE))
    assert run(["observe", "--paste", "--by", "ann@acme.com"]) == 0
    assert capsys.readouterr().out.endswith("Next: rolecall plan\n")
    seen = observed(repo, ["--only", "teams"], ("Is this still correct", "yes"))
    assert seen.rstrip().endswith("Next: rolecall plan")


def test_a_csv_takes_teams_as_the_page_has_them(repo: Path, capsys: Capture) -> None:
    (repo / "groups.csv").write_text('group,role,teams\nAdmins,Org admin,"IT, Legal"\nStaff,,\n')
    assert run(["observe", "--csv", "groups.csv"]) == 0
    assert org(repo)["idp_groups"]["Admins"] == {"role": "org_admin", "teams": ["IT", "Legal"]}
    (repo / "groups.csv").write_text('group,role,teams\nAdmins,Org admin,"IT, Legl"\nStaff,,\n')
    assert run(["observe", "--csv", "groups.csv"]) == 1
    assert "`Admins`: no team `Legl`; did you mean `Legal`?" in capsys.readouterr().err


def test_a_cell_that_could_not_be_read_has_no_answer_in_brackets(repo: Path) -> None:
    (repo / "groups.csv").write_text('group,role,teams\nAdmins,Org admin,"IT, Legl"\nStaff,,\n')
    observed(
        repo,
        ["--csv", "groups.csv", "--only", "idp_groups"],
        ("  Admins: ", ""),
        ("Enter role and teams", "Org admin: IT, Legal"),
        ("Is this correct", "yes"),
    )
    assert org(repo)["idp_groups"]["Admins"] == {"role": "org_admin", "teams": ["IT", "Legal"]}


@pytest.mark.parametrize(
    ("name", "value"),
    [("Okta", "okta"), ("Entra", "entra"), ("microsoft entra id", "entra"), ("OneLogin", "OneLogin")],
)
def test_names_in_the_console_are_recorded_as_values(repo: Path, name: str, value: str) -> None:
    observed(
        repo,
        ["--only", "scim"],
        ("Is SCIM on", "yes"),
        ("Identity provider", name),
        ("Endpoint", "New"),
        ("Is manual editing", "skip"),
    )
    assert org(repo)["scim"] == {"enabled": True, "idp": value, "endpoint": "new"}
