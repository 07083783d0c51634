"""Warn where the IdP, the source of users, the org and the config disagree about groups and their members."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rolecall.errors import Problem, did_you_mean
from rolecall.model.desired import Desired
from rolecall.model.directory import IdpFacts
from rolecall.model.live import Live
from rolecall.model.settings import UNSET
from rolecall.plan.coverage import members_words
from rolecall.plan.headline import enumerate_words
from rolecall.plan.inputs import PlanInput

_NAME = {"okta": "Okta", "entra": "Entra"}
_SHOWN = 5


def lint_idp(facts: IdpFacts, desired: Desired, live: Live) -> tuple[Problem, ...]:
    """The warnings, in a fixed order."""
    findings = [*_sending(facts), *_groups(facts), *_entra(facts), *_roles(facts, desired, live), *_apart(facts, live)]
    return tuple(Problem(f"idp_{code}", message, None, hint, "warning") for code, message, hint in findings)


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
    known = {name.removesuffix(f" [{group.id}]") for name, group in live.facts.groups.items()} | set(groups)
    if missing := sorted(facts.pushed - known):
        message = f"{_NAME[facts.kind]} pushes groups that the org does not have: {_listed(missing)}"
        yield "not_in_org", message, "see in the IdP whether the push failed"
    if extra := sorted(set(groups) - facts.pushed - {name for name in groups if _homonym(name, facts)}):
        message = f"the org has groups that {_NAME[facts.kind]} does not push any more: {_listed(extra)}"
        yield "not_in_idp", message, "nobody joins or leaves them now"


def _homonym(name: str, facts: IdpFacts) -> bool:
    return name.endswith("]") and name.rpartition(" [")[0] in facts.pushed


def _listed(names: Collection[str]) -> str:
    return enumerate_words([f"`{name}`" for name in names], _SHOWN)


_NAMED_GROUPS = 5
_COMPARED = 50
"""Names that near matches are looked for, at most."""


def disagreements(plan_input: PlanInput) -> Iterator[Problem]:
    """Yield a warning each for groups that the source has no user in, whose counts differ, and that only it has."""
    directory, facts = plan_input.directory, plan_input.live.facts
    if directory is None:
        return
    missing, differing, unknown = directory.gaps
    desired_groups = plan_input.desired.settings.idp_groups
    strange = [name for name in unknown if desired_groups is UNSET or name not in desired_groups]
    if missing:
        message = f"The people source has no user in {members_words(missing, facts.observed)}"
        hint = _near(sorted(missing), strange) or "check the name of the group in the people source"
        yield _warning("people_group_missing", message, hint)
    if differing:
        who = "the console" if facts.observed else "the org"
        counts = [
            f"{name} ({who} {org:,}, the people source {own:,})" for name, (org, own) in sorted(differing.items())
        ]
        message = f"Members are counted differently: {enumerate_words(counts, _NAMED_GROUPS)}"
        yield _warning("people_counts_differ", message, "if the numbers should agree, export or observe again")
    if strange:
        known = [*facts.groups, *(() if desired_groups is UNSET else desired_groups)]
        message = f"Only the people source has {enumerate_words([f'`{name}`' for name in strange], _NAMED_GROUPS)}"
        hint = _near(strange, known) or "neither the org nor the configuration has a group of that name"
        yield _warning("people_group_unknown", message, hint)


def _near(names: Sequence[str], known: Collection[str]) -> str | None:
    """Return ``did you mean `Writer-Legal` by `writer-legal`?`` for the first names that are near to a known one."""
    hints = ((name, did_you_mean(name, known)) for name in names[:_COMPARED])
    near = [hint.replace("?", f" by `{name}`?") for name, hint in hints if hint]
    return "; ".join(near[:_NAMED_GROUPS]) or None


def _warning(code: str, message: str, hint: str) -> Problem:
    return Problem(code, message, None, hint, "warning")
