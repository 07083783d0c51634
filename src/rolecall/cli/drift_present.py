"""Puts what a look for drift found before people and machines, with the people it may show."""

from __future__ import annotations

from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.people import mask_key, shown
from rolecall.desired import Config
from rolecall.plan.drift_found import Found
from rolecall.plan.drift_privacy import redact_found
from rolecall.plan.privacy import Shown


def show_found(call: Invocation, config: Config, found: Found, form: str, people: Shown | None) -> None:
    """Print it in one format."""
    out = stdout(call.environ, color=call.color)
    mode = shown(call, people, config.reports_people, terminal=out.terminal)
    told = redacted_found(call, config, found, mode)
    if form == "text":
        from rolecall.report.drift_text import drift_lines
        from rolecall.report.drift_walk import drift_walk

        walked = drift_walk(told)
        out.lines(lambda width: drift_lines(walked, width))
    else:
        out.text(render(told, form))


def redacted_found(call: Invocation, config: Config, found: Found, mode: Shown) -> Found:
    """What a sink may show of it."""
    return redact_found(found, mode, mask_key(call, config.root) if mode == "masked" else b"")


def render(found: Found, form: str) -> str:
    """What was found, already redacted, in one format."""
    import json

    from rolecall.plan.drift_encode import encode_found

    return json.dumps(encode_found(found), ensure_ascii=False, indent=1) + "\n"
