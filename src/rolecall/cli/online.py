"""`validate --online`: the names of a config against those of the live org, and the IdP's app against both."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.cli.options import Invocation
from rolecall.cli.session import read, session, wait_for
from rolecall.errors import Problem


def online_problems(call: Invocation) -> Sequence[Problem]:
    """Teams, roles and groups that the org does not have, and what the IdP tells."""
    return wait_for(_problems(call))


async def _problems(call: Invocation) -> Sequence[Problem]:
    from rolecall.jobs.validate import check_online

    config = read(call)
    async with session(call, config) as found:
        return await check_online(config, found.org, found.people)
