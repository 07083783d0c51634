"""The check that keeps phrases out of texts: what it reads, what it exempts, and that it can fail."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _load(name: str) -> ModuleType:
    """Return a script as a module."""
    spec = importlib.util.spec_from_file_location(f"{name}_script", ROOT / "script" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


language = _load("language")
DATA = language.read_phrases(language.PHRASES.read_text(encoding="utf-8"))


def phrases_of(tmp_path: Path, name: str, text: str) -> list[str]:
    """Return the phrases in a file of this name and text."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [finding.phrase for finding in language.findings(path, DATA)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", 'x = "bo is nobody in this org"', ["nobody"]),
        ("a.py", 'x = f"{name} is nobody in {org}"', ["nobody"]),
        ("a.py", "x = f\"{plural(2, 'person')}\"", ["person"]),
        ("a.py", 'x = ("this waits "\n     "for a person")', ["person", "waits for a person"]),
        ("a.py", 'def f():\n    """Return whom it touches."""', ["whom"]),
        ("a.py", 'x = 1\n"""Of everybody."""', ["everybody"]),
        ("a.py", "x = 1  # nobody reads this", ["nobody"]),
        ("a.py", "# each says its ways\n# out\nx = 1", ["ways out"]),
        ("a.md", "apply leaves 3 here", ["leaves 3"]),
        ("a.md", "# Nobody\n\nWhat *shall* be", ["Nobody", "shall"]),
        ("a.yaml", "text: It is meant  # by hand\n", ["is meant", "by hand"]),
        ("a.html.jinja", '<p class="x">Somebody {{ name }}</p>', ["Somebody"]),
        ("a.schema.json", '{"title": "People", "properties": {"a": {"description": "Whom it is for."}}}', ["Whom"]),
        (
            "a.openapi.yaml",
            "paths:\n  /x:\n    get:\n      summary: Everybody\n      description: |\n        By hand\n",
            ["Everybody", "By hand"],
        ),
        ("a.js", "let nobody; // nobody clicks", ["nobody"]),
        ("run", "#!/bin/sh\n# by hand\nnobody\n", ["by hand"]),
    ],
)
def test_a_planted_phrase_is_found(tmp_path: Path, name: str, text: str, expected: list[str]) -> None:
    assert sorted(phrases_of(tmp_path, name, text)) == sorted(expected)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "nobody = whom(people)"),
        ("a.py", 'x = "people"'),
        ("a.py", 'x = json.get("person")'),
        ("a.py", 'x: Literal["person", "group"]'),
        ("a.py", 'verdict = "not judged"'),
        ("a.py", 'x = "SELECT person FROM people"'),
        ("a.py", 'x = "say --people masked"'),
        ("a.py", 'x = "max_people_losing_access"'),
        ("a.py", 'x = f"person-{digest}"'),
        ("a.py", 'x = "name it under `people`"'),
        ("a.py", 'x = "people: {file: people.csv}"'),
        ("a.md", "`people`, ``nobody``"),
        ("a.md", "```console\n$ rolecall plan\nNobody\n```\n"),
        ("a.md", "- x\n\n  ```text\n  Nobody\n  ```\n"),
        ("a.md", "[the page](people.md#nobody)"),
        ("a.md", "<!-- test: nobody -->"),
        ("a.md", "The lock is held by run 3. It stands for *access control list*, and apart from that REST."),
        ("a.md", "There is no team with this name. It is no longer mapped."),
        ("a.html.jinja", "{% if nobody %}{{ people }}{% endif %}"),
        ("a.schema.json", '{"properties": {"people": {"enum": ["person"], "examples": ["nobody"]}}}'),
        ("a.schema.json", '{"properties": {"description": {"const": "by hand"}}}'),
        ("a.openapi.yaml", "tags: [people]\npaths: {/v1/people: {get: {operationId: person}}}\n"),
    ],
)
def test_names_of_formats_and_code_are_exempt(tmp_path: Path, name: str, text: str) -> None:
    assert phrases_of(tmp_path, name, text) == []


@pytest.mark.parametrize("text", ["What became known.", "Whether a group is mapped.", "Where it is."])
def test_a_docstring_that_starts_with_a_question_word_is_found(tmp_path: Path, text: str) -> None:
    assert phrases_of(tmp_path, "a.py", f'def f():\n    """{text}"""\n') != []
    assert phrases_of(tmp_path, "b.py", f'x = "{text}"\n') == []


def test_a_finding_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text('"""Title.\n\nFor whom.\n"""\n', encoding="utf-8")

    assert [finding.line for finding in language.findings(path, DATA)] == [3]


def test_every_phrase_has_a_replacement() -> None:
    assert [phrase.pattern.pattern for phrase in DATA.phrases if not phrase.replacement] == []
    with pytest.raises(ValueError, match="has no replacement"):
        language.read_phrases("nobody\n")


def test_a_limit_is_not_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "LIMITS", tmp_path / "limits.txt")

    assert not language.lower(Counter({"docs": 3}), {"docs": 2})
    assert language.lower(Counter({"docs": 1, "src/plan": 1}), {"docs": 2})
    assert language.read_limits((tmp_path / "limits.txt").read_text(encoding="utf-8")) == {"docs": 1, "src/plan": 1}


def test_named_files_with_a_phrase_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text('x = "nobody is in it"\n', encoding="utf-8")

    assert language.main([str(tmp_path)]) == 1
    assert "a.py:1 “nobody” => no user, no one" in capsys.readouterr().out


def test_no_package_has_more_phrases_than_its_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert language.main([]) == 0, capsys.readouterr().out


glossary = _load("glossary")
TERMS = [term for section in glossary.vocabulary() for term in section["terms"]]


def test_the_glossary_is_current() -> None:
    assert glossary.PAGE.read_text(encoding="utf-8") == glossary.glossary(glossary.vocabulary()), (
        "run script/glossary.py"
    )


@pytest.mark.parametrize("word", [word for term in TERMS for word in term.get("not", ())])
def test_every_word_that_a_term_replaces_is_found(word: str) -> None:
    assert any(phrase.pattern.search(f"it {word}, and") for phrase in DATA.phrases)


def test_no_term_is_listed_twice() -> None:
    names = [term["term"] for term in TERMS]
    assert len(set(names)) == len(names)
