"""Ask which SAML metadata an observed org has, since its console does not show it to be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rolecall.cli.prompts import Skipped, ask
from rolecall.model.settings import Sso

if TYPE_CHECKING:
    from rolecall.desired.build import Config


def with_metadata(config: Config, value: dict[str, Any]) -> dict[str, Any]:
    """Return the value of `sso` with the metadata that the org has, if the configuration manages it.

    Skipped, it is not recorded, and a plan that would change something is blocked until it is.
    """
    sso = config.desired.settings.sso
    if not isinstance(sso, Sso) or not isinstance(sso.metadata, str) or not sso.metadata:
        return value
    configured, name = sso.metadata, config.metadata_file or "rolecall.yaml"

    def read(text: str) -> str | None:
        answer = text.strip()
        if answer.casefold() in ("y", "yes"):
            return configured
        return None if answer.casefold() == "none" else _from_file(config, answer)

    known = "yes" if value.get("metadata") == configured else None
    question = f"IdP metadata in WRITER: yes if it is that of {name}, none, or the file of what it is"
    without_metadata = {field: answer for field, answer in value.items() if field != "metadata"}
    try:
        return {**without_metadata, "metadata": ask(question, read, known)}
    except Skipped:
        return without_metadata


def _from_file(config: Config, name: str) -> str:
    """Return the metadata in a file of the configuration's folder. Raises ValueError for any other answer."""
    from rolecall.codec.saml import NotMetadata, decode_metadata
    from rolecall.model import normalise

    if not name:
        raise ValueError("enter yes, none or a file, or skip")
    try:
        text = normalise.metadata((config.root / name).read_text("utf-8-sig"))
        decode_metadata(text)
    except NotMetadata as error:
        raise ValueError(f"{name} is not the metadata of an IdP: it {error}") from None
    except (OSError, UnicodeError):
        raise ValueError(f"the file {name} cannot be read; enter yes, none or a file, or skip") from None
    return text
