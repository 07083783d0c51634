"""Changes entries of a config in the files that hold them: what is not changed stays as it is, to the letter.

``export --update`` and ``drift --accept`` go through here::

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
    """What one entry shall say. ``fields`` maps names to JSON, None to take a field out; ``fields`` is None to take the
    entry out. ``fresh`` is what to write where there is no such entry yet."""

    address: Address
    fields: Mapping[str, Any] | None
    fresh: Any = None


def setting(at: Address, value: Value | None, pin: str | None = None) -> Edit:
    """The edit after which a config says this value of an address; for a group None and blank are the same.

    Fields that the value says nothing of stay, and so do owner, reason and the like. A field that is empty there goes:
    no config can say so.
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
    """The edit after which a config no longer has this entry; a singleton goes as a whole section."""
    return Edit(at, None)


def merged(edits: Sequence[Edit]) -> list[Edit]:
    """One edit for each address: what several say of it together."""
    by_address: dict[Address, Edit] = {}
    for edit in edits:
        earlier = by_address.get(edit.address)
        if earlier is not None and earlier.fields is not None and edit.fields is not None:
            fresh = {**earlier.fresh, **edit.fresh} if isinstance(earlier.fresh, dict) and edit.fresh else earlier.fresh
            edit = earlier._replace(fields={**earlier.fields, **edit.fields}, fresh=fresh)
        by_address[edit.address] = edit
    return list(by_address.values())


def edited(sources: Sources, edits: Sequence[Edit]) -> dict[str, str]:
    """The new texts of the files that change, by name. ``sources`` are as loaded, with the same overlay.

    With an overlay only the overlay is changed: what it inherits belongs to other orgs too. Raises ConfigError for a
    file that cannot be changed in place.
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
    """The file that an edit belongs in, and the edit as that file needs it; None where there is nothing to do."""
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
    """An edit for an overlay: an entry that is inherited needs the fields that differ alone."""
    inherited: Any = sources.base
    for step in path:
        inherited = inherited.get(step) if isinstance(inherited, dict) else None
    if not isinstance(inherited, dict) or not isinstance(edit.fresh, dict):
        return edit
    fresh = {name: field_value for name, field_value in edit.fresh.items() if inherited.get(name) != field_value}
    if edit.fields is None or sources.documents[-1].has(path):
        return edit._replace(fresh=fresh)
    if fresh.get("blank"):  # beside a role that is inherited it would be two things at once
        return edit._replace(fresh="blank")
    fields = {name: field_value for name, field_value in edit.fields.items() if field_value is None or name in fresh}
    return edit._replace(fields=fields, fresh=fresh)


def _home(sources: Sources, section: str) -> Document:
    """The file for a new entry: where most of its section is, else the main file."""
    best = max(sources.documents, key=lambda document: _size(document.value.get(section)))
    return best if section in best.value else sources.documents[0]


def _size(value: Any) -> int:
    return len(value) + 1 if isinstance(value, dict) else 0


def _apply(text: str, edits: Sequence[Edit], name: str) -> str:
    """Set, then remove, then add: each on the text that the one before left."""
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
    """The text must read back as what was asked. Raises ConfigError, and then nothing is written."""
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
    hint = "Change it by hand; anchors, aliases and the like are in the way"
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
