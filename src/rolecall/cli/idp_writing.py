"""Open the connection that writes to the IdP, for `apply` alone: its credential, and which app it may be used for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rolecall.cli.options import Invocation
from rolecall.cli.session import Session, secret
from rolecall.errors import Blocked, Problem, SecretError

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.journal.port import Journal
    from rolecall.live.connect import PeopleConnection
    from rolecall.live.people.entra_secrets import EntraSecrets
    from rolecall.live.port import IdpWriter
    from rolecall.model.target import PeopleSource, SecretRef, WriteCredential
    from rolecall.plan.value import Plan

APP = "ROLECALL_IDP_APP"
HOST = "ROLECALL_IDP_HOST"


def check_idp_target(call: Invocation, config: Config) -> None:
    """Raise Blocked unless the app that `apply` may write to is the one that the environment names. It writes to Okta
    only.

    In a pipeline both the app and its host must be named there, so that no branch can choose another one.
    """
    source = config.idp
    if source is not None and source.kind == "okta":
        _check_target(call, source)


def _check_target(call: Invocation, source: PeopleSource) -> None:
    from rolecall.live.secrets import check_app, check_host, is_ci

    if source.write is None:
        return
    if is_ci(call.environ) and not call.environ.get(APP, "").strip():
        message = f"in CI, {APP} must name the app that may be written to, so that no branch can choose another one"
        raise Blocked(
            Problem("idp_target", message, source.source, f"set {APP}={source.app} in the pipeline's settings")
        )
    try:
        check_app(source.app, call.environ, source.write.secret)
        for url in (source.url, source.login_url) if source.kind == "entra" else (source.at,):
            if url is not None:
                check_host(url, call.environ, source.write.secret, HOST)
    except SecretError as error:
        raise Blocked(*error.problems) from error


@asynccontextmanager
async def idp_writing(
    call: Invocation, opened: Session, plan: Plan, journal: Journal
) -> AsyncIterator[IdpWriter | None]:
    """Yield the connection that writes to the IdP; None if nothing is to be written there, or nothing can be.

    The credential is resolved here, before anything is sent. Raises SecretError if it is missing, Blocked if it must
    not be used.
    """
    from rolecall.live.people.okta import OktaPeople

    source = opened.config.idp
    write = None if source is None else source.write
    if source is None or write is None or not _is_needed(plan, journal) or not isinstance(opened.idp, OktaPeople):
        yield None
        return
    from rolecall.live.connect import connect_okta_writer

    writer = connect_okta_writer(opened.idp, source.at, _connection(call, opened.config, source, write))
    try:
        yield writer
    finally:
        await writer.close()


def entra_secrets(call: Invocation, opened: Session) -> EntraSecrets | None:
    """Return the connection that replaces the SCIM token in Entra; None without a credential that writes there.

    Raises SecretError if it is missing, Blocked if it must not be used.
    """
    from rolecall.live.connect import connect_entra_secrets
    from rolecall.live.people.entra import EntraPeople

    source = opened.config.idp
    write = None if source is None else source.write
    if source is None or write is None or not isinstance(opened.idp, EntraPeople):
        return None
    _check_target(call, source)
    return connect_entra_secrets(opened.idp, source.at, _connection(call, opened.config, source, write))


def _connection(call: Invocation, config: Config, source: PeopleSource, write: WriteCredential) -> PeopleConnection:
    """Return the connection for writing, with its credential resolved.

    Raises SecretError if that is missing, Blocked if it must not be used.
    """
    from rolecall.live.connect import PeopleConnection

    section = f"{source.section}.write"
    text = _resolved(call, config, write, section)
    _check_other(call, config, source, write, text)

    def resolved() -> str:
        """Return the secret."""
        return text

    return PeopleConnection(
        token=None if write.token is None else resolved,
        client_secret=None if write.client_secret is None else resolved,
        private_key=None if write.private_key is None else resolved,
        app=source.app,
        client_id=write.client_id,
        url=source.url,
        login_url=source.login_url,
        section=section,
    )


def _is_needed(plan: Plan, journal: Journal) -> bool:
    """Return whether the plan changes the IdP, or an earlier run left such a step open."""
    from rolecall.model.kinds import of_idp

    planned = (change.address for change in plan.changes)
    return any(map(of_idp, (*planned, *(step.address for step in journal.open_steps(plan.org.id)))))


def _resolved(call: Invocation, config: Config, write: WriteCredential, section: str) -> str:
    """Return the secret of the credential. Raises SecretError, with its key and place."""
    reference = write.secret
    assert reference is not None
    try:
        return secret(call, config, reference, lines=reference is write.private_key)
    except SecretError as error:
        problem = error.problems[0]
        keys = {id(write.token): "token", id(write.client_secret): "client_secret"}
        key = keys.get(id(reference), "private_key")
        raise SecretError(problem._replace(message=f"`{section}.{key}`: {problem.message}")) from error


def _check_other(call: Invocation, config: Config, source: PeopleSource, write: WriteCredential, text: str) -> None:
    """Raise Blocked in a pipeline if the credential for writing is also one for reading, which plans use."""
    from rolecall.live.secrets import is_ci

    if not is_ci(call.environ):
        return
    reading = [source, *([config.people] if config.people.kind == source.kind else ())]
    if any(_is_same(call, config, reader, write, text) for reader in reading):
        message = "in CI, the credential that writes to the IdP must not be the one that reads it"
        hint = "create a second credential for `write`, which only the job that applies can read"
        place = None if write.secret is None else write.secret.source
        raise Blocked(Problem("idp_credential", message, place, hint))


def _is_same(call: Invocation, config: Config, source: PeopleSource, write: WriteCredential, text: str) -> bool:
    reading: SecretRef | None = source.token or source.private_key or source.client_secret
    same_app = write.client_id != "" and write.client_id == source.client_id
    return same_app or (reading is not None and secret(call, config, reading, lines=True) == text)
