"""Reads ``sso.metadata`` from the configuration or its file, and checks that it is SAML metadata of ``sso.idp``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rolecall.codec.saml import IdpMetadata, NotMetadata, decode_metadata, other_idp
from rolecall.desired.load.sources import Sources, ValidConfig
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model.kinds import BY_SECTION
from rolecall.model.normalise import metadata
from rolecall.source.files import MOVE_INSIDE, inside, read_file

_LARGEST = 4 * 1024 * 1024


def metadata_text(configured: Any, sources: Sources) -> str:
    """Return the normalized XML. Raises ConfigError when the file cannot be read, is empty, or is not UTF-8."""
    if isinstance(configured, str):
        return metadata(configured)
    where, name = sources.where(("sso", "metadata", "file")), configured["file"]
    path = inside(sources.root, name)
    if path is None:
        raise ConfigError(Problem("outside", f"`{name}` is outside the configuration folder", where, MOVE_INSIDE))
    try:
        text = metadata(read_file(path, name, _LARGEST).decode("utf-8-sig"))
    except ConfigError as error:
        problem = error.problems[0]
        raise ConfigError(Problem(problem.code, f"`{name}` {problem.message}", where)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(Problem("encoding", f"`{name}` is not UTF-8 text", where, "save it as UTF-8")) from error
    if not text:
        raise ConfigError(Problem("empty", f"`{name}` is empty", where, DOWNLOAD))
    return text


DOWNLOAD = "download the metadata XML from the IdP again"
_MAX_LENGTH = BY_SECTION["sso"].field("metadata").max_length


def check_metadata(sso: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield an error if the metadata cannot be used, and a warning if it seems to come from another IdP.

    ``sso`` has metadata. ``check_targets`` reports files that are missing or outside the folder.
    """
    configured = sso["metadata"]
    if isinstance(configured, dict) and not _readable(configured["file"], sources):
        return
    where = sources.where(("sso", "metadata", "file") if isinstance(configured, dict) else ("sso", "metadata"))
    name = f"`{configured['file']}`" if isinstance(configured, dict) else "`sso.metadata`"
    try:
        text = metadata_text(configured, sources)
        if len(text) > _MAX_LENGTH:
            raise NotMetadata(f"has more than {_MAX_LENGTH:,} characters, the maximum for an org")
        metadata = decode_metadata(text)
    except ConfigError as error:
        yield from error.problems
    except NotMetadata as error:
        yield Problem("metadata", f"{name} {error}", where, DOWNLOAD)
    else:
        yield from _other_idp(metadata, sso.get("idp"), name, where)
        if not metadata.readable:
            state = "no readable signing certificate" if metadata.certificates else "no signing certificate"
            yield Problem("no_certificate", f"{name} has {state}", where, DOWNLOAD, "warning")


def _readable(name: str, sources: Sources) -> bool:
    path = inside(sources.root, name)
    return path is not None and path.is_file()


def _other_idp(metadata: IdpMetadata, idp: Any, name: str, where: Where) -> Iterator[Problem]:
    if isinstance(idp, str) and other_idp(metadata, idp):
        message = f"{name} does not look like metadata from {idp}: its entity ID is {metadata.entity_id}"
        yield Problem(
            "other_idp", message, where, "check that `sso.idp` and the metadata are for the same IdP", "warning"
        )
