"""Read long prose from the data files of the package, and fill in its placeholders.

In prose ``**label**`` is a label as the console has it, and text in backticks is code: a command, or a value to enter.
``{name}`` is a placeholder, also within either; a value that is filled in is never read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from rolecall.model import console
from rolecall.model.kinds import BY_SECTION
from rolecall.model.roles import ORG_ROLES
from rolecall.package_data import package_text
from rolecall.report.document import Block, Chapter, Items, Paragraph, Phrase, Piece

SCIM_URL = "https://app.writer.com/api/scim/v2"
"""The endpoint of every org (article 003)."""
SSO_URL = "https://app.writer.com/api/access/saml"
SSO_ENTITY = "app.writer.com"


def roles_of(*sections: str) -> str:
    """Return the org-level roles that may change all of these sections (R34): ``Org admin or IT admin``."""
    able = (role.name for name, role in ORG_ROLES.items() if all(name in BY_SECTION[at].changed_by for at in sections))
    return " or ".join(able)


CONSTANTS: Mapping[str, str] = {
    "place": console.PLACE,
    "newer_place": console.NEWER_PLACE,
    "access_role": roles_of("domains"),
    "scim_role": roles_of("scim"),
    "endpoint": SCIM_URL,
    "sso_url": SSO_URL,
    "sso_entity": SSO_ENTITY,
    "support": console.SUPPORT,
    "save": console.SAVE,
    "remove_configuration": console.REMOVE_CONFIGURATION,
    "create_token": console.CREATE_TOKEN,
    "revoke_token": console.REVOKE_TOKEN,
}
"""Placeholders that every text may use."""

_MARKUP = re.compile(r"\*\*(?P<label>.+?)\*\*|`(?P<code>[^`]+)`", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def read_prose(name: str) -> Any:
    """Return the content of a data file, such as ``guides.yaml``."""
    import yaml

    return yaml.safe_load(package_text(f"report/data/{name}"))


def phrase(template: str, values: Mapping[str, str] = {}) -> Phrase:
    """Return a text with its markup read and its placeholders filled. Raises KeyError for an unknown placeholder."""
    return tuple(Piece(filled(text, values), kind) for text, kind in _pieces(template))


def plain(text: str) -> Phrase:
    """Return a text that has no markup."""
    return (Piece(text),)


def joined(phrases: Iterable[Phrase], separator: str) -> Phrase:
    """Return phrases as one, with a separator between them."""
    pieces: list[Piece] = []
    for each in phrases:
        pieces += [*([Piece(separator)] if pieces else []), *each]
    return tuple(pieces)


def chapter(prose: Mapping[str, Any], values: Mapping[str, str] = {}) -> Chapter:
    """Return a chapter of prose: sentences, actions in their order, a check, an undo, and what never to do."""
    blocks: list[Block] = [Paragraph(phrase(text, values)) for text in prose.get("text", ())]
    if items := prose.get("items"):
        blocks.append(Items("checklist", tuple(phrase(text, values) for text in items)))
    blocks += [Paragraph(phrase(prose[name], values), name.capitalize()) for name in ("check", "undo") if name in prose]
    blocks += [Paragraph(phrase(text, values), strong=True) for text in prose.get("never", ())]
    return Chapter(filled(prose["title"], values), tuple(blocks))


def _pieces(template: str) -> Iterator[tuple[str, Any]]:
    end = 0
    for match in _MARKUP.finditer(template):
        if match.start() > end:
            yield template[end : match.start()], "plain"
        yield match["label"] or match["code"], match.lastgroup
        end = match.end()
    if end < len(template):
        yield template[end:], "plain"


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders filled. Raises KeyError for an unknown one."""
    return _PLACEHOLDER.sub(lambda name: values[name[1]] if name[1] in values else CONSTANTS[name[1]], text)
