"""Test `drift --accept` and `drift --revert`: the config matches the org, or the org the config."""

from __future__ import annotations

import json
from pathlib import Path

import meddler
import pytest
import saml
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.plan.saved.digest import short

Capture = pytest.CaptureFixture[str]
WORDS = "    role: 'member' # as the lead asked\n    teams: [Brand]   # CHG-1, not Sales\n"
COMMENTED = CONFIG.replace("    role: member\n    teams: [Brand]\n", WORDS)
BOTH = {"role": "member", "teams": ["Brand", "Marketing"]}
ADMIN = {"role": "team_admin", "teams": ["Marketing"]}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo", COMMENTED)
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    return made


def config(repo: Path) -> str:
    return (repo / "rolecall.yaml").read_text()


def test_accepted_is_one_line_of_a_diff_and_then_nothing_drifts(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", BOTH)
    assert run(["drift", "--accept"]) == Exit.OK
    assert "Changed rolecall.yaml." in capsys.readouterr().out
    assert config(repo) == COMMENTED.replace("teams: [Brand]   #", "teams: [Brand, Marketing]   #")
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    assert run(["plan", "--detailed-exitcode"]) == Exit.OK


def test_a_review_that_nobody_answers_writes_nothing(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    assert run(["drift", "--accept", "--no-input"]) == Exit.REFUSED
    told = capsys.readouterr().err
    assert "requires approval: escalations" in told
    assert config(repo) == COMMENTED
    digest = told.partition("--approve ")[2][:19]
    assert run(["drift", "--accept", "--approve", "0000-0000-0000-0000"]) == Exit.STALE
    assert config(repo) == COMMENTED
    assert run(["drift", "--accept", "--approve", digest]) == Exit.OK
    assert "role: 'team_admin' # as the lead asked" in config(repo)


def test_a_block_writes_nothing_until_it_is_lifted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    deny = COMMENTED.replace("block: 100%}}", "block: 0}}")
    made = make_repo(tmp_path / "deny", deny)
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve", "--allow", "max_people_losing_access=2"]) == Exit.OK
    meddler.remap(made / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Marketing"]})
    capsys.readouterr()
    assert run(["drift", "--accept"]) == Exit.REFUSED
    assert "blocked by max_people_losing_access" in capsys.readouterr().err
    assert config(made) == deny
    assert run(["drift", "--accept", "--allow", "max_people_losing_access=2"]) == Exit.OK
    assert "teams: [Marketing]   # CHG-1" in config(made)


def test_what_was_unmapped_is_said_to_be_blank(repo: Path) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", None)
    assert run(["drift", "--accept"]) == Exit.OK
    assert "blank: true" in config(repo)
    assert "owner: lead@tiny.co" in config(repo)
    assert run(["plan", "--detailed-exitcode"]) == Exit.OK


def test_a_singleton_changes_in_the_fields_that_the_config_speaks_of(repo: Path) -> None:
    meddler.put(repo / "org.db", "bo@tiny.co", "/v1/access/defaults", teams=["Everyone", "Brand"])
    assert run(["drift", "--accept"]) == Exit.OK
    assert config(repo) == COMMENTED.replace("teams: [Everyone]}\nidp", "teams: [Everyone, Brand]}\nidp")


def test_nothing_drifted_is_nothing_to_accept_or_revert(repo: Path, capsys: Capture) -> None:
    assert run(["drift", "--accept"]) == Exit.OK
    assert run(["drift", "--revert", "--out", "back.json"]) == Exit.OK
    told = capsys.readouterr().out
    assert "Nothing to accept." in told
    assert "Nothing to revert. No plan was saved." in told
    assert not (repo / "back.json").exists()


def test_a_revert_is_an_ordinary_plan_and_brings_the_org_back(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    assert run(["drift", "--revert", "--out", "back.json"]) == Exit.OK
    said = json.loads((repo / "back.json").read_text())
    assert [(row["address"], row["reason"]) for row in said["changes"]] == [("idp_groups/Marketing", "drift")]
    assert run(["show", "back.json"]) == Exit.OK
    assert run(["apply", "back.json", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    with meddler.org(repo / "org.db") as org:
        assert org.group("Marketing")["mapping"] == {"role": "member", "teams": ["Brand"]}
    assert config(repo) == COMMENTED


def test_a_revert_is_saved_with_the_command_that_applies_it(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    assert run(["drift", "--revert", "--out", "my back.json"]) == Exit.OK
    out = capsys.readouterr().out
    digest = short(json.loads((repo / "my back.json").read_text())["digest"])
    apply = f"rolecall apply 'my back.json' --approve {digest}"
    assert out.endswith(f"Saved the plan to my back.json.\nTo apply exactly this plan: {apply}\n")
    assert "save a plan" not in out
    assert run(["drift", "--revert", "--out", "back.json", "--format", "json"]) == Exit.OK
    streams = capsys.readouterr()
    assert json.loads(streams.out)["drift"]
    assert "Saved the plan to back.json. To apply exactly this plan: " in streams.err


def test_a_revert_that_is_blocked_can_be_allowed_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(made := make_repo(tmp_path / "deny", CONFIG.replace("block: 100%}}", "block: 0}}")))
    assert run(["apply", "--auto-approve", "--allow", "max_people_losing_access=2"]) == Exit.OK
    meddler.remap(made / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Marketing"]})
    capsys.readouterr()
    assert run(["drift", "--revert", "--out", "back.json"]) == Exit.REFUSED
    assert "Apply is blocked. To see why: rolecall show back.json" in capsys.readouterr().out
    run(["show", "back.json"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "rolecall drift --revert --out FILE --allow max_people_losing_access=2" in shown
    assert "--target" not in shown
    lifted = ["--allow", "max_people_losing_access=2"]
    assert run(["drift", "--revert", "--out", "back.json", *lifted]) == Exit.OK
    assert run(["apply", "back.json", "--auto-approve"]) == Exit.OK
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK


def test_a_revert_leaves_alone_what_only_the_config_changed(repo: Path) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    (repo / "rolecall.yaml").write_text(COMMENTED.replace("[Everyone]}\nidp", "[Everyone, Brand]}\nidp"))
    assert run(["drift", "--revert", "--out", "back.json"]) == Exit.OK
    said = json.loads((repo / "back.json").read_text())
    assert [row["address"] for row in said["changes"]] == ["idp_groups/Marketing"]


@pytest.mark.parametrize(
    "args",
    [
        ["--revert"],
        ["--out", "x.json"],
        ["--revert", "--out", "x.json", "--accept"],
        ["--approve", "0000-0000-0000-0000"],
        ["--allow", "escalations=1"],
    ],
)
def test_flags_that_mean_nothing_alone(repo: Path, args: list[str]) -> None:
    assert run(["drift", *args]) == Exit.USAGE


def test_with_overlays_only_the_orgs_own_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    made = make_repo(tmp_path / "many", COMMENTED)
    (made / "env").mkdir()
    (made / "env" / "prod.yaml").write_text("# the org that people work in\norg: {id: org_1}\n")
    (made / "env" / "staging.yaml").write_text("org: {url: local:staging.db}\n")
    monkeypatch.chdir(made)
    assert run(["-e", "prod", "apply", "--auto-approve"]) == Exit.OK
    meddler.remap(made / "org.db", "bo@tiny.co", "Marketing", BOTH)
    assert run(["-e", "prod", "drift", "--accept"]) == Exit.OK
    assert config(made) == COMMENTED
    over = (made / "env" / "prod.yaml").read_text()
    assert over.startswith("# the org that people work in\norg: {id: org_1}\n")
    assert "Marketing" in over
    assert run(["-e", "prod", "plan", "--detailed-exitcode"]) == Exit.OK


def applied(folder: Path, config: str, monkeypatch: pytest.MonkeyPatch, files: dict[str, str] | None = None) -> Path:
    """A repo of that config, which was applied."""
    made = make_repo(folder / "more", config)
    for name, text in (files or {}).items():
        (made / name).write_text(text)
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    return made


def test_a_domain_that_somebody_dropped_leaves_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    domains = "domains:\n  # ours since 2019\n  tiny.co: {join: approval}\n  # bought\n  tiny.io: {}\n"
    snapshot = {
        **SNAPSHOT,
        "domains": {name: {"discoverable": True, "join": "approval"} for name in ("tiny.co", "tiny.io")},
    }
    made = make_repo(tmp_path / "domains", COMMENTED + domains, snapshot)
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    with meddler.org(made / "org.db") as org:
        assert org.as_person("bo@tiny.co").write("DELETE", "/v1/domains/tiny.io").status == 200
    assert run(["drift", "--accept", "--no-input"]) == Exit.OK
    assert config(made).startswith(COMMENTED + "domains:\n  # ours since 2019\n  tiny.co: {join: approval}\n")
    assert "tiny.io" not in config(made)
    assert run(["plan", "--detailed-exitcode"]) == Exit.OK


def test_a_mapping_that_nobody_listed_comes_into_an_authoritative_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = applied(tmp_path, COMMENTED, monkeypatch)
    with meddler.idp(made / "org.db") as idp:
        idp.pushes("Sales: 'north'")
    meddler.by_console(made / "org.db", "bo@tiny.co", "Sales: 'north'", {"role": "member", "teams": ["Brand"]})
    assert run(["drift", "--detailed-exitcode"]) == Exit.CHANGES
    assert run(["drift", "--accept"]) == Exit.OK
    assert "teams: [Brand]   # CHG-1, not Sales\n" in config(made)
    assert run(["plan", "--detailed-exitcode"]) == Exit.OK


def test_metadata_goes_into_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = saml.METADATA, saml.OTHER
    sso = "sso: {enabled: true, metadata: {file: idp.xml}} # from the IdP\n"
    made = make_repo(tmp_path / "sso", COMMENTED + sso, {**SNAPSHOT, "sso": {**SNAPSHOT["sso"], "metadata": old}})
    (made / "idp.xml").write_text(old)
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    meddler.put(made / "org.db", "bo@tiny.co", "/v1/access/sso", metadata=new)
    assert run(["drift", "--accept", "--no-input"]) == Exit.OK
    assert config(made) == COMMENTED + sso
    assert (made / "idp.xml").read_text() == f"{saml.OTHER}\n"
    assert run(["plan", "--detailed-exitcode"]) == Exit.OK


def test_a_lapsed_mapping_that_somebody_gave_again_no_longer_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = applied(
        tmp_path, COMMENTED.replace("    owner:", "    expires: 2020-01-31 # the fair\n    owner:"), monkeypatch
    )
    meddler.remap(made / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Brand"]})
    assert run(["drift", "--accept"]) == Exit.OK
    assert config(made) == COMMENTED
    assert run(["plan", "--detailed-exitcode"]) == Exit.OK


def test_what_a_config_cannot_say_leaves_every_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    text = COMMENTED.replace(
        "  Admins: {role: org_admin, teams: [Everyone]}\n", "  Admins: &top {role: org_admin, teams: [Everyone]}\n"
    )
    text = text.replace("guards:", "  Others: *top\nguards:")
    made = applied(tmp_path, text, monkeypatch)
    meddler.remap(made / "org.db", "bo@tiny.co", "Admins", {"role": "org_admin", "teams": ["Brand"]})
    capsys.readouterr()
    assert run(["drift", "--accept", "--no-input", "--allow", "escalations=9"]) == Exit.ERROR
    assert config(made) == text
    told = capsys.readouterr().err
    assert "idp_groups/Others" in told, told
