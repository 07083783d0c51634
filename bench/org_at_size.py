"""A large org made from nothing but numbers: the same sizes give the same bytes, on every machine.

python bench/org_at_size.py FOLDER [PEOPLE]     writes rolecall.yaml, live.json and people.jsonl there
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Size(NamedTuple):
    """How large. ``held`` is the memberships of each person, ``changed`` how many mappings the config changes."""

    people: int = 1_000_000
    groups: int = 5_000
    held: int = 5
    mapped: int = 2_000
    changed: int = 20
    teams: int = 200


FULL = Size()


def group(number: int) -> str:
    return f"Group-{number:05d}"


def team(number: int) -> str:
    return f"Team {number:03d}"


def mappings(size: Size) -> dict[str, dict[str, Any]]:
    """The live mappings: spread over the groups, one in forty a team admin, four of them org admin."""
    chance = random.Random(f"mappings {size}")
    step = size.groups / size.mapped
    found = {}
    for index in range(size.mapped):
        role = "team_admin" if index % 40 == 7 else "member"
        teams = chance.sample(range(size.teams), chance.choice((1, 1, 2)))
        found[group(int(index * step))] = {"role": role, "teams": sorted(map(team, teams))}
    for name in list(found)[-4:]:
        found[name]["role"] = "org_admin"
    return found


def wanted(size: Size) -> dict[str, dict[str, Any]]:
    """The mappings as the config has them: ``changed`` of them give another team."""
    chance = random.Random(f"changed {size}")
    live = mappings(size)
    plain = [name for name, mapping in live.items() if mapping["role"] == "member"]
    moved = {name: live[name] | {"teams": [team(chance.randrange(size.teams))]} for name in _pick(chance, plain, size)}
    return live | moved


def _pick(chance: random.Random, names: list[str], size: Size) -> list[str]:
    return sorted(chance.sample(names, size.changed))


def people(size: Size) -> Iterator[dict[str, Any]]:
    """Everybody; early groups are larger. One in a thousand is not plain: invited, inactive, or edited by hand."""
    chance = random.Random(f"people {size}")
    names = [group(number) for number in range(size.groups)]
    for number in range(size.people):
        held: set[str] = set()
        while len(held) < size.held:
            held.add(names[int(size.groups * chance.random() ** 1.5)])
        row: dict[str, Any] = {"email": f"person{number:07d}@acme.com", "groups": sorted(held)}
        if number % 1000 == 999:
            row |= _uncommon(number // 1000)
        yield row


def _uncommon(number: int) -> dict[str, Any]:
    edits = [{"team": team(0), "role": "member"}]
    kinds: list[dict[str, Any]] = [{"origin": "invite", "manual": edits}, {"active": False}, {"manual": edits}]
    return kinds[number % 3]


def snapshot(size: Size) -> dict[str, Any]:
    """The live org, its people in a file beside it."""
    mapped = mappings(size)
    return {
        "snapshot": 1,
        "taken_at": "2026-11-22T10:00:00Z",
        "org": {"id": "org_at_size", "name": "at-size", "counts": {"people": size.people}},
        "teams": [team(number) for number in range(size.teams)],
        "domains": {"acme.com": {"discoverable": True, "join": "approval"}},
        "defaults": {"role": "member", "teams": [team(0)]},
        "sso": {"enabled": True, "name": "Okta", "idp": "okta", "allow_uninvited": False, "allow_passwords": False},
        "scim": {"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False},
        "idp_groups": {group(n): mapped.get(group(n), "blank") for n in range(size.groups)},
        "people": "people.jsonl",
    }


def config(size: Size) -> str:
    """The config that manages every mapping, as YAML."""
    rows = [
        f"  {name}: {{role: {mapping['role']}, teams: [{', '.join(mapping['teams'])}]}}"
        for name, mapping in wanted(size).items()
    ]
    head = ["version: 1", "org: {name: at-size, url: 'local:.rolecall/none.db'}", "idp_groups:"]
    return "\n".join([*head, *rows, ""])


def write(folder: Path, size: Size = FULL) -> None:
    """Config, snapshot and people into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rolecall.yaml").write_text(config(size), encoding="utf-8")
    (folder / "live.json").write_text(json.dumps(snapshot(size)), encoding="utf-8")
    with (folder / "people.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in people(size))


if __name__ == "__main__":
    write(Path(sys.argv[1]), FULL._replace(people=int(sys.argv[2])) if len(sys.argv) > 2 else FULL)
