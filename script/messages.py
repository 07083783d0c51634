"""Lists every message of the code: its code, its text, its hint and where it is created, for review as one text.

script/messages.py             as Markdown, one section for each package
script/messages.py PATH...     only those created in these files or folders
script/messages.py --text      the texts alone, one a line, sorted

A message is a call of `Problem`, of a verdict or a refusal (`KINDS`), or of a function that passes its arguments on to
one. `{name}` is a value that is filled in. Where a text has alternatives, each is listed, with the hints of the same
path through the function.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "rolecall"
KINDS: dict[str, tuple[str, ...]] = {
    "Problem": ("code", "message", "where", "hint"),
    "ConfigFault": ("code", "trail", "message", "hint"),
    "SnapshotFault": ("trail", "message", "hint"),
    "Notice": ("message",),
    "UsageError": ("message",),
    "BadParameter": ("message",),
    "ClickException": ("message",),
    "TokenRefused": ("code", "message"),
    "Refused": ("code", "message"),
}
"""Constructors of messages, each with its positional parameters."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = dict[str, list[ast.expr]]
"""The values that names have on one path through a function."""
MOST_PATHS = 24


class Message(NamedTuple):
    """A message of the code."""

    path: Path
    line: int
    code: str
    text: str
    hint: str


class Factory(NamedTuple):
    """A function that creates a message from its arguments: which parameter is the code, the text and the hint.

    ``passed`` is the parameter that is the text, or a part of it.
    """

    parameters: tuple[str, ...]
    fields: dict[str, ast.expr]
    passed: str


class Module(NamedTuple):
    """A parsed module, with the values of its constants and the function that each call is in."""

    path: Path
    tree: ast.Module
    constants: Scope


def parse(path: Path) -> Module:
    """Return a module with its constants."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return Module(path, tree, assignments(tree.body))


def assignments(nodes: Sequence[ast.AST]) -> Scope:
    """Return every expression that is assigned to a name in some nodes, nested functions left out."""
    values: Scope = defaultdict(list)
    todo = list(nodes)
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


def _bind(target: ast.expr, value: ast.expr, values: Scope) -> None:
    if isinstance(target, ast.Name):
        values[target.id].append(value)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for inner, part in zip(target.elts, value.elts, strict=True):
            _bind(inner, part, values)


class Catalog:
    """Collects the messages of some modules."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.constants: Scope = {}
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
        return sorted(_with_all_hints(found))

    def _of_module(self, module: Module) -> list[Message]:
        return self._statements(module, module.tree.body, None, [dict(module.constants)])[1]

    def _statements(
        self, module: Module, body: list[ast.stmt], function: Function | None, paths: list[Scope]
    ) -> tuple[list[Scope], list[Message]]:
        """Return the values of names after some statements, one scope for each path, and the messages in them."""
        messages: list[Message] = []
        for statement in body:
            paths, more = self._statement(module, statement, function, _few(paths))
            messages += more
        return paths, messages

    def _statement(
        self, module: Module, statement: ast.stmt, function: Function | None, paths: list[Scope]
    ) -> tuple[list[Scope], list[Message]]:
        if isinstance(statement, Function | ast.ClassDef):
            inner = statement if isinstance(statement, Function) else function
            return paths, self._statements(module, statement.body, inner, [_union(paths)])[1]
        parts = _expressions(statement)
        paths = [_bound(scope, statement, assignments(parts)) for scope in paths]
        messages = list(self._calls(module, parts, function, paths))
        if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
            return [], messages
        branches = _branches(statement)
        ends = [] if branches and _takes_a_branch(statement) else paths
        for branch in branches:
            after, more = self._statements(module, branch, function, paths)
            ends = [*ends, *after]
            messages += more
        return ends, messages

    def _calls(
        self, module: Module, parts: Sequence[ast.AST], function: Function | None, paths: list[Scope]
    ) -> Iterator[Message]:
        for node in itertools.chain.from_iterable(map(ast.walk, parts)):
            if isinstance(node, ast.Call):
                for scope in paths:
                    yield from self._message(module, node, function, scope)

    def _message(self, module: Module, call: ast.Call, function: Function | None, scope: Scope) -> Iterator[Message]:
        fields = self._fields(module, call)
        if fields is None:
            return
        parameters = _parameters(function) if function else ()
        passed = _passed(fields["message"], parameters)
        if function and passed and not scope.get(passed):
            self.factories.setdefault((module.path, function.name), Factory(parameters, fields, passed))
            return
        code, hint = self._first(fields.get("code"), scope), fields.get("hint")
        hints = self._texts(hint, scope) if hint is not None else [""]
        for text in self._texts(fields["message"], scope):
            yield Message(module.path, call.lineno, code, text, " / ".join(hints))

    def _fields(self, module: Module, call: ast.Call) -> dict[str, ast.expr] | None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in KINDS:
            fields = _arguments(call, KINDS[name])
            return fields if "message" in fields else None
        factory = self.factories.get((self._origin(module, call.func), name))
        if factory is None:
            return None
        given = _arguments(call, factory.parameters)
        if factory.passed not in given:
            return None
        fields = {
            field: given.get(value.id, value) if isinstance(value, ast.Name) else value
            for field, value in factory.fields.items()
        }
        return {**fields, "message": _filled(factory.fields["message"], given)}

    def _origin(self, module: Module, callee: ast.expr) -> Path:
        """Return the module that a called function is from; methods are taken for those of the module itself."""
        if isinstance(callee, ast.Name):
            for node in module.tree.body:
                if isinstance(node, ast.ImportFrom) and any(alias.name == callee.id for alias in node.names):
                    return ROOT / "src" / f"{(node.module or '').replace('.', '/')}.py"
        return module.path

    def _first(self, node: ast.expr | None, scope: Scope) -> str:
        return "" if node is None else self._texts(node, scope)[0]

    def _texts(self, node: ast.expr, scope: Scope, depth: int = 0) -> list[str]:
        """Return the alternatives of a text."""
        match node:
            case ast.Constant(value=None):
                return [""]
            case ast.Constant(value=value):
                return [str(value)]
            case ast.JoinedStr(values=values):
                return ["".join(parts) for parts in itertools.product(*(self._part(v, scope, depth) for v in values))]
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

    def _part(self, part: ast.expr, scope: Scope, depth: int) -> list[str]:
        """Return the alternatives of a part of an f-string: of a name, its text if that is the only one."""
        if isinstance(part, ast.Constant):
            return [str(part.value)]
        value = part.value if isinstance(part, ast.FormattedValue) and part.conversion == -1 else None
        if isinstance(value, ast.Name):
            values = scope.get(value.id) or self.constants.get(value.id) or []
            value = values[0] if len(values) == 1 else None
        is_text = isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str))
        return self._texts(value, scope, depth + 1) if value is not None and is_text and depth < 3 else [_hole(part)]


def _with_all_hints(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield each message once, with the hints of all paths to it."""
    hints: dict[Message, dict[str, None]] = defaultdict(dict)
    for message in messages:
        hints[message._replace(hint="")][message.hint] = None
    for message, texts in hints.items():
        yield message._replace(hint=" / ".join(texts))


def _few(paths: list[Scope]) -> list[Scope]:
    """Return the paths, or one that has the values of all if there are many."""
    return paths if len(paths) <= MOST_PATHS else [_union(paths)]


def _union(paths: list[Scope]) -> Scope:
    names = dict.fromkeys(name for scope in paths for name in scope)
    return {
        name: list({id(value): value for scope in paths for value in scope.get(name, ())}.values()) for name in names
    }


def _bound(scope: Scope, statement: ast.stmt, values: Scope) -> Scope:
    """Return the values of names after the expressions of a statement; ``+=`` adds to a text."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        name = statement.target.id
        sums: list[ast.expr] = [ast.BinOp(value, ast.Add(), statement.value) for value in scope.get(name, ())]
        return {**scope, name: sums or [statement.value]}
    return {**scope, **values}


def _branches(statement: ast.stmt) -> list[list[ast.stmt]]:
    """Return the bodies of a statement, each with what always follows it."""
    match statement:
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            return [[*body, *orelse, *final], *([*handler.body, *final] for handler in handlers)]
        case ast.Match(cases=cases):
            return [case.body for case in cases]
        case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
            return [branch for branch in (statement.body, statement.orelse) if branch]
        case ast.With() | ast.AsyncWith():
            return [statement.body]
    return []


def _takes_a_branch(statement: ast.stmt) -> bool:
    """Return whether one of the bodies always runs."""
    return isinstance(statement, ast.Try | ast.With | ast.AsyncWith) or (
        isinstance(statement, ast.If) and bool(statement.orelse)
    )


def _expressions(statement: ast.stmt) -> list[ast.AST]:
    """Return the parts of a statement other than statements; of a simple one, itself."""
    if not _branches(statement):
        return [statement]
    return [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.expr | ast.withitem)]


def _passed(message: ast.expr, parameters: tuple[str, ...]) -> str:
    """Return the parameter that is a message, or a part of it named so; nothing for any other message."""
    if isinstance(message, ast.Name):
        return message.id if message.id in parameters else ""
    holes = (
        [part.value for part in message.values if isinstance(part, ast.FormattedValue)]
        if isinstance(message, ast.JoinedStr)
        else []
    )
    named = [hole.id for hole in holes if isinstance(hole, ast.Name) and hole.id == "message"]
    return "message" if named and "message" in parameters else ""


def _filled(message: ast.expr, given: dict[str, ast.expr]) -> ast.expr:
    """Return a factory's message with the arguments of a call."""
    if isinstance(message, ast.Name):
        return given.get(message.id, message)
    assert isinstance(message, ast.JoinedStr)
    return ast.JoinedStr([_argument(part, given) for part in message.values])


def _argument(part: ast.expr, given: dict[str, ast.expr]) -> ast.expr:
    if not isinstance(part, ast.FormattedValue) or not isinstance(part.value, ast.Name):
        return part
    return ast.FormattedValue(given.get(part.value.id, part.value), part.conversion, part.format_spec)


def _parameters(function: Function) -> tuple[str, ...]:
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return tuple(name for name in names if name not in ("self", "cls"))


def _arguments(call: ast.Call, parameters: tuple[str, ...]) -> dict[str, ast.expr]:
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
