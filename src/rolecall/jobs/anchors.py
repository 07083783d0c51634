"""An anchor: how far a journal's chains reached, in a file outside the journal, so that a cut-off end is noticed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rolecall.errors import ConfigError, Problem, Where
from rolecall.journal.port import Anchor, Verified

ANCHOR = "journal-anchor.json"
"""Where `git:REF` looks, in the directory of the configuration."""
FORMAT = 1
_DIGITS = frozenset("0123456789abcdef")
_LENGTH = 64


def anchor_text(verified: Mapping[str, Verified]) -> str:
    """Return an anchor file for chains that were verified."""
    orgs = {org_id: {"entries": found.entries, "head": found.head} for org_id, found in sorted(verified.items())}
    return json.dumps({"anchor": FORMAT, "orgs": orgs}, indent=2) + "\n"


def anchors_of(text: bytes, name: str) -> dict[str, Anchor]:
    """Return the anchors of a file, by org. Raises ConfigError for anything that is no anchor file."""
    try:
        content = json.loads(text)
        if content["anchor"] != FORMAT:
            raise ValueError(content["anchor"])
        return {str(org_id): _anchor(part) for org_id, part in content["orgs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = "`rolecall history --anchor FILE` writes one where there is none"
        raise ConfigError(Problem("anchor", "is not an anchor of a journal", Where(name), hint)) from error


def _anchor(part: Mapping[str, Any]) -> Anchor:
    entries, head = part["entries"], part["head"]
    if type(entries) is not int or entries < 1 or len(head) != _LENGTH or not _DIGITS.issuperset(head):
        raise ValueError(part)
    return Anchor(entries, head)
