"""Plans of the same size in octoDNS, Terraform and rolecall, in turn, whole processes from outside.

    python bench/bench_peers.py [--quick]

One in a hundred differs. Both sides are files, nothing is kept from one run to the next. ``--quick`` leaves out what
takes minutes.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

import at_size
import setting
from meter import Command, Spent, paired
from table import section


class Aim(NamedTuple):
    """Against a peer at a size: the least ratio of its time to ours, how often both are run, and whether quickly."""

    peer: str
    count: int
    ratio: float
    times: int
    quick: bool = True


AIMS = (
    Aim("octoDNS", 100, 2, 9),
    Aim("octoDNS", 1_000, 6, 7),
    Aim("octoDNS", 10_000, 25, 5),
    Aim("octoDNS", 50_000, 30, 3, quick=False),
    Aim("Terraform", 100, 1.2, 9),
    Aim("Terraform", 1_000, 8, 5),
    Aim("Terraform", 5_000, 35, 3, quick=False),
)
MEMORY = {100: 45, 1_000: 45, 10_000: 60, 50_000: 150}
"""MB that a plan of ours may take at its peak."""

HEAD = (
    "peer",
    "things",
    "its wall, CPU, memory",
    "ours",
    "ratio of wall",
    "of CPU",
    "aim",
    "",
    "our memory, aim",
    "reading alone",
    "ratio of CPU to that",
)
REMARK = """Medians of runs in turn. Memory is the peak, in MB of 2^20 bytes. Reading alone is `bench/floor.py`: the
interpreter, click, PyYAML and jsonschema-rs imported, our two files parsed in C, and nothing made of them."""
FLOOR = Path(__file__).with_name("floor.py")
CHANGES = re.compile(r"Updates=(\d+)|, (\d+) to change|Plan: (\d+) to update")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rolecall = str(setting.ours())
    octodns, terraform = str(setting.octodns()), setting.terraform()
    with tempfile.TemporaryDirectory() as place:
        rows = []
        for aim in AIMS:
            if aim.quick or not quick:
                folder = Path(place) / f"{aim.peer}-{aim.count}"
                peer = _octodns(octodns, folder, aim.count)
                if aim.peer == "Terraform":
                    peer = _terraform(terraform, folder, aim.count)
                rows.append(_row(aim, peer, _ours(rolecall, folder / "ours", aim.count), _floor(folder / "ours")))
    print(section("Against peers", HEAD, rows, REMARK))


def _ours(program: str, folder: Path, count: int) -> Command:
    at_size.rolecall(folder, count)
    return Command((program, "plan", "--snapshot", "live.json"), folder)


def _floor(folder: Path) -> Command:
    return Command((setting.python(), str(FLOOR), "rolecall.yaml", "live.json"), folder)


def _octodns(program: str, folder: Path, count: int) -> Command:
    at_size.octodns(folder, count)
    return Command((program, "--config-file", "octodns.yaml"), folder)


def _terraform(words: list[str], folder: Path, count: int) -> Command:
    at_size.terraform(folder, count)
    calm = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": "/dev/null"}
    Command((*words, "init", "-input=false"), folder, calm).run()
    return Command((*words, "plan", "-input=false", "-no-color"), folder, calm)


def _row(aim: Aim, peer: Command, ours: Command, floor: Command) -> tuple[str, ...]:
    wanted = -(-aim.count // at_size.SHARE)
    for command in (peer, ours):
        found = {int(number) for match in CHANGES.findall(command.output()) for number in match if number}
        if found != {wanted}:
            raise SystemExit(f"{command.words} plans {found} changes, not {wanted}")
    theirs, own, least = paired(aim.times, peer, ours, floor)
    ratio = theirs.wall / own.wall
    limit = MEMORY.get(aim.count)
    memory = f"{own.memory:.0f} MB" + (f", ≤ {limit}{'' if own.memory <= limit else ' **missed**'}" if limit else "")
    verdict = "met" if ratio >= aim.ratio else f"**missed by {1 - ratio / aim.ratio:.0%}**"
    own_said, said = _said(own), _said(theirs)
    times = f"{aim.count:,}"
    cpu = f"{theirs.cpu / own.cpu:.1f}"
    beside = f"{least.cpu:.2f} s", f"{theirs.cpu / least.cpu:.1f}"
    return aim.peer, times, said, own_said, f"**{ratio:.1f}**", cpu, f"≥ {aim.ratio:g}", verdict, memory, *beside


def _said(spent: Spent) -> str:
    return f"{spent.wall:.2f} s, {spent.cpu:.2f} s, {spent.memory:.0f} MB"


if __name__ == "__main__":
    main()
