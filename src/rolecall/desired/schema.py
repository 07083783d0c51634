"""Holds a config against ``schemas/config.schema.json``: jsonschema-rs decides, jsonschema explains a refusal."""

from __future__ import annotations

import json

from rolecall.desired.sources import Sources
from rolecall.errors import Problem
from rolecall.schema_files import schema_text


def schema_problems(sources: Sources) -> list[Problem]:
    """What the schema says against the effective config."""
    import jsonschema_rs

    validator = jsonschema_rs.Draft7Validator(json.loads(schema_text("config.schema.json")))
    return [
        Problem("schema", error.message, sources.where(error.instance_path))
        for error in validator.iter_errors(sources.effective)
    ]
