"""The catalog of messages: what it finds in code, and that it finds the messages of the code."""

from __future__ import annotations

import importlib.util
import re
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
        (
            'def f(x):\n    if x:\n        m, h = "b", "c"\n    else:\n        m = "d"\n        h = "e"\n'
            '    return Problem("a", m, None, h)',
            [("a", "b", "c"), ("a", "d", "e")],
        ),
        (
            'def f(x):\n    if x:\n        h = "c"\n        return Problem("a", "b", None, h)\n    h = "e"\n'
            '    return Problem("a", "d", None, h)',
            [("a", "b", "c"), ("a", "d", "e")],
        ),
        (
            'def f(x):\n    m = "b"\n    if x:\n        m += " c"\n    return Problem("a", m)',
            [("a", "b", ""), ("a", "b c", "")],
        ),
        ('def f(x):\n    who = f"{x} is"\n    return Problem("a", f"{who} b")', [("a", "{x} is b", "")]),
        (
            'def f(message, hint):\n    return Problem("a", f"it {message}", None, hint)\nf("b", "c")\nf("d", "e")',
            [("a", "it b", "c"), ("a", "it d", "e")],
        ),
        (
            'def f(x):\n    try:\n        y = 1\n    except OSError:\n        return Problem("a", "b", None, "c")\n'
            "    for z in x:\n        with z:\n            match z:\n                case 1:\n"
            '                    return Problem("a", "d")',
            [("a", "b", "c"), ("a", "d", "")],
        ),
        ('raise TokenRefused("a", "b")', [("a", "b", "")]),
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


NAMES = ("Entra", "Okta")
"""Names that a message may start with."""
FORM = re.compile(r"(?![A-Z][a-z])(?!.*\.$).+", re.DOTALL)
"""Neither a capital at the start nor a full stop at the end. Acronyms and variables keep their capitals."""


OTHER_WORDS = re.compile(r"\bdirector(y|ies)\b|(?<!deployment )(?<!protected )\benvironment\b(?! variable)(?!`)")


def is_well_formed(text: str) -> bool:
    return bool(FORM.fullmatch(text)) or text.startswith(NAMES)


@pytest.mark.parametrize("text", ["Set it", "set it.", "It is wrong", "is wrong; set it."])
def test_a_sentence_is_not_the_form_of_a_message_or_a_hint(text: str) -> None:
    assert not is_well_formed(text)


def test_messages_and_hints_have_one_form() -> None:
    """A hint follows its message after a semicolon, or on a line of its own."""
    wrong = {
        f"{message.path.relative_to(catalog.SRC)}:{message.line}: {text}"
        for message in catalog.catalog([catalog.SRC])
        for text in (message.text, *message.hint.split(" / "))
        if text and not is_well_formed(text) and message.path.relative_to(catalog.SRC).parts[0] != "localorg"
    }
    assert wrong == set()


def test_messages_say_folder_and_overlay() -> None:
    """One word for each: `directory` and `environment` are other things, such as an environment variable."""
    wrong = {
        text
        for message in catalog.catalog([catalog.SRC])
        for text in (message.text, message.hint)
        if OTHER_WORDS.search(re.sub(r"\{.*?\}", "", text))
    }
    assert wrong == set()
