"""Implement `rolecall init`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.prompts import ask_or_default, can_ask
from rolecall.errors import ConfigError, Misuse, Problem

if TYPE_CHECKING:
    from rolecall.jobs.init import Answers


@command(
    "init",
    "rolecall init",
    "rolecall init --no-input --name acme --idp entra",
    "rolecall init --url https://rolecall.example.com --ci github",
)
@click.option("--name", metavar="NAME", help="Name of the org, for plans and reports. Default: the folder's name.")
@click.option(
    "--url",
    metavar="URL",
    help="How the org is reached: observed:org.yaml for a WRITER org, whose settings have no API: you record them with "
    "rolecall observe; https://HOST for a server with rolecall's admin API; local:PATH for a local org to try things "
    "out. Default without a terminal: local:.rolecall/org.db.",
)
@click.option(
    "--idp", type=click.Choice(["okta", "entra", "other"]), help="IdP that provisions the users. Default: okta."
)
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab"]),
    help="Also write a pipeline for this service and hooks for pre-commit. Works in an existing configuration too.",
)
def init(call: Invocation, name: str | None, url: str | None, idp: str | None, ci: str | None) -> None:
    """Create a configuration: rolecall.yaml, schema, README, .gitignore.

    Prompts for what is not given as options. The new configuration manages nothing yet; it has an example of each
    section as a comment, the section `idp` for the IdP that you name.
    """
    from rolecall.jobs.init import MAIN, next_lines, refuse_existing
    from rolecall.jobs.init import init as start

    folder = Path.cwd()
    if ci is not None and (folder / MAIN).exists():
        _add_pipeline(folder, ci)
        return
    refuse_existing(folder)
    answers, forge = answers_of(call, folder, name, url, idp, ci)
    _tell(folder, start(folder, answers))
    if forge is not None:
        _add_pipeline(folder, forge)
    sys.stdout.write("".join(f"{line}\n" for line in ("", "Next:", *(f"  {line}" for line in next_lines(answers)))))


def _add_pipeline(folder: Path, ci: str) -> None:
    from rolecall.jobs.init import init_ci, next_steps
    from rolecall.outside.git import origin

    remote = origin(folder)
    _tell(folder, init_ci(folder, ci, remote))
    sys.stdout.write(next_steps(ci, remote))


def _tell(folder: Path, written: list[Path]) -> None:
    sys.stdout.write("".join(f"Wrote {path.relative_to(folder).as_posix()}\n" for path in written))


WAY = "How is the org reached: https://HOST (API), observed (no API), or local (to try rolecall)?"
FORGES = ("github", "gitlab")


def answers_of(
    call: Invocation, folder: Path, name: str | None, url: str | None, idp: str | None, ci: str | None
) -> tuple[Answers, str | None]:
    """Return what options and user say, and for which service to write a pipeline. Raises Misuse for a bad URL."""
    from rolecall.jobs.init import Answers

    interactive = can_ask(call)
    called = name or _ask(call, "Name of the org", folder.name or "org", _named)
    way = _way(url) if url else _ask(call, WAY, "observed" if interactive else "local", _way)
    provider = idp or _ask(call, "IdP: okta, entra or other", "okta", _one_of("okta", "entra", "other"))
    forge = ci or (
        _ask(call, "Pipeline for github, gitlab or none", _forge(folder), _forge_word) if interactive else "none"
    )
    return Answers(called, way, provider, forge in FORGES), forge if forge in FORGES else None


def _ask(call: Invocation, question: str, default: str, read: Callable[[str], str]) -> str:
    """Return a valid answer; ask again until there is one."""
    while True:
        try:
            return read(ask_or_default(call, question, default))
        except (Misuse, ConfigError) as error:
            if not can_ask(call):
                raise
            from rolecall.cli.prompts import say

            say(f"  {error.problems[0]}.")


def _way(answer: str) -> str:
    from rolecall.jobs.init import OBSERVED, REHEARSAL
    from rolecall.model.target import URL_FORMS

    short_forms = {"observed": OBSERVED, "local": REHEARSAL}
    url = short_forms.get(answer.strip().casefold(), answer.strip())
    scheme, _, path = url.partition(":")
    if scheme not in ("https", "http", "local", "observed") or not path.strip("/"):
        raise Misuse(Problem("org_url", f"`{answer}` is not an org's URL", None, f"enter {URL_FORMS}"))
    if scheme in ("https", "http"):
        from rolecall.live.http.httpx_transport import base_url

        base_url(url)
    return url


def _named(answer: str) -> str:
    return answer


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(answer: str) -> str:
        near = [choice for choice in choices if answer.strip() and choice.startswith(answer.strip().casefold())]
        if len(near) != 1:
            raise Misuse(Problem("answer", f"`{answer}` is not one of {', '.join(choices)}"))
        return near[0]

    return read


_forge_word = _one_of(*FORGES, "none")


def _forge(folder: Path) -> str:
    """Return the service that hosts the repository, by its remote."""
    from rolecall.outside.git import origin

    remote = origin(folder) or ""
    return next((forge for forge in FORGES if forge in remote), "none")
