"""Short words for tests of the journal: a ticking clock, a plan of three steps, and values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rolecall.journal.port import Holder
from rolecall.model.kinds import address
from rolecall.model.run import Opening, PendingWrite, PlannedStep, RunFacts, StepOutcome
from rolecall.model.settings import Domain, GroupMapping

ORG = "org_8817"
MEMORY_DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where hundreds of small journals are written without waiting for a disk."""
ME = Holder("ann@acme.com", "laptop", 4711)
START = datetime(2026, 11, 22, 10, tzinfo=UTC)

ADMINS = address("idp_groups", "Writer-Admins")
BRAND = address("idp_groups", "Brand/Ops é")
DOMAIN = address("domains", "acme.de")
MEMBER = GroupMapping("member", frozenset({"Brand", "Everyone"}))
ADMIN = GroupMapping("org_admin", frozenset({"IT"}))


class Ticking:
    """A clock that moves one second a look; ``jump`` sets it anywhere."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def jump(self, **by: int) -> None:
        self.at += timedelta(**by)


def opening(**changes: Any) -> Opening:
    """An apply of three steps: one update, one create, one for a person."""
    steps = [
        PlannedStep(1, ADMINS, "update", "api", MEMBER, ADMIN),
        PlannedStep(2, BRAND, "create", "api", None, MEMBER),
        PlannedStep(3, DOMAIN, "create", "human", None, Domain(False, "approval")),
    ]
    facts = RunFacts("acme", "prod", actor="ann", commit="c0ffee", pull_request="https://git.example.com/acme/1")
    return Opening(ORG, "apply", facts, "d1gest", '{"format_version":"1.0"}', steps)._replace(**changes)


def intent(number: int = 1, run: int = 1, version: str = "7") -> PendingWrite:
    at, action, before, after = {
        1: (ADMINS, "update", MEMBER, ADMIN),
        2: (BRAND, "create", None, MEMBER),
    }[number]
    return PendingWrite(
        number, at, action, f"rolecall/j/{run}/{number}", version, before, after
    )  # type-narrowed by the table


def ended(number: int = 1, state: Any = "done", **more: Any) -> StepOutcome:
    return StepOutcome(number, ADMINS if number == 1 else BRAND, state, **more)
