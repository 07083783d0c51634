"""Holds every request to an IdP, and every answer of a fake one, to the IdP's OpenAPI description.

The descriptions are in the directory that the variable ``ROLECALL_SPECS`` names; without it nothing is held to them.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

FOLDER = os.environ.get("ROLECALL_SPECS", "")
_URN = "urn:spec"
_TYPES = {"integer": int, "boolean": lambda text: {"true": True, "false": False}[text]}


class Exchanged(NamedTuple):
    """One request as it came, and the answer as it went."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int
    body: Any


def need_specs(name: str) -> Spec:
    """The description in a file, or the test is skipped and says why."""
    if not FOLDER or not (Path(FOLDER) / name).is_file():
        pytest.skip(f"ROLECALL_SPECS names no directory with {name}")
    return Spec(_loaded(name))


@cache
def _loaded(name: str) -> Any:
    return yaml.load((Path(FOLDER) / name).read_text("utf-8"), Loader=yaml.CSafeLoader)


class Spec:
    """One OpenAPI 3.0 description."""

    def __init__(self, said: Any) -> None:
        self._said = said
        resource = Resource(contents=said, specification=DRAFT4)
        self._registry = Registry().with_resource(_URN, resource)

    def check(self, exchanged: Exchanged, base: str = "") -> None:
        """Raises AssertionError for a request or an answer that the description does not allow."""
        template, operation = self._operation(exchanged, base)
        shared = self._said["paths"][template].get("parameters", [])
        known = {one["name"]: one for one in map(self._resolved, [*shared, *operation.get("parameters", [])])}
        for name, text in exchanged.query:
            assert known.get(name, {}).get("in") == "query", f"{template} takes no {name}"
            self._query(known[name]["schema"], text, name)
        needed = {name for name, one in known.items() if one.get("required") and one["in"] == "query"}
        assert needed <= {name for name, _ in exchanged.query}
        self._answer(template, exchanged, operation)

    def _operation(self, exchanged: Exchanged, base: str) -> tuple[str, Any]:
        path = exchanged.path.removeprefix(base)
        for template, item in self._said["paths"].items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and exchanged.method.lower() in item:
                return template, item[exchanged.method.lower()]
        raise AssertionError(f"{exchanged.method} {exchanged.path} is not described")

    def _query(self, schema: Any, text: str, name: str) -> None:
        schema = self._resolved(schema)
        value: Any = text.split(",") if schema.get("type") == "array" else _TYPES.get(schema.get("type"), str)(text)
        faults = list(OAS30Validator(schema, registry=self._registry).iter_errors(value))
        assert not faults, f"{name}={text}: {faults[0].message}"

    def _answer(self, template: str, exchanged: Exchanged, operation: Any) -> None:
        answers = operation["responses"]
        found = next(
            (key for key in (str(exchanged.status), f"{exchanged.status // 100}XX", "default") if key in answers), None
        )
        assert found is not None, f"{template} never answers {exchanged.status}"
        steps = ["paths", template, exchanged.method.lower(), "responses", found]
        answer = answers[found]
        if "$ref" in answer:
            steps = answer["$ref"].removeprefix("#/").split("/")
            answer = self._resolved(answer)
        if "application/json" not in answer.get("content", {}):
            return
        pointer = "/".join(
            step.replace("~", "~0").replace("/", "~1") for step in [*steps, "content", "application/json"]
        )
        validator = OAS30Validator({"$ref": f"{_URN}#/{pointer}/schema"}, registry=self._registry)
        faults = list(validator.iter_errors(exchanged.body))
        assert not faults, f"{exchanged.method} {exchanged.path}: {faults[0].json_path}: {faults[0].message}"

    def _resolved(self, part: Any) -> Any:
        while "$ref" in part:
            held = self._said
            for step in part["$ref"].removeprefix("#/").split("/"):
                held = held[step.replace("~1", "/").replace("~0", "~")]
            part = held
        return part
