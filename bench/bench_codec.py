"""Records by type hints against msgspec: time to define them, to read and write them, and the memory of users.

    python bench/bench_codec.py [--users N] [--details N]

Every figure is of a process of its own, in seconds of the processor. Without msgspec (`pip install msgspec`) its lines
are left out; docs/decisions/0117 has the figures that decided.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys

DEFINE = """
import time, dataclasses, datetime, enum, re, typing
began = time.process_time()
{setup}
imported = time.process_time()
fields = "    a: str\\n    b: int = 0\\n    c: str | None = None\\n    d: tuple[str, ...] = ()\\n"
fields += "    e: bool = False\\n    f: str = ''\\n    g: int | None = None\\n    h: str | None = None\\n"
source = "\\n".join("{head}\\n".replace("NAME", f"R{{i}}") + fields for i in range(60))
code = compile("from __future__ import annotations\\n" + source, "records", "exec")
began_records = time.process_time()
exec(code)
done = time.process_time()
print(f"import {{(imported - began) * 1e3:.1f}} ms, 60 records of 8 fields {{(done - began_records) * 1e3:.1f}} ms")
"""
DEFINED = {
    "msgspec.Struct": ("import msgspec", "class NAME(msgspec.Struct, frozen=True):"),
    "dataclass": ("", "@dataclasses.dataclass(frozen=True, slots=True)\\nclass NAME:"),
    "NamedTuple": ("", "class NAME(typing.NamedTuple):"),
}

USERS = """
import gc, resource, time
LINE = b'{"email":"user%07d@acme.com","id":"u_%09d","groups":["Group-%04d","Group-%04d","All-Staff","Team-%03d"]}\\n'
blocks = [
    b"".join(LINE % (i, i, i % 5000, i * 7 % 5000, i % 300) for i in range(start, min(start + 20000, COUNT)))
    for start in range(0, COUNT, 20000)
]
gc.freeze()
gc.set_threshold(50000, 20, 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
SETUP
took = time.process_time() - began
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(f"{COUNT:,} users: {took:.2f} s, {grown:.0f} MB")
"""
USERS_READ = {
    "columns": "from rolecall.codec.people_lines import decode_lines\nusers = decode_lines(blocks)",
    "msgspec.Struct": (
        "import msgspec\n"
        "class User(msgspec.Struct, gc=False):\n"
        "    email: str\n    id: str = ''\n    groups: tuple[str, ...] = ()\n"
        "decoder = msgspec.json.Decoder(User)\n"
        "users = [user for block in blocks for user in decoder.decode_lines(block)]"
    ),
}

RECORDS = """
import json, time
from typing import NamedTuple
SETUP
detail = {"id": "u", "email": "u@acme.com", "before": [{"team": "A", "role": "member"}], "after": [],
          "kind": "lose", "because": ["idp_groups/A"], "to_default": True}
rows = json.loads(json.dumps([detail | {"id": f"u{i}"} for i in range(COUNT)]))
FIELDS = "    id: str\\n    email: str | None\\n    before: tuple[Combo, ...]\\n    after: tuple[Combo, ...]\\n"
FIELDS += "    kind: str\\n    because: tuple[str, ...]\\n    to_default: bool\\n"
exec(f"class Combo({BASE}):\\n    team: str\\n    role: str\\nclass Detail({BASE}):\\n{FIELDS}", globals())
decode(rows[:1], list[Detail])
began = time.process_time()
records = decode(rows, list[Detail])
decoded = time.process_time()
written = encode(records, list[Detail])
ended = time.process_time()
assert json.dumps(written) == json.dumps(rows)
print(f"{COUNT:,} records of a plan: read {decoded - began:.2f} s, written {ended - decoded:.2f} s")
"""
CODECS = {
    "type hints": (
        "from rolecall.codec.record import Codec\ncodec, BASE = Codec(), 'NamedTuple'\n"
        "decode, encode = lambda json, hint: codec.decode(hint, json), codec.encode"
    ),
    "msgspec": (
        "import msgspec\nBASE = 'msgspec.Struct'\n"
        "decode, encode = msgspec.convert, lambda records, hint: msgspec.to_builtins(records)"
    ),
}


def main() -> None:
    """Run every measurement and print its line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--details", type=int, default=40_000)
    options = parser.parse_args()
    for name, (setup, head) in DEFINED.items():
        measure(name, DEFINE.format(setup=setup, head=head))
    for name, setup in USERS_READ.items():
        measure(name, USERS.replace("SETUP", setup).replace("COUNT", str(options.users)))
    for name, setup in CODECS.items():
        measure(name, RECORDS.replace("SETUP", setup).replace("COUNT", str(options.details)))


def measure(name: str, code: str) -> None:
    """Run code in a process of its own and print what it printed."""
    if "msgspec" in code and importlib.util.find_spec("msgspec") is None:
        return
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    print(f"{name:15} {ended.stdout.strip()}")


if __name__ == "__main__":
    main()
