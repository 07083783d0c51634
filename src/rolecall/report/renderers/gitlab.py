"""A document's counts as GitLab's merge request widget reads them from a report artifact."""

from __future__ import annotations

import json
from collections import Counter

from rolecall.report.document import Document


def gitlab(document: Document) -> str:
    """Return ``{"create": 1, "update": 2, "delete": 0}``; a rename and an upgrade count as updates. ``unread`` lists
    what could not be read, if anything, and ``undetermined`` says why drift is unknown; the widget ignores both."""
    marks = Counter(entry.mark for table in document.changes if table.counts for entry in table.entries)
    counts: dict[str, object] = {"create": marks["+"], "update": marks["~"] + marks["↑"], "delete": marks["-"]}
    if document.unread:
        counts["unread"] = list(document.unread)
    if document.undetermined:
        counts["undetermined"] = document.undetermined
    return json.dumps(counts) + "\n"
