"""The check that refuses names that say nothing: what it counts, what it leaves alone, and that it can fail."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("names_check", ROOT / "script" / "names.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


names = _load()
WORDS = names.vague_words(names.WORDS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(found): ...", {"found"}),
        ("def f(*, wanted=1): ...", {"wanted"}),
        ("def f(*rest, **others): ...", {"rest", "others"}),
        ("def said(): ...", {"said"}),
        ("def f():\n    held = 1", {"held"}),
        ("def f():\n    _held = 1", {"held"}),
        ("def f(x):\n    for one in x: ...", {"one"}),
        ("def f(x):\n    return [thing for thing in x]", {"thing"}),
        ("def f(x):\n    return lambda word: x", {"word"}),
        ("def f(x):\n    with x as there: ...", {"there"}),
        ("def f(x):\n    if (seen := x): ...", {"seen"}),
        ("def f(x):\n    try: ...\n    except ValueError as told: ...", {"told"}),
        ("def f(x):\n    match x:\n        case {'a': given}: ...", {"given"}),
        ("def f(x):\n    from x import y as kept", {"kept"}),
        ("def f(x):\n    (first, *rest) = x", set()),
        ("class A:\n    def __eq__(self, other): ...", set()),
        ("class A:\n    def merge(self, other): ...", {"other"}),
        ("def f(x):\n    return x.found", set()),
        ("def f(found_users): ...", set()),
        ("def f():\n    def g(held): ...", set()),
    ],
)
def test_a_function_binds_its_parameters_its_variables_and_its_name(source: str, expected: set[str]) -> None:
    first = next(names.functions(ast.parse(source)))

    assert set(names.bound_names(first)) & WORDS == expected


def test_a_row_of_a_database_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("def f(row): ...\n", encoding="utf-8")
    (tmp_path / "store.py").write_text("import sqlite3\ndef f(row): ...\n", encoding="utf-8")

    vague, _, total = names.check(sorted(tmp_path.glob("*.py")), WORDS)

    assert [function.path.name for function in vague] == ["plain.py"]
    assert total.total() == 2


def test_a_share_above_the_limit_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "module.py").write_text("def f(found): ...\n", encoding="utf-8")

    assert names.main([str(tmp_path)]) == 1
    assert "1 of     1  100.0%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class Seen: ...", ["Seen"]),
        ('Kept = Literal["names"]', ["Kept"]),
        ('Wanted = TypeVar("Wanted", bound=int)', ["Wanted"]),
        ("class Row: ...", []),
        ("class SeenAt: ...", []),
        ('KEPT = words["kept"]', []),
        ("Kept = 20", []),
    ],
)
def test_a_class_or_a_declared_type_has_a_name_that_says_something(source: str, expected: list[str]) -> None:
    assert [name for name, _ in names.vague_types(ast.parse(source), WORDS)] == expected


def test_a_vague_class_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "module.py").write_text("class Found: ...\ndef f(x): ...\n", encoding="utf-8")

    assert names.main([str(tmp_path)]) == 1
    assert "module.py:1 Found is not a name for a type" in capsys.readouterr().out


CORE = ("model", "codec", "access", "plan", "drift", "apply", "journal")
SHARED = frozenset({"Entry", "Fault", "Finding", "Item"})
"""Types of two packages that have the same name."""


def shared_types(source: Path) -> set[str]:
    """Return the public classes of the core whose name another module's class has too."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for name in CORE for path in (source / name).rglob("*.py"))
    classes = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    return {name for name, count in classes.items() if count > 1 and not name.startswith("_")}


def test_types_of_the_core_have_names_of_their_own() -> None:
    assert shared_types(ROOT / "src" / "rolecall") == SHARED


def test_a_type_whose_name_is_taken_is_noticed(tmp_path: Path) -> None:
    for path in (tmp_path / "plan" / "value.py", tmp_path / "model" / "live.py"):
        path.parent.mkdir()
        path.write_text("class Facts: ...\nclass _Own: ...\n", encoding="utf-8")
    assert shared_types(tmp_path) == {"Facts"}


def test_a_comment_in_the_list_is_no_word() -> None:
    assert names.vague_words("# found\nheld # kept\n\n") == {"held"}
