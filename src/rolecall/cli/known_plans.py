"""Keep the contents of recent plans by digest, to explain how a new plan differs from an approved one.

They are in `.rolecall/plans` next to the default journal, or in a note of another journal. Nothing depends on them.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rolecall.cli.options import Invocation
from rolecall.plan.saved.digest import canonical, digest, document, matches
from rolecall.plan.value import Plan

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.errors import Problem

KEPT = 20
LARGEST = 2**18
_NOTE = "plans"


def keep_plan(call: Invocation, config: Config, plan: Plan) -> None:
    """Keep the part of a plan that its digest covers, unless it is large or cannot be written."""
    content = canonical(document(plan))
    if len(content) > LARGEST or call.snapshot is not None:
        return
    if config.journal.is_default:
        with suppress(OSError):
            _keep_file(config.root / ".rolecall" / "plans", digest(plan), content)
    else:
        _keep_note(call, config, plan.org.id, digest(plan), content)


def differs_from(call: Invocation, config: Config, approved: str, plan: Plan) -> tuple[Problem, ...]:
    """Return how a plan differs from the one with the approved digest; nothing if that one is not known here."""
    from rolecall.jobs.saved import differences

    known = _known(call, config, plan.org.id, approved)
    return differences(known, document(plan)) if known is not None else ()


def _known(call: Invocation, config: Config, org_id: str, approved: str) -> dict[str, Any] | None:
    if config.journal.is_default:
        files = _files(config.root / ".rolecall" / "plans")
        texts = {path.stem: path.read_bytes() for path in files if matches(approved, path.stem)}
    else:
        texts = {name: text.encode() for name, text in _notes(call, config, org_id).items() if matches(approved, name)}
    for name, text in texts.items():
        if sha256(text).hexdigest() == name:
            known: dict[str, Any] = json.loads(text)
            return known
    return None


def _keep_file(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / f"{name}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    for old in _files(folder)[KEPT:]:
        old.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    """Return the files, the newest first."""
    return sorted(folder.glob("*.json"), key=lambda path: -path.stat().st_mtime_ns)


def _keep_note(call: Invocation, config: Config, org_id: str, name: str, content: bytes) -> None:
    from rolecall.cli.journals import find_journal
    from rolecall.journal.port import JournalError

    with suppress(JournalError):
        journal = find_journal(call, config, writes=True)
        if journal is not None:
            with journal:
                earlier = [pair for pair in journal.recall(org_id, _NOTE, _pairs) or [] if pair[0] != name]
                journal.keep(org_id, _NOTE, [[name, content.decode()], *earlier[: KEPT - 1]])


def _pairs(value: Any) -> list[tuple[str, str]]:
    """Return the note's pairs of digest and document. Raises ValueError for anything else."""
    pairs = [(name, text) for name, text in value]
    if not all(isinstance(name, str) and isinstance(text, str) for name, text in pairs):
        raise ValueError(value)
    return pairs


def _notes(call: Invocation, config: Config, org_id: str) -> dict[str, str]:
    from rolecall.cli.journals import find_journal

    journal = find_journal(call, config)
    if journal is None:
        return {}
    with journal:
        return dict(journal.recall(org_id, _NOTE, _pairs) or [])
