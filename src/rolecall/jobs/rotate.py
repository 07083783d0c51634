"""Rotate the SCIM token: create one in WRITER, put it in the IdP, prove that the IdP uses it, then revoke the old one.

The journal has how far a rotation got before each request is sent, and never a secret. After a crash, the next call
goes on from there: a new token whose secret is lost is revoked if the IdP cannot be using it, and the old one is
revoked only once a request of the IdP with the new one had success.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, NamedTuple

from rolecall.codec.record import Codec
from rolecall.errors import Blocked, OrgError, Problem, Where
from rolecall.journal.port import Journal, OrgLock
from rolecall.live.http.proxies import LOOPBACK
from rolecall.live.people.idp_client import url_host
from rolecall.live.port import ConnectionWriter, TokenIssuer
from rolecall.model.outcome import Done, Outcome, Refused, Unknown
from rolecall.model.rotation import NewToken, Rotation, ScimEndpoint
from rolecall.model.run import Opening, RunFacts

NOTE = "scim.rotation"
"""The key of the journal's note with the rotation that is not finished."""
SETTLE = 0.3
"""Seconds after which an org records a further use of a token."""
_CODEC = Codec()

State = Literal["done", "handed_over", "incomplete", "abandoned"]


class RotationResult(NamedTuple):
    """The state of a rotation after a call, as sentences; ``file`` has the secret if an admin has to enter it."""

    state: State
    sentences: tuple[str, ...]
    file: str | None = None


class Rotator(NamedTuple):
    """Hold what a rotation needs.

    ``idp`` is None if an admin enters the token in the IdP: ``file`` is then for its secret, and ``hand_over`` writes
    it to a new file. ``where`` names the app in the IdP, ``source`` is its place in the configuration.
    """

    org: TokenIssuer
    journal: Journal
    lock: OrgLock
    org_id: str
    where: str
    facts: RunFacts
    sleep: Callable[[float], Awaitable[None]]
    idp: ConnectionWriter | None = None
    file: Path | None = None
    hand_over: Callable[[Path, str], None] | None = None
    source: Where | None = None

    def keep(self, rotation: Rotation | None) -> None:
        """Record how far the rotation got. Raises LockLost if another process took over."""
        self.lock.check()
        self.journal.keep(self.org_id, NOTE, None if rotation is None else _CODEC.encode_record(rotation))

    def end(self, rotation: Rotation, message: str, *, done: bool) -> None:
        """Record the end of a rotation."""
        self.keep(None)
        self.journal.close_run(rotation.run, "done" if done else "incomplete", message)

    def key(self, rotation: Rotation, name: str) -> str:
        """Return the Idempotency-Key of a request."""
        return f"rolecall/{self.journal.id}/{rotation.run}/{name}"


def open_rotation(journal: Journal, org_id: str) -> Rotation | None:
    """Return the rotation that is not finished."""
    return journal.recall(org_id, NOTE, lambda note: _CODEC.decode(Rotation, note))


async def rotate(context: Rotator) -> RotationResult:
    """Begin a rotation, or go on with the one that is not finished. Raises Blocked, and OrgError before anything was
    sent."""
    rotation = open_rotation(context.journal, context.org_id)
    if rotation is None:
        return await _begin(context)
    _check_same(context, rotation)
    return await _resume(context, rotation)


def _check_same(context: Rotator, rotation: Rotation) -> None:
    if rotation.where != context.where:
        message = f"a rotation for {rotation.where or 'an IdP that is not configured'} is not finished"
        hint = "finish it with the configuration of then, or give it up: rolecall rotate scim-token --abandon"
        raise Blocked(Problem("rotation_open", message, None, hint))


async def _begin(context: Rotator) -> RotationResult:
    endpoint = await context.org.read()
    if len(endpoint.tokens) > 1:
        listed = ", ".join(f"{token.id} of {token.created[:10]}" for token in endpoint.tokens)
        message = f"the org has {len(endpoint.tokens)} SCIM tokens ({listed}), so no further one can be created"
        raise Blocked(Problem("two_tokens", message, None, "revoke the one that the IdP does not use"))
    if context.idp is not None:
        await _check_target(context.idp, endpoint, context.source)
    elif context.file is None:
        hint = "name a new file for its secret, which only you can read: --out FILE"
        raise Blocked(Problem("no_file", "an admin has to enter the new token in the IdP", None, hint))
    elif context.file.exists():
        raise Blocked(Problem("file_exists", f"{context.file} exists already", None, "name a new file: --out FILE"))
    run = context.journal.begin(Opening(context.org_id, "rotate", context.facts))
    file = None if context.idp is not None else str(context.file)
    old = tuple(token.id for token in endpoint.tokens)
    return await _create(context, Rotation(run, context.where, old, "creating", file=file))


async def _check_target(idp: ConnectionWriter, endpoint: ScimEndpoint, source: Where | None) -> None:
    """Raise Blocked if the app sends to another host than that of this org: it must not get its token."""
    host, expected = await idp.host(), url_host(endpoint.url)
    if host != expected and not (host in LOOPBACK and expected in LOOPBACK):
        message = f"the app in the IdP sends to {host}, and the SCIM endpoint of this org is on {expected}"
        raise Blocked(Problem("idp_target", message, source, "correct `app` in the section `idp`"))


async def _create(context: Rotator, rotation: Rotation) -> RotationResult:
    """Create the token. What the response to an earlier attempt had is lost: that token is revoked, and another one
    created."""
    context.keep(rotation)
    created = await context.org.create(context.key(rotation, f"create-{rotation.attempt}"))
    match created:
        case Refused(problem):
            context.end(rotation, f"no token was created: {problem.message}", done=False)
            return RotationResult("incomplete", (f"No token was created: {problem.message}.", *_OLD_STAYS))
        case Unknown(problem):
            return RotationResult("incomplete", (_unclear(problem), _AGAIN))
        case NewToken(token_id, None):
            return await _replace(context, rotation._replace(new=token_id))
        case NewToken(token_id, secret):
            rotation = rotation._replace(phase="created", new=token_id)
            context.keep(rotation)
            if context.idp is not None:
                return await _put(context, context.idp, rotation, secret or "")
            return await _hand_over(context, rotation, secret or "")


async def _drop(context: Rotator, rotation: Rotation) -> Outcome:
    """Revoke the new token."""
    return await context.org.revoke(rotation.new or "", context.key(rotation, f"drop-{rotation.new}"))


async def _replace(context: Rotator, rotation: Rotation) -> RotationResult:
    """Revoke a new token that the IdP does not use and whose secret is lost, and create another one."""
    revoked = await _drop(context, rotation)
    if not isinstance(revoked, Done):
        sentence = f"The token {rotation.new}, whose secret is lost, {_still_valid(revoked)}"
        return RotationResult("incomplete", (sentence, _AGAIN))
    again = rotation._replace(phase="creating", new=None, attempt=rotation.attempt + 1)
    return await _create(context, again)


async def _give_up(context: Rotator, rotation: Rotation, why: str) -> RotationResult:
    """End a rotation whose new token the IdP does not have: revoke that token."""
    revoked = await _drop(context, rotation)
    if not isinstance(revoked, Done):
        context.keep(rotation)
        return RotationResult("incomplete", (f"{why}. The new token {_still_valid(revoked)}", _AGAIN))
    context.end(rotation, why, done=False)
    return RotationResult("incomplete", (f"{why}. The new token was revoked.", *_OLD_STAYS))


async def _put(context: Rotator, idp: ConnectionWriter, rotation: Rotation, secret: str) -> RotationResult:
    """Test the token in the IdP, save it there, and prove that it is used."""
    tested = await idp.test(secret)
    if not isinstance(tested, Done):
        return await _give_up(context, rotation, f"The IdP cannot connect with the new token: {reason(tested)}")
    await context.sleep(SETTLE)
    try:
        before = await context.org.read()
    except OrgError as error:
        return await _give_up(context, rotation, f"The org could not be read: {error.problems[0].message}")
    rotation = rotation._replace(phase="saving")
    context.keep(rotation)
    saved = await idp.save(secret)
    if isinstance(saved, Refused):
        return await _give_up(context, rotation, f"The IdP did not save the new token: {saved.problem.message}")
    return await _prove(context, idp, rotation, before, saved)


async def _prove(
    context: Rotator, idp: ConnectionWriter, rotation: Rotation, before: ScimEndpoint, saved: Outcome | None
) -> RotationResult:
    """Let the IdP send a request with the saved token, and revoke the old one if the new one was used.

    ``before`` is the org before that. An org that does not record uses proves nothing: it is then enough that the IdP
    accepted the token just now (``saved``), and the connection works. Only a use of the old one proves that the new
    one is not saved.
    """
    tested = await idp.test_saved()
    if not isinstance(tested, Done):
        why = f"The connection of the IdP does not work: {reason(tested)}."
        return RotationResult("incomplete", (why, _BOTH, _AGAIN))
    endpoint = await context.org.read()
    used = endpoint.used_since(before)
    if rotation.new in used or (not endpoint.records_uses and isinstance(saved, Done)):
        return await _finish(context, rotation._replace(phase="proven"))
    if not endpoint.records_uses:
        return RotationResult("incomplete", ("It is unknown which token the IdP uses.", _BOTH, _BY_HAND))
    if saved is None and used.intersection(rotation.old):
        return await _replace(context, rotation)
    return RotationResult("incomplete", ("The IdP has not used the new token yet.", _BOTH, _AGAIN))


async def _finish(context: Rotator, rotation: Rotation) -> RotationResult:
    """Revoke the old tokens, now that the IdP uses the new one."""
    context.keep(rotation)
    _remove(rotation)
    for token_id in rotation.old:
        revoked = await context.org.revoke(token_id, context.key(rotation, f"revoke-{token_id}"))
        if not isinstance(revoked, Done):
            sentence = f"The IdP uses the new token. The old one, {token_id}, {_still_valid(revoked)}"
            return RotationResult("incomplete", (sentence, _AGAIN))
    left = [token_id for token_id in rotation.old if (await context.org.read()).token(token_id) is not None]
    if left:
        return RotationResult("incomplete", (f"The old token {', '.join(left)} is still valid.", _AGAIN))
    where = f" in {rotation.where}" if rotation.where else " in the IdP"
    former = f", and {', '.join(rotation.old)} was revoked" if rotation.old else ""
    context.end(rotation, f"token {rotation.new} is in use{where}{former}", done=True)
    return RotationResult("done", (f"The IdP uses the new token {rotation.new}{former}.",))


async def _hand_over(context: Rotator, rotation: Rotation, secret: str) -> RotationResult:
    """Write the secret to its file, for an admin who enters it in the IdP."""
    assert context.hand_over is not None
    assert rotation.file is not None
    try:
        context.hand_over(Path(rotation.file), secret)
    except OSError as error:
        return await _give_up(context, rotation, f"{rotation.file} could not be written: {error.strerror}")
    context.keep(rotation._replace(phase="handed_over"))
    return RotationResult("handed_over", (f"The new token {rotation.new} is in {rotation.file}.",), rotation.file)


async def _resume(context: Rotator, rotation: Rotation) -> RotationResult:
    match rotation.phase:
        case "creating":
            return await _create(context, rotation)
        case "created" if await _is_unused(context, rotation):
            _remove(rotation)
            return await _replace(context, rotation)
        case "proven":
            return await _finish(context, rotation)
        case "saving" if context.idp is not None:
            before = await context.org.read()
            await context.sleep(SETTLE)
            return await _prove(context, context.idp, rotation, before, None)
        case _:
            return await _check_handed_over(context, rotation)


async def _is_unused(context: Rotator, rotation: Rotation) -> bool:
    """Return whether a new token was not used: its file may have been written before the process died."""
    token = (await context.org.read()).token(rotation.new)
    return rotation.file is None or token is None or token.used is None


def _remove(rotation: Rotation) -> None:
    """Remove the file that has the secret."""
    if rotation.file is not None:
        Path(rotation.file).unlink(missing_ok=True)


async def _check_handed_over(context: Rotator, rotation: Rotation) -> RotationResult:
    """Finish once the IdP wrote with the new token and did not use the old one since: a test in the IdP's page proves
    nothing, since the token may not have been saved."""
    endpoint = await context.org.read()
    new = endpoint.token(rotation.new)
    if new is None:
        context.end(rotation, f"token {rotation.new} is not valid anymore", done=False)
        return RotationResult("incomplete", ("The new token is not valid anymore.", *_OLD_STAYS))
    uses = [token.used for token_id in rotation.old if (token := endpoint.token(token_id)) and token.used]
    if new.wrote is not None and all(used < new.wrote for used in uses):
        return await _finish(context, rotation._replace(phase="proven"))
    if new.used is None:
        why = "The IdP has not used the new token yet."
    elif new.wrote is None:
        why = "The new token was used, but nothing was provisioned with it yet: it may not be saved in the IdP."
    else:
        why = "The IdP used the old token after the new one."
    return RotationResult("handed_over", (why,), rotation.file)


async def abandon(context: Rotator) -> RotationResult:
    """Give up the rotation that is not finished, unless the IdP uses the new token. Raises Blocked if there is none."""
    rotation = open_rotation(context.journal, context.org_id)
    if rotation is None:
        raise Blocked(Problem("no_rotation", "there is no rotation to abandon"))
    if rotation.phase == "creating":
        created = await context.org.create(context.key(rotation, f"create-{rotation.attempt}"))
        if not isinstance(created, NewToken):
            return RotationResult("incomplete", (_unclear(created.problem), _AGAIN))
        rotation = rotation._replace(new=created.id)
    if rotation.phase == "saving":
        _check_same(context, rotation)
    if rotation.phase == "proven" or await _in_use(context, rotation):
        message = "the IdP uses the new token, so only the old one can go"
        raise Blocked(Problem("rotation_proven", message, None, "finish the rotation: rolecall rotate scim-token"))
    revoked = await _drop(context, rotation)
    if not isinstance(revoked, Done):
        return RotationResult("incomplete", (f"The new token {_still_valid(revoked)}", _AGAIN))
    _remove(rotation)
    context.end(rotation, f"abandoned; token {rotation.new} was revoked", done=False)
    return RotationResult("abandoned", ("The new token was revoked.", *_OLD_STAYS))


async def _in_use(context: Rotator, rotation: Rotation) -> bool:
    """Return whether the IdP may be using the new token. Raises Blocked if that is unknown."""
    before = await context.org.read()
    token = before.token(rotation.new)
    if token is None or rotation.phase == "creating":
        return False
    if rotation.phase != "saving":
        late = [old.used for at in rotation.old if (old := before.token(at)) and old.used]
        return rotation.file is not None and token.used is not None and all(used <= token.used for used in late)
    await context.sleep(SETTLE)
    tested = None if context.idp is None else await context.idp.test_saved()
    if not isinstance(tested, Done):
        why = "there is no credential for it" if tested is None else reason(tested)
        message = f"it is unknown which token the IdP uses: {why}"
        raise Blocked(Problem("rotation_unclear", message, None, "abandon it once the connection of the IdP works"))
    used = (await context.org.read()).used_since(before)
    return rotation.new in used or not used.intersection(rotation.old)


_OLD_STAYS = ("The old token is still in use, and provisioning goes on.",)
_BOTH = "Both tokens are valid, and neither was revoked."
_AGAIN = "To continue: rolecall rotate scim-token"
_BY_HAND = "Enter a new token in the IdP's portal, then: rolecall rotate scim-token --abandon"


def _unclear(problem: Problem) -> str:
    return f"It is unknown whether a token was created: {problem.message}."


def reason(outcome: Outcome) -> str:
    """Return why a request had no success."""
    return outcome.problem.message if isinstance(outcome, Refused | Unknown) else "no reason was given"


def _still_valid(outcome: Outcome) -> str:
    return f"is still valid: {reason(outcome)}."
