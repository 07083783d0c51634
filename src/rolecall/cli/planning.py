"""Share what commands that plan need: options, the request for a plan, a state of the org, and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rolecall.cli.complete import addresses, guards
from rolecall.cli.journals import memory
from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation
from rolecall.cli.program import worst
from rolecall.cli.session import Session, day, now, plan_target, read, sent, session, wait_for
from rolecall.errors import Exit, Problem, clause

if TYPE_CHECKING:
    from rolecall.cli.audit_log import AuditReader
    from rolecall.desired.build import Config
    from rolecall.jobs.access import At, Inventory, OrgState
    from rolecall.jobs.plan import Planned, PlanRequest, Whose
    from rolecall.jobs.usage import ReadUsage
    from rolecall.jobs.what_if import Stated
    from rolecall.journal.port import Journal
    from rolecall.model.directory import PeopleScope
    from rolecall.model.lineage import Relation
    from rolecall.model.live import Coverage
    from rolecall.model.policy import Allow
    from rolecall.plan.value import Plan


def targeting(command: Any) -> Any:
    """Add the options that limit a plan to some addresses."""
    for option in (
        click.option(
            "--only",
            type=click.Choice(["expired"]),
            help="Plan only the unmapping of groups whose mapping has expired: the day in `expires` is past.",
        ),
        click.option(
            "--exclude",
            multiple=True,
            metavar="ADDRESS",
            shell_complete=addresses,
            help="Leave an address out of the plan. Takes patterns. Repeatable.",
        ),
        click.option(
            "--target",
            multiple=True,
            metavar="ADDRESS",
            shell_complete=addresses,
            help="Limit the plan to an address, or to those that match a pattern such as 'idp_groups/Writer-*'. "
            "Repeatable. See: rolecall help addresses",
        ),
    ):
        command = option(command)
    return command


def lifting(command: Any) -> Any:
    """Add the option that overrides guards."""
    return lifting_when("")(command)


def lifting_when(condition: str) -> Callable[[Any], Any]:
    """Return the option that overrides guards; its help begins with when it can be used."""
    return click.option(
        "--allow",
        multiple=True,
        metavar="NAME=N",
        shell_complete=guards,
        help=f"{condition}Override guard NAME for this run only, as long as it reports at most N, for example "
        "max_removals=3. The plan prints the number. Repeatable. See: rolecall help guards",
    )


def lifts(flags: tuple[str, ...]) -> tuple[Allow, ...]:
    """Return the overrides in ``NAME=N`` texts. A name may have hyphens. Raises click's usage error for other texts."""
    return tuple(map(_lift, flags))


def _lift(flag: str) -> Allow:
    from rolecall.errors import did_you_mean
    from rolecall.model.policy import Allow
    from rolecall.plan.guards.descriptions import DESCRIPTIONS

    name, equals, number = flag.partition("=")
    guard = name.replace("-", "_")
    if not equals or not (number.isascii() and number.isdecimal()):
        raise click.BadParameter(f"{flag!r} is not NAME=N, such as max_people_losing_access=40", param_hint="--allow")
    if guard not in DESCRIPTIONS:
        hint = did_you_mean(guard, DESCRIPTIONS) or "for the list: rolecall help guards"
        raise click.BadParameter(f"no guard {name!r}; {hint}", param_hint="--allow")
    if not DESCRIPTIONS[guard].overridable:
        hint = "; ask another org admin to apply" if guard == "require_self" else ""
        raise click.BadParameter(f"{guard} cannot be overridden{hint}", param_hint="--allow")
    if DESCRIPTIONS[guard].addressed:
        message = f"{guard} can only be overridden for an address, by an entry in `allow` of the configuration"
        raise click.BadParameter(message, param_hint="--allow")
    return Allow(guard, None, int(number), None, "--allow")


class PlanFlags(NamedTuple):
    """The values of the options of ``targeting`` and ``lifting``."""

    target: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    only: str | None = None
    allow: tuple[str, ...] = ()
    what_if: tuple[str, ...] = ()


def supposed(texts: tuple[str, ...]) -> tuple[Stated, ...]:
    """Return the memberships that ``--if`` states, one by one or in CSV files. Raises Misuse or ConfigError with every
    problem."""
    if not texts:
        return ()
    from rolecall.errors import ConfigError, Misuse, RolecallError
    from rolecall.jobs.moves_file import read_moves
    from rolecall.jobs.what_if import Stated, stated

    entries: list[Stated] = []
    problems: list[Problem] = []
    kinds: set[type[RolecallError]] = set()
    for text in texts:
        path = Path(text)
        if text.casefold().endswith(".csv") and ("@" not in text or path.exists()):
            try:
                entries += read_moves(path)
            except ConfigError as error:
                problems += error.problems
                kinds.add(ConfigError)
        elif isinstance(entry := stated(text), Stated):
            entries.append(entry)
        else:
            problems.append(entry)
            kinds.add(Misuse)
    if problems:
        raise (Misuse if Misuse in kinds else ConfigError)(*problems)
    return tuple(entries)


async def read_and_plan(call: Invocation, opened: Session, flags: PlanFlags = PlanFlags()) -> Planned:
    """Read the org and plan, as the options say. Raises click's usage error for options that cannot be read."""
    from rolecall.jobs.plan import make_plan
    from rolecall.plan.value import Selection

    for address in (*flags.target, *flags.exclude):
        if not address.isprintable() and any("\ud800" <= char <= "\udfff" for char in address):
            raise click.BadParameter(f"{address!r} is not UTF-8 text", param_hint="--target/--exclude")
    selection = Selection(flags.target, flags.exclude, flags.only == "expired")
    request = plan_request(call, opened)._replace(
        what_if=supposed(flags.what_if),
        lifts=lifts(flags.allow),
        selection=selection,
        typed=True,
        audit=read_audit(call, opened.config),
        usage=read_usage(call, opened.config),
    )
    planned = await make_plan(request)
    if planned.plan.what_if:
        return planned
    if not planned.plan.changes and call.snapshot is None:
        from rolecall.jobs.admins import with_admins

        return await with_admins(request, planned)
    if not planned.plan.human or call.snapshot is not None:
        return planned
    from rolecall.cli.open_runs import with_open_run

    return with_open_run(call, opened, planned)


def plan_request(call: Invocation, opened: Session) -> PlanRequest:
    """Return the request for a plan of the whole configuration."""
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
        idp=opened.idp_side,
    )


def read_audit(call: Invocation, config: Config, journal: Journal | None = None) -> AuditReader | None:
    """Return what reads the audit log that the configuration names; None for none, and for a snapshot.

    With ``journal``, it stores the records, and which manual steps they confirm.
    """
    if config.audit is None or call.snapshot is not None:
        return None
    from rolecall.cli.audit_log import AuditReader

    return AuditReader(call, config, config.audit, journal)


def read_usage(call: Invocation, config: Config) -> ReadUsage | None:
    """Return what reads the usage data that the configuration names; None for none, and for a snapshot."""
    if config.usage is None or call.snapshot is not None:
        return None
    from rolecall.cli.usage_data import usage_reader

    return usage_reader(call, config, config.usage)


def whose(call: Invocation, config: Config) -> Whose:
    """Return which configuration plans, to know what another one applied last. Git is called only if that matters."""
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


def plan_exit(plan: Plan, *, observed: bool, detailed: bool, strict: bool = False) -> Exit:
    """Return the exit code of a plan, assertions aside. ``strict``: a plan that requires approval is refused, and one
    with a guard that is not evaluated is incomplete.

    A what-if is incomplete where users that it needs were not read; that alone does not block it.
    """
    from rolecall.plan.coverage import USERS

    codes = [Exit.ERROR] if plan.errored else []
    unknown = bool(plan.what_if) and (USERS in plan.unread or plan.impact.problem is not None)
    verdicts = {guard.verdict for guard in plan.guards if not (unknown and guard.name == "unread")}
    failed = any(test.refuses and (test.evaluated or not unknown) for test in plan.access_tests)
    refused = "block" in verdicts or (strict and "review" in verdicts)
    codes += [Exit.REFUSED] if refused or failed else []
    codes += [Exit.UNSEEN] if unknown or (strict and "not judged" in verdicts) else []
    if detailed and (plan.writes or plan.human):
        codes.append(Exit.CHANGES)
    elif detailed and (plan.unread or plan.outdated or observed):
        codes.append(Exit.UNSEEN)
    return worst(*codes)


def read_state(call: Invocation, config: Config, at: str, scope: PeopleScope, *, test: bool = False) -> OrgState:
    """Return the state that ``--at`` names: `live`, `desired`, or a saved plan's file."""

    async def work() -> OrgState:
        from rolecall.jobs.access import state

        async with session(call, config) as opened:
            return await state(plan_request(call, opened), _at(at), scope, test=test)

    return wait_for(work())


def read_inventory(call: Invocation) -> Inventory:
    """Return what the org has and the configuration does not manage."""

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
    """Return 1 if an answer needs users and none were read, 7 if some were, else 0."""
    return {"complete": Exit.OK, "partial": Exit.UNSEEN, "unread": Exit.ERROR}[coverage.state]


def report_coverage(call: Invocation, config: Config, coverage: Coverage, hint: str | None = None) -> Exit:
    """Write to stderr how much was read of the users, unless all were; return the exit code.

    ``hint`` is what to do; without it, that follows from the source of users in the configuration.
    """
    from rolecall.jobs.people import people_hint
    from rolecall.plan.coverage import incomplete

    message = incomplete(coverage)
    if message is not None:
        hint = hint or people_hint(config.people, observed=config.org.kind == "observed")
        partial = coverage.state == "partial"
        problem = Problem("users_unread", clause(message), None, hint, "warning" if partial else "error")
        tell([problem], as_json=call.log_format == "json", color=call.color)
    return coverage_exit(coverage)
