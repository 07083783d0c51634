"""Defines what a configuration points at: the org, the source of users, the journal. Addresses and references, no
secrets.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from rolecall.errors import Where


class SecretRef(NamedTuple):
    """``{env: NAME}``, ``{file: PATH}`` or ``{exec: [command, ...]}``."""

    kind: Literal["env", "file", "exec"]
    value: str | tuple[str, ...]
    source: Where | None = None


OrgKind = Literal["https", "http", "local", "observed"]
URL_FORMS = "https://HOST, observed:FILE or local:PATH"
"""The forms of ``org.url``, for messages. http:// is only for this machine."""
PeopleKind = Literal["org", "file", "scim", "okta", "entra"]
PeopleShown = Literal["names", "masked", "counts"]

DEFAULT_JOURNAL = "sqlite:.rolecall/journal.db"
DEFAULT_KEEP_DAYS = 730
AUDIT_KEEP_DAYS = 90


class OrgTarget(NamedTuple):
    """The org of a configuration. ``url`` as written: ``https://...``, ``http://...``, ``local:PATH``,
    ``observed:PATH``.

    ``id`` is a pin: any other org is refused.
    """

    name: str
    url: str
    id: str | None = None
    token: SecretRef | None = None
    source: Where | None = None

    @property
    def kind(self) -> OrgKind:
        """Return the scheme of ``url``."""
        scheme = self.url.partition(":")[0].lower()
        return "https" if scheme == "https" else "http" if scheme == "http" else _file_kind(scheme)

    @property
    def path(self) -> str:
        """Return PATH of ``local:PATH`` and ``observed:PATH``, relative to the configuration directory; empty for a
        URL.
        """
        return "" if self.kind in ("http", "https") else self.url.partition(":")[2]


def _file_kind(scheme: str) -> OrgKind:
    return "observed" if scheme == "observed" else "local"


class WriteCredential(NamedTuple):
    """The credential that rolecall writes to the IdP with: a token, a service app's ID and private key in Okta, or an
    app registration's ID and client secret in Entra."""

    token: SecretRef | None = None
    client_id: str = ""
    private_key: SecretRef | None = None
    client_secret: SecretRef | None = None

    @property
    def secret(self) -> SecretRef | None:
        """Return the reference of its secret."""
        return self.token or self.private_key or self.client_secret


class PeopleSource(NamedTuple):
    """The source of users and memberships.

    ``at`` is the path of ``file``, the base URL of ``scim`` and ``okta``, the tenant of ``entra``. ``app`` is the id of
    the WRITER app there. ``token`` is a bearer or API token. ``client_id`` goes with Entra's ``client_secret`` or with
    the ``private_key`` of a service app in Okta. ``url`` and ``login_url`` are Entra's base URLs if not the public
    cloud's. ``files`` are globs, for kind ``file`` instead of one path; ``allow_empty``: the files may contain no
    users. ``section`` is where the configuration has it: ``people``, ``idp.okta`` or ``idp.entra``. ``write`` is None
    if rolecall only reads there.
    """

    kind: PeopleKind = "org"
    at: str = ""
    app: str = ""
    token: SecretRef | None = None
    client_id: str = ""
    client_secret: SecretRef | None = None
    private_key: SecretRef | None = None
    url: str | None = None
    login_url: str | None = None
    files: tuple[str, ...] = ()
    allow_empty: bool = False
    source: Where | None = None
    section: str = "people"
    write: WriteCredential | None = None

    @property
    def of_idp(self) -> bool:
        """Return whether it is the connection of the section ``idp``."""
        return self.section != "people"


class JournalTarget(NamedTuple):
    """The URL of the journal, and for how many days runs are kept. ``named`` is true if the configuration has the
    URL."""

    url: str | SecretRef = DEFAULT_JOURNAL
    keep_days: int = DEFAULT_KEEP_DAYS
    source: Where | None = None
    named: bool = False

    @property
    def is_default(self) -> bool:
        return self.url == DEFAULT_JOURNAL


class AuditTarget(NamedTuple):
    """WRITER's audit log: the ID of the organization at WRITER, a key of it, and for how many days records are kept.

    ``url`` is that of a stand-in on this machine.
    """

    writer: str
    token: SecretRef
    keep_days: int = AUDIT_KEEP_DAYS
    url: str | None = None
    source: Where | None = None


class UsageTarget(NamedTuple):
    """WRITER's usage data: the ID of the organization at WRITER, and a key of it that may read all teams.

    ``url`` is that of a stand-in on this machine.
    """

    writer: str
    token: SecretRef
    url: str | None = None
    source: Where | None = None
