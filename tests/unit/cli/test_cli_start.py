"""Test `init`, `local` and `demo`: from an empty folder to a second plan."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from cli_repo import make_repo
from terminal import ROLECALL, Terminal

from rolecall.cli.main import run
from rolecall.desired.edit.schemas import EDITOR_SCHEMAS
from rolecall.errors import Exit

SMALL_DISK = """\
import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (51200, 51200))
from rolecall.cli.main import main"""
"""No file may grow beyond 50 kB, as on a disk that is nearly full."""

Capture = pytest.CaptureFixture[str]


class Typed(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_init_makes_a_valid_repo_that_manages_nothing(tmp_path: Path, capsys: Capture) -> None:
    assert run(["init", "--no-input"]) == Exit.OK
    assert (tmp_path / ".rolecall" / "config.schema.json").is_file()
    assert (tmp_path / ".gitignore").read_text(
        encoding="utf-8"
    ) == ".rolecall/*\n!.rolecall/*.schema.json\nplan.json\n*.plan.json\nrevert.json\n"
    assert run(["validate"]) == Exit.OK
    assert run(["local", "reset"]) == Exit.OK
    capsys.readouterr()
    assert run(["plan", "--detailed-exitcode"]) == Exit.OK
    assert "No changes." in capsys.readouterr().out


def test_init_writes_the_schemas_that_schema_prints(tmp_path: Path, capsys: Capture) -> None:
    assert run(["init", "--no-input"]) == Exit.OK
    for kind in EDITOR_SCHEMAS:
        capsys.readouterr()
        assert run(["schema", "--kind", kind]) == Exit.OK
        text = (tmp_path / ".rolecall" / f"{kind}.schema.json").read_text(encoding="utf-8")
        assert capsys.readouterr().out == text
        assert json.loads(text)["$id"] == f"urn:rolecall:{kind}:1"


def test_init_asks_a_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Typed("acme: the org\nhttps://rolecall.example.com\nentra\nnone\n"))
    assert run(["init"]) == Exit.OK
    text = (tmp_path / "rolecall.yaml").read_text(encoding="utf-8")
    assert 'name: "acme: the org"' in text
    assert "url: https://rolecall.example.com\n  token: {env: ROLECALL_TOKEN}" in text
    assert "idp: entra" in text
    assert "#     tenant: acme.onmicrosoft.com" in text
    assert not (tmp_path / ".github").exists()
    assert run(["validate"]) == Exit.OK


def test_init_asks_again_until_it_has_an_answer(tmp_path: Path) -> None:
    terminal = Terminal([*ROLECALL, "init"], tmp_path)
    try:
        for prompt, answer in (
            (f"Name of the org [{tmp_path.name}]", ""),
            ("local (to try rolecall)? [observed]", "ftp://acme.com"),
            ("`ftp://acme.com` is not an org's URL", "http://acme.com"),
            ("would send the token unencrypted", ""),
            ("IdP: okta, entra or other", "oktaa"),
            ("`oktaa` is not one of okta, entra, other", "e"),
            ("Pipeline for github, gitlab or none [none]", "gitlab"),
            ("rolecall observe ", ""),
        ):
            terminal.expect(prompt)
            terminal.type(answer)
    except AssertionError:
        terminal.kill()
        raise
    assert terminal.end() == Exit.OK, terminal.seen
    assert 'url: "observed:org.yaml"' in (tmp_path / "rolecall.yaml").read_text()
    assert (tmp_path / ".gitlab-ci.yml").exists()
    again = Terminal([*ROLECALL, "init"], tmp_path)
    assert again.end() == Exit.ERROR
    assert "a configuration already exists here" in again.seen
    assert "Name of the org" not in again.seen


@pytest.mark.parametrize("url", ["ftp://x", "acme", "observed:", "https://", "https://u:p@acme.com"])
def test_init_takes_no_url_that_is_none(url: str, tmp_path: Path) -> None:
    assert run(["init", "--no-input", "--url", url]) in (Exit.USAGE, Exit.ERROR)
    assert list(tmp_path.iterdir()) == []


WAYS = ["observed:org.yaml", "https://rolecall.example.com", "local:.rolecall/org.db"]


@pytest.mark.parametrize("idp", ["okta", "entra", "other"])
@pytest.mark.parametrize("url", WAYS)
def test_every_example_of_a_new_config_is_right_as_it_stands(url: str, idp: str, tmp_path: Path) -> None:
    """Uncommented as a whole, as an admin does bit by bit."""
    assert run(["init", "--no-input", "--name", "acme", "--url", url, "--idp", idp]) == Exit.OK
    path = tmp_path / "rolecall.yaml"
    examples = re.sub(r"^# (?=[a-z_]+:|  )", "", path.read_text(), flags=re.MULTILINE)
    assert examples.count("\n# ") < path.read_text().count("\n# ") - 10
    path.write_text(examples)
    (tmp_path / "people.csv").write_text("email,groups\nann@acme.com,Writer-Admins\n")
    assert run(["validate"]) == Exit.OK


@pytest.mark.parametrize("url", WAYS)
def test_a_new_repo_tells_how_to_go_on(url: str, tmp_path: Path, capsys: Capture) -> None:
    assert run(["init", "--no-input", "--name", "acme", "--url", url]) == Exit.OK
    told = capsys.readouterr().out
    readme = (tmp_path / "README.md").read_text()
    assert readme.startswith("# WRITER access of acme\n")
    first = {"o": "rolecall observe", "h": "rolecall doctor", "l": "rolecall local load"}[url[0]]
    assert first in told
    assert ("`rolecall observe`" in readme) == url.startswith("observed")


def test_a_readme_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("ours\n")
    assert run(["init", "--no-input"]) == Exit.OK
    assert (tmp_path / "README.md").read_text() == "ours\n"


def test_an_org_that_nobody_wrote_down_yet_says_what_to_do(capsys: Capture) -> None:
    assert run(["init", "--no-input", "--url", "observed:org.yaml"]) == Exit.OK
    assert run(["plan"]) == Exit.ERROR
    assert "record the settings of the console: rolecall observe" in capsys.readouterr().err


def test_a_new_repo_is_ready_to_push(tmp_path: Path, capsys: Capture) -> None:
    """Cloned from what was pushed, and with the org's file in place, it validates and plans."""
    assert run(["init", "--no-input", "--name", "acme", "--url", "observed:org.yaml", "--ci", "github"]) == Exit.OK
    (tmp_path / "org.yaml").write_text("snapshot: 1\norg: {id: acme}\nteams: [Everyone]\ndomains: {acme.com: {}}\n")
    assert run(["export", "--update"]) == Exit.OK
    (tmp_path / ".rolecall" / "scratch").write_text("not to be pushed")
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "Start")
    _git(tmp_path, "clone", "-q", ".", "clone")
    clone = tmp_path / "clone"
    files = {str(path.relative_to(clone)) for path in clone.rglob("*") if path.is_file() and ".git/" not in str(path)}
    assert files >= {"rolecall.yaml", "org.yaml", "README.md", ".gitignore", ".rolecall/config.schema.json"}
    assert ".rolecall/scratch" not in files
    assert {name for name in files if name.startswith(".github/workflows/")}
    capsys.readouterr()
    assert run(["-C", str(clone), "validate"]) == Exit.OK
    assert run(["-C", str(clone), "plan"]) == Exit.OK
    assert "No changes." in capsys.readouterr().out


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("name", ["no", "010", "a: b", "# c", "ünï", '"', "true", "-", "x{y"])
def test_init_writes_any_name_so_that_it_reads_back(name: str, capsys: Capture) -> None:
    assert run(["init", "--no-input", "--name", name]) == Exit.OK
    assert run(["validate"]) == Exit.OK
    run(["local", "reset"])
    capsys.readouterr()
    run(["render", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["org"]["name"] == name


def test_init_leaves_what_is_there(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc\n.rolecall/*\n", encoding="utf-8")
    run(["init", "--no-input"])
    text = (tmp_path / ".gitignore").read_text(encoding="utf-8")
    assert text == "*.pyc\n.rolecall/*\n!.rolecall/*.schema.json\nplan.json\n*.plan.json\nrevert.json\n"
    assert run(["init", "--no-input"]) == Exit.ERROR
    assert "a configuration already exists here" in capsys.readouterr().err


def test_init_adds_to_a_gitignore_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9/\n")
    assert run(["init", "--no-input"]) == Exit.OK
    assert (
        tmp_path / ".gitignore"
    ).read_bytes() == b"caf\xe9/\n" + b".rolecall/*\n!.rolecall/*.schema.json\nplan.json\n*.plan.json\nrevert.json\n"


def test_a_token_stands_alone_on_the_last_line(tmp_path: Path, capsys: Capture) -> None:
    make_repo(tmp_path / "r")
    capsys.readouterr()
    assert run(["-C", str(tmp_path / "r"), "local", "token", "--scim"]) == Exit.OK
    assert capsys.readouterr().out.splitlines()[-1].startswith("rolecall_scim_")


@pytest.mark.parametrize("args", [[], ["--scim", "--as", "ann@tiny.co"]])
def test_a_token_without_a_kind_or_with_the_wrong_one(tmp_path: Path, args: list[str]) -> None:
    make_repo(tmp_path / "r")
    assert run(["-C", str(tmp_path / "r"), "local", "token", *args]) == Exit.USAGE


def test_only_a_local_org_can_be_loaded(tmp_path: Path, capsys: Capture) -> None:
    repo = make_repo(tmp_path / "r")
    text = (repo / "rolecall.yaml").read_text(encoding="utf-8")
    (repo / "rolecall.yaml").write_text(text.replace("local:org.db", "observed:live.json"), encoding="utf-8")
    assert run(["-C", str(repo), "local", "load", "live.json"]) == Exit.USAGE
    assert "which is not a local org" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\x00\x01", b'{"snapshot": 9}'])
def test_what_is_no_snapshot_is_not_loaded(tmp_path: Path, content: bytes, capsys: Capture) -> None:
    (tmp_path / "s.json").write_bytes(content)
    assert run(["local", "load", "s.json", "--database", "org.db"]) == Exit.ERROR
    assert capsys.readouterr().err.startswith("error: ")


def test_what_is_no_database_is_not_opened(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "org.db").write_bytes(b"not a database at all" * 100)
    assert run(["local", "reset", "--database", "org.db"]) == Exit.ERROR
    assert capsys.readouterr().err.startswith("error: ")


def test_a_disk_that_takes_no_more_leaves_the_org_as_it_was(tmp_path: Path, capsys: Capture) -> None:
    repo = make_repo(tmp_path / "r")
    capsys.readouterr()
    assert run(["-C", str(repo), "plan", "--format", "json"]) == Exit.OK
    before = json.loads(capsys.readouterr().out)["changes"]
    line = [sys.executable, "-c", f"{SMALL_DISK}; main()", "-C", str(repo), "local", "reset"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (Exit.ERROR, "")
    assert done.stderr.startswith("error: the local org in org.db was not changed: ")
    assert done.stderr.count("\n") == 1
    run(["-C", str(repo), "plan", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["changes"] == before


def test_a_served_org_answers_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "r")
    line = [sys.executable, "-m", "rolecall", "-C", str(repo), "local", "serve", "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "LOCAL REHEARSAL, not WRITER\n"
        url = server.stdout.readline().split()[-1]
        assert httpx.get(f"{url}/v1/org", timeout=10).status_code == 401
        server.send_signal(2)
        _, told = server.communicate(timeout=20)
    assert "Traceback" not in told
    assert server.returncode in (Exit.OK, Exit.INTERRUPTED)


def test_the_demo_runs_to_its_end_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    began = time.monotonic()
    assert run(["demo"]) == Exit.OK
    out = capsys.readouterr().out
    assert out.startswith("Acme has 400 users and manages their access in WRITER with rolecall.\n")
    assert [int(number) for number in re.findall(r"^(\d)/5  ", out, re.MULTILINE)] == [1, 2, 3, 4, 5]
    assert out.count("$ rolecall ") == 5
    assert "ines.okafor@acme.com" in out
    assert "group:Writer-Sales (R8)" in out
    assert "Done: 1 step" in out
    closing = out.partition("That was the demo. Next:\n")[2]
    assert [row.split("   ")[0].strip() for row in closing.splitlines()] == [
        "rolecall init",
        "rolecall init --url observed:org.yaml",
        "rolecall help",
        "rolecall demo --keep DIR",
    ]
    assert list(tmp_path.iterdir()) == []
    assert time.monotonic() - began < 60


def test_the_demo_takes_less_than_two_minutes_to_read(capsys: Capture) -> None:
    """At 240 words a minute. Punctuation is not a word, and a line that was there before is not read again."""
    assert run(["demo"]) == Exit.OK
    lines = dict.fromkeys(line.partition("   read: ")[0].strip() for line in capsys.readouterr().out.splitlines())
    assert len([word for line in lines for word in line.split() if re.search(r"\w", word)]) < 2 * 240


def test_the_demo_can_be_kept_and_needs_an_empty_folder(tmp_path: Path, capsys: Capture) -> None:
    assert run(["demo", "--keep", "acme"]) == Exit.OK
    assert (tmp_path / "acme" / "rolecall.yaml").is_file()
    out = capsys.readouterr().out
    assert "The files are in acme. Try:" in out
    assert run(["-C", str(tmp_path / "acme"), "plan"]) == Exit.REFUSED
    assert "rolecall -C acme drift --accept" in out
    assert run(["-C", str(tmp_path / "acme"), "drift", "--accept"]) == Exit.OK
    assert run(["-C", str(tmp_path / "acme"), "plan"]) == Exit.OK
    assert run(["-C", str(tmp_path), "demo", "--keep", "acme"]) == Exit.ERROR
    assert "not an empty folder" in capsys.readouterr().err


def test_on_a_terminal_the_demo_pauses_and_offers_to_keep_its_files(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    terminal = Terminal([*ROLECALL, "demo"], tmp_path)
    try:
        for number in range(1, 5):
            terminal.expect(f"{number}/5  ")
            terminal.expect("Press Enter for the next chapter (q ends): ")
            terminal.type("")
        for folder in ("taken", "kept"):
            terminal.expect("To keep the demo's files (as --keep does), enter a folder. To delete them, press Enter: ")
            terminal.type(folder)
    except AssertionError:
        terminal.kill()
        raise
    assert terminal.end() == Exit.OK, terminal.seen
    assert "taken is not an empty folder" in terminal.seen
    assert "rolecall -C kept drift --accept" in terminal.seen
    assert (tmp_path / "kept" / ".rolecall" / "org.db").is_file()


@pytest.mark.parametrize("answer", ["q", "stop"])
def test_the_demo_can_be_ended_after_a_chapter(tmp_path: Path, answer: str) -> None:
    terminal = Terminal([*ROLECALL, "demo"], tmp_path)
    try:
        terminal.expect("Press Enter for the next chapter (q ends): ")
        terminal.type(answer)
        terminal.expect("That was the demo. Next:")
        terminal.expect("press Enter: ")
        terminal.type("")
    except AssertionError:
        terminal.kill()
        raise
    assert terminal.end() == Exit.OK, terminal.seen
    assert "2/5" not in terminal.seen
    assert list(tmp_path.iterdir()) == []


def test_a_token_is_for_one_door(tmp_path: Path, capsys: Capture) -> None:
    assert run(["local", "token", "--admin", "--scim", "--database", "org.db"]) == Exit.USAGE
    assert "a token is for either --admin or --scim" in capsys.readouterr().err
    assert not (tmp_path / "org.db").exists()


@pytest.mark.parametrize(
    ("email", "said"),
    [
        (
            "nobody@tiny.co",
            "warning: no user nobody@tiny.co in this org; until they are an org admin, requests with this token get "
            "403",
        ),
        ("cy@tiny.co", "warning: cy@tiny.co is not an org admin"),
        ("ann@tiny.co", ""),
    ],
)
def test_a_token_that_opens_nothing_is_told_so(tmp_path: Path, capsys: Capture, email: str, said: str) -> None:
    make_repo(tmp_path / "repo")
    capsys.readouterr()
    assert run(["local", "token", "--admin", "--as", email]) == Exit.OK
    told = capsys.readouterr()
    assert told.out.startswith("rolecall_admin_")
    assert told.err.startswith(said)
    assert bool(said) == ("warning" in told.err)


def test_the_first_person_of_an_empty_org_is_its_org_admin(tmp_path: Path, capsys: Capture) -> None:
    assert run(["local", "reset", "--database", "org.db"]) == Exit.OK
    assert run(["local", "token", "--admin", "--as", "first@tiny.co", "--database", "org.db"]) == Exit.OK
    assert "warning" not in capsys.readouterr().err
