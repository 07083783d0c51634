"""Builds what a config points at: the org, the source of people, the journal, and secrets as references."""

from __future__ import annotations

from typing import Any, cast

from rolecall.codec.policy import days
from rolecall.desired.sources import Sources
from rolecall.model.secret import SecretRef
from rolecall.model.target import (
    DEFAULT_JOURNAL,
    DEFAULT_KEEP_DAYS,
    JournalTarget,
    OrgTarget,
    PeopleKind,
    PeopleSource,
)
from rolecall.source.document import Path


def secret(said: Any, sources: Sources, path: Path) -> SecretRef:
    """The reference in ``{env: NAME}``, ``{file: PATH}`` or ``{exec: [...]}``."""
    ((kind, value),) = said.items()
    return SecretRef(kind, tuple(value) if kind == "exec" else value, sources.where(path, key=True))


def build_org(said: dict[str, Any], sources: Sources) -> OrgTarget:
    """The org to reach."""
    token = secret(said["token"], sources, ("org", "token")) if "token" in said else None
    return OrgTarget(said["name"], said["url"], said.get("id"), token, sources.where(("org", "url")))


def build_people(said: str | dict[str, Any], sources: Sources) -> PeopleSource:
    """Where people are read; ``org`` when the config says nothing."""
    if isinstance(said, str):
        return PeopleSource()
    allow_empty = said.get("allow_empty", False)
    if "files" in said:
        patterns = said["files"] if isinstance(said["files"], list) else [said["files"]]
        place = sources.where(("people",), key=True)
        return PeopleSource("file", files=tuple(patterns), allow_empty=allow_empty, source=place)
    kind = next(name for name in ("file", "scim", "okta", "entra") if name in said)
    secrets = {
        name: secret(said[name], sources, ("people", name)) for name in ("token", "client_secret") if name in said
    }
    return PeopleSource(
        kind=cast(PeopleKind, kind),
        at=said[kind],
        app=said.get("app", ""),
        client_id=said.get("client_id", ""),
        url=said.get("url"),
        login_url=said.get("login_url"),
        allow_empty=allow_empty,
        source=sources.where(("people",), key=True),
        token=secrets.get("token"),
        client_secret=secrets.get("client_secret"),
    )


def build_journal(said: dict[str, Any], sources: Sources) -> JournalTarget:
    """The journal; ``.rolecall/journal.db`` when the config says nothing."""
    url = said.get("url", DEFAULT_JOURNAL)
    keep = days(said["keep"]) if "keep" in said else DEFAULT_KEEP_DAYS
    source = sources.where(("journal",), key=True) if said else None
    target = secret(url, sources, ("journal", "url")) if isinstance(url, dict) else url
    return JournalTarget(target, keep, source, named="url" in said)
