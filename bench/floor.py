"""The least that a plan of two files can take: the libraries imported, both files parsed, and nothing made of them.

python bench/floor.py CONFIG LIVE
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
from pathlib import Path

LIBRARIES = ("click", "jsonschema_rs", "yaml")


def main(config: str, live: str) -> None:
    gc.disable()
    *_, yaml = map(importlib.import_module, LIBRARIES)
    for _event in yaml.parse(Path(config).read_bytes(), Loader=yaml.CSafeLoader):
        pass
    json.loads(Path(live).read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
