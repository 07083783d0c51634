"""Each request of a rotation in turn goes wrong, and the process dies at each moment.

Afterwards the token that Entra has is always valid, and the journal has no secret; calling it again ends with one
token, which is the new one, in Entra.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from idp import Fault
from rotation_bench import PREFIX, Killed, Kind, RotationBench, rotation_bench

from rolecall.errors import RolecallError
from rolecall.localorg.store import tokens

CI_EXAMPLES = 100
STATUSES = (401, 403, 404, 409, 429, 500)
FAULTS = {
    **{str(status): Fault(status) for status in STATUSES},
    "500 after the write": Fault(500, after=True),
    "time-out before the write": Fault("silence"),
    "time-out after the write": Fault("silence", after=True),
    "truncated JSON": Fault("truncated"),
}
ORG_FAULTS: tuple[Kind, ...] = (*STATUSES, "lost before", "lost after", "truncated")
ONCE_AND_ON = pytest.mark.parametrize("times", [1, 1000])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RotationBench]:
    with rotation_bench(tmp_path_factory.mktemp("rotation")) as bench:
        yield bench


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The org records uses more often, so that no test waits long."""
    monkeypatch.setattr(tokens, "OFTEN", timedelta(seconds=0.01))


def hold_the_laws(bench: RotationBench, old: str, label: str) -> None:
    assert bench.used is not None, label
    assert len(bench.valid) <= 2, label
    assert PREFIX not in bench.stored, label
    bench.entra.faults.clear()
    bench.org.fail(0, "lost before", 0)
    bench.die = lambda event: None
    for _ in range(3):
        if bench.rotate().state == "done":
            break
    assert bench.valid == [bench.used], label
    assert bench.used != old, label
    assert not bench.open, label
    assert PREFIX not in bench.stored, label


def numbers(methods: list[str], number: int) -> list[int]:
    """The requests that fail in turn, from 1: all writes, and in CI every fourth read, others for each fault."""
    every = 4 if settings.default.max_examples <= CI_EXAMPLES else 1
    return [at for at, method in enumerate(methods, 1) if method != "GET" or (at + number) % every == 0]


def attempt(bench: RotationBench) -> None:
    """Rotate; an error, or the death of the process, ends it."""
    with suppress(RolecallError, Killed):
        bench.rotate()


def test_a_rotation(bench: RotationBench) -> None:
    bench.again()
    old = bench.used
    result = bench.rotate()
    assert result.state == "done"
    assert bench.valid == [bench.used]
    assert bench.used != old
    assert str(old) in result.sentences[0]
    assert PREFIX not in bench.stored
    with bench.journal() as journal:
        (run,) = journal.runs()
        assert (run.kind, run.outcome) == ("rotate", "done")
        assert journal.verify(run.org_id).problems == ()
    writes = [(write.method, write.path.rpartition("/")[2]) for write in bench.entra.writes]
    assert writes == [("POST", "validateCredentials"), ("PUT", "secrets"), ("POST", "validateCredentials")]


@ONCE_AND_ON
@pytest.mark.parametrize("what", FAULTS)
def test_each_request_to_entra_fails(bench: RotationBench, what: str, times: int) -> None:
    bench.again()
    bench.rotate()
    methods = [request.method for request in bench.entra.requests]
    assert methods.count("GET") > 3
    for number in numbers(methods, [*FAULTS].index(what) + times):
        bench.again()
        old = str(bench.used)
        bench.entra.faults.append(replace(FAULTS[what], number=number, times=times))
        attempt(bench)
        hold_the_laws(bench, old, f"{what} at request {number} to Entra")


@ONCE_AND_ON
@pytest.mark.parametrize("what", ORG_FAULTS)
def test_each_request_to_the_org_fails(bench: RotationBench, what: Kind, times: int) -> None:
    bench.again()
    bench.org.fail(0, what, 0)
    bench.rotate()
    assert {"POST", "DELETE"} < set(bench.org.methods)
    for number in numbers([*bench.org.methods], [*ORG_FAULTS].index(what) + times):
        bench.again()
        old = str(bench.used)
        bench.org.fail(number, what, times)
        attempt(bench)
        hold_the_laws(bench, old, f"{what} at request {number} to the org")


def test_the_process_dies_at_each_moment(bench: RotationBench) -> None:
    bench.again()
    events: list[str] = []
    bench.die = events.append
    bench.rotate()
    assert {"before save", "after save", "before create", "after create", "before revoke", "after keep"} <= {*events}
    for number, event in enumerate(events):
        bench.again()
        old = str(bench.used)
        left = [number]

        def die(_: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        bench.die = die
        attempt(bench)
        bench.die = lambda event: None
        hold_the_laws(bench, old, f"dies at event {number}, {event}")


@pytest.mark.parametrize("phase", ["before save", "after save", "after test_saved", "after create"])
def test_a_rotation_that_entra_does_not_use_can_be_abandoned(bench: RotationBench, phase: str) -> None:
    bench.again()
    old = bench.used

    def die(event: str) -> None:
        if event == phase:
            raise Killed

    bench.die = die
    attempt(bench)
    bench.die = lambda event: None
    new = bench.used
    if new == old:
        assert bench.abandon().state == "abandoned"
        assert bench.valid == [old]
        assert not bench.open
    else:
        with pytest.raises(RolecallError, match="the IdP uses the new token"):
            bench.abandon()
        assert bench.used == new


def test_a_token_that_an_admin_enters(bench: RotationBench, tmp_path: Path) -> None:
    bench.again()
    old, file = str(bench.used), tmp_path / "token"
    result = bench.rotate(api=False, file=file)
    assert result.state == "handed_over"
    secret = file.read_text()
    assert bench.rotate(api=False).sentences == ("The IdP has not used the new token yet.",)
    user = bench.entra.add_user(f"{secret[-6:].lower().replace('_', 'x').replace('-', 'y')}@acme.com")
    bench.entra.assign(user.upn)
    bench.entra.secrets["SecretToken"] = secret
    bench.entra.target().find("/Users", "userName", "nobody")
    assert "nothing was provisioned with it yet" in bench.rotate(api=False).sentences[0]
    assert bench.valid == [old, str(bench.used)]
    bench.entra.provision()
    assert bench.rotate(api=False).state == "done"
    assert bench.valid == [bench.used]
    assert bench.used != old
    assert not file.exists()


def test_two_tokens_and_another_target_are_refused(bench: RotationBench) -> None:
    bench.again()
    bench.entra.secrets["BaseAddress"] = "https://elsewhere.example/scim"
    with pytest.raises(RolecallError, match=r"sends to elsewhere\.example"):
        bench.rotate()
    bench.again()
    with bench.db.write() as tx:
        tokens.issue_token(tx, "scim")
    with pytest.raises(RolecallError, match="the org has 2 SCIM tokens"):
        bench.rotate()
    assert bench.entra.writes == []


def test_a_value_that_entra_does_not_show_is_not_lost(bench: RotationBench) -> None:
    bench.again()
    bench.entra.secrets["Oauth2ClientSecret"] = "x"
    with pytest.raises(RolecallError, match="does not show Oauth2ClientSecret"):
        bench.rotate()
    assert bench.entra.writes == []
    assert len(bench.valid) == 1


@ONCE_AND_ON
@pytest.mark.parametrize("phase", ["before save", "after save", "after test_saved"])
def test_nothing_that_fails_while_abandoning_revokes_the_token_in_use(
    bench: RotationBench, phase: str, times: int
) -> None:
    def die(event: str) -> None:
        if event == phase:
            raise Killed

    for what in ("400", "503", "time-out before the write"):
        bench.again()
        bench.die = die
        attempt(bench)
        bench.die = lambda event: None
        bench.entra.faults.append(replace(FAULTS.get(what, Fault(400)), times=times, path="validateCredentials"))
        with suppress(RolecallError):
            bench.abandon()
        assert bench.used is not None, (phase, what)
        bench.entra.faults.clear()
        with suppress(RolecallError):
            bench.abandon()
        assert bench.used is not None, (phase, what)


def test_a_rotation_is_not_abandoned_without_the_credential_that_may_have_saved_it(bench: RotationBench) -> None:
    def die(event: str) -> None:
        if event == "after save":
            raise Killed

    bench.again()
    bench.die = die
    attempt(bench)
    bench.die = lambda event: None
    with pytest.raises(RolecallError, match="it is unknown which token the IdP uses"):
        bench.abandon(api=False)
    assert bench.used is not None
    assert bench.rotate(api=False).state == "handed_over"
    assert bench.rotate().state == "done"
