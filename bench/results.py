"""Runs every measurement in one go and writes bench/RESULTS.md, with what machine and versions it was.

    python bench/results.py [--quick]

``--quick`` is for trying the bench itself: it leaves out what takes minutes and prints instead of writing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import setting

HERE = Path(__file__).resolve().parent
MEASURED = ("bench_peers", "bench_cold", "bench_growth", "bench_render", "bench_network", "bench_migrations")
ALSO = ("bench_impact", "bench_order", "bench_org_api", "bench_scim")
"""Measurements that print as they like, kept as they print."""
QUICK = {"bench_peers": ["--quick"], "bench_growth": ["--largest", "10000"], "bench_network": ["--quick"]}
EXPLAINED = HERE / "explained.md"
"""What is to be said of every aim that is missed, written by a person."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    began, before = datetime.now(UTC), setting.load()
    sections = [_run(name, QUICK.get(name, []) if quick else []) for name in MEASURED]
    sections += [] if quick else [_fenced(name) for name in ALSO]
    minutes = (datetime.now(UTC) - began).seconds / 60
    head = [
        "# Results",
        "",
        "Written by `script/bench`; do not edit. What the missed aims are due to is copied from `explained.md`.",
        "",
        f"- {began:%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes, commit {_commit()}",
        *(f"- {fact}" for fact in setting.facts()),
        f"- peers: {setting.peers()}",
        f"- load average (1, 5, 15 minutes) at the start {before}, at the end {setting.load()}",
        "",
    ]
    text = "\n".join([*head, *sections, EXPLAINED.read_text(encoding="utf-8")])
    if quick:
        print(text)
    else:
        (HERE / "RESULTS.md").write_text(text, encoding="utf-8")


def _run(name: str, words: list[str]) -> str:
    print(f"== {name}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, HERE / f"{name}.py", *words], capture_output=True, text=True)
    if done.returncode:
        return f"## {name}\n\nDid not run: {done.stderr.strip().splitlines()[-1]}\n"
    return done.stdout


def _fenced(name: str) -> str:
    return f"## {name}\n\n```\n{_run(name, []).strip()}\n```\n"


def _commit() -> str:
    said = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
