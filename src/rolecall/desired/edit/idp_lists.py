"""Changes the lists of groups in the section `idp`; everything else stays exactly as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from yaml.error import YAMLError
from yaml.nodes import MappingNode, SequenceNode

from rolecall.desired.edit.entries import ListChange, list_splices, reshape
from rolecall.desired.edit.nodes import Field, Text, flow, spliced
from rolecall.desired.load.idp_groups import ALL_GROUPS, listed_groups
from rolecall.desired.load.sources import Sources
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model.fields import Kind
from rolecall.model.kinds import IDP_KINDS, split_address
from rolecall.model.live import base_name
from rolecall.model.settings import UNSET, Address, IdpAssignment, IdpPush
from rolecall.source.files import read_file

IdpGroupValue = IdpAssignment | IdpPush


class GroupEdit(NamedTuple):
    """A group that a list of `idp` gets, or loses: its value in the IdP, None to remove it, and that in the list."""

    address: Address
    value: IdpGroupValue | None
    listed: IdpGroupValue | None


def follows_groups(sources: Sources, kind: Kind) -> bool:
    """Return whether a configuration has every group of `idp_groups` in place of a list."""
    section, name = kind.path
    return (sources.effective.get(section) or {}).get(name) == ALL_GROUPS


def with_lists(sources: Sources, texts: Mapping[str, str], edits: Iterable[GroupEdit]) -> dict[str, str]:
    """Return the texts of changed files, by name, with these edits as well. Each list must be one in the configuration.

    With an overlay, only the overlay is changed. Raises ConfigError for a file that cannot be changed in place.
    """
    changed = dict(texts)
    listed = list(edits)
    for kind in IDP_KINDS:
        own = [edit for edit in listed if split_address(edit.address)[0] == kind.section]
        if own:
            name, text = _changed(sources, changed, kind, own)
            changed[name] = text
    return changed


def _changed(sources: Sources, texts: Mapping[str, str], kind: Kind, edits: Sequence[GroupEdit]) -> tuple[str, str]:
    holders = [document for document in sources.documents if document.has(kind.path)]
    over = sources.documents[-1] if sources.overlaid else holders[-1]
    original = texts.get(over.name)
    if original is None:
        original = read_file(sources.root / over.name, over.name).decode("utf-8-sig")
    before = original.replace("\r\n", "\n")
    remaining, new = _content(sources, kind, edits)
    as_json = over.name.endswith(".json")
    try:
        if over in holders:
            after = _in_place(before, kind.path, remaining, new, as_json=as_json)
        else:
            content = sources.effective[kind.path[0]][kind.path[1]]
            after = _overlaid(before, kind.path, [*(content[at] for at in remaining), *new], as_json=as_json)
    except YAMLError as error:
        hint = "edit it manually; anchors or aliases prevent an automatic change"
        problem = Problem("edit", f"`{'.'.join(kind.path)}` cannot be changed in place", Where(over.name), hint)
        raise ConfigError(problem) from error
    return over.name, after.replace("\n", "\r\n") if before != original else after


def _content(sources: Sources, kind: Kind, edits: Sequence[GroupEdit]) -> tuple[list[int], list[dict[str, str]]]:
    """Return the positions of the items that remain in a list, and the new items."""
    ended = [
        (base_name(split_address(edit.address)[1] or ""), edit.listed) for edit in edits if edit.listed is not None
    ]
    remaining = [
        at
        for at, group in enumerate(listed_groups(kind, sources) or ())
        if not any(group.name == name and group.id in (None, value.id) for name, value in ended)
    ]
    return remaining, [_item(edit.address, edit.value) for edit in edits if edit.value is not None]


def _item(at: Address, value: IdpGroupValue) -> dict[str, str]:
    _, key = split_address(at)
    name = (key or "").removesuffix(f" [{value.id}]")
    return {"name": name} if value.id is UNSET else {"name": name, "id": str(value.id)}


def _in_place(text: str, path: Sequence[str], remaining: Sequence[int], new: Sequence[Any], *, as_json: bool) -> str:
    doc = Text(text)
    field = _field(doc, path)
    nodes = field.value.value if isinstance(field.value, SequenceNode) else []
    change = ListChange({str(at): node for at, node in enumerate(nodes)}, [str(at) for at in remaining], new)
    return spliced(text, list_splices(doc, field, change, as_json=as_json))


def _overlaid(text: str, path: Sequence[str], content: Sequence[Any], *, as_json: bool) -> str:
    """Return the text of an overlay with a list of its own, in place of the one that it inherits."""
    section, name = path
    doc = Text(text)
    whole = doc.fields(doc.root).get(section)
    if whole is not None and isinstance(whole.value, MappingNode) and whole.value.value:
        return spliced(text, reshape(doc, whole.value, (), {name: list(content)}, as_json=as_json))
    if as_json and isinstance(doc.root, MappingNode):
        return spliced(text, reshape(doc, doc.root, (), {section: {name: list(content)}}, as_json=True))
    start = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{start}\n{section}:\n  {name}: {flow(list(content))}\n"


def _field(doc: Text, path: Sequence[str]) -> Field:
    section, name = path
    return doc.fields(doc.fields(doc.root)[section].value)[name]
