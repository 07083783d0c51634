"""What each sink may show of people, and the secret that masks are made with."""

from __future__ import annotations

import os
from pathlib import Path

from rolecall.cli.options import Invocation
from rolecall.errors import ConfigError, Problem, Where
from rolecall.plan.saved.privacy import Shown, redact
from rolecall.plan.value import Plan

STATE = ".rolecall"
_KEY_BYTES = 32


def shown(call: Invocation, said: Shown | None, config_says: Shown | None, *, terminal: bool) -> Shown:
    """``--people`` decides; else counts in a pipeline unless the config says otherwise; else names.

    What the config says is for reports outside a terminal.
    """
    if said is not None:
        return said
    if call.ci:
        return config_says or "counts"
    return "names" if terminal else config_says or "names"


def redacted(call: Invocation, plan: Plan, mode: Shown, root: Path) -> Plan:
    """The plan as a sink may show it."""
    return redact(plan, mode, mask_key(call, root) if mode == "masked" else b"")


def mask_key(call: Invocation, root: Path) -> bytes:
    """The key of masks: ``ROLECALL_MASK_KEY``, or a file of this machine's own, made when first needed."""
    if said := call.environ.get("ROLECALL_MASK_KEY"):
        return said.encode("utf-8", "surrogateescape")
    path = root / STATE / "mask.key"
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        hint = "delete it; a new one is made, and masks change"
        raise ConfigError(Problem("mask_key", "is too short to hide anybody", Where(str(path)), hint))
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all: whoever looks meanwhile must not take half a key, or none, for one."""
    import secrets

    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        made.replace(path)
    made.unlink(missing_ok=True)
