"""A past run says which environment is meant by its number, so that what `apply` ended with can be typed as it is."""

from __future__ import annotations

from dataclasses import replace

from rolecall.cli.options import Invocation
from rolecall.cli.root import root_of
from rolecall.errors import ConfigError


def of_run(call: Invocation, number: int) -> Invocation:
    """The invocation with the environment of that run, where the config has overlays and none of them was named.

    The journal is looked up in the config without overlays; where that does not stand alone, nothing is changed.
    """
    from rolecall.cli.session import find_journal
    from rolecall.desired import environments, read_config

    root = root_of(call)
    if call.env is not None or not environments(root.folder):
        return call
    try:
        journal = find_journal(call, read_config(root.folder, None, root.main))
    except ConfigError:
        return call
    if journal is None:
        return call
    with journal:
        run = journal.run(number)
    return call if run is None else replace(call, env=run.facts.env)
