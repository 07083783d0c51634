"""Hold what a runbook knows of its steps: the facts that their texts need, and a step with its number and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rolecall.model.change import Change
from rolecall.model.live import Coverage
from rolecall.model.settings import Settings
from rolecall.plan.value import Plan
from rolecall.report.builders.runbook.idp import org_settings


class StepContext(NamedTuple):
    """The facts that texts of steps need: the desired settings, the live endpoint, who read each section, and the file
    of the configuration that has the IdP's metadata, empty without one.

    ``parts`` are those of the IdP's side that steps name, by their names in ``idps.yaml``. ``whole`` if a table has all
    desired values, not just those that change, of an org that was not read. ``pushes`` if the runbook has a chapter
    that pushes groups by name. ``not_ready`` is why the upgrade must not be made.
    """

    settings: Settings
    endpoint: str = "new"
    coverage: Mapping[str, Coverage] = {}
    metadata_file: str = ""
    parts: tuple[str, ...] = ("sso", "scim", "people")
    whole: bool = False
    pushes: bool = False
    not_ready: str = ""


def context_of(plan: Plan, not_ready: str = "") -> StepContext:
    """Return the facts that the texts of a plan's steps need."""
    endpoint = str(plan.switches.get("endpoint", ""))
    return StepContext(
        org_settings(plan),
        endpoint,
        plan.coverage,
        plan.metadata_file,
        pushes=bool(plan.waiting),
        not_ready=not_ready,
    )


class ManualStep(NamedTuple):
    """A step of a runbook: its number, and its changes in the order of its items.

    ``reported`` says who reported each change done, empty for one that is not; ``run`` is the run that recorded them.
    """

    number: int
    changes: tuple[Change, ...]
    reported: tuple[str, ...] = ()
    run: int | None = None

    @property
    def of_groups(self) -> bool:
        """Return whether the step maps groups."""
        first = self.changes[0]
        return first.address.startswith("idp_groups/") and first.via_reason != "not_in_plan"

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the numbers of its changes: ``3.1``, ``3.2``, or ``3`` for the only one."""
        if len(self.changes) == 1:
            return (str(self.number),)
        return tuple(f"{self.number}.{item}" for item in range(1, len(self.changes) + 1))

    @property
    def heading(self) -> str:
        return f"Run {self.run} · step {self.number}" if self.run else f"Step {self.number}"

    @property
    def done(self) -> str:
        """Return who reported the step done, empty unless all of it is."""
        return max(self.reported) if self.reported and all(self.reported) else ""
