"""Put a SCIM token that an admin created in WRITER in the IdP: the IdP has an API for that, and WRITER has none."""

from __future__ import annotations

from collections.abc import Callable

from rolecall.errors import Blocked, Problem, Where
from rolecall.jobs.rotate import RotationResult, reason
from rolecall.live.port import ConnectionWriter
from rolecall.model.idp_app import WRITER_HOST
from rolecall.model.outcome import Done, Refused

STOPPED = "WRITER's old token may not work anymore: until the IdP has a valid one, changes in the IdP do not arrive."
AGAIN = "Run the same command again."


async def put_entered(
    idp: ConnectionWriter, secret: str, began: Callable[[], None], source: Where | None = None
) -> RotationResult:
    """Test a token in the IdP, save it there, and test the saved one. ``began`` is called before it is saved.

    ``source`` is the place of the app in the configuration. All of it can be repeated. Raises Blocked if the app does
    not send to WRITER, and OrgError if it cannot be read: nothing was changed then.
    """
    host = await idp.host()
    if host != WRITER_HOST:
        message = f"the app in the IdP sends to {host}, not to {WRITER_HOST}"
        raise Blocked(Problem("idp_target", message, source, "correct `app` in the section `idp`"))
    tested = await idp.test(secret)
    if not isinstance(tested, Done):
        return _not_done(f"The IdP cannot connect with this token, which was not saved: {reason(tested)}.")
    began()
    saved = await idp.save(secret)
    if isinstance(saved, Refused):
        return _not_done(f"The IdP did not save the token: {saved.problem.message}.")
    tested = await idp.test_saved()
    if not isinstance(tested, Done):
        return _not_done(f"The connection of the IdP does not work: {reason(tested)}.")
    if not isinstance(saved, Done):
        return _not_done(f"It is unknown whether the IdP saved the token: {reason(saved)}.")
    return RotationResult("done", ("The IdP saved the new token, and connects with it.",))


def _not_done(why: str) -> RotationResult:
    return RotationResult("incomplete", (why, STOPPED, AGAIN))
