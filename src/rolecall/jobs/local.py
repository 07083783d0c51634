"""Fill a local org, create tokens for it, reset it and serve it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from rolecall.errors import ConfigError, Misuse, OrgError, Problem, Where
from rolecall.live.embedded import not_installed, shown
from rolecall.model.directory import EVERYBODY
from rolecall.model.kinds import ORG_KINDS, absent_fields, address, field_address
from rolecall.model.settings import UNSET
from rolecall.model.target import OrgTarget
from rolecall.model.usage import UsageRow
from rolecall.source.files import read_file

if TYPE_CHECKING:
    from rolecall.live.snapshot.reader import SnapshotReader
    from rolecall.localorg.load import Loaded
    from rolecall.localorg.store import Database
    from rolecall.localorg.user_roles import RoleEdit
    from rolecall.model.live import Live


class TokenRequest(NamedTuple):
    """A token to create. ``email`` is the user of an admin token; None is a service account."""

    kind: Literal["admin", "scim"]
    email: str | None = None
    read_only: bool = False
    expires: datetime | None = None


def place(target: OrgTarget, folder: Path) -> str:
    """Return the database of a config's local org. Raises Misuse if the org is of another kind."""
    if target.kind != "local":
        message = f"`org.url` is {target.url}, which is not a local org"
        raise Misuse(Problem("not_local", message, target.source, "set it to `local:PATH`, or use --database"))
    return target.path if "://" in target.path else str(folder / target.path)


async def load(where: str, snapshot: SnapshotReader) -> tuple[Loaded, tuple[str, ...]]:
    """Replace everything in the org at ``where``, except tokens, with a snapshot.

    Return what was loaded, and the sections and fields that the snapshot does not have: they are as in a new org.
    """
    live = await snapshot.read()
    people = await snapshot.read_people(EVERYBODY)
    with _opened(where) as database:
        from rolecall.localorg.load import load as fill

        return fill(database, live, people), tuple(_assumed(live))


def _assumed(live: Live) -> Iterator[str]:
    """Yield each singleton, and each field of a singleton or domain, that was not read; metadata may be missing."""
    for kind in ORG_KINDS:
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


def make_token(where: str, request: TokenRequest) -> str:
    """Create a token and return its secret, which is not stored."""
    with _opened(where) as database:
        from rolecall.localorg.manage import make_token as make

        scope: Literal["read", "write"] = "read" if request.read_only else "write"
        return make(database, request.kind, scope=scope, email=request.email, expires=request.expires).secret


def standing(where: str, email: str) -> str:
    """Return what a user is in the org: `org admin`, `no org admin`, or `nobody` if not an active user."""
    with _opened(where) as database:
        from rolecall.localorg.manage import standing as of

        return of(database, email)


def reset(where: str, *, keep_tokens: bool = False) -> None:
    """Reset the org to a new, empty one."""
    with _opened(where) as database:
        from rolecall.localorg.manage import reset as empty

        empty(database, keep_tokens=keep_tokens)


def edit_role(where: str, edit: RoleEdit) -> str | None:
    """Change a user's role manually, and return its name in the console; None for a removed one.

    Raises Misuse for an unknown user, role or team, for a locked one, and for an author who is not an org admin.
    """
    with _opened(where) as database:
        from rolecall.localorg.manage import standing as of
        from rolecall.localorg.user_roles import edit_role as change

        if edit.by is not None and of(database, edit.by) != "org admin":
            hint = "use an active org admin with --as, or leave it out"
            raise Misuse(Problem("not_org_admin", f"{edit.by} is not an org admin", None, hint))
        return change(database, edit)


def set_usage(where: str, month: str, table: Path) -> int:
    """Replace the usage data of users for a month, such as ``2026-11``, with the rows of a CSV file.

    Return their number. Raises ConfigError for a file that cannot be read, or that has no name or number of tokens.
    """
    usage_rows = [*_usage_rows(table)]
    with _opened(where) as database:
        from rolecall.localorg.manage import set_usage as fill
        from rolecall.localorg.store.usage import UserUsage

        fill(
            database,
            month,
            (UserUsage(str(n), usage.name, usage.tokens, usage.tokens) for n, usage in enumerate(usage_rows, 1)),
        )
    return len(usage_rows)


def _usage_rows(table: Path) -> Iterator[UsageRow]:
    """Yield the rows of a CSV file with the columns ``name`` and ``tokens``. Raises ConfigError."""
    try:
        reader = csv.DictReader(io.StringIO(read_file(table).decode("utf-8-sig"), newline=""), strict=True)
        for columns in reader:
            name, tokens = (columns.get("name") or "").strip(), (columns.get("tokens") or "").strip()
            if not name or not (tokens.isascii() and tokens.isdigit()):
                raise _not_usage(table, reader.line_num, "`name` is empty or `tokens` is not a number")
            yield UsageRow(name, int(tokens))
    except (UnicodeError, csv.Error) as error:
        raise _not_usage(table, 0, "is not CSV in UTF-8") from error


def _not_usage(table: Path, line: int, why: str) -> ConfigError:
    hint = "the first line has the names of the columns: name,tokens"
    return ConfigError(Problem("usage_table", why, Where(str(table), line, 1 if line else 0), hint))


def serve(where: str, host: str, port: int, *, remote: bool, announce: Callable[[str], object]) -> None:
    """Serve the org until interrupted; call ``announce`` with the base URL once it listens."""
    with _opened(where) as database:
        from rolecall.localorg.serve import serve as listen

        listen(database, host=host, port=port, remote=remote, announce=announce)


@contextmanager
def _opened(where: str) -> Iterator[Database]:
    """Open a local org's database, creating it if needed. Raises OrgError if an operation on it fails."""
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
        hint = "free disk space, or wait until no other program uses it, and run the command again"
        message = f"the local org in {shown(where)} was not changed: {reason}"
        raise OrgError(Problem("local_failed", message, None, hint)) from error
    finally:
        database.close()
