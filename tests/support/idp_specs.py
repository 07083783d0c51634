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
UNLISTED = frozenset({400, 401})
"""Statuses that the descriptions leave out for some operations: of a bad request, and of a bad token."""

_URN = "urn:spec"
_TYPES = {"integer": int, "boolean": lambda text: {"true": True, "false": False}[text]}


class Exchanged(NamedTuple):
    """One request as it came, and the answer as it went; ``sent`` is the body of the request."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int
    body: Any
    sent: Any = None


def find_specs(name: str) -> Spec | None:
    """Return the description in a file, or None."""
    return Spec(_loaded(name)) if FOLDER and (Path(FOLDER) / name).is_file() else None


def need_specs(name: str) -> Spec:
    """The description in a file, or the test is skipped and says why."""
    spec = find_specs(name)
    if spec is None:
        pytest.skip(f"ROLECALL_SPECS names no directory with {name}")
    return spec


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
        self._sent(template, exchanged, operation)
        needed = {name for name, one in known.items() if one.get("required") and one["in"] == "query"}
        assert needed <= {name for name, _ in exchanged.query}
        self._answer(template, exchanged, operation)

    def describes(self, exchanged: Exchanged, base: str = "") -> bool:
        """Return whether the description has the operation."""
        try:
            self._operation(exchanged, base)
        except AssertionError:
            return False
        return True

    def problem(self, exchanged: Exchanged, base: str = "") -> str | None:
        """Return what the description does not allow, or None. Only the response to a bad request is checked."""
        try:
            if exchanged.status < 400:
                self.check(exchanged, base)
            else:
                template, operation = self._operation(exchanged, base)
                self._answer(template, exchanged, operation)
        except AssertionError as error:
            return f"{exchanged.method} {exchanged.path}: {error}"
        return None

    def _operation(self, exchanged: Exchanged, base: str) -> tuple[str, Any]:
        path = exchanged.path.removeprefix(base)
        for template, item in self._said["paths"].items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and exchanged.method.lower() in item:
                return template, item[exchanged.method.lower()]
        raise AssertionError(f"{exchanged.method} {exchanged.path} is not described")

    def _sent(self, template: str, exchanged: Exchanged, operation: Any) -> None:
        """Check the JSON of a request."""
        content = self._resolved(operation.get("requestBody") or {}).get("content", {})
        if exchanged.sent is None or "application/json" not in content:
            return
        steps = ["paths", template, exchanged.method.lower(), "requestBody", "content", "application/json", "schema"]
        self._check_schema(steps, _without_nulls(exchanged.sent), f"{exchanged.method} {exchanged.path}, its body")

    def _check_schema(self, steps: list[str], value: Any, where: str) -> None:
        pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
        validator = OAS30Validator({"$ref": f"{_URN}#/{pointer}"}, registry=self._registry)
        faults = list(validator.iter_errors(value))
        assert not faults, f"{where}: {faults[0].json_path}: {faults[0].message}"

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
        if found is None and exchanged.status in UNLISTED:
            return
        assert found is not None, f"{template} never answers {exchanged.status}"
        steps = ["paths", template, exchanged.method.lower(), "responses", found]
        answer = answers[found]
        if "$ref" in answer:
            steps = answer["$ref"].removeprefix("#/").split("/")
            answer = self._resolved(answer)
        if "application/json" in answer.get("content", {}):
            steps = [*steps, "content", "application/json", "schema"]
            self._check_schema(steps, exchanged.body, f"{exchanged.method} {exchanged.path}")

    def _resolved(self, part: Any) -> Any:
        while "$ref" in part:
            held = self._said
            for step in part["$ref"].removeprefix("#/").split("/"):
                held = held[step.replace("~1", "/").replace("~0", "~")]
            part = held
        return part


def _without_nulls(value: Any) -> Any:
    """Return a body without its null members: they remove something, and descriptions do not mark them as allowed."""
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return list(map(_without_nulls, value)) if isinstance(value, list) else value
