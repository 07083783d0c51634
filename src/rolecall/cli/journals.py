"""Which journal a command works with, what it remembers of an org, and which environment a past run was for.

With CI set, the journal is the runner's decision, not that of a branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation, checkout, root_of
from rolecall.errors import ConfigError, Misuse, Problem

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.journal.port import Journal
    from rolecall.model.desired import Applied

VARIABLE = "ROLECALL_JOURNAL"
"""With CI set, the journal of every command."""

_FILE = "sqlite:"


def journal_url(call: Invocation, config: Config) -> str:
    """Return the journal's url.

    With CI set, that is ROLECALL_JOURNAL; a configuration may leave the journal out or name the same one. Without the
    variable it may only name a file in the checkout. Raises Misuse for any other, SecretError for a secret that is
    missing.
    """
    chosen = call.environ.get(VARIABLE, "").strip() if call.ci else ""
    if chosen and not config.journal.named:
        return chosen
    configured = _configured(call, config)
    if not call.ci:
        return configured
    if chosen:
        if _place(chosen, config.root) != _place(configured, config.root):
            message = f"CI is set and the configuration names another journal than {VARIABLE}"
            hint = f"Leave out `journal.url`, or write `url: {{env: {VARIABLE}}}`"
            raise Misuse(Problem("journal_other", message, config.journal.source, hint))
    elif not _in_checkout(configured, config.root):
        message = f"CI is set and {VARIABLE} is not, so the configuration may only name a file in the checkout"
        hint = f"Set {VARIABLE} to the journal's url in the pipeline's settings"
        raise Misuse(Problem("journal_outside", message, config.journal.source, hint))
    return configured


def check_journal(call: Invocation, config: Config, *, lost_ok: bool = False) -> None:
    """Refuse or warn of a journal that cannot be this pipeline's memory, for a command that needs one.

    Raises ConfigError if CI is set and the journal is the default file, which is lost with the runner, unless
    ``lost_ok``. A rehearsal with a local org may do without.
    """
    warning = _unused(call, config)
    if warning is None and call.ci and config.org.kind != "local":
        url = journal_url(call, config)
        if config.journal.is_default and url == config.journal.url and not lost_ok:
            message = "CI is set and the journal is a file here, which is lost with the runner"
            hint = f"Set {VARIABLE} to the url of a PostgreSQL database"
            raise ConfigError(Problem("journal_lost", message, config.journal.source, hint))
        if url.startswith(_FILE):
            message = "the journal is a file: two runners have two journals and no common lock"
            hint = "each write is protected by its ETag, their sequence is not: never run two at once"
            warning = Problem("journal_alone", message, config.journal.source, hint, "warning")
    if warning is not None:
        tell([warning], as_json=call.log_format == "json", color=call.color)


def _unused(call: Invocation, config: Config) -> Problem | None:
    """Warn of a variable that is set and has no effect, as neither CI is set nor the configuration names it."""
    if call.ci or config.journal.named or not call.environ.get(VARIABLE, "").strip():
        return None
    message = f"{VARIABLE} is set, but the configuration does not use it"
    hint = f"Write `journal: {{url: {{env: {VARIABLE}}}}}`"
    return Problem("journal_unused", message, None, hint, "warning")


def _configured(call: Invocation, config: Config) -> str:
    from rolecall.live.secrets import resolve

    url = config.journal.url
    return url if isinstance(url, str) else resolve(url, call.environ, config.root)


def _place(url: str, base: Path) -> str:
    """Return what two names of one journal have in common: a file's path, or the address of a database."""
    if url.startswith(_FILE):
        return str((base / url.removeprefix(_FILE)).resolve())
    return f"postgresql://{url.partition('://')[2]}"


def _in_checkout(url: str, base: Path) -> bool:
    return url.startswith(_FILE) and (base / url.removeprefix(_FILE)).resolve().is_relative_to(checkout(base))


def of_run(call: Invocation, number: int) -> Invocation:
    """The invocation with the environment of that run, where the config has overlays and none of them was named.

    The journal is looked up in the config without overlays; where that does not stand alone, nothing is changed.
    """
    from rolecall.desired.build import read_config
    from rolecall.desired.load.files import environments

    root = root_of(call)
    if call.env is not None or not environments(root.folder):
        return call
    try:
        journal = find_journal(call, read_config(root.folder, None, root.main))
    except ConfigError:
        return call
    if journal is None:
        return call
    with journal:
        run = journal.run(number)
    return call if run is None else replace(call, env=run.facts.env)


def memory(call: Invocation, config: Config) -> Callable[[str], Applied]:
    """What the journal remembers of an org; nothing where there is no journal yet, or where a snapshot is planned."""
    from rolecall.model.desired import NOTHING_APPLIED

    def applied(org_id: str) -> Applied:
        if call.snapshot is not None:
            return NOTHING_APPLIED
        journal = find_journal(call, config)
        if journal is None:
            return NOTHING_APPLIED
        with journal:
            return journal.applied(org_id)

    return applied


def find_journal(call: Invocation, config: Config, *, writes: bool = False) -> Journal | None:
    """The journal there is, or None where there is none yet: looking makes none. It is opened for reading only unless
    it ``writes``."""
    from rolecall.journal.opened import find_journal as find

    return find(journal_url(call, config), config.root, writes=writes)


def open_journal(call: Invocation, config: Config) -> Journal:
    """The journal that runs are recorded in, made where there is none."""
    from rolecall.journal.opened import open_journal as opened

    return opened(journal_url(call, config), config.root)
