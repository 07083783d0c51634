"""Changes entries of a configuration in the files that have them; everything else stays exactly as it is.

``export --update`` and ``drift --accept`` use it like this::

    edited(sources, [setting(at, live_value, pin), removing(at)]) -> {file: new text}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from yaml.error import YAMLError

from rolecall.codec.settings import encode_value
from rolecall.desired.edit.entries import add_entries, remove_entries, set_fields
from rolecall.desired.edit.export import entry
from rolecall.desired.load.merge import KEYED
from rolecall.desired.load.sources import Sources
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.settings import BLANK, Address, Value
from rolecall.source.document import Document
from rolecall.source.files import read_file
from rolecall.source.yaml_file import load_yaml

OVERLAY_REMOVE = {"remove": True}


class Edit(NamedTuple):
    """A change to one entry. ``fields`` maps names to JSON, with None to remove a field; ``fields`` itself is None to
    remove the entry. ``fresh`` is the text for an entry that does not exist yet.
    """

    address: Address
    fields: Mapping[str, Any] | None
    fresh: Any = None


def setting(at: Address, value: Value | None, pin: str | None = None) -> Edit:
    """Return the edit that sets this value at an address; for a group, None means unmapped.

    Fields that the value does not cover stay, and so do owner, reason and similar keys. A field without a value is
    removed, because a configuration cannot express it.
    """
    section, _ = split_address(at)
    fresh = entry(section, value, pin)
    if section != "idp_groups":
        empty = {name: None for name, field_value in (encode_value(section, value) or {}).items() if field_value == ""}
        return Edit(at, {**fresh, **empty, **({"remove": None} if BY_SECTION[section].keyed else {})}, fresh)
    fields = [field.name for field in BY_SECTION[section].fields]
    if value is None or value == BLANK:
        return Edit(at, {**dict.fromkeys(fields), "remove": None, "expires": None, "blank": True}, fresh)
    return Edit(at, {**{name: fresh.get(name) for name in fields}, "blank": None, "remove": None}, fresh)


def removing(at: Address) -> Edit:
    """Return the edit that removes an entry; for a singleton, its whole section."""
    return Edit(at, None)


def merged(edits: Sequence[Edit]) -> list[Edit]:
    """Return one edit per address, combined from all edits of it."""
    by_address: dict[Address, Edit] = {}
    for edit in edits:
        earlier = by_address.get(edit.address)
        if earlier is not None and earlier.fields is not None and edit.fields is not None:
            fresh = {**earlier.fresh, **edit.fresh} if isinstance(earlier.fresh, dict) and edit.fresh else earlier.fresh
            edit = earlier._replace(fields={**earlier.fields, **edit.fields}, fresh=fresh)
        by_address[edit.address] = edit
    return list(by_address.values())


def edited(sources: Sources, edits: Sequence[Edit]) -> dict[str, str]:
    """Return the new text of each file that changes, by name. ``sources`` must be loaded with the same overlay.

    With an overlay, only the overlay is changed: other orgs share what it inherits. Raises ConfigError for a file that
    cannot be changed in place.
    """
    by_file: dict[str, list[Edit]] = {}
    for edit in edits:
        placed = _placed(sources, edit)
        if placed is not None:
            by_file.setdefault(placed[0], []).append(placed[1])
    texts = {}
    for name, file_edits in by_file.items():
        original = read_file(sources.root / name, name).decode("utf-8-sig")
        before = original.replace("\r\n", "\n")
        after = _apply(before, file_edits, name)
        if after != before:
            texts[name] = after.replace("\n", "\r\n") if before != original else after
    return texts


def _placed(sources: Sources, edit: Edit) -> tuple[str, Edit] | None:
    """Return the file that an edit belongs in, and the edit for that file; None where there is nothing to do."""
    section, key = split_address(edit.address)
    path = (section,) if key is None else (section, key)
    over = sources.documents[-1] if sources.overlaid else None
    holders = [document for document in sources.documents if document.has(path)]
    if over is None:
        if edit.fields is None and not holders:
            return None
        return (holders[-1] if holders else _home(sources, section)).name, edit
    if edit.fields is not None:
        return over.name, _narrowed(sources, edit, path)
    inherited = any(document is not over for document in holders)
    if inherited and key is not None:
        return over.name, Edit(edit.address, {"remove": True}, OVERLAY_REMOVE)
    return (over.name, edit) if over in holders else None


def _narrowed(sources: Sources, edit: Edit, path: Sequence[str]) -> Edit:
    """Return the edit for an overlay: an inherited entry needs only the fields that differ."""
    inherited: Any = sources.base
    for step in path:
        inherited = inherited.get(step) if isinstance(inherited, dict) else None
    if not isinstance(inherited, dict) or not isinstance(edit.fresh, dict):
        return edit
    fresh = {name: field_value for name, field_value in edit.fresh.items() if inherited.get(name) != field_value}
    if edit.fields is None or sources.documents[-1].has(path):
        return edit._replace(fresh=fresh)
    if fresh.get("blank"):  # next to an inherited role, `blank` would be a contradiction
        return edit._replace(fresh="blank")
    fields = {name: field_value for name, field_value in edit.fields.items() if field_value is None or name in fresh}
    return edit._replace(fields=fields, fresh=fresh)


def _home(sources: Sources, section: str) -> Document:
    """Return the file for a new entry: the file with most of its section, else the main file."""
    best = max(sources.documents, key=lambda document: _size(document.value.get(section)))
    return best if section in best.value else sources.documents[0]


def _size(value: Any) -> int:
    return len(value) + 1 if isinstance(value, dict) else 0


def _apply(text: str, edits: Sequence[Edit], name: str) -> str:
    """Set fields, then remove entries, then add entries, each on the text of the step before."""
    as_json = name.endswith(".json")
    try:
        text = set_fields(text, edits, as_json=as_json)
        text = remove_entries(text, [edit.address for edit in edits if edit.fields is None])
        text = add_entries(text, [edit for edit in edits if edit.fields is not None], as_json=as_json)
    except YAMLError as error:
        raise _in_the_way(edits[0].address, name) from error
    _check(text, edits, name)
    return text


def _check(text: str, edits: Sequence[Edit], name: str) -> None:
    """Raise ConfigError unless the new text reads back as requested; nothing is written then."""
    value = _parse(text, name)
    keyed = {
        section: {key(written): entry_value for written, entry_value in current.items()}
        for section, key in KEYED.items()
        if isinstance(current := value.get(section), dict)
    }
    for edit in edits:
        section, entry_key = split_address(edit.address)
        current = value.get(section) if entry_key is None else keyed.get(section, {}).get(entry_key)
        if not _holds(current, edit):
            raise _in_the_way(edit.address, name)


def _in_the_way(at: Address, name: str) -> ConfigError:
    hint = "edit it manually; anchors or aliases prevent an automatic change"
    return ConfigError(Problem("edit", f"{at} cannot be changed in place", Where(name), hint))


def _parse(text: str, name: str) -> Any:
    if not name.endswith(".json"):
        return load_yaml(text.encode(), name).value
    from rolecall.source.json_file import parse_json

    return parse_json(text.encode(), name).value


def _holds(existing: Any, edit: Edit) -> bool:
    if edit.fields is None:
        return existing is None
    if not isinstance(existing, dict):
        return existing is not None and (existing == edit.fresh or edit.fields.get("blank") is True)
    return all(
        existing.get(field) == value or sorted(existing.get(field) or ()) == sorted(value or ())
        for field, value in edit.fields.items()
        if isinstance(value, list | None) or field in existing
    )
