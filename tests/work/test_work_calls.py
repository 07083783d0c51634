"""How many calls one mapping costs, phase by phase, and that ten thousand cost no more each than a hundred.

A limit is a tenth above what was counted when it was written. Whoever lowers a count lowers its limit; whoever must
raise one says why in the commit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from counting import count, each
from drifts import many as many_drifts
from small_org import ask, config, live, many, person

from rolecall.access.entitlements import Entitlements
from rolecall.access.rules import compile_access
from rolecall.desired.build import build
from rolecall.desired.check.validate import validate
from rolecall.desired.load.read import load
from rolecall.drift.scan import scan
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.desired import Applied
from rolecall.model.policy import Policy
from rolecall.model.settings import GroupMapping, Settings
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.saved.digest import digest
from rolecall.report.builders.drift import drift_document
from rolecall.report.builders.plan import plan_document
from rolecall.report.document import Document
from rolecall.report.line import plain
from rolecall.report.renderers.html import html
from rolecall.report.renderers.markdown import markdown
from rolecall.report.renderers.text import document_lines

SMALL, LARGE = 100, 300
TEAMS = ("Everyone", "Brand", "Legal", "IT", "Sales")

Asked = Callable[[int], PlanInput]


def write(folder: Path, number: int) -> Path:
    """A config of so many mappings and the snapshot of an org that has them."""
    place = folder / str(number)
    place.mkdir(exist_ok=True)
    rows = [f"  G{n}: {{role: member, teams: [{TEAMS[n % 5]}, {TEAMS[(n + 1) % 5]}]}}" for n in range(number)]
    head = ["version: 1", "org: {name: acme, url: 'https://rolecall.example.com'}", "idp_groups:"]
    (place / "rolecall.yaml").write_text("\n".join([*head, *rows, ""]))
    groups = {f"G{n}": {"role": "member", "teams": [TEAMS[n % 5], TEAMS[(n + 1) % 5]]} for n in range(number)}
    org = {"snapshot": 1, "org": {"id": "o", "name": "acme"}, "teams": TEAMS, "idp_groups": groups, "people": []}
    (place / "live.json").write_text(json.dumps(org))
    return place


FILES: dict[str, tuple[float, Callable[[Path], Callable[[], object]]]] = {
    "load": (56, lambda place: lambda: load(place)),
    "validate": (7, lambda place: (lambda sources: lambda: validate(sources))(load(place))),
    "build": (20, lambda place: (lambda sources: lambda: build(sources))(load(place))),
    "snapshot": (25, lambda place: SnapshotReader(place / "live.json").load),
}


@pytest.mark.parametrize("phase", FILES)
def test_files_cost_so_many_calls_a_mapping(phase: str, tmp_path: Path):
    limit, make_work = FILES[phase]
    assert each(lambda number: make_work(write(tmp_path, number)), SMALL, LARGE) <= limit


def same(number: int) -> PlanInput:
    """A config that asks for what the org has."""
    groups = {f"G{n}": f"member: {TEAMS[n % 5]}" for n in range(number)}
    return ask(config(groups), live(groups), [])


def all_changed(number: int) -> PlanInput:
    """Every mapping gives another team."""
    before = {f"G{n}": f"member: {TEAMS[n % 5]}" for n in range(number)}
    after = {f"G{n}": f"member: {TEAMS[(n + 1) % 5]}" for n in range(number)}
    return ask(config(after), live(before), [])


def all_unmapped(number: int) -> PlanInput:
    """The config lists none of the mappings, and is authoritative."""
    return ask(config({}), live({f"G{n}": "member: Brand" for n in range(number)}), [])


def all_unmanaged(number: int) -> PlanInput:
    """The config lists none of the mappings, and leaves them alone."""
    wanted = config({}, Policy(manage={"idp_groups": "additive"}))
    return ask(wanted, live({f"G{n}": "member: Brand" for n in range(number)}), many(5, "G0", "G1"))


def all_released(number: int) -> PlanInput:
    """All were applied once, and the config no longer asks for them."""
    held = {f"G{n}": GroupMapping("member", frozenset({"Brand"})) for n in range(number)}
    asked = all_unmanaged(number)
    return asked._replace(applied=Applied(Settings(idp_groups=held)))


def all_waiting(number: int) -> PlanInput:
    """None of the groups has been pushed."""
    return ask(config({f"G{n}": "member: Brand" for n in range(number)}), live({}), [])


QUESTIONS: dict[str, tuple[Asked, float]] = {
    "the same": (same, 25),
    "all changed": (all_changed, 256),
    "all unmapped": (all_unmapped, 235),
    "all unmanaged": (all_unmanaged, 37),
    "all released": (all_released, 82),
    "all waiting": (all_waiting, 100),
}


def planning(asked: Asked) -> Callable[[int], Callable[[], object]]:
    def work(number: int) -> Callable[[], object]:
        plan_input = asked(number)
        return lambda: make(plan_input)

    return work


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_plan_costs_so_many_calls_a_mapping(what: str):
    asked, limit = QUESTIONS[what]
    assert each(planning(asked), SMALL, LARGE) <= limit


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_plan_of_many_costs_no_more_for_each(what: str):
    work = planning(QUESTIONS[what][0])
    assert each(work, 4 * LARGE, 5 * LARGE) <= 1.1 * each(work, SMALL, LARGE) + 1


def sink(write_out: Callable[[Document], object]) -> Callable[[int], Callable[[], object]]:
    def work(number: int) -> Callable[[], object]:
        plan = make(all_changed(number))
        key = digest(plan)
        return lambda: write_out(plan_document(plan, key))

    return work


SINKS: dict[str, tuple[Callable[[Document], object], float]] = {
    "text": (lambda document: plain(document_lines(document)), 205),
    "Markdown": (markdown, 200),
    "HTML": (html, 365),
}


@pytest.mark.parametrize("form", SINKS)
def test_a_change_is_written_out_in_so_many_calls(form: str):
    write_out, limit = SINKS[form]
    assert each(sink(write_out), SMALL, LARGE) <= limit


@pytest.mark.parametrize("form", SINKS)
def test_many_changes_are_written_out_in_no_more_each(form: str):
    write_out, _ = SINKS[form]
    assert each(sink(write_out), 4 * LARGE, 5 * LARGE) <= 1.1 * each(sink(write_out), SMALL, LARGE) + 1


def test_a_check_costs_so_many_calls_a_drift():
    assert each(lambda number: (lambda asked: lambda: scan(asked))(many_drifts(number)), SMALL, LARGE) <= 1416


def test_a_drift_report_costs_so_many_calls_a_drift():
    def work(number: int) -> Callable[[], object]:
        report = scan(many_drifts(number)).report
        return lambda: html(drift_document(report))

    assert each(work, SMALL, LARGE) <= 851


def in_all_of_them(number: int) -> PlanInput:
    """So many mappings change, and each of ten users is in all but one of them."""
    groups = [f"G{n}" for n in range(number)]
    people = [person(f"p{n}", *(group for at, group in enumerate(groups) if at != n)) for n in range(10)]
    wanted = {group: f"member: T{n}" for n, group in enumerate(groups)}
    return ask(config(wanted), live(dict.fromkeys(groups, "")), people)


def test_a_report_on_users_in_many_changed_groups_grows_with_the_number_of_groups():
    def work(number: int) -> Callable[[], object]:
        plan = make(in_all_of_them(number))
        key = digest(plan)
        return lambda: plan_document(plan, key)

    assert each(work, 40, 80) <= 1.05 * each(work, 20, 40) <= 1_480


def test_rules_after_a_plan_cost_no_call_for_a_team_of_an_unchanged_mapping():
    """Both states have equal mappings, so what they give is computed for the first one only."""
    teams = [f"T{number}" for number in range(400)]

    def compiling(width: int) -> int:
        state = live({f"G{n}": f"member: {', '.join(teams[n:width])}" for n in range(50)})
        entitlements = Entitlements()
        compile_access(state.settings, state.facts, entitlements=entitlements)
        return count(lambda: compile_access(state.settings, state.facts, entitlements=entitlements)).calls

    assert compiling(400) == compiling(100)
