"""Use cases of the local org: fill it, make tokens, reset it, serve it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from rolecall.errors import ConfigError, Misuse, OrgError, Problem
from rolecall.live.embedded import not_installed, shown
from rolecall.model.directory import EVERYBODY
from rolecall.model.kinds import KINDS, absent_fields, address, field_address
from rolecall.model.settings import UNSET
from rolecall.model.target import OrgTarget

if TYPE_CHECKING:
    from rolecall.live.snapshot.reader import SnapshotReader
    from rolecall.localorg.load import Loaded
    from rolecall.localorg.store import Database
    from rolecall.model.live import Live


class Wish(NamedTuple):
    """What token to make. ``email`` is the person an admin token is for; None is a service."""

    kind: Literal["admin", "scim"]
    email: str | None = None
    read_only: bool = False
    expires: datetime | None = None


def place(target: OrgTarget, folder: Path) -> str:
    """The database of a config's local org. Raises Misuse when the config names another kind of org."""
    if target.kind != "local":
        message = f"`org.url` is {target.url}, which is no local org"
        raise Misuse(Problem("not_local", message, target.source, "write `local:PATH` there, or say --database"))
    return target.path if "://" in target.path else str(folder / target.path)


async def load(where: str, snapshot: SnapshotReader) -> tuple[Loaded, tuple[str, ...]]:
    """Make the org at ``where`` what a snapshot says; what it held before goes, but for tokens.

    Return what was loaded, and the sections and fields that the snapshot does not have: there the local org is as a
    new one is.
    """
    live = await snapshot.read()
    people = await snapshot.read_people(EVERYBODY)
    with _opened(where) as database:
        from rolecall.localorg.load import load as fill

        return fill(database, live, people), tuple(_assumed(live))


def _assumed(live: Live) -> Iterator[str]:
    """Yield each singleton, and each field of a singleton or domain, that was not read; metadata may be missing."""
    for kind in KINDS:
        setting = getattr(live.settings, kind.section)
        if kind.whole:
            continue
        if setting is UNSET:
            yield kind.section
            continue
        values = setting.items() if kind.keyed else [(None, setting)]
        for key, value in values:
            names = (name for name in absent_fields(value) if name != "metadata")
            yield from (field_address(address(kind.section, key), name) for name in names)


def make_token(where: str, wish: Wish) -> str:
    """A new token's secret, which is kept nowhere."""
    with _opened(where) as database:
        from rolecall.localorg.manage import make_token as make

        scope: Literal["read", "write"] = "read" if wish.read_only else "write"
        return make(database, wish.kind, scope=scope, email=wish.email, expires=wish.expires).secret


def standing(where: str, email: str) -> str:
    """What the org takes a person for: `org admin`, `no org admin`, or `nobody`."""
    with _opened(where) as database:
        from rolecall.localorg.manage import standing as of

        return of(database, email)


def reset(where: str, *, keep_tokens: bool = False) -> None:
    """An org as new: nothing in it but what every org begins with."""
    with _opened(where) as database:
        from rolecall.localorg.manage import reset as empty

        empty(database, keep_tokens=keep_tokens)


def serve(where: str, host: str, port: int, *, remote: bool, announce: Callable[[str], object]) -> None:
    """Serve until interrupted; ``announce`` is given the base URL once it listens."""
    with _opened(where) as database:
        from rolecall.localorg.serve import serve as listen

        listen(database, host=host, port=port, remote=remote, announce=announce)


@contextmanager
def _opened(where: str) -> Iterator[Database]:
    """A local org's database for a while, made where there is none. Raises OrgError for what cannot be done with it."""
    try:
        from sqlalchemy.exc import SQLAlchemyError

        from rolecall.localorg.store import Busy, open_database
    except ModuleNotFoundError as error:
        raise ConfigError(not_installed(error)) from None
    if "://" not in where:
        Path(where).parent.mkdir(parents=True, exist_ok=True)
    database = open_database(where)
    try:
        yield database
    except (SQLAlchemyError, Busy) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        hint = "make room on its disk, or wait for whoever else is using it, and run the command again"
        message = f"the local org in {shown(where)} stays as it was: {reason}"
        raise OrgError(Problem("local_failed", message, None, hint)) from error
    finally:
        database.close()
