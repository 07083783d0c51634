"""The same number of things in the languages of three tools, the same share of them changed: deterministic, no chance.

python bench/at_size.py TOOL FOLDER COUNT      writes one of rolecall, octodns, terraform there
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TEAMS = 50
SHARE = 100
"""One in a hundred differs."""


def team(number: int) -> str:
    return f"Team {number % TEAMS:02d}"


def teams(number: int, *, changed: bool) -> tuple[str, str]:
    """The two teams that a mapping gives; a changed one gives another second team."""
    return team(number), team(number + (2 if changed else 1))


def _changed(number: int, share: int) -> bool:
    return number % share == 0


def rolecall(folder: Path, count: int, share: int = SHARE, url: str = "https://rolecall.example.com") -> None:
    """``rolecall.yaml`` that manages every mapping, and ``live.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    head = ["version: 1", f"org: {{name: at-size, url: '{url}'}}", "manage: {idp_groups: authoritative}", "idp_groups:"]
    if url.startswith("http"):
        head[1] = f"org: {{name: at-size, url: '{url}', token: {{env: ROLECALL_TOKEN}}}}"
    rows = (
        f"  Group-{number:06d}: {{role: member, teams: [{', '.join(teams(number, changed=_changed(number, share)))}]}}"
        for number in range(count)
    )
    (folder / "rolecall.yaml").write_text("\n".join([*head, *rows, ""]), encoding="utf-8")
    (folder / "live.json").write_text(json.dumps(snapshot(count)), encoding="utf-8")


def snapshot(count: int) -> dict[str, Any]:
    """The live org; nobody in it, as the peers have nobody either."""
    return {
        "snapshot": 1,
        "taken_at": "2026-11-22T10:00:00Z",
        "org": {"id": "org_at_size", "name": "at-size"},
        "teams": [team(number) for number in range(TEAMS)],
        "defaults": {"role": "member", "teams": [team(0)]},
        "scim": {"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False},
        "idp_groups": {
            f"Group-{number:06d}": {"role": "member", "teams": list(teams(number, changed=False))}
            for number in range(count)
        },
        "people": [],
    }


def octodns(folder: Path, count: int, share: int = SHARE) -> None:
    """One zone, YAML to YAML: a record of two addresses for each mapping."""
    sides = {"config": True, "live": False}
    for side in sides:
        (folder / side).mkdir(parents=True, exist_ok=True)
    provider = "{class: octodns.provider.yaml.YamlProvider, directory: ./%s, default_ttl: 3600, enforce_order: true}"
    rows = [
        "providers:",
        *(f"  {side}: {provider % side}" for side in sides),
        "zones:",
        "  example.com.: {sources: [config], targets: [live]}",
        "",
    ]
    (folder / "octodns.yaml").write_text("\n".join(rows), encoding="utf-8")
    for side, wanted in sides.items():
        records = (_record(number, wanted and _changed(number, share)) for number in range(count))
        (folder / side / "example.com.yaml").write_text("---\n" + "".join(records), encoding="utf-8")


def _record(number: int, changed: bool) -> str:
    second = (number + (2 if changed else 1)) % 250
    return f"group-{number:06d}: {{type: A, values: [10.0.0.{number % 250}, 10.0.1.{second}]}}\n"


def terraform(folder: Path, count: int, share: int = SHARE) -> None:
    """A `terraform_data` block for each mapping, and the local state of an earlier apply."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = (_block(number, teams(number, changed=_changed(number, share))) for number in range(count))
    (folder / "main.tf").write_text("".join(blocks), encoding="utf-8")
    state = {
        "version": 4,
        "terraform_version": "1.3.0",
        "serial": 1,
        "lineage": "b0c1d1a4-0000-4000-8000-000000000000",
        "outputs": {},
        "resources": [_resource(number) for number in range(count)],
        "check_results": None,
    }
    (folder / "terraform.tfstate").write_text(json.dumps(state), encoding="utf-8")


def _block(number: int, given: tuple[str, str]) -> str:
    said = f'{{ role = "member", teams = ["{given[0]}", "{given[1]}"] }}'
    return f'resource "terraform_data" "group_{number:06d}" {{\n  input = {said}\n}}\n'


def _resource(number: int) -> dict[str, Any]:
    held = {
        "value": {"role": "member", "teams": list(teams(number, changed=False))},
        "type": ["object", {"role": "string", "teams": ["tuple", ["string", "string"]]}],
    }
    attributes = {
        "id": f"{number:08x}-0000-4000-8000-000000000000",
        "input": held,
        "output": held,
        "triggers_replace": None,
    }
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": f"group_{number:06d}",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }


TOOLS: Mapping[str, Callable[[Path, int], None]] = {"rolecall": rolecall, "octodns": octodns, "terraform": terraform}

if __name__ == "__main__":
    TOOLS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
