"""Declares the keys of `fleet.yaml`. `script/schemas` writes `schemas/fleet.schema.json` from them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

LABEL_NAME = "^[a-z][a-z0-9_-]*$"
LABEL_VALUE = "^[^,=*?\\[\\]\\s]+$"
PATTERN = "^(?!/)(?!.*\\*\\*)(?!(.*/)?\\.\\.?(/|$)).+$"
FORMAT = 1
RESERVED_LABELS = ("path", "name")
"""Labels that every org has."""

_LABELS: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": LABEL_NAME, "not": {"enum": sorted(RESERVED_LABELS)}},
    "additionalProperties": {"type": "string", "pattern": LABEL_VALUE},
}


class FleetKey(NamedTuple):
    """A key of `fleet.yaml`: what it means, its JSON Schema without the description, and whether it is required."""

    description: str
    schema: Mapping[str, Any]
    required: bool = False


KEYS: Mapping[str, FleetKey] = MappingProxyType(
    {
        "fleet": FleetKey("The version of the format.", {"const": FORMAT}, required=True),
        "orgs": FleetKey(
            "Globs of the org directories, relative to fleet.yaml. Each directory has its own rolecall.yaml. "
            "A wildcard matches within one level.",
            {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": PATTERN}},
            required=True,
        ),
        "labels": FleetKey(
            "Labels of the org directories that a glob matches. Each org also has the labels `path` and `name`, the "
            "last part of its path.",
            {"type": "object", "propertyNames": {"pattern": PATTERN}, "additionalProperties": _LABELS},
        ),
    }
)
"""Key -> its declaration, in the order of the documentation."""


def fleet_schema() -> dict[str, Any]:
    """Return the JSON Schema of `fleet.yaml`."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A fleet of orgs of rolecall",
        "description": "The file fleet.yaml: which org directories belong to the fleet, and their labels.",
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, key in KEYS.items() if key.required],
        "properties": {name: {"description": key.description, **key.schema} for name, key in KEYS.items()},
    }
