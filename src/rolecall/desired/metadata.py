"""The IdP's metadata: the XML as it stands in the config, or the text of the file it names."""

from __future__ import annotations

from typing import Any

from rolecall.desired.sources import Sources
from rolecall.errors import ConfigError, Problem
from rolecall.model.normalise import metadata
from rolecall.source.files import inside, read_file

_LARGEST = 4 * 1024 * 1024


def metadata_text(said: Any, sources: Sources) -> str:
    """The normalised XML. Raises ConfigError when the file cannot be read, is empty, or is no UTF-8."""
    if isinstance(said, str):
        return metadata(said)
    where, name = sources.where(("sso", "metadata", "file")), said["file"]
    path = inside(sources.root, name)
    if path is None:
        hint = "Files stay inside the config's directory, links resolved"
        raise ConfigError(Problem("outside", f"`{name}` leads out of the config's directory", where, hint))
    try:
        text = metadata(read_file(path, name, _LARGEST).decode("utf-8-sig"))
    except ConfigError as error:
        problem = error.problems[0]
        raise ConfigError(Problem(problem.code, f"`{name}` {problem.message}", where)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(Problem("encoding", f"`{name}` is not UTF-8 text", where, "Save it as UTF-8")) from error
    if not text:
        raise ConfigError(Problem("empty", f"`{name}` is empty", where, "Download the metadata from the IdP again"))
    return text
