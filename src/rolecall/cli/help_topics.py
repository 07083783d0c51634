"""Write the pages of `rolecall help TOPIC` from the tables of exit codes, guards, kinds and the config's schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.program import PRECEDENCE, exit_records
from rolecall.errors import EXIT_MEANINGS

if TYPE_CHECKING:
    from rolecall.model.fields import Field, Kind

Records = list[tuple[str, str]]


def exit_codes(formatter: click.HelpFormatter) -> None:
    """Write what each exit code means."""
    formatter.write_text("Every command exits with one of these codes.")
    with formatter.section("Exit codes"):
        formatter.write_dl(exit_records(dict.fromkeys(EXIT_MEANINGS, "")))
    formatter.write_paragraph()
    codes = ", ".join(str(int(code)) for code in PRECEDENCE)
    formatter.write_text(
        f"If several apply, the code is the first of {codes}. A plan that exits with 3 is still shown whole."
    )


def guards(formatter: click.HelpFormatter) -> None:
    """Write what each guard checks, and how to configure and override guards."""
    from rolecall.plan.guards.descriptions import DESCRIPTIONS

    formatter.write_text("A guard checks the whole plan before anything is written. The plan shows its verdict:")
    with formatter.section("Verdicts"):
        formatter.write_dl(_VERDICTS)
    with formatter.section("Guards"):
        formatter.write_dl([(name, f"{guard.checks} {guard.verdict}") for name, guard in DESCRIPTIONS.items()])
    configurable = ", ".join(name for name, guard in DESCRIPTIONS.items() if guard.setting)
    firm = " and ".join(name for name, guard in DESCRIPTIONS.items() if not guard.overridable)
    _paragraphs(
        formatter,
        f"Configure a guard under `guards` in rolecall.yaml: {configurable}. The stricter of the configured and the "
        "last applied policy counts.",
        "Override a guard up to a number, for one run: rolecall plan --allow NAME=N, then rolecall apply --allow "
        "NAME=N. For a longer time, add an entry to `allow` in rolecall.yaml: guard, for (an address), up_to, until, "
        f"reason. {firm} cannot be overridden.",
        "Approve a plan that requires it: at the prompt of apply, or with rolecall apply --approve DIGEST.",
    )


_VERDICTS: Records = [
    ("pass", "Nothing to report."),
    ("review", "Requires approval, at the prompt or with --approve DIGEST. --auto-approve is not enough."),
    ("block", "apply refuses the plan (exit code 3), unless an override covers it."),
    ("allowed", "An override covers what would require approval or block."),
    ("not judged", "Not evaluated, because what it checks was not read. It is never treated as a pass."),
]


def config(formatter: click.HelpFormatter) -> None:
    """Write the keys of rolecall.yaml: those at the top from its schema, sections with their fields from the kinds."""
    from rolecall.model.kinds import KINDS
    from rolecall.schema_files import schema_text

    schema = json.loads(schema_text("config.schema.json"))
    sections = {kind.section for kind in KINDS}
    keys = {name: _resolved(schema, part) for name, part in schema["properties"].items() if name not in sections}
    formatter.write_text(
        "rolecall.yaml names the org and the settings that it should have. A section that is left out is not managed: "
        "it stays as it is. Files in env/ are overlays, one for each org; select one with --env NAME."
    )
    with formatter.section("Keys"):
        formatter.write_dl([(name, _sentences(part)) for name, part in keys.items()])
    for kind in KINDS:
        name = f"{kind.section} ({kind.noun} name: fields)" if kind.keyed else kind.section
        with formatter.section(name):
            formatter.write_text(_sentence(kind.description))
            formatter.write_dl([(f"{field.name}: {_values(field)}", _sentence(field.title)) for field in kind.fields])
    _paragraphs(
        formatter,
        "To write a configuration: rolecall init, or rolecall export from an org. To check it: rolecall validate. To "
        "complete keys in an editor: rolecall schema --help.",
    )


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = part.get("$ref")
    resolved: Mapping[str, Any] = schema["definitions"][reference.rpartition("/")[2]] if reference else part
    return resolved


def _sentences(part: Mapping[str, Any]) -> str:
    return " ".join(_sentence(part[name]) for name in ("title", "description") if part.get(name))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _values(field: Field) -> str:
    """Return what a field may have, in short: its choices, or its type."""
    if field.type == "choice":
        return "|".join(field.choices)
    return {"flag": "true|false", "text": "TEXT", "role": "ROLE", "teams": "[TEAM, ...]", "document": "{file: PATH}"}[
        field.type
    ]


def addresses(formatter: click.HelpFormatter) -> None:
    """Write how each kind of setting is addressed, and where addresses are used."""
    from rolecall.model.kinds import KINDS

    formatter.write_text("An address names one setting, or one entry of a section with entries.")
    with formatter.section("Addresses"):
        formatter.write_dl([(_address(kind), f"{kind.title}.") for kind in KINDS])
    example = next(_address(kind) for kind in reversed(KINDS) if kind.keyed)
    section = example.partition("/")[0]
    _paragraphs(
        formatter,
        f"Most places also take a pattern with * and ?, such as '{section}/Writer-*'. Quote it, so that the shell does "
        "not expand it.",
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


PAGES: Mapping[str, Callable[[click.HelpFormatter], None]] = {
    "addresses": addresses,
    "config": config,
    "exit-codes": exit_codes,
    "guards": guards,
}
"""Topic -> the function that writes its page."""
