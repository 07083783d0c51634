"""Find the journal of a command, what it recorded of an org, and the environment of a past run.

In CI, the pipeline's settings decide about the journal, not the branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation, root_of
from rolecall.cli.places import checkout
from rolecall.errors import ConfigError, Misuse, Problem

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.journal.port import Journal
    from rolecall.model.desired import Applied

VARIABLE = "ROLECALL_JOURNAL"
"""The variable that in CI names the journal of every command."""

_FILE = "sqlite:"


def journal_url(call: Invocation, config: Config) -> str:
    """Return the journal's URL.

    In CI, that is ROLECALL_JOURNAL, and the configuration may leave the journal out or name the same one. Without the
    variable it may only name a file in the checkout. Raises Misuse for any other journal, SecretError for a missing
    secret.
    """
    chosen = call.environ.get(VARIABLE, "").strip() if call.ci else ""
    if chosen and not config.journal.named:
        return chosen
    configured = _configured(call, config)
    if not call.ci:
        return configured
    if chosen:
        if _place(chosen, config.root) != _place(configured, config.root):
            message = f"in CI, `journal.url` must be the journal in the variable {VARIABLE}"
            hint = f"remove `journal.url`, or set it to {{env: {VARIABLE}}}"
            raise Misuse(Problem("journal_other", message, config.journal.source, hint))
    elif not _in_checkout(configured, config.root):
        message = f"in CI without {VARIABLE}, the configuration may only name a journal file in the checkout"
        hint = f"set {VARIABLE} to the journal's URL in the pipeline's settings"
        raise Misuse(Problem("journal_outside", message, config.journal.source, hint))
    return configured


def check_journal(call: Invocation, config: Config, *, lost_ok: bool | None = None) -> None:
    """Refuse, or warn about, a journal that cannot keep what this pipeline applies.

    Raises ConfigError if in CI the journal is the default file, which is lost with the runner, unless ``lost_ok``;
    None is for commands without the option `--journal-lost-ok`. A local org needs no lasting journal.
    """
    warning = _unused(call, config)
    if warning is None and call.ci and config.org.kind != "local":
        url = journal_url(call, config)
        if config.journal.is_default and url == config.journal.url and not lost_ok:
            message = "in CI, a journal that is a local file is lost with the runner"
            hint = f"set {VARIABLE} to the URL of a PostgreSQL database"
            hint += "" if lost_ok is None else "; to apply anyway, add --journal-lost-ok"
            raise ConfigError(Problem("journal_lost", message, config.journal.source, hint))
        if url.startswith(_FILE):
            message = "the journal is a file, so two runners have no common lock"
            hint = "never run two applies at the same time, or use a PostgreSQL journal"
            warning = Problem("journal_alone", message, config.journal.source, hint, "warning")
    if warning is not None:
        tell([warning], as_json=call.log_format == "json", color=call.color)


def _unused(call: Invocation, config: Config) -> Problem | None:
    """Return a warning if the variable is set but has no effect: outside of CI, unless the configuration names it."""
    if call.ci or config.journal.named or not call.environ.get(VARIABLE, "").strip():
        return None
    message = f"{VARIABLE} is set, but the configuration does not use it"
    hint = f"add `journal: {{url: {{env: {VARIABLE}}}}}`"
    return Problem("journal_unused", message, None, hint, "warning")


def _configured(call: Invocation, config: Config) -> str:
    from rolecall.live.secrets import resolve

    url = config.journal.url
    return url if isinstance(url, str) else resolve(url, call.environ, config.root)


def _place(url: str, base: Path) -> str:
    """Return what identifies a journal, however its URL is written: a file's path, or the address of a database."""
    if url.startswith(_FILE):
        return str((base / url.removeprefix(_FILE)).resolve())
    return f"postgresql://{url.partition('://')[2]}"


def _in_checkout(url: str, base: Path) -> bool:
    return url.startswith(_FILE) and (base / url.removeprefix(_FILE)).resolve().is_relative_to(checkout(base))


def of_run(call: Invocation, number: int) -> Invocation:
    """Return the invocation with the environment of that run, if there are overlays and none was named.

    The journal is the one of the configuration without overlays; if that is not valid on its own, nothing is changed.
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
    """Return a function that says what was applied to an org: nothing without a journal, and for a snapshot."""
    from rolecall.model.desired import NOTHING_APPLIED

    def applied(org_id: str) -> Applied:
        """Return what was last applied to an org: nothing for a stored snapshot, or without a journal."""
        if call.snapshot is not None:
            return NOTHING_APPLIED
        journal = find_journal(call, config)
        if journal is None:
            return NOTHING_APPLIED
        with journal:
            return journal.applied(org_id)

    return applied


def find_journal(call: Invocation, config: Config, *, writes: bool = False) -> Journal | None:
    """Return the journal if it exists, else None. It is opened for reading only, unless ``writes``."""
    from rolecall.journal.opened import find_journal as find

    return find(journal_url(call, config), config.root, writes=writes)


def open_journal(call: Invocation, config: Config) -> Journal:
    """Return the journal that runs are recorded in; create it if it does not exist."""
    from rolecall.journal.opened import open_journal as opened

    return opened(journal_url(call, config), config.root)
