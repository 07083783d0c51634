"""Define the global options, what they come to for one invocation, and where the configuration is."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import click

from rolecall.cli.complete import overlays
from rolecall.cli.places import CONFIG, DIRECTORY, FLAGS, config_of, repository
from rolecall.errors import Misuse, Problem

GLOBAL_HEADING = "Global options, before or after the command"

_TOLD = "rolecall.told"
_VERBOSITY = "verbosity"
_TYPED_ONLY = frozenset(("ALLOW", "APPROVE", "AUTO_APPROVE", "IGNORE", "WHAT_IF"))
"""Options that are not taken from the environment, as the names of their variables."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Invocation:
    """The global options of one run. Relative paths start at the working directory, which ``-C`` has changed.

    ``config`` is where the configuration is; ``searched`` says that nothing named it, so it may be in a folder above.
    ``as_of`` is None without ``--as-of``. ``verbosity`` is 0, more with ``-v``, less with ``-q``. ``interactive`` is
    false with ``--no-input`` and with JSON on stderr. ``environ`` is the environment at the start.
    """

    config: Path = Path(CONFIG)
    env: str | None = None
    snapshot: Path | None = None
    as_of: date | None = None
    verbosity: int = 0
    log_format: Literal["text", "json"] = "text"
    color: bool = True
    interactive: bool = True
    searched: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ci(self) -> bool:
        """True in a pipeline."""
        return self.environ.get("CI", "").lower() not in ("", "0", "false")


def current(environ: Mapping[str, str] | None = None) -> Invocation:
    """Return the invocation of the running command."""
    flags = dict(click.get_current_context().meta.get(FLAGS, {}))
    flags["color"] = not flags.pop("no_color", False)
    flags["interactive"] = not flags.pop("no_input", False) and flags.get("log_format") != "json"
    flags["searched"] = "config" not in flags
    flags["config"] = config_of(flags)
    flags.pop(DIRECTORY, None)
    return Invocation(**flags, environ=dict(os.environ if environ is None else environ))


def global_options(*, top: bool = False) -> list[click.Parameter]:
    """Return new global options. Only those of the program itself (``top``) are also read from the environment."""
    return [_option(*declaration, top=top) for declaration in _declarations()]


def is_global(param: click.Parameter) -> bool:
    """Return whether a parameter is one of the global options."""
    return isinstance(param, GlobalOption)


class Day(click.DateTime):
    """A day, as YYYY-MM-DD."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the start of the day. Fails with how to write one."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            return self.fail(f"{value!r} is not a date; write it as 2026-11-30", param, ctx)


DAY = Day()


class GlobalOption(click.Option):
    """An option that is kept for the invocation and not passed to the command."""


def refuse_variables(environ: Mapping[str, str]) -> None:
    """Raise Misuse if the environment has an option that must be typed for each run."""
    names = [name for name in sorted(environ) if environ[name] and _is_typed_only(name)]
    if names:
        raise Misuse(
            *(Problem("variable", _VARIABLE.format(name), None, _TYPE_IT.format(_flag(name))) for name in names)
        )


_VARIABLE = "{} is set in the environment, but overrides and approvals must be typed for each run"
_TYPE_IT = "unset it and write {} on the command line"


def _is_typed_only(name: str) -> bool:
    prefix, _, flag_name = name.partition("_")
    if prefix != "ROLECALL":
        return False
    return flag_name in _TYPED_ONLY or flag_name.partition("_")[2] in _TYPED_ONLY


def _flag(name: str) -> str:
    flag_name = name.partition("_")[2]
    bare_name = flag_name if flag_name in _TYPED_ONLY else flag_name.partition("_")[2]
    return "--if" if bare_name == "WHAT_IF" else f"--{bare_name.lower().replace('_', '-')}"


Declaration = tuple[tuple[str, ...], dict[str, Any], Callable[..., Any]]
"""An option's names, its arguments for click, and what is called with its value."""


def _declarations() -> list[Declaration]:
    return [*_where(), *_output()]


def _where() -> list[Declaration]:
    """Return the options for the configuration, the org and the day."""
    path = click.Path(path_type=Path)
    config = (
        f"Configuration file to read. Default: {CONFIG} in the current folder, or in the nearest folder above it in "
        "the same git repository."
    )
    as_of = (
        "Evaluate `expires` and `until` as of DATE instead of today, for example to see what expires by then. "
        "YYYY-MM-DD, UTC."
    )
    return [
        (
            ("-C", DIRECTORY),
            {"metavar": "DIR", "multiple": True, "is_eager": True, "help": "Run as if rolecall was started in DIR."},
            _go,
        ),
        (("-c", "--config"), {"metavar": "FILE", "type": path, "help": config}, _keep),
        (
            ("-e", "--env"),
            {
                "metavar": "NAME",
                "shell_complete": overlays,
                "help": "Use the overlay env/NAME.yaml. Required if there are overlays and an org is read.",
            },
            _keep,
        ),
        (
            ("--snapshot",),
            {
                "metavar": "FILE",
                "type": path,
                "help": "Read the org from a snapshot file, without network. Not for apply.",
            },
            _keep,
        ),
        (("--as-of",), {"metavar": "DATE", "type": DAY, "help": as_of}, _keep_day),
    ]


def _output() -> list[Declaration]:
    """Return the options that say what is written and whether rolecall may ask."""
    return [
        (("-v", "--verbose"), {"count": True, "help": "Log more to stderr. -vv also logs each request."}, _louder),
        (
            ("-q", "--quiet"),
            {"count": True, "help": "Write only errors to stderr: no progress, no warnings."},
            _quieter,
        ),
        (
            ("--log-format",),
            {
                "type": click.Choice(["text", "json"]),
                "help": "Format of logs and errors on stderr. json: one object a line, and rolecall never prompts.",
            },
            _keep,
        ),
        (("--no-color",), {"is_flag": True, "help": "Write no colors. Same as NO_COLOR=1."}, _keep),
        (
            ("--no-input",),
            {"is_flag": True, "help": "Never prompt. If an answer is required, exit with 64."},
            _keep,
        ),
    ]


def _option(names: tuple[str, ...], more: dict[str, Any], callback: Callable[..., Any], *, top: bool) -> click.Option:
    return GlobalOption([*names], expose_value=False, callback=callback, allow_from_autoenv=top, **more)


def _flags(ctx: click.Context) -> dict[str, Any]:
    flags: dict[str, Any] = ctx.meta.setdefault(FLAGS, {})
    return flags


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value not in (None, False):
        _flags(ctx)[str(param.name)] = value


def _keep_day(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None:
        _flags(ctx)[str(param.name)] = value.date()


def _louder(ctx: click.Context, _param: click.Parameter, value: int) -> None:
    _flags(ctx)[_VERBOSITY] = _flags(ctx).get(_VERBOSITY, 0) + value


def _quieter(ctx: click.Context, param: click.Parameter, value: int) -> None:
    _louder(ctx, param, -value)


def _go(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
    """Change the working directory. The configuration is then in that folder, and not searched for above it."""
    for folder in value:
        try:
            os.chdir(folder)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            raise click.BadParameter(f"cannot change to {folder!r}: {reason}", ctx, param) from error
        _flags(ctx)[DIRECTORY] = True


class Root(NamedTuple):
    """The place of a configuration: its folder, and the name of the main file in it."""

    folder: Path
    main: str


def root_of(call: Invocation) -> Root:
    """Return where the configuration is. One that was found in a folder above is named on stderr, once in a run."""
    if call.searched and call.config != Path(CONFIG) and call.verbosity >= 0:
        context = click.get_current_context(silent=True)
        if context is not None and not context.meta.get(_TOLD):
            from rolecall.cli.messages import remark

            context.meta[_TOLD] = True
            remark("config_found", f"Configuration: {call.config}", as_json=call.log_format == "json")
    return Root(call.config.parent, call.config.name)


class InRepository(NamedTuple):
    """The place of a configuration in its repository: its folder from the root, and the name of its main file."""

    folder: str = ""
    main: str = CONFIG


def in_repository(call: Invocation) -> InRepository:
    """Return where the configuration is in its repository."""
    return InRepository(_folder_in_repository(call, call.config.parent), call.config.name)


def _folder_in_repository(call: Invocation, folder: Path) -> str:
    """Return what leads from the repository's root to the folder: ``examples/acme/``, or nothing if it is the root.

    Annotations and code scanning name files from there. The repository's root is the pipeline's workspace, or the
    nearest folder above that has a `.git`.
    """
    config_folder = folder.resolve()
    workspace = call.environ.get("GITHUB_WORKSPACE")
    top = Path(workspace).resolve() if workspace else repository(config_folder)
    if top is None or not config_folder.is_relative_to(top) or config_folder == top:
        return ""
    return f"{config_folder.relative_to(top).as_posix()}/"
