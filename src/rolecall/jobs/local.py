"""Use cases of the local org: fill it, make tokens, reset it, serve it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from rolecall.errors import ConfigError, Misuse, OrgError, Problem
from rolecall.model.directory import EVERYBODY
from rolecall.model.target import OrgTarget

if TYPE_CHECKING:
    from rolecall.live.observed import SnapshotReader
    from rolecall.localorg.load import Loaded
    from rolecall.localorg.store import Database


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


async def load(where: str, snapshot: SnapshotReader) -> Loaded:
    """Make the org at ``where`` what a snapshot says; what it held before goes, but for tokens."""
    live = await snapshot.read()
    people = await snapshot.read_people(EVERYBODY)
    with _Opened(where) as database:
        from rolecall.localorg.load import load as fill

        return fill(database, live, people)


def make_token(where: str, wish: Wish) -> str:
    """A new token's secret, which is kept nowhere."""
    with _Opened(where) as database:
        from rolecall.localorg.manage import make_token as make

        scope: Literal["read", "write"] = "read" if wish.read_only else "write"
        return make(database, wish.kind, scope=scope, email=wish.email, expires=wish.expires).secret


def reset(where: str, *, keep_tokens: bool = False) -> None:
    """An org as new: nothing in it but what every org begins with."""
    with _Opened(where) as database:
        from rolecall.localorg.manage import reset as empty

        empty(database, keep_tokens=keep_tokens)


def serve(where: str, host: str, port: int, *, remote: bool, announce: Callable[[str], object]) -> None:
    """Serve until interrupted; ``announce`` is given the base URL once it listens."""
    with _Opened(where) as database:
        from rolecall.localorg.serve import serve as listen

        listen(database, host=host, port=port, remote=remote, announce=announce)


class _Opened:
    """A local org's database for a while, made where there is none."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> Database:
        try:
            from sqlalchemy.exc import SQLAlchemyError

            from rolecall.localorg.store import open_database
        except ModuleNotFoundError as error:
            message = f"a local org needs the extra `local` (`{error.name}` is not installed)"
            hint = "run pip install 'rolecall[local]'"
            raise ConfigError(Problem("local_not_installed", message, None, hint)) from None
        if "://" not in self._where:
            Path(self._where).parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = open_database(self._where)
        except SQLAlchemyError as error:
            said = str(getattr(error, "orig", None) or error).partition("\n")[0]
            message = f"this is not a local org that can be opened: {said}"
            raise OrgError(Problem("local_unusable", message, None, "check `org.url` or --database")) from None
        return self._database

    def __exit__(self, *exc: object) -> None:
        self._database.close()
