"""kill -9 of an apply before, during and after each step, of the server, and what two applies at once do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from faulty_proxy import FaultyProxy
from workbench import PLANNED, WANTED, Workbench

from rolecall.journal.opened import open_journal

CHILD = Path(__file__).parents[1] / "support" / "apply_child.py"


@pytest.fixture
def bench(tmp_path: Path):
    made = Workbench(tmp_path)
    with made.served() as port:
        made.port, made.secret, made.children = port, made.token(), []
        yield made
        for one in made.children:
            one.kill()
            one.wait()
            one.stdout.close()


def child(
    bench: Workbench, port: int, url: str = "sqlite:child.db", timeout: float = 0, room: int | None = None
) -> subprocess.Popen[str]:
    args = [sys.executable, str(CHILD), str(bench.folder), url, str(port), bench.secret, str(timeout)]
    args += [] if room is None else [str(room)]
    path = os.pathsep.join([str(CHILD.parent), os.environ.get("PYTHONPATH", "")])
    started = subprocess.Popen(args, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
    bench.children.append(started)
    return started


def writes(bench: Workbench) -> Counter[str]:
    return Counter(address for address, key in bench.events() if key and key.startswith("rolecall/"))


@pytest.mark.parametrize("moment", ["held_before", "held_after"])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_killed_at_a_step_the_next_apply_settles_it_and_goes_on(bench: Workbench, moment: str, step: int) -> None:
    puts = 0

    def fault(_: int, seen) -> str | None:
        nonlocal puts
        puts += seen.method in ("PUT", "DELETE")
        return moment if puts == step and seen.method in ("PUT", "DELETE") else None

    with FaultyProxy(bench.port, fault) as proxy:
        victim = child(bench, proxy.port)
        assert proxy.arrived.wait(30)
        victim.kill()
        victim.wait()
    done = step if moment == "held_after" else step - 1
    assert sum(writes(bench).values()) == done
    journal = open_journal("sqlite:child.db", bench.folder)
    assert [s.number for s in journal.open_steps("org_1")] == [step]
    journal.close()
    survivor = child(bench, bench.port)
    out, _ = survivor.communicate(timeout=60)
    assert out.split()[-1] == ("done" if done < 3 else "nothing")
    assert writes(bench) == Counter(dict.fromkeys(PLANNED, 1))
    journal = open_journal("sqlite:child.db", bench.folder)
    first = journal.runs("org_1")[-1]
    assert first.steps[step - 1].state == ("done" if moment == "held_after" else "not_done")
    assert journal.open_steps("org_1") == ()
    assert journal.verify("org_1").problems == ()
    journal.close()
    assert bench.plan(WANTED).changes == ()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_of_two_applies_at_once_one_waits_for_the_other_to_end(
    bench: Workbench, kind: str, request: pytest.FixtureRequest
) -> None:
    url = "sqlite:shared.db" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    open_journal(url, bench.folder).close()
    with FaultyProxy(bench.port, lambda n, seen: "held_before" if seen.method == "PUT" else None) as slow:
        first = child(bench, slow.port, url)
        assert slow.arrived.wait(30)
        refused, _ = child(bench, bench.port, url).communicate(timeout=60)
        assert refused == "planned\nlock_taken\n"
        second = child(bench, bench.port, url, timeout=60)
        assert second.stdout.readline() == "planned\n"
        assert second.stdout.readline() == "waiting for child\n"
        first.kill()
        first.communicate()
        out, _ = second.communicate(timeout=60)
    assert out.strip() == "outcome done"
    assert writes(bench) == Counter(dict.fromkeys(PLANNED, 1))


def test_a_holder_that_is_paused_keeps_its_lock_and_goes_on_when_resumed(bench: Workbench, postgres_url: str) -> None:
    open_journal(postgres_url, bench.folder).close()
    gate = {"open": False}

    def fault(_: int, seen) -> str | None:
        if seen.method == "PUT" and not gate["open"]:
            gate["open"] = True
            return "429_seconds"
        return None

    with FaultyProxy(bench.port, fault) as proxy:
        holder = child(bench, proxy.port, postgres_url)
        assert holder.stdout.readline() == "planned\n"
        while not gate["open"]:
            assert holder.poll() is None
        holder.send_signal(signal.SIGSTOP)
        out, _ = child(bench, bench.port, postgres_url).communicate(timeout=60)
        assert out == "planned\nlock_taken\n"
        holder.send_signal(signal.SIGCONT)
        out, _ = holder.communicate(timeout=60)
    assert out.strip() == "outcome done"
    assert writes(bench) == Counter(dict.fromkeys(PLANNED, 1))


def test_killed_with_the_server_gone_the_next_apply_says_so_and_writes_nothing(bench: Workbench) -> None:
    port = bench.port
    with FaultyProxy(port, lambda n, seen: "held_after" if seen.method == "PUT" else None) as proxy:
        victim = child(bench, proxy.port)
        assert proxy.arrived.wait(30)
        victim.kill()
        victim.communicate()
    before = bench.events()
    with FaultyProxy(port, lambda n, seen: "refused") as dead:
        out, _ = child(bench, dead.port).communicate(timeout=90)
    assert "outcome" not in out
    assert bench.events() == before


@pytest.mark.parametrize("room", [0, 2_000, 30_000, 38_000, 50_000])
def test_a_full_disk_under_the_journal_stops_the_run_and_room_lets_it_go_on(bench: Workbench, room: int) -> None:
    open_journal("sqlite:child.db", bench.folder).close()
    out, _ = child(bench, bench.port, room=room).communicate(timeout=60)
    ended = out.split()[-1]
    assert ended in ("journal_written", "open", "done")
    with open_journal("sqlite:child.db", bench.folder) as journal:
        runs = journal.runs("org_1")
        intended = {step.address for run in runs for step in run.steps if step.key}
        assert writes(bench).keys() <= intended
        assert journal.verify("org_1").problems == ()
        assert bool(runs) == (ended != "journal_written")
    out, _ = child(bench, bench.port).communicate(timeout=60)
    assert out.split()[-1] in ("done", "nothing")
    assert writes(bench) == Counter(dict.fromkeys(PLANNED, 1))
    with open_journal("sqlite:child.db", bench.folder) as journal:
        assert journal.open_steps("org_1") == ()
        assert {run.outcome for run in journal.runs("org_1")} <= {"done", "nothing", "incomplete"}


SERVE = [sys.executable, "-m", "rolecall", "local", "serve", "--database", "org.db", "--port"]


def serve(bench: Workbench, port: int = 0) -> tuple[subprocess.Popen[str], int]:
    """`rolecall local serve`, and the port it listens on."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("ROLECALL_")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    server = subprocess.Popen([*SERVE, str(port)], cwd=bench.folder, env={**env, "PYTHONUNBUFFERED": "1"}, **pipes)
    bench.children.append(server)
    for line in server.stdout:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            return server, int(found[1])
    raise AssertionError("the server never said where it is")


@pytest.mark.parametrize("moment", ["before", "during"])
def test_the_server_is_killed_in_the_middle_and_started_again(bench: Workbench, moment: str) -> None:
    server, port = serve(bench)
    puts = 0

    def fault(_: int, seen) -> str | None:
        nonlocal puts
        puts += seen.method in ("PUT", "DELETE")
        if puts == 2 and server.poll() is None:
            server.kill()
            if moment == "before":
                server.wait()
        return None

    with FaultyProxy(port, fault) as proxy:
        out, _ = child(bench, proxy.port).communicate(timeout=90)
    assert out.split()[-1] in ("incomplete", "done"), out
    assert moment == "during" or out.split()[-1] == "incomplete"
    server.wait()
    _, again = serve(bench, port)
    out, _ = child(bench, again).communicate(timeout=60)
    assert out.split()[-1] in ("done", "nothing"), out
    assert writes(bench) == Counter(dict.fromkeys(PLANNED, 1))
    assert bench.plan(WANTED).changes == ()
