"""`docs/howto/drift.md`: its commands are run, the lines it shows are said, and its cron script works for a week."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import meddler
import pytest
from webhook import webhook

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "howto" / "drift.md").read_text(encoding="utf-8")
RAISED = {"role": "team_admin", "teams": ["Marketing"]}
STEP = re.compile(r"```console\n(.*?)```|<!-- test: (.*?) -->", re.DOTALL)


class Shell:
    """A shell in a copy of the minimal example, which is in git, with rolecall on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repo"
        shutil.copytree(ROOT / "examples" / "minimal", self.folder, ignore=shutil.ignore_patterns(".rolecall"))
        keep = {name: said for name, said in os.environ.items() if name in ("LANG", "TMPDIR")}
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        self.environ = {**keep, "PATH": path, "HOME": str(folder), "GIT_CONFIG_GLOBAL": str(folder / "gitconfig")}
        (folder / "gitconfig").write_text("[user]\nname = Ben Ode\nemail = ben@tinyco.com\n")
        (self.folder / ".gitignore").write_text(".rolecall/\nrevert.json\nevidence.csv\n")
        self.run("git init -q . && git add . && git commit -qm 'Map the marketing team'")

    @property
    def org(self) -> Path:
        return self.folder / ".rolecall" / "org.db"

    def run(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env={**self.environ, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block with the lines shown below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def says(told: str, line: str) -> bool:
    """Whether some line was said; ``…`` stands for anything."""
    pattern = ".*".join(map(re.escape, line.split("…")))
    return any(re.fullmatch(pattern, said.rstrip()) for said in told.splitlines())


def test_the_page(tmp_path: Path) -> None:
    shell, told = Shell(tmp_path), ""
    for found in STEP.finditer(PAGE):
        if found[2]:
            _, by, group, role, team = found[2].split()
            meddler.by_console(shell.org, by, group, {"role": role, "teams": [team]})
            continue
        for command, shown in commands(found[1]):
            digest = re.search(r"--approve ([0-9a-f-]{19})", told)
            ended = shell.run(command, DIGEST=digest[1] if digest else "")
            told = ended.stdout + ended.stderr
            wanted = re.search(r"# exits with (\d+)", command)
            assert ended.returncode == (int(wanted[1]) if wanted else 0), (command, told)
            for line in shown:
                assert says(told, line), (command, line, told)
    assert (shell.folder / "evidence.csv").read_text().startswith("email,id,role,")


@pytest.fixture
def week(tmp_path: Path) -> Shell:
    """An org that is watched, with two org admins."""
    shell = Shell(tmp_path)
    config = shell.folder / "rolecall.yaml"
    config.write_text(config.read_text() + "watch: {roles: [org_admin]}\n")
    assert shell.run("rolecall local load snapshot.json && rolecall apply --auto-approve").returncode == 0
    (tmp_path / "cron.sh").write_text(re.search(r"```sh\n(#!.*?)```", PAGE, re.DOTALL)[1])
    return shell


def test_over_a_week_the_cron_jobs_messages_are_exactly_the_news(week: Shell, tmp_path: Path) -> None:
    with webhook() as hook:

        def cron() -> list[str]:
            """Two looks a day; what they told, without the line that names the org."""
            before = len(hook.texts)
            for _ in range(2):
                ended = week.run(f"sh {tmp_path}/cron.sh", REPO=".", WEBHOOK=hook.url, METRICS=str(tmp_path))
                assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
            told = [line for text in hook.texts[before:] for line in text.splitlines()]
            heads = [line for line in told if line.startswith("LOCAL REHEARSAL")]
            assert len(heads) == len(hook.texts) - before
            return [line for line in told if line not in heads]

        assert cron() == []  # Monday: nothing

        meddler.by_console(week.org, "ada@tinyco.com", "Writer-Marketing", RAISED)
        (news,) = cron()  # Tuesday: a change by hand
        assert news.startswith(
            "New drift: ~ idp_groups/Writer-Marketing role: member → team_admin · Changed in the console"
        )
        assert "by ada@tinyco.com, " in news
        assert "(from 10.1.2.3)" in news
        assert "Effect: 1 user moves from member to team admin in Marketing." in news
        assert "ben@tinyco.com" not in news

        with meddler.idp(week.org) as idp:  # Wednesday: people come and go
            idp.joins("dot@tinyco.com", "Writer-Marketing")
            idp.pushes("Helpdesk")
            idp.leaves("cem@tinyco.com")
        assert cron() == []

        with meddler.idp(week.org) as idp:  # Thursday: the IdP makes an org admin
            idp.moves("dot@tinyco.com", into="Writer-Admins")
        (news,) = cron()
        assert news == "Policy violation: 1 user is now org admin, by Writer-Admins (rolecall.yaml:11)"

        back = "rolecall apply --auto-approve --allow max-people-losing-access=2"
        assert week.run(back).returncode == 0  # Friday: somebody applies
        assert sorted(cron()) == ["Cleared: idp_groups/Writer-Marketing (console)", "Cleared: org_admin (watch)"]

        meddler.by_console(week.org, "dot@tinyco.com", "Helpdesk", {"role": "org_admin", "teams": ["Everyone"]})
        (news,) = cron()  # Saturday: a new door to org admin
        assert news.startswith("New drift: + idp_groups/Helpdesk role: org_admin · teams: Everyone")
        assert "by dot@tinyco.com" in news

        meddler.by_console(week.org, "ada@tinyco.com", "Helpdesk", None)
        assert cron() == ["Cleared: idp_groups/Helpdesk (console)"]  # Sunday

        assert len(hook.posts) == 5
        assert all("s3cret" not in text for text in hook.texts)
        assert sum(len(post["new"]) for post in hook.posts) == 2
    numbers = (tmp_path / "rolecall.prom").read_text()
    assert 'rolecall_drift{org="org_tinyco",env="",section="idp_groups",class="console"} 0\n' in numbers
    assert 'rolecall_org_admins{org="org_tinyco",env=""} 2\n' in numbers
    assert 'rolecall_people_without_access{org="org_tinyco",env=""} 0\n' in numbers


def test_a_notice_that_did_not_get_through_is_told_by_the_next_look(week: Shell, tmp_path: Path) -> None:
    meddler.by_console(week.org, "ada@tinyco.com", "Writer-Marketing", RAISED)
    with webhook() as hook:
        hook.answers = [(403, {})]
        where = {"REPO": ".", "WEBHOOK": hook.url, "METRICS": str(tmp_path)}
        ended = week.run(f"sh {tmp_path}/cron.sh", **where)
        assert ended.returncode == 1
        assert "the notification was not delivered: 127.0.0.1 returned 403" in ended.stderr
        assert "s3cret" not in ended.stderr
        assert week.run(f"sh {tmp_path}/cron.sh", **where).returncode == 0
        assert week.run(f"sh {tmp_path}/cron.sh", **where).returncode == 0
        assert len(hook.posts) == 1
