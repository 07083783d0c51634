"""Laws of reading a config: how it is split does not matter, every part has a place, and nothing makes it fall over."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.desired.build import build, read_config
from rolecall.desired.check.validate import validate
from rolecall.desired.load.merge import overlay
from rolecall.desired.load.read import load
from rolecall.model.kinds import address
from rolecall.schema_files import schema_text

HEAD = {"version": 1, "org": {"name": "a", "url": "local:org.db"}}
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).filter(str.strip)
TEAMS = st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=3, unique=True)
MAPPINGS = st.fixed_dictionaries({"role": st.sampled_from(["member", "Team admin", "org_admin"]), "teams": TEAMS})
ENTRIES = st.dictionaries(NAMES, st.just("blank") | MAPPINGS, max_size=8)
PLAIN = st.recursive(
    st.none() | st.integers(0, 3) | st.sampled_from("abc"),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def words(schema: Any) -> set[str]:
    """Every key and every value that the schema names."""
    if isinstance(schema, list):
        return set().union(*map(words, schema))
    if not isinstance(schema, dict):
        return {schema} if isinstance(schema, str) and len(schema) < 30 else set()
    inner = set().union(*map(words, schema.values())) if schema else set()
    return inner | set(schema.get("properties", ()))


WORDS = sorted(words(json.loads(schema_text("config.schema.json"))))
SECTIONS = sorted(json.loads(schema_text("config.schema.json"))["properties"])
ODD = st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats() | NAMES | st.sampled_from(WORDS)
WILD = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | NAMES, inner, max_size=4),
    max_leaves=10,
)


def write(folder: Path, files: Mapping[str, Any]) -> Path:
    for name, value in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return folder


@settings(max_examples=60, deadline=None)
@given(ENTRIES, st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_how_a_config_is_split_does_not_matter(entries: dict[str, Any], shares: list[int]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        whole = write(Path(one), {"rolecall.yaml": {**HEAD, "idp_groups": entries}})
        parts: list[dict[str, Any]] = [{}, {}, {}]
        for share, (name, entry) in zip(shares, entries.items(), strict=False):
            parts[share][name] = entry
        files = {f"part{number}.json": {"idp_groups": part} for number, part in enumerate(parts)}
        split = write(Path(many), {"rolecall.yaml": {**HEAD, "include": ["part*.json"]}, **files})
        if any(problem.code == "duplicate_key" for problem in load(whole).problems):
            return
        expected, found = read_config(whole), read_config(split)
        assert found.desired.settings == expected.desired.settings
        assert found.digest == expected.digest


@settings(max_examples=60, deadline=None)
@given(ENTRIES, ENTRIES)
def test_every_part_has_its_place_in_the_file_that_said_it_last(entries: dict[str, Any], over: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = write(
            Path(folder), {"rolecall.yaml": {**HEAD, "idp_groups": entries}, "env/prod.json": {"idp_groups": over}}
        )
        sources = load(root, "prod")
        if any(problem.code == "duplicate_key" for problem in sources.problems):
            return
        overlaid = load(root, "prod").documents[-1]
        for name in sources.effective["idp_groups"]:
            where = sources.where(("idp_groups", name), key=True)
            assert where.file == ("env/prod.json" if overlaid.has(("idp_groups", name)) else "rolecall.yaml")
            assert where == sources.places()[address("idp_groups", name)]


@settings(max_examples=100, deadline=None)
@given(PLAIN, PLAIN)
def test_an_overlay_laid_twice_is_laid_once(below: Any, over: Any) -> None:
    merged = overlay(below, over)
    assert overlay(merged, over) == merged
    assert overlay(below, {}) == (below if isinstance(below, dict) else {})
    assert overlay({}, over) == over


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(SECTIONS), WILD, max_size=5),
    st.dictionaries(st.sampled_from(SECTIONS), WILD, max_size=2),
)
def test_no_config_makes_it_fall_over(wild: dict[str, Any], over: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder), {"rolecall.yaml": {**HEAD, **wild}, "env/prod.yaml": over})
        for env in (None, "prod"):
            sources = load(root, env)
            problems = validate(sources)
            assert all(problem.where is not None for problem in problems)
            if not any(problem.severity == "error" for problem in problems):
                build(sources)
