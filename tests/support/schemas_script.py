"""`script/schemas.py` as a module."""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

PATH = Path(__file__).resolve().parents[2] / "script" / "schemas.py"


@lru_cache
def schemas_script() -> ModuleType:
    """Return the script that writes what follows from the table of fields."""
    spec = importlib.util.spec_from_file_location("schemas_script_module", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    if str(PATH.parent) not in sys.path:
        sys.path.append(str(PATH.parent))
    spec.loader.exec_module(module)
    return module
