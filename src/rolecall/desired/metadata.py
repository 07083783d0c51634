"""The IdP's metadata: the XML as it stands in the config, or the text of the file it names."""

from __future__ import annotations

from typing import Any

from rolecall.desired.sources import Sources
from rolecall.errors import ConfigError, Problem
from rolecall.model.normalise import metadata
from rolecall.source.files import inside, read_file

_LARGEST = 4 * 1024 * 1024


def metadata_text(said: Any, sources: Sources) -> str:
    """The normalised XML. Raises ConfigError when the file cannot be read, is no UTF-8, or is no SAML metadata."""
    if isinstance(said, str):
        return metadata(said)
    where = sources.where(("sso", "metadata", "file"))
    path = inside(sources.root, said["file"])
    if path is None:
        hint = "Files stay inside the config's directory, links resolved"
        raise ConfigError(Problem("outside", f"`{said['file']}` leads out of the config's directory", where, hint))
    try:
        text = read_file(path, said["file"], _LARGEST).decode("utf-8-sig")
    except ConfigError as error:
        raise ConfigError(
            *(found._replace(message=f"`{said['file']}` {found.message}", where=where) for found in error.problems)
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(Problem("encoding", f"`{said['file']}` is not UTF-8 text", where)) from error
    return metadata(text)
