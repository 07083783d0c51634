"""How long the program takes to get going, against what the interpreter and click take alone: whole processes.

python bench/bench_cold.py [--times N]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import setting
from meter import Command, paired
from table import Result, markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=21)
    times: int = parser.parse_args().times
    program, python = str(setting.ours()), setting.python()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "minimal"
        shutil.copytree(setting.ROOT / "examples" / "minimal", folder)
        Command((program, "local", "load", "snapshot.json"), folder).run()
        commands = (
            Command((python, "-c", "import click"), folder),
            Command((program, "--help"), folder),
            Command((program, "validate"), folder),
            Command((program, "plan"), folder),
            Command((program, "plan", "--snapshot", "snapshot.json"), folder),
            Command((python, "-c", "pass"), folder),
        )
        click, *ours, bare = paired(times, *commands)
    aims = (("`--help`", 1.7), ("`validate`", 2.5), ("embedded `plan`", 8.0), ("`plan --snapshot`", None))
    print(
        markdown(
            "Cold start",
            (
                Result(
                    f"{what} of the minimal example, times `import click`",
                    spent.wall / click.wall,
                    most=aim,
                    beside=f"{spent.wall * 1000:.0f} ms, CPU {spent.cpu / click.cpu:.2f} times, {spent.memory:.0f} MB",
                )
                for (what, aim), spent in zip(aims, ours, strict=True)
            ),
            f"`python -c 'import click'` takes {click.wall * 1000:.0f} ms (CPU {click.cpu * 1000:.0f} ms), "
            f"`python -c pass` {bare.wall * 1000:.0f} ms; medians of {times} runs in turn.",
        )
    )


if __name__ == "__main__":
    main()
