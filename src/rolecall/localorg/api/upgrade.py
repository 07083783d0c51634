"""The two steps from the legacy endpoint to the new one (R20), with SCIM on. There is no way back."""

from __future__ import annotations

from sqlalchemy import Connection, false

from rolecall.localorg.api.call import Call, Written, check_parameters
from rolecall.localorg.api.fields import body_object
from rolecall.localorg.api.singletons import item, require_scim_plan
from rolecall.localorg.api.writes import check_match, etag
from rolecall.localorg.store import counters
from rolecall.localorg.store.singletons import Singleton, read_singleton, write_singleton
from rolecall.localorg.store.tables import GROUPS
from rolecall.localorg.web import refuse


def start(call: Call, tx: Connection) -> Written:
    """Empty the list of groups: each must be pushed again. Legacy access stays in force as it was."""
    held = _begin(call, tx, "legacy", "The upgrade was started before")
    tx.execute(GROUPS.update().values(pushed=False))
    return _finish(call, tx, held, "upgrading")


def complete(call: Call, tx: Connection) -> Written:
    """Switch everybody to the new endpoint at once; what was not pushed again is gone."""
    held = _begin(call, tx, "upgrading", "Only an upgrade that was started can be completed")
    tx.execute(GROUPS.delete().where(GROUPS.c.pushed == false()))
    return _finish(call, tx, held, "new")


def _begin(call: Call, tx: Connection, expected: str, words: str) -> Singleton:
    check_parameters(call)
    require_scim_plan(call)
    held = read_singleton(tx, "scim")
    check_match(call, etag(held.version))
    if call.request.body:
        body_object(call, {})
    endpoint = held.value["endpoint"]
    if endpoint != expected:
        raise refuse(409, "wrong_endpoint", f"{words}; the endpoint is `{endpoint}` (R20)", endpoint=endpoint)
    if not held.value["enabled"]:
        raise refuse(409, "scim_first", "The endpoint cannot be upgraded while SCIM is off; switch SCIM on first (R20)")
    return held


def _finish(call: Call, tx: Connection, held: Singleton, endpoint: str) -> Written:
    after = write_singleton(tx, "scim", {**held.value, "endpoint": endpoint})
    counters.bump(tx, "idp_groups")
    counters.bump(tx, "people")
    answer = item(call, tx, "scim", after)
    return Written("scim", "upgrade", held.value, after.value, answer, etag(after.version))
