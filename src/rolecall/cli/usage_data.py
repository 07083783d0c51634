"""Read the usage data that a configuration names, for plans. Imported only if there is any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolecall.cli.session import secret
from rolecall.jobs.usage import read_usage
from rolecall.live.usage import UsageData, usage_data
from rolecall.model.usage import UsageReading

if TYPE_CHECKING:
    from rolecall.cli.options import Invocation
    from rolecall.desired.build import Config
    from rolecall.jobs.usage import ReadUsage
    from rolecall.model.target import UsageTarget


def usage_reader(call: Invocation, config: Config, target: UsageTarget) -> ReadUsage:
    """Return what reads the usage data of a month."""

    async def read(month: str) -> UsageReading:
        source = usage_source(call, config, target)
        try:
            return await read_usage(source, month)
        finally:
            await source.close()

    return read


def usage_source(call: Invocation, config: Config, target: UsageTarget) -> UsageData:
    """Return the connection to the usage data; the key is read at the first request."""
    return usage_data(target.writer, lambda: secret(call, config, target.token), target.url)
