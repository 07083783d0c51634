"""What only an IdP can tell: how the WRITER app is set up there, held against the org and the config. All warnings."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rolecall.errors import Problem
from rolecall.model.desired import Desired
from rolecall.model.idp import IdpFacts
from rolecall.model.live import Live
from rolecall.model.settings import UNSET
from rolecall.plan.headline import enumerate_words

_NAME = {"okta": "Okta", "entra": "Entra"}
_SHOWN = 5


def lint_idp(facts: IdpFacts, desired: Desired, live: Live) -> tuple[Problem, ...]:
    """The warnings, in a fixed order."""
    found = [*_sending(facts), *_groups(facts), *_entra(facts), *_roles(facts, desired, live), *_apart(facts, live)]
    return tuple(Problem(f"idp_{code}", message, None, hint, "warning") for code, message, hint in found)


_Finding = tuple[str, str, str | None]


def _sending(facts: IdpFacts) -> Iterator[_Finding]:
    if facts.stopped:
        yield "stopped", f"{_NAME[facts.kind]} sends nothing at the moment: {facts.stopped}", "what is planned may wait"
    if facts.unread:
        hint = "what it maps, and whether it runs, is not known"
        yield "unread", f"how the app is set up could be read in part only: {facts.unread}", hint
    for name, why in facts.failing[:_SHOWN]:
        yield "push_failed", f"the last push of `{name}` failed: {why}", "push it again in the IdP"


def _groups(facts: IdpFacts) -> Iterator[_Finding]:
    both = sorted(facts.pushed & facts.assigned) if facts.kind == "okta" else []
    if both:
        hint = "Okta advises against it: assign by one group, push by others"
        yield "assigned_and_pushed", f"both assigned and pushed in Okta: {_listed(both)}", hint
    if facts.unreached:
        names = _listed(sorted(facts.unreached))
        hint = "assign its members to the app, too; until then the mapping gives nobody anything"
        yield "unreached", f"pushed, but none of the members has the app (R30): {names}", hint


def _entra(facts: IdpFacts) -> Iterator[_Finding]:
    if facts.everybody:
        message = "Entra's provisioning scope is all users and groups"
        yield "scope", message, "set it to Sync only assigned users and groups"
    if facts.roles_raw:
        message = "Entra maps `appRoleAssignments` as it stands"
        yield "role_mapping", message, "Microsoft asks for SingleAppRoleAssignment([appRoleAssignments])"


def _roles(facts: IdpFacts, desired: Desired, live: Live) -> Iterator[_Finding]:
    """R19: on the new endpoint the attribute does nothing."""
    scim = live.settings.scim
    if facts.role_sent and scim is not UNSET and scim.endpoint == "new":
        message = f"{_NAME[facts.kind]} still sends a role attribute, which the new endpoint ignores (R19)"
        yield "role_attribute", message, "take it out of the app's mappings; roles come from groups"


def _apart(facts: IdpFacts, live: Live) -> Iterator[_Finding]:
    """Groups on one side only. On a legacy endpoint names need not be the same."""
    groups, scim = live.settings.idp_groups, live.settings.scim
    if groups is UNSET or live.covered("idp_groups").state != "complete" or scim is UNSET or scim.endpoint != "new":
        return
    here = {name.removesuffix(f" [{group.id}]") for name, group in live.facts.groups.items()} | set(groups)
    if missing := sorted(facts.pushed - here):
        message = f"{_NAME[facts.kind]} pushes groups that the org does not have: {_listed(missing)}"
        yield "not_in_org", message, "see in the IdP whether the push failed"
    if extra := sorted(set(groups) - facts.pushed - {name for name in groups if _homonym(name, facts)}):
        message = f"the org has groups that {_NAME[facts.kind]} does not push any more: {_listed(extra)}"
        yield "not_in_idp", message, "nobody joins or leaves them now"


def _homonym(name: str, facts: IdpFacts) -> bool:
    return name.endswith("]") and name.rpartition(" [")[0] in facts.pushed


def _listed(names: Collection[str]) -> str:
    return enumerate_words([f"`{name}`" for name in names], _SHOWN)
