"""`validate --online`: a config held against the live org, its people and the IdP's app."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.cli.options import Invocation
from rolecall.cli.session import read, session, wait_for
from rolecall.errors import Problem


def online_problems(call: Invocation) -> Sequence[Problem]:
    """What the org does not have, what its people make of the config, and what the IdP tells."""
    return wait_for(_problems(call))


async def _problems(call: Invocation) -> Sequence[Problem]:
    from rolecall.cli.asking import request_for
    from rolecall.jobs.validate import check_online

    config = read(call)
    async with session(call, config) as found:
        return await check_online(config, request_for(call, found))
