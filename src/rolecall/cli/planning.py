"""What commands that plan, or answer from a plan, share: flags into a request, a state of the org, and exit codes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rolecall.cli.complete import addresses
from rolecall.cli.journals import memory
from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation
from rolecall.cli.program import worst
from rolecall.cli.session import Session, day, now, plan_target, read, sent, session, wait_for
from rolecall.errors import Exit, Problem

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.access import At, Inventory, State
    from rolecall.jobs.plan import Planned, PlanRequest, Whose
    from rolecall.model.directory import PeopleScope
    from rolecall.model.lineage import Relation
    from rolecall.model.live import Coverage
    from rolecall.model.policy import Allow
    from rolecall.plan.value import Plan

GUARDS = (
    "min_org_admins",
    "required_org_admins",
    "require_self",
    "max_people_losing_access",
    "max_removals",
    "escalations",
    "protect",
    "sign_in",
    "upgrade",
    "possible_rename",
    "unread",
    "observed_age",
    "policy",
    "approval",
    "foreign",
    "older",
)


def targeting(command: Any) -> Any:
    """The options that cut a plan."""
    for option in (
        click.option("--only", type=click.Choice(["expired"]), help="Only the mappings that have lapsed."),
        click.option(
            "--exclude",
            multiple=True,
            metavar="ADDRESS",
            shell_complete=addresses,
            help="All but these; globs too. May be repeated.",
        ),
        click.option(
            "--target",
            multiple=True,
            metavar="ADDRESS",
            shell_complete=addresses,
            help="Only these; globs too. May be repeated.",
        ),
    ):
        command = option(command)
    return command


def lifting(command: Any) -> Any:
    """`--allow NAME=N`."""
    lift = click.option(
        "--allow", multiple=True, metavar="NAME=N", help="Lift a guard up to N, for this run. May be repeated."
    )
    return lift(command)


def lifts(flags: tuple[str, ...]) -> tuple[Allow, ...]:
    """``NAME=N`` as allowances. A name may have hyphens. Raises click's usage error for what is none."""
    return tuple(map(_lift, flags))


def _lift(flag: str) -> Allow:
    from rolecall.errors import did_you_mean
    from rolecall.model.policy import Allow

    name, equals, number = flag.partition("=")
    guard = name.replace("-", "_")
    if not equals or not (number.isascii() and number.isdecimal()):
        raise click.BadParameter(f"{flag!r} is not NAME=N, such as max_people_losing_access=40", param_hint="--allow")
    if guard not in GUARDS:
        hint = did_you_mean(guard, GUARDS) or f"Guards are {', '.join(GUARDS)}"
        raise click.BadParameter(f"there is no guard {name!r}. {hint}", param_hint="--allow")
    if guard == "require_self":
        raise click.BadParameter("require_self is never lifted; let another org admin apply", param_hint="--allow")
    return Allow(guard, None, int(number), None, "--allow")


class PlanFlags(NamedTuple):
    """The flags of ``targeting`` and ``lifting``, as click gives them."""

    target: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    only: str | None = None
    allow: tuple[str, ...] = ()


async def read_and_plan(call: Invocation, opened: Session, flags: PlanFlags = PlanFlags()) -> Planned:
    """Read and plan, as the flags say. Raises click's usage error for flags that cannot be read."""
    from rolecall.jobs.plan import make_plan
    from rolecall.plan.value import Selection

    for address in (*flags.target, *flags.exclude):
        if not address.isprintable() and any("\ud800" <= char <= "\udfff" for char in address):
            raise click.BadParameter(f"{address!r} is not text in UTF-8", param_hint="--target/--exclude")
    selection = Selection(flags.target, flags.exclude, flags.only == "expired")
    request = replace(plan_request(call, opened), lifts=lifts(flags.allow), selection=selection, typed=True)
    return await make_plan(request)


def plan_request(call: Invocation, opened: Session) -> PlanRequest:
    """Return the request for a plan of the whole config."""
    from rolecall.jobs.plan import PlanRequest

    return PlanRequest(
        target=plan_target(call, opened.config),
        org=opened.org,
        people=opened.people,
        now=now(),
        as_of=day(call),
        applied=memory(call, opened.config),
        sent=sent(call, opened.config),
        whose=whose(call, opened.config),
    )


def whose(call: Invocation, config: Config) -> Whose:
    """Return which configuration plans, to tell what another one applied last. Git is asked only where that matters."""
    from rolecall.jobs.plan import Whose

    def name() -> str:
        from rolecall.cli.facts import config_id

        return str(config_id(call, config))

    def is_same(recorded: str) -> bool:
        from rolecall.cli.facts import is_same_config

        return is_same_config(call, config, recorded)

    def relation(commit: str) -> Relation | None:
        from rolecall.cli.facts import relation_to

        return relation_to(call, commit)

    return Whose(name, is_same, relation)


def plan_exit(plan: Plan, *, observed: bool, detailed: bool) -> Exit:
    """What a plan leaves with, before any assertion."""
    codes = [Exit.ERROR] if plan.errored else []
    refused = any(guard.verdict == "block" for guard in plan.guards)
    failed = any(test.refuses for test in plan.access_tests)
    codes += [Exit.REFUSED] if refused or failed else []
    if detailed and (plan.writes or plan.human):
        codes.append(Exit.CHANGES)
    elif detailed and (plan.unread or observed):
        codes.append(Exit.UNSEEN)
    return worst(*codes)


def read_state(call: Invocation, config: Config, at: str, scope: PeopleScope, *, test: bool = False) -> State:
    """The state that ``--at`` names: `live`, `desired`, or a saved plan's file."""

    async def work() -> State:
        from rolecall.jobs.access import state

        async with session(call, config) as opened:
            return await state(plan_request(call, opened), _at(at), scope, test=test)

    return wait_for(work())


def read_inventory(call: Invocation) -> Inventory:
    """Return what the org has and the config does not manage."""

    async def work() -> Inventory:
        from rolecall.jobs.access import inventory

        async with session(call, read(call)) as opened:
            return await inventory(plan_request(call, opened))

    return wait_for(work())


def _at(value: str) -> At:
    if value == "live":
        return "live"
    if value == "desired":
        return "desired"
    from rolecall.jobs.saved import read_plan

    return read_plan(Path(value))


def coverage_exit(coverage: Coverage) -> Exit:
    """Return 1 where an answer needs users and none were read, 7 where some were, else 0."""
    return {"complete": Exit.OK, "partial": Exit.UNSEEN, "unread": Exit.ERROR}[coverage.state]


def report_coverage(call: Invocation, config: Config, coverage: Coverage, hint: str | None = None) -> Exit:
    """Say on stderr how much was read of the users, unless all of it; return the code to exit with.

    ``hint`` is what to do, in place of looking at where the configuration says that users come from.
    """
    from rolecall.jobs.people import people_hint
    from rolecall.plan.coverage import incomplete

    message = incomplete(coverage)
    if message is not None:
        hint = hint or people_hint(config.people, observed=config.org.kind == "observed")
        partial = coverage.state == "partial"
        problem = Problem("users_unread", message, None, hint, "warning" if partial else "error")
        tell([problem], as_json=call.log_format == "json", color=call.color)
    return coverage_exit(coverage)
