"""Builds the Config from sources that were found valid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rolecall.codec.settings import decode_value, value_decoder
from rolecall.desired.config import Config
from rolecall.desired.loading import load
from rolecall.desired.merge import removes
from rolecall.desired.metadata import metadata_text
from rolecall.desired.policy import read_policy
from rolecall.desired.sources import Sources
from rolecall.desired.targets import build_journal, build_org, build_people
from rolecall.desired.validating import validate
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model.desired import Desired, Intent
from rolecall.model.fields import Kind
from rolecall.model.kinds import KINDS, address
from rolecall.model.normalise import name as normal_name
from rolecall.model.settings import BLANK, Address, Settings, Sso, Value
from rolecall.source.yaml_file import collector_off


def build(sources: Sources, warnings: tuple[Problem, ...] = ()) -> Config:
    """The Config of sources without errors (see validate). Raises ConfigError when a file it names is not usable."""
    effective = sources.effective
    with collector_off():
        settings, intents, places = *_sections(sources), sources.places()
    return Config(
        root=sources.root,
        main=sources.main,
        env=sources.env,
        org=build_org(effective["org"], sources),
        desired=Desired(settings, intents, read_policy(effective, sources), places),
        people=build_people(effective.get("people", "org"), sources),
        journal=build_journal(effective.get("journal", {}), sources),
        reports_people=effective.get("reports", {}).get("people"),
        include=tuple(effective.get("include", ())),
        digest=digest(effective, settings),
        files=sources.files,
        warnings=warnings,
    )


def read_config(root: Path, env: str | None = None, main: str | None = None) -> Config:
    """The config in directory ``root``. Raises ConfigError with every error found; warnings are in the Config."""
    sources = load(root, env, main)
    problems = validate(sources)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(*problems)
    return build(sources, tuple(problems))


def digest(effective: Mapping[str, Any], settings: Settings) -> str:
    """SHA-256 over the canonical JSON of the effective config and of the files it names; hex.

    How the config is split into files is no part of it.
    """
    said = {key: value for key, value in effective.items() if key != "include"}
    metadata = settings.sso.metadata if isinstance(settings.sso, Sso) else None
    canonical = json.dumps([said, metadata or None], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _sections(sources: Sources) -> tuple[Settings, dict[Address, Intent]]:
    intents: dict[Address, Intent] = {}
    held: dict[str, Any] = {}
    for kind in KINDS:
        if kind.section in sources.effective:
            held[kind.section] = _keyed(kind, sources, intents) if kind.keyed else _singleton(kind, sources)
    return Settings(**held), intents


def _singleton(kind: Kind, sources: Sources) -> Value | None:
    said = dict(sources.effective[kind.section])
    if isinstance(said.get("metadata"), dict | str):
        said["metadata"] = metadata_text(said["metadata"], sources)
    return decode_value(kind.section, said)


def _keyed(kind: Kind, sources: Sources, intents: dict[Address, Intent]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    decode = value_decoder(kind.section)
    for key, entry in sources.effective[kind.section].items():
        if not _SAID_ABOUT.isdisjoint(entry) and isinstance(entry, dict):
            intents[address(kind.section, key)] = _intent(entry, sources.where((kind.section, key), key=True))
        if not removes(entry):
            values[key] = BLANK if entry == "blank" or "blank" in entry else decode(entry)
    return values


def _intent(entry: Mapping[str, Any], source: Where) -> Intent:
    return Intent(
        source=source,
        owner=entry.get("owner"),
        reason=entry.get("reason"),
        ticket=entry.get("ticket"),
        protect=entry.get("protect", False),
        previously=tuple(map(normal_name, entry.get("previously", ()))),
        expires=date.fromisoformat(entry["expires"]) if "expires" in entry else None,
        id=entry.get("id"),
        remove=removes(entry),
    )


_SAID_ABOUT = frozenset(("owner", "reason", "ticket", "protect", "previously", "expires", "id", "remove"))
