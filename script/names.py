"""Counts functions that bind a name which says nothing; fails when their share is above the limit, or a type has one.

script/names.py            the share of each package and of all
script/names.py --list     every function with the names, as file:line
script/names.py PATH...    only these files or folders

The words are in `script/vague_names.txt`. No class may be called by one, nor a type declared as `X = Literal[...]` or
a `TypeVar`; a `Row` is one of a table. A function binds its parameters, the variables it assigns (loops, `with`,
`except`, comprehensions and `match` included) and its own name; what a nested function binds is the nested function's.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
WORDS = ROOT / "script" / "vague_names.txt"
LIMIT = 0.03
"""The share of functions, 0 to 1, that may bind such a name."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
BINARY = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}) | {
    f"__{side}{name}__"
    for side in ("", "r", "i")
    for name in (
        "add",
        "sub",
        "mul",
        "matmul",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "and",
        "or",
        "xor",
        "lshift",
        "rshift",
    )
}
ROW_LIBRARIES = frozenset({"sqlalchemy", "sqlite3", "csv", "psycopg"})


class VagueFunction(NamedTuple):
    """A function and the vague names it binds, in the order of the alphabet."""

    path: Path
    line: int
    name: str
    words: tuple[str, ...]


def vague_words(text: str) -> frozenset[str]:
    """Return the words of the data file: one a line, `#` starts a comment."""
    return frozenset(line for raw in text.splitlines() if (line := raw.partition("#")[0].strip()))


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function of a module, methods and nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def bound_names(function: Function) -> frozenset[str]:
    """Return the names that a function binds itself: its own, its parameters, its variables."""
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    names = {function.name, *(parameter.arg for parameter in parameters if parameter is not None)}
    if function.name in BINARY:
        names.discard("other")
    for statement in function.body:
        names.update(_bound(statement))
    return frozenset(name.strip("_") for name in names)


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return
        case ast.Starred(value=ast.Name(id="rest", ctx=ast.Store())):
            return
        case ast.Name(ctx=ast.Store()):
            yield node.id
        case ast.arg():
            yield node.arg
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.alias():
            yield node.asname or node.name
    for child in ast.iter_child_nodes(node):
        yield from _bound(child)


def vague_types(tree: ast.Module, words: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield the classes and declared types of a module that have such a name, each with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.Call(func=ast.Name(id="TypeVar"))):
                name = "" if name.isupper() else name
            case _:
                continue
        if name[:1] != name[:1].lower() and name.lower() in words - {"row", "rows"}:
            yield name, node.lineno


def reads_rows(tree: ast.AST) -> bool:
    """Return whether a module imports a library for databases or CSV, where a row is called a row."""
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    return any(name.partition(".")[0] in ROW_LIBRARIES for name in imported)


def check(paths: Iterable[Path], words: frozenset[str]) -> tuple[list[VagueFunction], Counter[str], Counter[str]]:
    """Return the vague functions of some files, and per package how many functions are vague and how many there are."""
    vague: list[VagueFunction] = []
    bad: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        refused = words - {"row", "rows"} if reads_rows(tree) or "table" in path.stem else words
        for function in functions(tree):
            total[package_of(path)] += 1
            names = bound_names(function) & refused
            if names:
                bad[package_of(path)] += 1
                vague.append(VagueFunction(path, function.lineno, function.name, tuple(sorted(names))))
    return vague, bad, total


def package_of(path: Path) -> str:
    """Return the package below `rolecall` that a file belongs to, or the file's own name."""
    parts = path.parts
    inner = parts[parts.index("rolecall") + 1 :] if "rolecall" in parts else (path.name,)
    return inner[0]


def main(arguments: list[str]) -> int:
    """Print the shares, and the functions if asked; return 1 when the share of all is above the limit."""
    roots = [Path(argument).resolve() for argument in arguments if not argument.startswith("-")] or [ROOT / "src"]
    paths = sorted(path for root in roots for path in ([root] if root.is_file() else root.rglob("*.py")))
    words = vague_words(WORDS.read_text(encoding="utf-8"))
    vague, bad, total = check(paths, words)
    types = [
        f"{path}:{line} {name} is not a name for a type"
        for path in paths
        for name, line in vague_types(ast.parse(path.read_text(encoding="utf-8")), words)
    ]
    if "--list" in arguments:
        for function in vague:
            print(f"{function.path.relative_to(ROOT)}:{function.line} {function.name}: {', '.join(function.words)}")
    for package, count in sorted(total.items()):
        print(f"{package:16} {bad[package]:5} of {count:5}  {bad[package] / count:6.1%}")
    share = bad.total() / max(total.total(), 1)
    print(f"{'all':16} {bad.total():5} of {total.total():5}  {share:6.1%}, at most {LIMIT:.0%}")
    print(*types, sep="\n", end="\n" if types else "")
    return int(share > LIMIT or bool(types))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
