"""Reads the policy of a configuration, with the place of every rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.codec.policy import decode_policy
from rolecall.desired.load.sources import Sources
from rolecall.errors import Where
from rolecall.model.policy import Policy


def read_policy(effective: Mapping[str, Any], sources: Sources) -> Policy:
    """Return the policy of a valid config."""
    policy = decode_policy(effective)
    return policy._replace(
        ignore=tuple(
            entry._replace(source=sources.where(("ignore", index))) for index, entry in enumerate(policy.ignore)
        ),
        allow=tuple(entry._replace(source=sources.where(("allow", index))) for index, entry in enumerate(policy.allow)),
        access_tests=tuple(
            test._replace(source=sources.where(("access_tests", index)))
            for index, test in enumerate(policy.access_tests)
        ),
        sources=dict(_places(effective, sources)),
    )


def _places(effective: Mapping[str, Any], sources: Sources) -> Iterator[tuple[str, Where]]:
    """Yield the place of every policy key in the configuration: ``guards``, ``guards.approval``, ``manage.domains``."""
    for top in ("manage", "guards", "watch", "ignore", "allow", "access_tests"):
        if top in effective:
            yield top, sources.where((top,), key=True)
    for top in ("manage", "guards", "watch"):
        for name in effective.get(top, ()):
            yield f"{top}.{name}", sources.where((top, name), key=True)
