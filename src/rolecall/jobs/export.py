"""Use case `export`: an org as it is becomes a config that plans empty, new or merged into one that is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rolecall.desired.emit import Head, config_files
from rolecall.desired.emit_live import LeftOut, sayable
from rolecall.errors import ConfigError, Problem, Where
from rolecall.jobs.init import MAIN, scaffold
from rolecall.jobs.texts import write_texts
from rolecall.model.desired import Desired
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, Scim


@dataclass(frozen=True, slots=True)
class Exported:
    """The texts by name, relative to the config's directory; ``left_out`` is what a config cannot say, and why.

    ``kept`` are entries that stay though the org has nothing like them: groups that wait for the IdP.
    """

    files: Mapping[str, str]
    left_out: tuple[LeftOut, ...] = ()
    kept: tuple[str, ...] = ()


def export(live: Live, head: Mapping[str, Any], read: str, *, split: bool = False) -> Exported:
    """A config from nothing. ``head`` has its ``org``, ``people`` and ``journal``, see ``head_of``."""
    said = sayable(live)
    return Exported(config_files(live, said, Head(head, read), split=split), said.left_out)


def head_of(said: Mapping[str, Any], live: Live, root: Path, out: Path) -> dict[str, Any]:
    """The org, people and journal of a config in ``root``, for one in ``out``: the id pinned, paths leading back."""
    org = {**said.get("org", {})}
    head: dict[str, Any] = {
        "org": {
            "name": org.get("name", live.facts.org_name or live.facts.org_id),
            "id": live.facts.org_id,
            "url": _moved(org["url"], root, out),
            **({"token": org["token"]} if "token" in org else {}),
        }
    }
    head |= {name: said[name] for name in ("people", "journal") if name in said}
    if isinstance(url := head.get("journal", {}).get("url"), str):
        head["journal"] = {**head["journal"], "url": _moved(url, root, out)}
    return head


def with_role_attribute(live: Live, desired: Desired) -> Live:
    """The org with what only a config knows of it: the name of the legacy role attribute (R18)."""
    wanted, held = desired.settings.scim, live.settings.scim
    if not (isinstance(wanted, Scim) and isinstance(held, Scim)) or wanted.role_attribute is UNSET:
        return live
    scim = replace(held, role_attribute=wanted.role_attribute)
    return replace(live, settings=replace(live.settings, scim=scim))


def write_export(out: Path, made: Exported, beside: Mapping[str, Path]) -> list[Path]:
    """Put the files of a new config into ``out``, and what it names (``beside``: name -> the file to copy).

    Raises ConfigError where there is a config already.
    """
    if (out / MAIN).exists():
        there = f"-C {out} " if out.resolve() != Path.cwd() else ""
        hint = f"merge into it with `rolecall {there}export --update`, or name another directory with --out"
        raise ConfigError(Problem("exists", "there is a config here already", Where(str(out / MAIN)), hint))
    out.mkdir(parents=True, exist_ok=True)
    written = write_texts(out, made.files)
    for name, source in beside.items():
        if not (out / name).exists():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, out / name)
            written.append(out / name)
    return [*written, *scaffold(out)]


def read_words(live: Live, url: str, at: datetime) -> str:
    """From where and when a config was exported, in words."""
    whose = f"{live.facts.org_name} ({live.facts.org_id})" if live.facts.org_name else live.facts.org_id
    return f"Exported by rolecall from {whose} at {url}, read on {at:%Y-%m-%d %H:%M} UTC."


def _moved(url: str, root: Path, out: Path) -> str:
    """A url with a path, as it reads from another directory. An observed file is copied along, so it keeps its name."""
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in ("local", "sqlite") or "://" in rest or Path(rest).is_absolute():
        return url
    return f"{scheme}:{Path(os.path.relpath(root / rest, out)).as_posix()}"
