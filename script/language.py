"""Finds phrases that no text of rolecall uses, and fails when a package has more of them than its limit.

script/language.py             the count of each package, with its limit
script/language.py --list      every phrase, as file:line, with what to write instead
script/language.py --lower     set each limit to the count of today; refused where the sum would grow
script/language.py PATH...     list the phrases of these files or folders only

The phrases are in `script/phrases.txt` and the limits in `script/phrase_limits.txt`. Text is: strings, docstrings and
comments of Python; templates without their tags; YAML; titles, descriptions and summaries of schemas; and Markdown
without code and link targets.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PHRASES = ROOT / "script" / "phrases.txt"
LIMITS = ROOT / "script" / "phrase_limits.txt"
FOLDERS = ("src", "docs", "examples", "pipelines", "action", "schemas", "script")
FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "action.yml", ".pre-commit-hooks.yaml", "Containerfile")
SKIPPED = frozenset({"phrases.txt", "phrase_limits.txt", "vocabulary.yaml", "glossary.md"})
"""The data of this check, and the page that shows it."""

BOUNDS = r"(?<![\w/.$-])(?:{})(?![\w/]|[-.=][\w{{])"
"""Whole words, and no part of a path, an option, a file name or an identifier."""

_HOLE = "{}"
_SCHEMAS = (".schema.json", ".openapi.yaml")
_SCHEMA_TEXTS = frozenset({"title", "description", "summary"})
_CODE = re.compile(r"``.*?``|`[^`\n]*(?:\n[^`\n]+)?`", re.DOTALL)
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|WITH|DROP)\s")


class Phrase(NamedTuple):
    """A phrase to avoid, and what to write instead."""

    pattern: re.Pattern[str]
    replacement: str
    docstrings_only: bool = False


class Phrases(NamedTuple):
    """The content of the data file."""

    phrases: tuple[Phrase, ...]
    exempt: tuple[re.Pattern[str], ...]
    literals: frozenset[str]


class Passage(NamedTuple):
    """A piece of text with the line that it starts at."""

    line: int
    text: str
    docstring: bool = False


class Finding(NamedTuple):
    """A phrase in a file."""

    path: Path
    line: int
    phrase: str
    replacement: str


def read_phrases(text: str) -> Phrases:
    """Return the phrases, the exempt patterns and the exempt literals of the data file."""
    phrases: list[Phrase] = []
    exempt: list[re.Pattern[str]] = []
    literals: set[str] = set()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("exempt: "):
            exempt.append(re.compile(line.removeprefix("exempt: ").strip()))
        elif line.startswith("literal: "):
            literals.add(line.removeprefix("literal: ").strip())
        else:
            pattern, arrow, replacement = line.partition(" => ")
            if not arrow:
                raise ValueError(f"{PHRASES.name}: `{line}` has no replacement")
            only = pattern.startswith("docstring: ")
            expression = pattern.removeprefix("docstring: ").strip()
            bounded = expression if only else BOUNDS.format(re.sub(r" (?!\))", r"\\s+", expression))
            phrases.append(Phrase(re.compile(bounded, re.IGNORECASE), replacement.strip(), only))
    return Phrases(tuple(phrases), tuple(exempt), frozenset(literals))


def passages(path: Path, literals: frozenset[str]) -> Iterator[Passage]:
    """Yield the text of a file by its suffix."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from python_passages(source, literals)
    elif path.suffix == ".md":
        yield from markdown_passages(source)
    elif path.name.endswith(_SCHEMAS):
        yield from schema_passages(source)
    elif path.suffix in {".jinja", ".html"}:
        yield Passage(1, _blanked(source, re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", re.DOTALL)))
    elif path.suffix in {".yaml", ".yml"}:
        yield Passage(1, source)
    elif path.suffix in {".js", ".css"}:
        yield from (
            Passage(number, text) for number, text in _comments(source, re.compile(r"/\*.*?\*/|//[^\n]*", re.S))
        )
    else:
        yield from (
            Passage(number, text) for number, text in _comments(source, re.compile(r"(?:^[ \t]*#[^\n]*\n?)+", re.M))
        )


def _comments(source: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    for match in pattern.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, match[0]


def python_passages(source: str, literals: frozenset[str]) -> Iterator[Passage]:
    """Yield the docstrings, the strings and the comments of a module; f-strings with `{}` where values go."""
    tree = ast.parse(source)
    docstrings = {id(node) for node in _docstrings(tree)}
    yield from _strings(tree, docstrings, literals)
    block: list[str] = []
    start = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            start = start or token.start[0]
            block.append(token.string.lstrip("#").strip())
        elif token.type not in {tokenize.NL, tokenize.INDENT, tokenize.DEDENT} and block:
            yield Passage(start, "\n".join(block))
            block, start = [], 0


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield docstrings, those of variables too: every string that is a statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def _strings(node: ast.AST, docstrings: set[int], literals: frozenset[str]) -> Iterator[Passage]:
    match node:
        case ast.JoinedStr(values=values):
            text = "".join(part.value if isinstance(part, ast.Constant) else _HOLE for part in values)
            if text.strip() not in literals:
                yield Passage(node.lineno, text)
            for part in values:
                if isinstance(part, ast.FormattedValue):
                    yield from _strings(part.value, docstrings, literals)
            return
        case ast.Constant(value=str(text)):
            if id(node) in docstrings:
                yield Passage(node.lineno, text, docstring=True)
            elif text.strip() not in literals and not _SQL.match(text):
                yield Passage(node.lineno, text)
            return
        case ast.Subscript(value=ast.Name(id="Literal")):
            return
        case ast.Call(func=ast.Name(id="count" | "plural")):
            literals = frozenset()  # its arguments are words of a sentence
    for child in ast.iter_child_nodes(node):
        yield from _strings(child, docstrings, literals)


def markdown_passages(source: str) -> Iterator[Passage]:
    """Yield a page as one passage: code blocks, HTML comments, link targets and image paths are blank."""
    blocks = re.compile(r"^( *)(`{3,}|~{3,}).*?^\1\2 *$|<!--.*?-->|(?<=\])\([^)\s]*\)", re.DOTALL | re.MULTILINE)
    yield Passage(1, _blanked(source, blocks))


def schema_passages(source: str) -> Iterator[Passage]:
    """Yield the titles, descriptions and summaries of a JSON schema or an OpenAPI document, which is JSON or YAML.

    A property with such a name is left out: its value is a schema. Names, enums and examples belong to the format.
    """
    import yaml

    nodes = [yaml.compose(source, Loader=yaml.CSafeLoader)]
    seen: set[int] = set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
            continue
        for key, value in node.value:
            if key.value in _SCHEMA_TEXTS and isinstance(value, yaml.ScalarNode):
                yield Passage(value.start_mark.line + 1, value.value)
            elif key.value not in {"enum", "const", "default", "example", "examples"}:
                nodes.append(value)


def _blanked(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def findings(path: Path, data: Phrases) -> Iterator[Finding]:
    """Yield every phrase in the text of a file, in the order of its lines."""
    result: list[Finding] = []
    for passage in passages(path, data.literals):
        text = _blanked(passage.text, _CODE)
        for pattern in data.exempt:
            text = _blanked(text, pattern)
        for phrase in data.phrases:
            if phrase.docstrings_only and not passage.docstring:
                continue
            for match in phrase.pattern.finditer(text):
                line = passage.line + text.count("\n", 0, match.start())
                result.append(Finding(path, line, " ".join(match[0].split()), phrase.replacement))
    yield from sorted(result, key=lambda finding: finding.line)


def package_of(path: Path) -> str:
    """Return what a limit is for: the package below `rolecall`, `docs/decisions`, or the first folder."""
    parts = path.relative_to(ROOT).parts if path.is_relative_to(ROOT) else path.parts[-1:]
    if parts[:2] == ("src", "rolecall"):
        return f"src/{parts[2]}"
    if parts[0] == "docs" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def text_files(roots: Iterable[Path]) -> list[Path]:
    """Return the files with text below some folders; files are returned as they are."""
    suffixes = {".py", ".md", ".jinja", ".html", ".yaml", ".yml", ".js", ".css", ""}
    paths = {path for root in roots for path in ([root] if root.is_file() else root.rglob("*"))}
    return sorted(
        path
        for path in paths
        if path.is_file()
        and (path.suffix in suffixes or path.name.endswith(_SCHEMAS))
        and path.name not in SKIPPED
        and not any(part == "__pycache__" for part in path.parts)
    )


def read_limits(text: str) -> dict[str, int]:
    """Return the limit of each package; the higher one after a merge that kept two, 0 for a package not listed."""
    limits: Counter[str] = Counter()
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            package, count = line.split()
            limits |= Counter({package: int(count)})
    return dict(limits)


def lower(counts: Counter[str], limits: dict[str, int]) -> bool:
    """Write the counts as limits; refuse and return False where their sum would grow."""
    if limits and counts.total() > sum(limits.values()):
        return False
    lines = [f"{package} {count}" for package, count in sorted(counts.items()) if count]
    head = "# The most phrases of `script/phrases.txt` that a package may have; they only go down (`--lower`).\n"
    LIMITS.write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return True


def main(arguments: list[str]) -> int:
    """Print the counts, or the phrases; return 1 when a package has more than its limit."""
    data = read_phrases(PHRASES.read_text(encoding="utf-8"))
    named = [Path(argument).resolve() for argument in arguments if not argument.startswith("-")]
    roots = named or [*(ROOT / folder for folder in FOLDERS), *(ROOT / file for file in FILES)]
    hits = [finding for path in text_files(roots) for finding in findings(path, data)]
    counts = Counter(package_of(finding.path) for finding in hits)
    if named or "--list" in arguments:
        for path, line, phrase, replacement in hits:
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            print(f"{shown}:{line} “{phrase}” => {replacement}")
    limits = read_limits(LIMITS.read_text(encoding="utf-8")) if LIMITS.exists() else {}
    if named:
        print(f"{counts.total()} phrases")
        return int(counts.total() > 0)
    if "--lower" in arguments and not lower(counts, limits):
        print("the sum of the limits would grow")
        return 1
    over = False
    for package in sorted({*counts, *limits}):
        count, limit = counts[package], limits.get(package, 0)
        over = over or count > limit
        print(f"{package:20} {count:5}, at most {limit:5}{'  TOO MANY' if count > limit else ''}")
    print(f"{'all':20} {counts.total():5}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
