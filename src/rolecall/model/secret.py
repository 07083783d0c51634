"""A secret is a reference to where it is; it is resolved only where a request is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rolecall.errors import Where


@dataclass(frozen=True, slots=True)
class SecretRef:
    """``{env: NAME}``, ``{file: PATH}`` or ``{exec: [command, ...]}``."""

    kind: Literal["env", "file", "exec"]
    value: str | tuple[str, ...]
    source: Where | None = None
