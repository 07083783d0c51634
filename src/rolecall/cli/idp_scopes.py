"""Read the scopes of the credentials that a configuration has for Okta, for `doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rolecall.cli.options import Invocation
from rolecall.cli.session import secret
from rolecall.errors import SecretError

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.model.checkup import Check
    from rolecall.model.target import PeopleSource, SecretRef, WriteCredential

READ, WRITE = "scopes", "write_scopes"


def scope_checks(call: Invocation, config: Config) -> Iterator[Check]:
    """Yield the checks of the scopes that the section `idp` needs: those for reading, and those for writing.

    In a pipeline only `apply` resolves the credential that writes.
    """
    from rolecall.live.people.okta_records import READS
    from rolecall.live.secrets import is_ci
    from rolecall.model.checkup import Check

    source = config.idp
    if source is None or source.kind != "okta":
        return
    yield _checked(call, config, source, source, READ, READS)
    if source.write is None:
        return
    if is_ci(call.environ):
        yield Check(WRITE, "only apply reads the credential that writes", skipped=True)
        return
    yield _checked(call, config, source, source.write, WRITE, _write_uses(config))


def _write_uses(config: Config) -> Mapping[str, str]:
    """Return the scopes for writing what the configuration lists, with their uses."""
    from rolecall.live.people.okta_records import WRITES
    from rolecall.model.settings import UNSET

    pushes = config.desired.settings.idp_pushes is not UNSET
    return WRITES if pushes else {scope: use for scope, use in WRITES.items() if not scope.startswith("okta.groups.")}


def _checked(
    call: Invocation,
    config: Config,
    source: PeopleSource,
    credential: PeopleSource | WriteCredential,
    name: str,
    uses: Mapping[str, str],
) -> Check:
    from rolecall.jobs.doctor_scopes import examine_scopes
    from rolecall.live.connect import PeopleConnection, okta_scopes
    from rolecall.live.secrets import check_app, check_host
    from rolecall.model.checkup import Check

    key = source.section if credential is source else f"{source.section}.write"
    reference: SecretRef | None = credential.token or credential.private_key
    try:
        check_host(source.at, call.environ, reference, "ROLECALL_IDP_HOST")
        check_app(source.app, call.environ, reference)
        pem = None if credential.private_key is None else secret(call, config, credential.private_key, lines=True)
    except SecretError as error:
        return Check(name, f"`{key}`: {error.problems[0].message}", skipped=True)
    way = PeopleConnection(
        private_key=None if pem is None else lambda: pem, client_id=credential.client_id, section=key
    )
    try:
        granted = okta_scopes(source.at, way, uses)
    except SecretError as error:
        return Check(name, problems=error.problems)
    return examine_scopes(name, key, granted, uses)
