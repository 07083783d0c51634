"""Lists every message of the code: its code, its text, its hint and where it is created, for review as one text.

script/messages.py             as Markdown, one section for each package
script/messages.py PATH...     only those created in these files or folders
script/messages.py --text      the texts alone, one a line, sorted

A message is a call of `Problem`, of a verdict or a refusal (`KINDS`), or of a function that passes its arguments on to
one. `{name}` is a value that is filled in. Where a text has alternatives, each is listed.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "rolecall"
KINDS: dict[str, tuple[str, ...]] = {
    "Problem": ("code", "message", "where", "hint"),
    "Notice": ("message",),
    "UsageError": ("message",),
    "BadParameter": ("message",),
    "ClickException": ("message",),
    "TokenRefused": ("message",),
    "Refused": ("code", "message"),
}
"""Constructors of messages, each with its positional parameters."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Message(NamedTuple):
    """A message of the code."""

    path: Path
    line: int
    code: str
    text: str
    hint: str


class Factory(NamedTuple):
    """A function that creates a message from its arguments: which parameter is the code, the text and the hint."""

    parameters: tuple[str, ...]
    fields: dict[str, ast.expr]


class Module(NamedTuple):
    """A parsed module, with the values of its constants and the function that each call is in."""

    path: Path
    tree: ast.Module
    constants: dict[str, list[ast.expr]]


def parse(path: Path) -> Module:
    """Return a module with its constants."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return Module(path, tree, assignments(tree.body))


def assignments(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
    """Return every expression that is assigned to a name in some statements, nested functions left out."""
    values: dict[str, list[ast.expr]] = defaultdict(list)
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, Function | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _bind(target, node.value, values)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            _bind(node.target, node.value, values)
        todo = [*ast.iter_child_nodes(node), *todo]
    return values


def _bind(target: ast.expr, value: ast.expr, values: dict[str, list[ast.expr]]) -> None:
    if isinstance(target, ast.Name):
        values[target.id].append(value)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for inner, part in zip(target.elts, value.elts, strict=True):
            _bind(inner, part, values)


class Catalog:
    """Collects the messages of some modules."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.constants: dict[str, list[ast.expr]] = {}
        for module in modules:
            for name, values in module.constants.items():
                if name.lstrip("_").isupper():
                    self.constants.setdefault(name, values)
        self.factories: dict[tuple[Path, str], Factory] = {}

    def messages(self) -> list[Message]:
        """Return the messages in the order of files and lines, those through factories too."""
        known = -1
        while known != len(self.factories):
            known = len(self.factories)
            found = list(itertools.chain.from_iterable(map(self._of_module, self.modules)))
        return sorted(set(found))

    def _of_module(self, module: Module) -> Iterator[Message]:
        yield from self._calls(module, module.tree, None, dict(module.constants))

    def _calls(
        self, module: Module, node: ast.AST, function: Function | None, scope: dict[str, list[ast.expr]]
    ) -> Iterator[Message]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield from self._calls(module, child, child, {**scope, **assignments(child.body)})
                continue
            if isinstance(child, ast.Call):
                yield from self._message(module, child, function, scope)
            yield from self._calls(module, child, function, scope)

    def _message(
        self, module: Module, call: ast.Call, function: Function | None, scope: dict[str, list[ast.expr]]
    ) -> Iterator[Message]:
        fields = self._fields(module, call)
        if fields is None:
            return
        parameters = _parameters(function) if function else ()
        passed = {
            name: value for name, value in fields.items() if isinstance(value, ast.Name) and value.id in parameters
        }
        passed = {name: value for name, value in passed.items() if name in ("message", "code", "hint")}
        if function and "message" in passed and not scope.get(passed["message"].id):
            self.factories.setdefault((module.path, function.name), Factory(parameters, fields))
            return
        code, hint = self._first(fields.get("code"), scope), fields.get("hint")
        hints = self._texts(hint, scope) if hint is not None else [""]
        for text in self._texts(fields["message"], scope):
            yield Message(module.path, call.lineno, code, text, " / ".join(hints))

    def _fields(self, module: Module, call: ast.Call) -> dict[str, ast.expr] | None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in KINDS:
            fields = _bound(call, KINDS[name])
            return fields if "message" in fields else None
        factory = self.factories.get((self._origin(module, call.func), name))
        if factory is None:
            return None
        given = _bound(call, factory.parameters)
        fields = {
            field: given.get(value.id, value) if isinstance(value, ast.Name) else value
            for field, value in factory.fields.items()
        }
        message = factory.fields["message"]
        return fields if isinstance(message, ast.Name) and message.id in given else None

    def _origin(self, module: Module, callee: ast.expr) -> Path:
        """Return the module that a called function is from; methods are taken for those of the module itself."""
        if isinstance(callee, ast.Name):
            for node in module.tree.body:
                if isinstance(node, ast.ImportFrom) and any(alias.name == callee.id for alias in node.names):
                    return ROOT / "src" / f"{(node.module or '').replace('.', '/')}.py"
        return module.path

    def _first(self, node: ast.expr | None, scope: dict[str, list[ast.expr]]) -> str:
        return "" if node is None else self._texts(node, scope)[0]

    def _texts(self, node: ast.expr, scope: dict[str, list[ast.expr]], depth: int = 0) -> list[str]:
        """Return the alternatives of a text."""
        match node:
            case ast.Constant(value=None):
                return [""]
            case ast.Constant(value=value):
                return [str(value)]
            case ast.JoinedStr(values=values):
                return ["".join(part.value if isinstance(part, ast.Constant) else _hole(part) for part in values)]
            case ast.IfExp(body=body, orelse=orelse):
                return [*self._texts(body, scope, depth), *self._texts(orelse, scope, depth)]
            case ast.BoolOp(values=values):
                return [text for value in values for text in self._texts(value, scope, depth)]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                pairs = itertools.product(self._texts(left, scope, depth), self._texts(right, scope, depth))
                return [first + second for first, second in pairs]
            case ast.Name(id=name) if depth < 3:
                values = scope.get(name) or self.constants.get(name) or []
                texts = [text for value in values for text in self._texts(value, scope, depth + 1)]
                return list(dict.fromkeys(texts)) or [f"{{{name}}}"]
        return [f"{{{ast.unparse(node)}}}"]


def _parameters(function: Function) -> tuple[str, ...]:
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return tuple(name for name in names if name not in ("self", "cls"))


def _bound(call: ast.Call, parameters: tuple[str, ...]) -> dict[str, ast.expr]:
    positional = dict(zip(parameters, call.args, strict=False))
    return {**positional, **{keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}}


def _hole(part: ast.expr) -> str:
    value = part.value if isinstance(part, ast.FormattedValue) else part
    return f"{{{ast.unparse(value)}}}"


def catalog(roots: list[Path]) -> list[Message]:
    """Return every message that is created in files below some folders."""
    modules = [parse(path) for path in sorted(SRC.rglob("*.py"))]
    paths = {path for root in roots for path in ([root] if root.is_file() else root.rglob("*.py"))}
    return [message for message in Catalog(modules).messages() if message.path in paths]


def page(messages: list[Message]) -> str:
    """Return the catalog as Markdown: a section for each package, a table row for each message."""
    parts = ["# Messages", "", "Generated from the code. `{name}` is a value that is filled in.", ""]
    for package, group in itertools.groupby(messages, lambda message: message.path.relative_to(SRC).parts[0]):
        parts += [
            f"## {package.removesuffix('.py')}",
            "",
            "| code | message | hint | created in |",
            "|---|---|---|---|",
        ]
        for message in group:
            cells = (f"`{message.code}`" if message.code else "", message.text, message.hint)
            place = f"{message.path.relative_to(SRC)}:{message.line}"
            parts.append(f"| {' | '.join(map(_cell, cells))} | {place} |")
        parts.append("")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def main(arguments: list[str]) -> int:
    """Print the catalog."""
    roots = [Path(argument).resolve() for argument in arguments if not argument.startswith("-")] or [SRC]
    messages = catalog(roots)
    if "--text" in arguments:
        print(
            "\n".join(sorted({f"{message.text}{f' → {message.hint}' if message.hint else ''}" for message in messages}))
        )
    else:
        print(page(messages))
    print(f"{len(messages)} messages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
