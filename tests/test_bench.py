"""Every measurement that needs no network, peer or server runs, at a small size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "words",
    [
        ["bench_impact.py", "--people", "2000"],
        ["bench_order.py", "--people", "2000", "--changed", "20", "--groups", "100", "--mapped", "60"],
        ["bench_journal.py", "--runs", "50"],
        ["bench_codec.py", "--users", "2000", "--details", "200"],
    ],
    ids=lambda words: words[0],
)
def test_a_measurement_runs(words: list[str]) -> None:
    command = [sys.executable, str(ROOT / "bench" / words[0]), *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
