"""Runs a command as a whole process and says what it cost: wall clock, processor time, peak memory.

A process starts out with the peak of the one it was started from, so the meter is a bare interpreter of its own, about
10 MB; nothing measured here is smaller. Measured from outside by wait4, children that were waited for included.
"""

import json
import os
import sys
import time

if __name__ != "__main__":
    import subprocess
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from statistics import median
    from typing import NamedTuple

    class Spent(NamedTuple):
        """What one run, or the median of several, cost. Seconds and MB (1,048,576 bytes)."""

        wall: float
        cpu: float
        memory: float

    class Command(NamedTuple):
        """A command, the folder it runs in, what is added to the environment, and the exit codes that are right."""

        words: Sequence[str]
        folder: Path
        environ: Mapping[str, str] = {}
        right: tuple[int, ...] = (0,)

        def run(self) -> Spent:
            """Run it once. Raises RuntimeError, with the end of what it wrote, when it ends wrongly."""
            asked = json.dumps([[*self.words], str(self.folder), {**_clean(), **self.environ}])
            done = subprocess.run([sys.executable, "-I", "-S", __file__, asked], capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr)
            code, wall, cpu, memory = json.loads(done.stdout)
            if code not in self.right:
                raise RuntimeError(f"{' '.join(self.words)} left {code}: {self.output()[-600:]}")
            return Spent(wall, cpu, memory)

        def output(self) -> str:
            """What it writes, run once more."""
            done = subprocess.run(
                self.words, cwd=self.folder, env={**_clean(), **self.environ}, capture_output=True, text=True
            )
            return done.stdout + done.stderr

    def _clean() -> dict[str, str]:
        """The environment without what would make Python slower than users have it."""
        return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def paired(times: int, *commands: Command, between: Callable[[], object] = str) -> list[Spent]:
        """The medians of commands run in turn, A B A B, after one run of each that does not count."""
        for command in commands:
            between()
            command.run()
        runs: list[list[Spent]] = [[] for _ in commands]
        for _ in range(times):
            for command, row in zip(commands, runs, strict=True):
                between()
                row.append(command.run())
        return [Spent(*map(median, zip(*row, strict=True))) for row in runs]


def _measure(words, folder, environ):
    os.chdir(folder)
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    began = time.perf_counter()
    child = os.posix_spawnp(words[0], words, environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - began
    return os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(_measure(*json.loads(sys.argv[1]))))
