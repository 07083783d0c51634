"""What the commands that read every user of a `local:` org cost, as whole processes: seconds and peak memory.

python bench/bench_local_org.py FOLDER [USERS] [ROLECALL]     makes the org in FOLDER unless it is there, and measures

The last command applies 20 changes, so a second run in the same folder starts from a copy of the org as it was loaded.
ROLECALL is the executable to measure, [the one of this environment].
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from meter import Command
from org_at_size import FULL, config, write

COMMANDS = {
    "drift": ("drift",),
    "access": ("access", "--role", "org_admin"),
    "snapshot": ("snapshot", "--out", "taken.json"),
    "apply, 20 changes": ("apply", "--auto-approve"),
}

GUARDS = "guards: {max_people_losing_access: {review: 100%, block: 100%}}\n"


def prepared(folder: Path, users: int, rolecall: str) -> Path:
    """Make the org and load it, once; return a folder with a fresh copy and no journal."""
    made, work = folder / f"org-{users}", folder / "work"
    size = FULL._replace(people=users)
    if not (made / "org.db").exists():
        write(made, size)
        (made / "rolecall.yaml").write_text(config(size).replace(".rolecall/none.db", "org.db"), encoding="utf-8")
        Command((rolecall, "local", "load", "live.json", "--database", "org.db"), made).run()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shutil.copy(made / "org.db", work / "org.db")
    text = (made / "rolecall.yaml").read_text(encoding="utf-8")
    (work / "rolecall.yaml").write_text(text + GUARDS, encoding="utf-8")
    return work


def main(folder: Path, users: int, rolecall: str) -> None:
    work = prepared(folder, users, rolecall)
    print(f"| {users:,} users | seconds | processor seconds | MB |\n|---|---|---|---|")
    for name, words in COMMANDS.items():
        spent = Command((rolecall, *words), work, right=(0, 2, 7)).run()
        print(f"| {name} | {spent.wall:.1f} | {spent.cpu:.1f} | {spent.memory:.0f} |", flush=True)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        int(sys.argv[2]) if len(sys.argv) > 2 else FULL.people,
        sys.argv[3] if len(sys.argv) > 3 else str(Path(sys.executable).with_name("rolecall")),
    )
