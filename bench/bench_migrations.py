"""What large migrations cost, as whole processes: plans that change much, drift and rollback of 10,000 settings.

    python bench/bench_migrations.py [--only NAME]... [--seconds N] [--times N] [--keep FOLDER]

Each org is made from nothing but numbers. A command that takes more than N seconds is ended and printed as such; memory
is limited to 8 GB.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import at_size
import org_at_size
from meter import Command, Spent
from org_at_size import FULL, Size, group, team
from table import section

ROLECALL = str(Path(sys.executable).with_name("rolecall"))
GUARDS = "guards: {max_people_losing_access: {review: 100%, block: 100%}}\n"
PLAN = ("plan", "--snapshot", "live.json", "--out", "plan.json")
RIGHT = (0, 1, 2, 3, 7)


class Case(NamedTuple):
    """A folder to make, a command to run there, and the targets: processor seconds, MB, MB of ``written``."""

    name: str
    prepare: Callable[[Path], None]
    words: tuple[str, ...]
    seconds: float
    memory: float
    written: str = ""
    size: float = 0
    before: Callable[[Path], None] = lambda _: None


def _org(folder: Path, live: dict[str, Any], config: str, people: Iterator[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rolecall.yaml").write_text(config + GUARDS, encoding="utf-8")
    (folder / "live.json").write_text(json.dumps(live), encoding="utf-8")
    with (folder / "people.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(person, separators=(",", ":")) + "\n" for person in people)


def _sized(size: Size) -> Callable[[Path], None]:
    """An org of ``org_at_size``, its people shuffled over the groups."""

    def prepare(folder: Path) -> None:
        _org(folder, org_at_size.snapshot(size), org_at_size.config(size), org_at_size.people(size))

    return prepare


_MILLION = FULL._replace(groups=10, mapped=5, changed=0)


def _alike(changed: str, in_group: int) -> Callable[[Path], None]:
    """A million people of whom all, or none, are in one group; the config changes the default or that mapping."""

    def prepare(folder: Path) -> None:
        live = org_at_size.snapshot(_MILLION)
        live["idp_groups"] = {group(0): {"role": "member", "teams": [team(1)]}, group(1): "blank"}
        config = f"version: 1\norg: {{name: at-size, url: 'local:.rolecall/none.db'}}\n{changed}\n"
        people = (
            {"email": f"person{number:07d}@acme.com", "groups": [group(in_group)]} for number in range(FULL.people)
        )
        _org(folder, live, config, people)

    return prepare


def _all_changed(count: int) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        at_size.rolecall(folder, count, share=1)

    return prepare


def _many_teams(folder: Path) -> None:
    """2,000 mappings of 1,000 teams each, of which 20 have another."""
    teams = [f"Team {number:04d}" for number in range(1_500)]
    live = {
        group(number): {"role": "member", "teams": [teams[(number + at) % 1_500] for at in range(1_000)]}
        for number in range(2_000)
    }
    snapshot = org_at_size.snapshot(FULL._replace(people=1)) | {"teams": teams, "idp_groups": live}
    lines = ["version: 1", "org: {name: at-size, url: 'local:.rolecall/none.db'}", "idp_groups:"]
    for number in range(2_000):
        wanted = live[group(number)]["teams"]
        wanted = [*wanted[1:], teams[(number + 1_001) % 1_500]] if number % 100 == 0 else wanted
        lines.append(f"  {group(number)}: {{role: member, teams: [{', '.join(wanted)}]}}")
    people = ({"email": f"person{number:04d}@acme.com", "groups": [group(number)]} for number in range(2_000))
    _org(folder, snapshot, "\n".join([*lines, ""]), people)


def _applied(count: int) -> Callable[[Path], None]:
    """A local org on which a run has just changed every mapping; ``before.json`` is the org before it."""

    def prepare(folder: Path) -> None:
        at_size.rolecall(folder, count, share=1, url="local:org.db")
        Command((ROLECALL, "local", "load", "live.json"), folder).run()
        with (folder / "rolecall.yaml").open("a", encoding="utf-8") as config:
            config.write(GUARDS)
        Command((ROLECALL, "apply", "--auto-approve"), folder, right=RIGHT).run()

    return prepare


def _drifted(count: int) -> Callable[[Path], None]:
    """The same org, with every mapping changed back by other hands."""

    def prepare(folder: Path) -> None:
        _applied(count)(folder)
        Command((ROLECALL, "local", "load", "live.json"), folder).run()

    return prepare


def _drifted_in_git(count: int) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        _drifted(count)(folder)
        (folder / ".gitignore").write_text("*.db*\n.rolecall\n", encoding="utf-8")
        name = ("-c", "user.name=bench", "-c", "user.email=bench@acme.com")
        for words in (("init", "-q"), ("add", "."), (*name, "commit", "-q", "-m", "config")):
            subprocess.run(("git", "-C", str(folder), *words), check=True)

    return prepare


def _in_files(folder: Path) -> None:
    """10,000 mappings in 500 files."""
    (folder / "groups").mkdir(parents=True)
    head = "version: 1\norg: {name: at-size, url: 'local:.rolecall/none.db'}\ninclude: [groups/*.yaml]\n"
    (folder / "rolecall.yaml").write_text(head, encoding="utf-8")
    for file in range(500):
        lines = (
            f"  Group-{number:06d}: {{role: member, teams: [{', '.join(at_size.teams(number, changed=False))}]}}\n"
            for number in range(file * 20, file * 20 + 20)
        )
        (folder / "groups" / f"part-{file:03d}.yaml").write_text("idp_groups:\n" + "".join(lines), encoding="utf-8")


_REORGANIZED = Size(people=5_000, groups=500, held=20, mapped=500, changed=130, teams=60)
_HALF = Size(people=100_000, groups=5_000, held=5, mapped=2_000, changed=1_000, teams=200)
_EVERY = Size(people=5_000, groups=2_100, held=50, mapped=2_000, changed=1_900, teams=200)
_DEFAULT = f"defaults: {{role: member, teams: [{team(2)}]}}"
_MOVED = f"idp_groups:\n  {group(0)}: {{role: member, teams: [{team(2)}]}}\n  {group(1)}: blank"

CASES = (
    Case("130 of 500 mappings changed, 5,000 users in 20 groups", _sized(_REORGANIZED), PLAN, 2, 300, "plan.json", 15),
    Case("default changed, 1,000,000 users have it", _alike(_DEFAULT, 1), PLAN, 6, 700, "plan.json", 5),
    Case("one group of 1,000,000 users moved", _alike(_MOVED, 0), PLAN, 5, 600, "plan.json", 5),
    Case("1,000 of 2,000 mappings changed, 100,000 users in 5 groups", _sized(_HALF), PLAN, 4, 400, "plan.json", 25),
    Case("1,900 of 2,000 mappings changed, 5,000 users in 50 groups", _sized(_EVERY), PLAN, 5, 300, "plan.json", 15),
    Case("50,000 changes: plan", _all_changed(50_000), PLAN, 5, 400),
    Case(
        "50,000 changes: SARIF",
        _all_changed(50_000),
        ("plan", "--snapshot", "live.json", "--report", "sarif=plan.sarif"),
        7,
        600,
        "plan.sarif",
        10,
    ),
    Case(
        "50,000 changes: HTML",
        _all_changed(50_000),
        ("plan", "--snapshot", "live.json", "--report", "html=plan.html"),
        7,
        600,
        "plan.html",
        5,
    ),
    Case("drift of 10,000 settings of 10,000", _drifted(10_000), ("drift",), 8, 400),
    Case("drift of 10,000 settings in git", _drifted_in_git(10_000), ("drift",), 8, 400),
    Case("rollback of 10,000 settings", _applied(10_000), ("rollback", "1"), 5, 400),
    Case("fmt --check of 10,000 mappings in 500 files", _in_files, ("fmt", "--check"), 2, 100),
    Case("20 of 2,000 mappings with 1,000 teams each changed", _many_teams, PLAN, 5, 600),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], help="words of the names of cases")
    parser.add_argument("--seconds", type=int, default=240)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where to write the orgs, or where they were left last time")
    asked = parser.parse_args()
    chosen = [case for case in CASES if not asked.only or any(word in case.name for word in asked.only)]
    if asked.keep is not None:
        _print(chosen, asked.keep, asked.seconds, asked.times)
    else:
        with tempfile.TemporaryDirectory() as folder:
            _print(chosen, Path(folder), asked.seconds, asked.times)


def _print(cases: list[Case], place: Path, seconds: int, times: int) -> None:
    lines = [_line(case, place, seconds, times) for case in cases]
    head = ("case", "seconds", "processor seconds", "target", "MB", "target", "written, MB", "target")
    print(section("Migrations", head, lines, f"Medians of {times}."))


def _line(case: Case, place: Path, seconds: int, times: int) -> tuple[str, ...]:
    folder = place / "".join(letter if letter.isalnum() else "-" for letter in case.name)
    if not (folder / "rolecall.yaml").exists():
        case.prepare(folder)
    try:
        runs = [_limited(case, folder, seconds) for _ in range(times)]
    except RuntimeError as error:
        print(f"{case.name}: {str(error).strip()[-300:]}", file=sys.stderr)
        return (case.name, f"> {seconds}", "", f"≤ {case.seconds:g}", "", f"≤ {case.memory:g}", "", "")
    wall, cpu, memory = (median(values) for values in zip(*runs, strict=True))
    size = (folder / case.written).stat().st_size / 1e6 if case.written else 0
    written = (f"{size:.1f}", f"≤ {case.size:g}" if case.size else "") if case.written else ("", "")
    line = (case.name, f"{wall:.1f}", f"{cpu:.1f}", f"≤ {case.seconds:g}", f"{memory:.0f}", f"≤ {case.memory:g}")
    print(*line, *written, sep=" | ", file=sys.stderr, flush=True)
    return (*line, *written)


def _limited(case: Case, folder: Path, seconds: int) -> Spent:
    limit = (shutil.which("prlimit") or "prlimit", f"--as={8 * 2**30}", f"--cpu={seconds}")
    return Command((*limit, ROLECALL, *case.words), folder, right=RIGHT).run()


if __name__ == "__main__":
    main()
