"""A runbook whose text is followed mechanically takes the org to the state that the plan wants.

For random plans a model of the console does what the text says, by the labels of its pages. It ends where the plan's
changes end, nothing else changes, and no step needs what a later one brings.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import orgs
from console_model import NONE, Console, mapping_shown, shown
from hypothesis import event, given
from hypothesis import strategies as st

from rolecall.model.kinds import SINGLETONS, initial_value
from rolecall.model.live import Group, Live
from rolecall.model.settings import BLANK, Settings
from rolecall.plan.forecast import State, follow
from rolecall.plan.make import make
from rolecall.plan.order.visits import step_numbers
from rolecall.plan.value import Plan
from rolecall.report.builders.runbook.document import runbook_document
from rolecall.report.builders.runbook.idp import IDPS
from rolecall.report.builders.runbook.setup import setup_document
from rolecall.report.renderers.runbook import runbook_markdown


@st.composite
def observed(draw: st.DrawFn) -> Live:
    """An org that only an admin can change, on any endpoint."""
    live = draw(orgs.lives())
    endpoint = draw(st.sampled_from(["new", "new", "upgrading", "legacy"]))
    scim = replace(live.settings.scim, endpoint=endpoint)
    links = {} if endpoint == "upgrading" else None
    facts = live.facts._replace(observed=True, can=frozenset(), legacy_links=links)
    return replace(live, settings=replace(live.settings, scim=scim), facts=facts)


def pages(settings: Settings) -> dict[str, object]:
    return Console(settings).state


def followed(plan: Plan, live: Live) -> Console:
    """The console after the runbook of a plan."""
    refused = any(guard.name == "preconditions" and guard.verdict != "pass" for guard in plan.guards)
    console = Console(live.settings, strict=not refused)
    console.follow(runbook_markdown(runbook_document(plan)))
    return console


@given(orgs.desireds(), observed())
def test_a_runbook_that_is_followed_mechanically_reaches_what_the_plan_wants(desired, live):
    plan = make(orgs.question(desired, live))
    last = follow(State(live.settings, live.facts), plan.human).settings
    assert followed(plan, live).state == pages(last)
    for change in plan.human:
        event(f"{change.address.partition('/')[0]} {change.action}")


def read_again(live: Live, plan: Plan, console: Console) -> Live:
    """The org after the runbook: its settings, and the groups that its text had pushed, of which none is mapped."""
    state = follow(State(live.settings, live.facts), plan.human)
    upgrade = any(change.action == "upgrade" for change in plan.changes)
    pushed = {*console.groups, *(plan.desired.settings.idp_groups or {} if upgrade else ())}
    groups = {**dict.fromkeys(pushed, BLANK), **(state.settings.idp_groups or {})}
    facts = state.facts._replace(groups={name: Group(f"id-{name}") for name in groups})
    return replace(live, settings=replace(state.settings, idp_groups=groups), facts=facts)


@given(orgs.desireds(), observed())
def test_after_a_few_runbooks_no_plan_has_anything_left(desired, live):
    intents = {at: intent._replace(previously=(), id=None) for at, intent in desired.intents.items()}
    desired = desired._replace(intents=intents)
    for _ in range(4):
        plan = make(orgs.question(desired, live))
        if plan.errored or any(guard.name == "preconditions" and guard.verdict != "pass" for guard in plan.guards):
            event("the console refuses it")
            return
        live = read_again(live, plan, followed(plan, live))
    assert make(orgs.question(desired, live)).changes == ()


@given(orgs.desireds(), observed())
def test_every_manual_step_has_one_number_and_mappings_are_split_only_by_another_page(desired, live):
    plan = make(orgs.question(desired, live))
    numbered = [number for change, number in step_numbers(plan.changes) if change.via == "human"]
    assert len({number.number for number in numbered}) == len(numbered) == len(plan.human)
    text = runbook_markdown(runbook_document(plan))
    visits = [line for line in text.splitlines() if line.startswith("## Step ") and "last part" not in line]
    assert len(visits) == len({number.visit for number in numbered})
    of_groups = ["roup" in line.partition(" · ")[2] for line in visits]
    assert not any(first and second for first, second in pairwise(of_groups))
    assert text.count("comes between") == max(sum(of_groups) - 1, 0)


NEW_ORG = Settings({}, *(initial_value(kind) for kind in SINGLETONS), idp_groups={})
"""An org that nothing was set up in."""


@given(orgs.settings(orgs.maybe), st.sampled_from(IDPS))
def test_the_setup_runbook_takes_a_new_org_to_the_configuration(desired, idp):
    console = Console(NEW_ORG, strict=bool(desired.domains))
    console.follow(runbook_markdown(setup_document(desired, idp, "acme")))
    assert console.pages["sso"]["SAML SSO"] == console.pages["scim"]["SCIM provisioning"] == "on"
    assert console.groups.keys() == (desired.idp_groups or {}).keys()
    for name, mapping in (desired.idp_groups or {}).items():
        assert console.groups[name] == mapping_shown(mapping)
    for name, domain in (desired.domains or {}).items():
        assert matches(console.domains[name], shown("domains", domain))
    for section in ("defaults", "sso", "scim"):
        if getattr(desired, section):
            assert matches(console.pages[section], shown(section, getattr(desired, section)))


FORCED = {"SAML SSO", "SCIM provisioning", "IdP metadata", "Identity provider"}
"""What the runbook sets up whatever the configuration says."""


def matches(page: dict[str, str], wanted: dict[str, str]) -> bool:
    return all(text in (NONE, page[label]) for label, text in wanted.items() if label not in FORCED)
