"""Write the pages of `rolecall help TOPIC` from the tables of exit codes, guards, kinds, rules and variables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from rolecall.cli.program import PRECEDENCE, exit_records
from rolecall.errors import EXIT_MEANINGS

if TYPE_CHECKING:
    from rolecall.model.fields import Kind

Records = list[tuple[str, str]]


def exit_codes(formatter: click.HelpFormatter) -> None:
    """Write what each exit code means."""
    formatter.write_text("Every command exits with one of these codes.")
    with formatter.section("Exit codes"):
        formatter.write_dl(exit_records(dict.fromkeys(EXIT_MEANINGS, "")))
    formatter.write_paragraph()
    codes = ", ".join(str(int(code)) for code in PRECEDENCE)
    formatter.write_text(
        f"If more than one code fits, the first of this list is used: {codes}. A plan that exits with 3 is still shown "
        "in full."
    )


def guards(formatter: click.HelpFormatter) -> None:
    """Write what each guard checks, and how to configure and override guards."""
    from rolecall.plan.guards.descriptions import DESCRIPTIONS, default_text

    formatter.write_text("A guard checks the whole plan before anything is written. The plan shows its verdict:")
    with formatter.section("Verdicts"):
        formatter.write_dl(_VERDICTS)
    with formatter.section("Guards"):
        records = {name: f"{guard.checks} {guard.verdict}" for name, guard in DESCRIPTIONS.items()}
        formatter.write_dl([(name, f"{text}{default_text(name)}") for name, text in records.items()])
    configurable = ", ".join(name for name, guard in DESCRIPTIONS.items() if guard.setting)
    firm = ", ".join(name for name, guard in DESCRIPTIONS.items() if guard.firm or not guard.overridable)
    _paragraphs(
        formatter,
        "Roles above member are team_admin, org_admin and every custom role. A limit is a number, or a percentage such "
        "as 2%: of all active users, or of the section's managed entries. Below review, the plan passes.",
        f"Configure a guard under `guards` in rolecall.yaml: {configurable}. For example: max_removals: {{review: 5, "
        "block: 10%}. This replaces the default of that guard completely.",
        "The policy is what rolecall.yaml has under guards, allow, manage, ignore, watch and access_tests, and each "
        "`protect`. The stricter of this policy and the one last applied counts, so that a change cannot relax the "
        "rules that check it. A less strict policy requires approval and takes effect from the next plan.",
        "To override a guard for one run: rolecall plan --allow NAME=N. N is the number that the guard reports, of "
        "users, entries, settings or days; the plan prints the complete command. Then apply the saved plan, or, "
        "without one, run rolecall apply --allow NAME=N. To override it until a day, add an entry to `allow` in "
        f"rolecall.yaml. Without override: {firm}, escalations set to deny, and min_org_admins where no org admin "
        "would be left.",
        "To approve a plan that requires it: answer the prompt of apply, or run rolecall apply --approve DIGEST. In "
        "CI, this also needs --approval FILE.",
    )


_VERDICTS: Records = [
    ("pass", "Nothing to report."),
    ("review", "Requires approval, at the prompt or with --approve DIGEST. --auto-approve is not enough."),
    ("block", "apply refuses the plan (exit code 3), unless an override covers it."),
    ("allowed", "An override covers what would require approval or block."),
    (
        "not judged",
        "Not evaluated, because what it checks was not read. It never counts as a pass: the guard `unread` then blocks "
        "or requires approval.",
    ),
]


def config(formatter: click.HelpFormatter) -> None:
    """Write the keys of rolecall.yaml and of its sections, from its schema."""
    from rolecall.cli.help_config import keys_of, sections_of
    from rolecall.schema_files import schema_text

    schema = json.loads(schema_text("config.schema.json"))
    formatter.write_text(
        "rolecall.yaml names the org and the settings that it should have. A section that is left out is not managed: "
        "it stays as it is. Files in env/ are overlays, one for each org; select one with --env NAME."
    )
    with formatter.section("Keys"):
        formatter.write_dl(keys_of(schema))
    for section in sections_of(schema):
        with formatter.section(section.heading):
            formatter.write_dl(section.records)
    _paragraphs(
        formatter,
        "Secrets are never written into a file. {env: NAME} reads one from an environment variable, {file: PATH} from "
        "a file, and {exec: [COMMAND, ...]} from the output of a command, which requires ROLECALL_ALLOW_EXEC=1.",
        "To write a configuration: rolecall init, or rolecall export from an org. To check it: rolecall validate. To "
        "complete keys in an editor: rolecall schema --help. Numbers such as R7 are rules: rolecall help rules",
    )


def environment(formatter: click.HelpFormatter) -> None:
    """Write the environment variables that rolecall reads."""
    from rolecall.cli.variables import VARIABLES

    formatter.write_text("rolecall reads these environment variables.")
    with formatter.section("Variables"):
        formatter.write_dl([*VARIABLES.items()], col_max=24)
    _paragraphs(
        formatter,
        "Options have variables too: --env is ROLECALL_ENV, and plan --out is ROLECALL_PLAN_OUT. Those that override a "
        "guard or approve a plan have none: they must be typed for each run.",
        "A configuration may read its secrets from variables of any name. To find misspelled names: rolecall doctor",
    )


def rules(formatter: click.HelpFormatter) -> None:
    """Write the titles of the rules about access."""
    from rolecall.model.rule_titles import RULE_TITLES

    formatter.write_text(
        "The rules about access in WRITER that rolecall follows. Plans, messages and `why` cite them by number. "
        "WRITER's help articles leave some questions open; what rolecall assumes there is listed in docs/readings.md, "
        "and docs/rules.md explains each rule with an example."
    )
    with formatter.section("Rules"):
        formatter.write_dl([(number, f"{title}.") for number, title in RULE_TITLES.items()])


def addresses(formatter: click.HelpFormatter) -> None:
    """Write how each kind of setting is addressed, and where addresses are used."""
    from rolecall.model.kinds import KINDS

    formatter.write_text(
        "An address names a whole section (defaults, sso, scim), or one entry of a section with entries (domains, "
        "idp_groups). Single fields have no address."
    )
    with formatter.section("Addresses"):
        formatter.write_dl([(_address(kind), f"{kind.title}.") for kind in KINDS])
    example = next(_address(kind) for kind in reversed(KINDS) if kind.keyed)
    section = example.partition("/")[0]
    _paragraphs(
        formatter,
        f"A pattern with * and ? names several, such as '{section}/Writer-*'. Quote it, so that the shell does not "
        "expand it.",
        "A group is found by its key in the configuration, by its name in the org, and by a former name.",
        "Used by: plan and apply --target and --exclude, drift --ignore, and `ignore` and `allow` in rolecall.yaml. An "
        "address that neither the configuration nor the org has is an error.",
    )


def _address(kind: Kind) -> str:
    """Return an address of a kind, with the key of its example."""
    if not kind.keyed:
        return kind.section
    return f"{kind.section}/{next((key for example in kind.examples for key in example), kind.noun.upper())}"


def _paragraphs(formatter: click.HelpFormatter, *texts: str) -> None:
    for text in texts:
        formatter.write_paragraph()
        formatter.write_text(text)


def _one_guard(formatter: click.HelpFormatter, name: str) -> bool:
    """Write what one guard checks; return whether there is such a guard."""
    from rolecall.plan.guards.descriptions import DESCRIPTIONS, default_text

    guard = DESCRIPTIONS.get(name.replace("-", "_"))
    if guard is None:
        return False
    key = name.replace("-", "_")
    formatter.write_dl([(key, f"{guard.checks} {guard.verdict}{default_text(key)}")])
    _paragraphs(formatter, "For limits, overrides and approvals: rolecall help guards")
    return True


def _one_section(formatter: click.HelpFormatter, name: str) -> bool:
    """Write the keys of one section of rolecall.yaml; return whether there is such a key."""
    from rolecall.cli.help_config import keys_of, sections_of
    from rolecall.schema_files import schema_text

    schema = json.loads(schema_text("config.schema.json"))
    text = dict(keys_of(schema)).get(name)
    if text is None:
        return False
    formatter.write_dl([(name, text)])
    for section in sections_of(schema):
        if section.heading.partition(":")[0] == name:
            formatter.write_paragraph()
            with formatter.section(section.heading):
                formatter.write_dl(section.records)
    _paragraphs(formatter, "For all sections: rolecall help config")
    return True


def _one_rule(formatter: click.HelpFormatter, name: str) -> bool:
    """Write the title of one rule; return whether there is such a rule."""
    from rolecall.model.rule_titles import RULE_TITLES

    title = RULE_TITLES.get(name.upper())
    if title is None:
        return False
    formatter.write_dl([(name.upper(), f"{title}.")])
    _paragraphs(formatter, f"docs/rules.md explains {name.upper()} with an example. For all rules: rolecall help rules")
    return True


PARTS: Mapping[str, Callable[[click.HelpFormatter, str], bool]] = {
    "rules": _one_rule,
    "config": _one_section,
    "guards": _one_guard,
}
"""Topic -> the function that writes one part of its page, and returns whether there is such a part."""

PAGES: Mapping[str, Callable[[click.HelpFormatter], None]] = {
    "addresses": addresses,
    "config": config,
    "environment": environment,
    "exit-codes": exit_codes,
    "guards": guards,
    "rules": rules,
}
"""Topic -> the function that writes its page."""
