"""The flags that every command takes, before or after its name, what they come to, and where the config then is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import click

from rolecall.cli.complete import overlays
from rolecall.errors import Misuse, Problem

GLOBAL_HEADING = "Global options, before or after the command"
CONFIG = "rolecall.yaml"

_FLAGS = "rolecall.flags"
_VERBOSITY = "verbosity"
_BY_HAND_ONLY = frozenset(("ALLOW", "APPROVE", "AUTO_APPROVE", "IGNORE"))

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the global flags came to. Relative paths are meant from the working directory, where ``-C`` has led.

    ``as_of`` is None where nobody said a date. ``verbosity`` is 0, more with ``-v``, less with ``-q``.
    ``interactive`` is false with ``--no-input``, and where stderr is JSON. ``environ`` is the environment as it was at
    the start.
    """

    config: Path = Path(CONFIG)
    env: str | None = None
    snapshot: Path | None = None
    as_of: date | None = None
    verbosity: int = 0
    log_format: Literal["text", "json"] = "text"
    color: bool = True
    interactive: bool = True
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ci(self) -> bool:
        """Whether a pipeline is running this."""
        return self.environ.get("CI", "").lower() not in ("", "0", "false")


def current(environ: Mapping[str, str] | None = None) -> Invocation:
    """The invocation of the running command."""
    flags = dict(click.get_current_context().meta.get(_FLAGS, {}))
    flags["color"] = not flags.pop("no_color", False)
    # A question in the middle of JSON is for nobody.
    flags["interactive"] = not flags.pop("no_input", False) and flags.get("log_format") != "json"
    return Invocation(**flags, environ=dict(os.environ if environ is None else environ))


def global_options(*, top: bool = False) -> list[click.Parameter]:
    """Fresh copies of the global options. Only those of the program itself (``top``) read variables."""
    return [_option(*declaration, top=top) for declaration in _declarations()]


def is_global(param: click.Parameter) -> bool:
    """Whether a parameter is one of the global options."""
    return isinstance(param, GlobalOption)


class GlobalOption(click.Option):
    """An option that is kept for the invocation and not handed to the command."""


def refuse_variables(environ: Mapping[str, str]) -> None:
    """Raise Misuse when a flag that must be typed for one run was put into the environment."""
    names = [name for name in sorted(environ) if environ[name] and _by_hand_only(name)]
    if names:
        raise Misuse(
            *(Problem("variable", _VARIABLE.format(name), None, _TYPE_IT.format(_flag(name))) for name in names)
        )


_VARIABLE = "{} is set in the environment, but lifts and approvals are not taken from there"
_TYPE_IT = "unset it and write {} on the command line, for this run alone"


def _by_hand_only(name: str) -> bool:
    prefix, _, flag_name = name.partition("_")
    if prefix != "ROLECALL":
        return False
    return flag_name in _BY_HAND_ONLY or flag_name.partition("_")[2] in _BY_HAND_ONLY


def _flag(name: str) -> str:
    flag_name = name.partition("_")[2]
    bare_name = flag_name if flag_name in _BY_HAND_ONLY else flag_name.partition("_")[2]
    return f"--{bare_name.lower().replace('_', '-')}"


def _declarations() -> list[tuple[tuple[str, ...], dict[str, Any], Callable[..., Any]]]:
    path = click.Path(path_type=Path)
    day = click.DateTime(["%Y-%m-%d"])
    return [
        (
            ("-C", "directory"),
            {"metavar": "DIR", "multiple": True, "is_eager": True, "help": "As if started in DIR."},
            _go,
        ),
        (("-c", "--config"), {"metavar": "FILE", "type": path, "help": f"The config to read first [{CONFIG}]."}, _keep),
        (
            ("-e", "--env"),
            {"metavar": "NAME", "shell_complete": overlays, "help": "Merge env/NAME.yaml over the config."},
            _keep,
        ),
        (("--snapshot",), {"metavar": "FILE", "type": path, "help": "Read the org from a file; no network."}, _keep),
        (("--as-of",), {"metavar": "DATE", "type": day, "help": "The day to plan for, UTC [today]."}, _keep_day),
        (("-v", "--verbose"), {"count": True, "help": "Say more on stderr; twice for every request."}, _louder),
        (("-q", "--quiet"), {"count": True, "help": "Say less on stderr."}, _quieter),
        (
            ("--log-format",),
            {"type": click.Choice(["text", "json"]), "help": "How logs and errors are written; json never asks."},
            _keep,
        ),
        (("--no-color",), {"is_flag": True, "help": "No colour, as with NO_COLOR."}, _keep),
        (("--no-input",), {"is_flag": True, "help": "Never ask; fail where an answer is needed."}, _keep),
    ]


def _option(names: tuple[str, ...], more: dict[str, Any], callback: Callable[..., Any], *, top: bool) -> click.Option:
    return GlobalOption([*names], expose_value=False, callback=callback, allow_from_autoenv=top, **more)


def _flags(ctx: click.Context) -> dict[str, Any]:
    flags: dict[str, Any] = ctx.meta.setdefault(_FLAGS, {})
    return flags


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value not in (None, False):
        _flags(ctx)[str(param.name)] = value


def _keep_day(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None:
        _flags(ctx)[str(param.name)] = value.date()


def _louder(ctx: click.Context, param: click.Parameter, value: int) -> None:
    _flags(ctx)[_VERBOSITY] = _flags(ctx).get(_VERBOSITY, 0) + value


def _quieter(ctx: click.Context, param: click.Parameter, value: int) -> None:
    _louder(ctx, param, -value)


def _go(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
    for folder in value:
        try:
            os.chdir(folder)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no path"
            raise click.BadParameter(f"cannot go to {folder!r}: {reason}", ctx, param) from error


class Root(NamedTuple):
    """``folder`` holds the config; ``main`` is the name of the file that is read first."""

    folder: Path
    main: str


def root_of(call: Invocation) -> Root:
    """The root that the invocation names: the folder of `-c`, or the working directory."""
    return Root(call.config.parent, call.config.name)


class InRepository(NamedTuple):
    """Where a config is: ``folder`` leads to it from the repository's root, ``main`` is its first file."""

    folder: str = ""
    main: str = "rolecall.yaml"


def in_repository(call: Invocation) -> InRepository:
    """Return where the config that the invocation names is in its repository."""
    root = root_of(call)
    return InRepository(_folder_in_repository(call, root), root.main)


def _folder_in_repository(call: Invocation, root: Root) -> str:
    """Return what leads from the repository's root to the config's: ``examples/acme/``, or nothing if it is there.

    Annotations and code scanning name files from there. The repository's root is the pipeline's workspace, or the
    nearest folder above that has a `.git`.
    """
    config_folder = root.folder.resolve()
    workspace = call.environ.get("GITHUB_WORKSPACE")
    top = Path(workspace).resolve() if workspace else _repository(config_folder)
    if top is None or not config_folder.is_relative_to(top) or config_folder == top:
        return ""
    return f"{config_folder.relative_to(top).as_posix()}/"


def checkout(folder: Path) -> Path:
    """Return the root of the repository that a folder is in; the folder itself outside of one."""
    return _repository(folder.resolve()) or folder.resolve()


def _repository(start: Path) -> Path | None:
    return next((folder for folder in (start, *start.parents) if os.path.lexists(folder / ".git")), None)
