"""Warn where the IdP, the source of users, the org and the config disagree about groups and their members."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rolecall.errors import Problem, did_you_mean
from rolecall.model.directory import IdpFacts
from rolecall.model.live import Live, base_name
from rolecall.model.settings import UNSET
from rolecall.plan.coverage import members_words
from rolecall.plan.headline import enumerate_words
from rolecall.plan.inputs import PlanInput

_NAME = {"okta": "Okta", "entra": "Entra"}
_SHOWN = 5


def lint_idp(facts: IdpFacts, live: Live) -> tuple[Problem, ...]:
    """Return the warnings, in a fixed order."""
    findings = [*_sending(facts), *_groups(facts), *_entra(facts), *_roles(facts, live), *_apart(facts, live)]
    return tuple(Problem(f"idp_{code}", message, None, hint, "warning") for code, message, hint in findings)


_Finding = tuple[str, str, str | None]


def _sending(facts: IdpFacts) -> Iterator[_Finding]:
    if facts.stopped:
        yield (
            "stopped",
            f"{_NAME[facts.kind]} is not provisioning: {facts.stopped}",
            "pending changes stay pending until it does",
        )
    if facts.unread:
        hint = "its mappings and its state are unknown"
        yield "unread", f"the setup of the app could not be read completely: {facts.unread}", hint
    for name, why in facts.failing[:_SHOWN]:
        yield "push_failed", f"the last push of `{name}` failed: {why}", "push it again in the IdP"


def _groups(facts: IdpFacts) -> Iterator[_Finding]:
    both = sorted(facts.pushed & facts.assigned) if facts.kind == "okta" else []
    if both:
        hint = "Okta advises against this; assign users by one group and push others"
        yield "assigned_and_pushed", f"groups are both assigned and pushed in Okta: {_listed(both)}", hint
    if facts.unreached:
        names = _listed(sorted(facts.unreached))
        hint = "assign their users to the app; until then the mapping has no effect"
        yield "unreached", f"groups are pushed, but none of their users is assigned to the app (R30): {names}", hint


def _entra(facts: IdpFacts) -> Iterator[_Finding]:
    if facts.everybody:
        message = "the provisioning scope in Entra is all users and groups"
        yield "scope", message, "set it to Sync only assigned users and groups"
    if facts.roles_raw:
        message = "Entra maps `appRoleAssignments` without an expression"
        yield "role_mapping", message, "use SingleAppRoleAssignment([appRoleAssignments]), as Microsoft requires"


def _roles(facts: IdpFacts, live: Live) -> Iterator[_Finding]:
    """Warn about a role attribute that is sent to the new endpoint, which ignores it (R19)."""
    scim = live.settings.scim
    if facts.role_sent and scim is not UNSET and scim.endpoint == "new":
        message = f"{_NAME[facts.kind]} still sends a role attribute, which the new endpoint ignores (R19)"
        yield "role_attribute", message, "remove it from the app's mappings; roles come from groups"


def _apart(facts: IdpFacts, live: Live) -> Iterator[_Finding]:
    """Warn about groups that only the IdP or only the org has. On a legacy endpoint their names may differ."""
    groups, scim = live.settings.idp_groups, live.settings.scim
    if groups is UNSET or live.covered("idp_groups").state != "complete" or scim is UNSET or scim.endpoint != "new":
        return
    known = {name.removesuffix(f" [{group.id}]") for name, group in live.facts.groups.items()} | set(groups)
    if missing := sorted(facts.pushed - known):
        message = f"{_NAME[facts.kind]} pushes groups that do not exist in the org: {_listed(missing)}"
        yield "not_in_org", message, "check in the IdP whether the push failed"
    if extra := sorted(name for name in groups if not {name, base_name(name)} & facts.pushed):
        message = f"the org has groups that {_NAME[facts.kind]} no longer pushes: {_listed(extra)}"
        yield "not_in_idp", message, "their users no longer change"


def _listed(names: Collection[str]) -> str:
    return enumerate_words([f"`{name}`" for name in names], _SHOWN)


_NAMED_GROUPS = 5
_COMPARED = 50
"""The most names for which near matches are searched."""


def disagreements(plan_input: PlanInput) -> Iterator[Problem]:
    """Warn about groups in which the source has no user, whose counts differ, and that only the source has."""
    directory, facts = plan_input.directory, plan_input.live.facts
    if directory is None:
        return
    missing, differing, unknown = directory.gaps
    desired_groups = plan_input.desired.settings.idp_groups
    strange = [name for name in unknown if desired_groups is UNSET or name not in desired_groups]
    if missing:
        message = f"the source of users has no user in {members_words(missing, facts.observed)}"
        hint = _near(sorted(missing), strange) or "check the name of the group in the source of users"
        yield _warning("people_group_missing", message, hint)
    if differing:
        who = "the console" if facts.observed else "the org"
        counts = [f"{name} ({who} {org:,}, the source {own:,})" for name, (org, own) in sorted(differing.items())]
        message = f"the numbers of users in groups differ between {who} and the source of users: {_named(counts)}"
        hint = "push the group again in the IdP; if users are read from a file, export it again"
        if facts.observed:
            hint = "export the file of `people` again, or record the console again: rolecall observe"
        yield _warning("people_counts_differ", message, hint)
    if strange:
        known = [*facts.groups, *(() if desired_groups is UNSET else desired_groups)]
        groups = f"group{'' if len(strange) == 1 else 's'} {_named([f'`{name}`' for name in strange])}"
        message = f"the source of users has the {groups}, which neither the org nor the configuration has"
        hint = _near(strange, known) or "check the names of the groups in the source of users"
        yield _warning("people_group_unknown", message, hint)


def _named(names: Sequence[str]) -> str:
    return enumerate_words(names, _NAMED_GROUPS)


def _near(names: Sequence[str], known: Collection[str]) -> str | None:
    """Return ``did you mean `Writer-Legal` instead of `writer-legal`?`` for the first names that have a near match."""
    hints = ((name, did_you_mean(name, known)) for name in names[:_COMPARED])
    near = [hint.replace("?", f" instead of `{name}`?") for name, hint in hints if hint]
    return "; ".join(near[:_NAMED_GROUPS]) or None


def _warning(code: str, message: str, hint: str) -> Problem:
    return Problem(code, message, None, hint, "warning")
