"""The catalog of messages: what it finds in code, and that it finds the messages of the code."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages_script", ROOT / "script" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


catalog = _load()


def messages_of(tmp_path: Path, source: str) -> list[tuple[str, str, str]]:
    """Return the code, the text and the hint of each message in a module."""
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    return [(message.code, message.text, message.hint) for message in catalog.Catalog([catalog.parse(path)]).messages()]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('Problem("a", "b", None, "c")', [("a", "b", "c")]),
        ('Problem("a", f"b {x.y}", hint="c")', [("a", "b {x.y}", "c")]),
        ('Problem("a", "b" if x else "c")', [("a", "b", ""), ("a", "c", "")]),
        ('_HINT = "c"\nProblem("a", "b", None, _HINT)', [("a", "b", "c")]),
        ('def f(x):\n    message = f"no {x}"\n    raise E(Problem("a", message))', [("a", "no {x}", "")]),
        ('def f(x):\n    return Problem("a", x)\nf("b")\nf("c")', [("a", "b", ""), ("a", "c", "")]),
        ('def f(code, x, hint):\n    return Problem(code, x, None, hint)\nf("a", "b", hint="c")', [("a", "b", "c")]),
        ('raise click.UsageError("b")', [("", "b", "")]),
        ("Problem(*parts)", []),
    ],
)
def test_messages_are_found(tmp_path: Path, source: str, expected: list[tuple[str, str, str]]) -> None:
    assert messages_of(tmp_path, source) == expected


def test_a_private_factory_of_another_module_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('def _f(x):\n    return Problem("a", x)\n', encoding="utf-8")
    (tmp_path / "b.py").write_text('_f("b")\n', encoding="utf-8")

    modules = [catalog.parse(path) for path in sorted(tmp_path.glob("*.py"))]
    assert catalog.Catalog(modules).messages() == []


def test_the_catalog_has_the_messages_of_the_code() -> None:
    messages = catalog.catalog([catalog.SRC])
    text = catalog.page(messages)

    assert len(messages) > 300
    assert {message.path.relative_to(catalog.SRC).parts[0] for message in messages} >= {
        "cli",
        "desired",
        "live",
        "plan",
    }
    assert "| `documents` | a second document starts here |" in text
    assert [message for message in messages if not message.text] == []
