"""What each sink may show of people, and the secret that masks are made with."""

from __future__ import annotations

import os
from pathlib import Path

from rolecall.cli.options import Invocation
from rolecall.plan.privacy import Shown, redact
from rolecall.plan.value import Plan

STATE = ".rolecall"


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
    path.parent.mkdir(parents=True, exist_ok=True)
    import secrets

    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(key := secrets.token_bytes(32))
    return key
