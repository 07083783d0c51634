"""`validate` against an org: a live one with `--online`, an observed one from its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rolecall.cli.options import Invocation, root_of
from rolecall.cli.session import read, session, wait_for
from rolecall.errors import Problem, RolecallError

if TYPE_CHECKING:
    from rolecall.desired import Config


def online_problems(call: Invocation) -> Sequence[Problem]:
    """What the org does not have, what its people make of the config, and what the IdP tells."""
    return wait_for(_problems(call))


async def _problems(call: Invocation) -> Sequence[Problem]:
    from rolecall.cli.asking import request_for
    from rolecall.jobs.validate import check_online

    config = read(call)
    async with session(call, config) as found:
        return await check_online(config, request_for(call, found))


def observed_problems(call: Invocation) -> Sequence[Problem]:
    """Return what the files of observed orgs, and of the users read with them, do not have; each problem once."""
    found = (problem for each, config in _observed(call) for problem in wait_for(_from_files(each, config)))
    return list(dict.fromkeys(found))


def _observed(call: Invocation) -> Iterator[tuple[Invocation, Config]]:
    """Yield the configuration, with each overlay where none was chosen, if its org is an observed one with a file."""
    from rolecall.desired import environments, read_config

    root = root_of(call)
    names = (call.env,) if call.env is not None else environments(root.folder) or (None,)
    for env in names:
        try:
            config = read_config(root.folder, env, root.main)
        except RolecallError:
            continue
        if config.org.kind == "observed" and (config.root / config.org.path).exists():
            yield replace(call, env=env, snapshot=None), config


async def _from_files(call: Invocation, config: Config) -> Sequence[Problem]:
    from rolecall.cli.asking import request_for
    from rolecall.jobs.validate import check_observed
    from rolecall.model.desired import NOTHING_APPLIED

    try:
        async with session(call, config) as found:
            request = replace(request_for(call, found), applied=lambda _: NOTHING_APPLIED)
            return await check_observed(config, request)
    except RolecallError as error:
        return error.problems
