"""`init`: what is asked, and what may be answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rolecall.cli.options import Invocation
from rolecall.cli.prompts import ask_or_default, can_ask
from rolecall.errors import ConfigError, Misuse, Problem
from rolecall.jobs.init import OBSERVED, REHEARSAL, Answers

WAY = "How is the org reached: https://…, `observed` (no API: you write down what you see), or `local` (a rehearsal)?"
FORGES = ("github", "gitlab")


def answers_of(
    call: Invocation, folder: Path, name: str | None, url: str | None, idp: str | None, ci: str | None
) -> tuple[Answers, str | None]:
    """What the flags say and a person adds, and the forge whose pipeline is wanted. Raises Misuse for a url that is no
    way to an org."""
    there = can_ask(call)
    called = name or _asked(call, "What is the org called?", folder.name or "org", _named)
    way = _way(url) if url else _asked(call, WAY, "observed" if there else "local", _way)
    provider = idp or _asked(call, "Which IdP: okta, entra or other?", "okta", _one_of("okta", "entra", "other"))
    forge = ci or (
        _asked(call, "A pipeline for github, gitlab or none?", _forge(folder), _forge_word) if there else "none"
    )
    return Answers(called, way, provider, forge in FORGES), forge if forge in FORGES else None


def _asked(call: Invocation, question: str, default: str, read: Callable[[str], str]) -> str:
    """An answer that can be used; asked again until there is one."""
    while True:
        try:
            return read(ask_or_default(call, question, default))
        except (Misuse, ConfigError) as error:
            if not can_ask(call):
                raise
            from rolecall.cli.prompts import say

            say(f"  {error.problems[0]}.")


def _way(said: str) -> str:
    words = {"observed": OBSERVED, "local": REHEARSAL}
    url = words.get(said.strip().casefold(), said.strip())
    scheme, _, rest = url.partition(":")
    if scheme not in ("https", "http", "local", "observed") or not rest.strip("/"):
        hint = "Say https://…, observed or local"
        raise Misuse(Problem("org_url", f"`{said}` is no way to an org", None, hint))
    if scheme in ("https", "http"):
        from rolecall.live.http.httpx_transport import base_url

        base_url(url)
    return url


def _named(said: str) -> str:
    return said


def _one_of(*words: str) -> Callable[[str], str]:
    def read(said: str) -> str:
        near = [word for word in words if said.strip() and word.startswith(said.strip().casefold())]
        if len(near) != 1:
            raise Misuse(Problem("answer", f"`{said}` is none of {', '.join(words)}"))
        return near[0]

    return read


_forge_word = _one_of(*FORGES, "none")


def _forge(folder: Path) -> str:
    """The forge that the repository's remote is at."""
    from rolecall.outside.git import origin

    remote = origin(folder) or ""
    return next((forge for forge in FORGES if forge in remote), "none")
