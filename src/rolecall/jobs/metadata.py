"""The IdP's metadata as a config says it, brought up to what the org has: in the file it names, or where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from rolecall.desired.emit_edit import Edit
from rolecall.desired.sources import Sources
from rolecall.model.kinds import address

PATH = ("sso", "metadata")


class Rewritten(NamedTuple):
    """Fields of ``sso`` that the config then has to say, and files to write, by name relative to its directory."""

    fields: Mapping[str, Any]
    files: Mapping[str, str]

    def edits(self) -> list[Edit]:
        """What to change in the config itself."""
        fresh = {name: said for name, said in self.fields.items() if said is not None}
        return [Edit(address("sso"), self.fields, fresh)] if self.fields else []


def metadata_rewritten(sources: Sources, text: str | None) -> Rewritten:
    """How a config that speaks of metadata says this text; None: that the org has none.

    An overlay gets a file of its own: the one it inherits belongs to other orgs too.
    """
    if text is None:
        return Rewritten({"metadata": None}, {})
    held = sources.effective.get("sso", {}).get("metadata")
    if isinstance(held, str):
        return Rewritten({"metadata": text}, {})
    name = str(held["file"])
    over = sources.documents[-1]
    if sources.overlaid and not over.has(PATH):
        name = str(PurePosixPath(over.name).with_suffix(".sso-metadata.xml"))
        return Rewritten({"metadata": {"file": name}}, {name: f"{text}\n"})
    return Rewritten({}, {name: f"{text}\n"})
