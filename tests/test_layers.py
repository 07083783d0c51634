"""The import table of the house, held against every import there is: lazy, relative and TYPE_CHECKING ones too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"

GROUND = frozenset({"errors", "package_data", "schema_files"})
EVERYWHERE = frozenset({"rolecall"})
CORE = {"model", "codec", "access", "plan"}
PLANS = CORE | {"drift"}
ROOMS: Mapping[str, frozenset[str]] = {
    "errors": frozenset(),
    "package_data": frozenset(),
    "schema_files": frozenset(),
    "source": frozenset(),
    "model": frozenset(),
    "codec": frozenset({"model"}),
    "access": frozenset({"model"}),
    "plan": frozenset({"model", "codec", "access"}),
    "drift": frozenset(CORE),
    "desired": frozenset({"source", "model", "codec"}),
    "live": frozenset({"live.embedded", "live.http", "live.people", "live.snapshot", "source", "model", "codec"}),
    "live.embedded": frozenset({"live.http", "localorg"}),
    "live.http": frozenset({"source", "model", "codec"}),
    "live.people": frozenset({"live.http", "source", "model", "codec"}),
    "live.snapshot": frozenset({"source", "model", "codec"}),
    "journal": frozenset({"model", "codec"}),
    "apply": frozenset({"model", "plan", "live.port", "journal"}),
    "report": frozenset(PLANS),
    "localorg": frozenset(
        {"localorg.api", "localorg.console", "localorg.scim", "localorg.store", "localorg.web", "model", "codec"}
    ),
    "localorg.api": frozenset({"localorg.store", "localorg.web", "model", "codec"}),
    "localorg.console": frozenset({"localorg.api", "localorg.store", "localorg.web", "model"}),
    "localorg.scim": frozenset({"localorg.store", "localorg.web", "model"}),
    "localorg.store": frozenset({"model", "codec", "access"}),
    "localorg.web": frozenset({"codec"}),
    "outside": frozenset({"model", "live.http.call", "live.http.proxies"}),
    "fleet": frozenset({"source", "model", "desired"}),
    "jobs": frozenset(PLANS | {"source", "desired", "live", "journal", "apply", "localorg", "outside"}),
    "cli": frozenset(
        PLANS | {"source", "desired", "live", "journal", "apply", "localorg", "outside", "jobs", "report", "fleet"}
    ),
    "__main__": frozenset({"cli"}),
    "__init__": frozenset(),
}
"""What each room may import beside itself and the ground floor. A dotted name is a room of its own in a room."""

INNER: Mapping[str, Mapping[str, frozenset[str]]] = {
    "cli": {
        "": frozenset(),
        "commands": frozenset({""}),
    },
    "desired": {
        "load": frozenset(),
        "check": frozenset({"load"}),
        "build": frozenset({"load", "check"}),
        "idp_groups": frozenset(),
        "references": frozenset({"load", "build", "idp_groups"}),
        "edit": frozenset({"load"}),
    },
    "plan": {
        "": frozenset(),
        "diff": frozenset({""}),
        "inputs": frozenset({"", "diff"}),
        "order": frozenset({""}),
        "explain": frozenset({""}),
        "impact": frozenset({"", "inputs", "diff", "order", "explain"}),
        "guards": frozenset({"", "inputs", "impact"}),
        "lint": frozenset({"", "inputs", "impact"}),
        "saved": frozenset({""}),
        "draft": frozenset({"", "inputs", "diff", "explain", "impact"}),
        "make": frozenset({"", "inputs", "draft", "diff", "order", "explain", "impact", "guards", "lint"}),
    },
    "report": {
        "": frozenset(),
        "builders": frozenset({""}),
        "renderers": frozenset({""}),
    },
}
"""What the inner packages and the named modules of a package may import of each other; "" has its other modules."""

PURE = frozenset(PLANS | {"report"})
# fmt: off
IMPURE_MODULES = frozenset({
    "asyncio", "click", "concurrent", "fcntl", "getpass", "glob", "http", "httpx", "importlib", "locale",
    "logging", "multiprocessing", "os", "pathlib", "platform", "psycopg", "random", "secrets", "select", "shutil",
    "signal", "socket", "sqlalchemy", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib.request", "uuid",
})
# fmt: on
IMPURE_CALLS = frozenset({"open", "print", "input", "breakpoint", "now", "today", "utcnow"})
ENVIRONMENT = frozenset({"environ", "getenv", "environb", "putenv"})


class Import(NamedTuple):
    """One import: the module that does it, what it names, and the line."""

    by: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.name}"


def modules(src: Path) -> dict[str, Path]:
    """Dotted name -> file, for every module of the package below ``src``."""
    found = {}
    for path in sorted((src / "rolecall").rglob("*.py")):
        parts = path.relative_to(src).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)] = path
    return found


def imports(src: Path) -> Iterator[Import]:
    """Every import statement of the package, wherever it stands; ``from x import y`` names ``x.y``."""
    for module, path in modules(src).items():
        package = (
            module if path.name == "__init__.py" and not module.endswith("__init__") else module.rpartition(".")[0]
        )
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (Import(module, alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = _absolute(package, node.level, node.module)
                yield from (Import(module, f"{base}.{alias.name}", node.lineno) for alias in node.names)


def _absolute(package: str, level: int, module: str | None) -> str:
    if not level:
        return module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - level + 1], *([module] if module else [])])


def room(name: str) -> str:
    """The room of a dotted name below ``rolecall``: the longest row of the table that fits."""
    inner = name.removeprefix("rolecall.")
    fitting = [row for row in ROOMS if inner == row or inner.startswith(f"{row}.")]
    return max(fitting, key=len, default=inner.split(".")[0])


def layer_offences(src: Path) -> list[str]:
    """Imports that the table does not allow."""
    return [
        str(found)
        for found in imports(src)
        if found.name.startswith("rolecall.")
        and found.name != "rolecall.__version__"
        and not _allowed(room(found.by), found.name)
    ]


def _allowed(by: str, name: str) -> bool:
    row = ROOMS.get(by)
    inner = name.removeprefix("rolecall.")
    target = room(name)
    if row is None or target == by or target in GROUND or target in row:
        return row is not None
    return any(inner == allowed or inner.startswith(f"{allowed}.") for allowed in row)


def inner_offences(src: Path) -> list[str]:
    """Imports inside a package that its own table does not allow."""
    offences = []
    for statement in imports(src):
        package = statement.by.split(".")[1]
        table = INNER.get(package)
        if table is not None and statement.name.startswith(f"rolecall.{package}."):
            importing, imported = (_inner(name, table) for name in (statement.by, statement.name))
            if imported not in table[importing] | {importing}:
                offences.append(str(statement))
    return offences


def _inner(name: str, table: Mapping[str, frozenset[str]]) -> str:
    part = name.split(".")[2:3]
    return part[0] if part and part[0] in table else ""


def purity_offences(src: Path) -> list[str]:
    """I/O, clocks, randomness, environment and loggers in the pure rooms, by import or by call."""
    imported = [str(found) for found in imports(src) if room(found.by) in PURE and _impure(found.name)]
    called = [
        f"{module}:{node.lineno} calls {name}"
        for module, path in modules(src).items()
        if room(module) in PURE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and (name := _called(node)) in IMPURE_CALLS
    ]
    return imported + called


def _impure(name: str) -> bool:
    return any(name == bad or name.startswith(f"{bad}.") for bad in IMPURE_MODULES)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return (
        node.func.attr if isinstance(node.func, ast.Attribute) and node.func.attr in {"now", "today", "utcnow"} else ""
    )


def environment_offences(src: Path) -> list[str]:
    """Reads of the environment outside ``cli``."""
    return [
        f"{module}:{node.lineno} reads the environment"
        for module, path in modules(src).items()
        if room(module) != "cli"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT
    ]


def cycles(src: Path) -> list[str]:
    """Modules that import each other in a ring, lazily or not."""
    known = modules(src)
    edges: dict[str, set[str]] = {module: set() for module in known}
    for found in imports(src):
        parent = found.name.rpartition(".")[0]
        target = found.name if found.name in known else parent
        if target in known and target != found.by:
            edges[found.by].add(target)
    while leaves := [module for module, out in edges.items() if not out & edges.keys()]:
        for leaf in leaves:
            del edges[leaf]
    return sorted(edges)


def test_imports_keep_to_the_table() -> None:
    assert layer_offences(SRC) == []


def test_imports_inside_a_package_keep_to_its_table() -> None:
    assert inner_offences(SRC) == []


def inner_packages_without_a_row(src: Path) -> list[str]:
    """Packages inside a package that neither table has, so that they could import all of it."""
    inner = [path.parent.relative_to(src / "rolecall") for path in (src / "rolecall").glob("*/*/__init__.py")]
    return [
        f"{path.parent}.{path.name}"
        for path in sorted(inner)
        if f"{path.parent}.{path.name}" not in ROOMS and path.name not in INNER.get(str(path.parent), {})
    ]


def test_every_inner_package_has_a_row() -> None:
    assert inner_packages_without_a_row(SRC) == []


def test_an_inner_package_without_a_row_is_noticed(tmp_path: Path) -> None:
    for path in ("live/http/__init__.py", "plan/diff/__init__.py", "live/bad/__init__.py", "plan/bad/__init__.py"):
        _plant(tmp_path, path, "")
    assert inner_packages_without_a_row(tmp_path) == ["live.bad", "plan.bad"]


def test_the_pure_rooms_are_pure() -> None:
    assert purity_offences(SRC) == []


def test_only_cli_reads_the_environment() -> None:
    assert environment_offences(SRC) == []


def test_no_module_imports_itself_in_a_ring() -> None:
    assert cycles(SRC) == []


def test_every_room_has_a_row() -> None:
    assert {room(module) for module in modules(SRC)} <= ROOMS.keys()


PLANTED = [
    ("model/bad.py", "from rolecall.plan import diff"),
    ("model/bad.py", "def f():\n    import rolecall.codec.settings"),
    ("plan/bad.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rolecall.live.port import Reader"),
    ("codec/bad.py", "from ..journal import port"),
    ("access/bad.py", "from .. import plan"),
    ("plan/bad.py", "from rolecall.drift.value import DriftClass"),
    ("drift/bad.py", "from rolecall.report import text"),
    ("apply.py", "from rolecall.live.http import call"),
    ("live/bad.py", "from rolecall.localorg import app"),
    ("live/http/bad.py", "from rolecall.live.client import OrgClient"),
    ("live/snapshot/bad.py", "from rolecall.live.http import lists"),
    ("localorg/store/bad.py", "from rolecall.localorg.api.handle import handle"),
    ("localorg/scim/bad.py", "from rolecall.localorg.api import handle"),
    ("jobs/bad.py", "from rolecall.report import text"),
    ("outside/bad.py", "from rolecall import journal"),
    ("newroom/bad.py", "from rolecall.model import change"),
]


@pytest.mark.parametrize(("path", "code"), PLANTED)
def test_a_planted_import_is_caught(tmp_path: Path, path: str, code: str) -> None:
    assert len(layer_offences(_plant(tmp_path, path, code))) == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("plan/value.py", "from rolecall.plan.diff import changes"),
        ("plan/diff/bad.py", "def f():\n    from rolecall.plan.impact.cohorts import moves"),
        ("plan/order/bad.py", "from ..guards.evaluate import judge"),
        ("plan/saved/bad.py", "from rolecall.plan import make"),
        ("cli/bad.py", "from rolecall.cli.commands import plan"),
    ],
)
def test_a_planted_import_inside_a_package_is_caught(tmp_path: Path, path: str, code: str) -> None:
    assert len(inner_offences(_plant(tmp_path, path, code))) == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("live/embedded.py", "from rolecall.localorg import app\nfrom rolecall.live.http.transport import Request"),
        ("apply.py", "from rolecall.live.port import Writer\nfrom rolecall.journal import port"),
        ("apply/waves.py", "from rolecall.live import port\nfrom . import steps"),
        ("report/text.py", "from rolecall.errors import Problem\nfrom rolecall.plan.plan import Plan"),
    ],
)
def test_what_the_table_allows_passes(tmp_path: Path, path: str, code: str) -> None:
    assert layer_offences(_plant(tmp_path, path, code)) == []


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "def f():\n    from pathlib import Path",
        "import logging.handlers",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.date.today()",
        "x = open('f')",
        "from random import choice",
    ],
)
def test_planted_io_is_caught_in_a_pure_room_and_nowhere_else(tmp_path: Path, code: str) -> None:
    assert len(purity_offences(_plant(tmp_path / "pure", "plan/bad.py", code))) == 1
    assert purity_offences(_plant(tmp_path / "other", "outside/fine.py", code)) == []


def test_a_planted_read_of_the_environment_is_caught(tmp_path: Path) -> None:
    code = "import os\nx = os.environ['HOME']"
    assert len(environment_offences(_plant(tmp_path / "a", "live/bad.py", code))) == 1
    assert environment_offences(_plant(tmp_path / "b", "cli/fine.py", code)) == []


def test_a_planted_ring_is_caught(tmp_path: Path) -> None:
    _plant(tmp_path, "plan/one.py", "def f():\n    from rolecall.plan import two")
    _plant(tmp_path, "plan/two.py", "from rolecall.plan.three import x")
    assert cycles(_plant(tmp_path, "plan/three.py", "from rolecall.plan.one import f\nx = 1")) == [
        "rolecall.plan.one",
        "rolecall.plan.three",
        "rolecall.plan.two",
    ]


def _plant(src: Path, path: str, code: str) -> Path:
    file = src / "rolecall" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code, encoding="utf-8")
    return src
