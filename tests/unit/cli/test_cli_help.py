"""Test help pages: options, exit codes, topics, and hints for the terms of other tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rolecall.cli.help_config import sections_of
from rolecall.cli.main import run
from rolecall.cli.options import is_global
from rolecall.cli.program import COMMANDS, TOPICS, Command, CommandGroup, LazyGroup
from rolecall.cli.variables import VARIABLES
from rolecall.errors import EXIT_MEANINGS, Exit
from rolecall.model.kinds import KINDS, SECTIONS
from rolecall.model.rule_titles import RULE_TITLES
from rolecall.plan.guards.descriptions import DESCRIPTIONS
from rolecall.plan.guards.evaluate import GUARDS
from rolecall.schema_files import schema_text

ROOT = Path(__file__).parents[3]
Capture = pytest.CaptureFixture[str]
NAMES = [name for summaries in COMMANDS.values() for name in summaries]


def commands() -> Iterator[tuple[str, Command]]:
    """Every command with its words, subcommands too."""
    root = LazyGroup()
    for name in NAMES:
        command = root.get_command(click.Context(root), name)
        if isinstance(command, CommandGroup):
            yield from ((f"{name} {sub}", each) for sub, each in command.commands.items() if isinstance(each, Command))
        elif isinstance(command, Command):
            yield name, command


PAGES = [name for name, _ in commands()]
OPTIONS = [
    (name, param)
    for name, command in commands()
    for param in command.params
    if isinstance(param, click.Option) and not is_global(param)
]
GLOBAL = [param for param in LazyGroup().params if isinstance(param, click.Option)]


def page(capsys: Capture, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    capsys.readouterr()
    assert run([*words]) == Exit.OK
    return capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["local", "--help"], *([*name.split(), "--help"] for name in PAGES),
                                   *(["help", topic] for topic in TOPICS)], ids=" ".join)  # fmt: skip
def test_a_page_fits_80_columns(words: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(capsys, monkeypatch, *words)
    assert [row for row in text.splitlines() if len(row) > 80 and not row.startswith("  export ROLECALL_TOKEN=")] == []
    assert "..." not in re.sub(r"(STEP|\]|, |\{|//)\.\.\.", "", text)


@pytest.mark.parametrize(
    ("name", "param"),
    [*OPTIONS, *(("", param) for param in GLOBAL)],
    ids=lambda value: str(getattr(value, "name", value)),
)
def test_an_option_says_what_it_takes_and_when_to_use_it(name: str, param: click.Option) -> None:
    text = param.help or ""
    assert len(text.split()) >= 3, name
    assert text[0].isupper()
    assert re.search(r"(\.|See: rolecall help \w+)$", text)
    assert text not in ("Of stdout.", "How.", "In which state.", "Which one.")
    if not (param.is_flag or param.count):
        assert param.metavar or isinstance(param.type, click.Choice)


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=PAGES)
def test_every_argument_is_described(name: str, command: Command) -> None:
    arguments = {param.name for param in command.params if isinstance(param, click.Argument)}
    assert set(command.arguments) == arguments, name


@pytest.mark.parametrize("name", ["plan", "apply", "drift"])
def test_the_footer_has_the_exit_codes(name: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(capsys, monkeypatch, name, "--help")
    footer = text.partition("\nExit codes (all of them: rolecall help exit-codes):\n")[2].partition("\n\n")[0]
    expected = {"plan": {0, 1, 2, 3, 7}, "apply": {0, 1, 3, 4, 5, 6, 64, 130}, "drift": {0, 1, 2, 3, 7}}[name]
    assert {int(number) for number in re.findall(r"^  (\d+) ", footer, re.MULTILINE)} == expected


def test_the_page_on_exit_codes_has_each_of_them(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(capsys, monkeypatch, "help", "exit-codes")
    assert set(EXIT_MEANINGS) == set(Exit)
    assert [int(number) for number in re.findall(r"^  (\d+) ", text, re.MULTILINE)] == sorted(map(int, Exit))
    assert "the first of this list is used: 130, 64, 4, 5, 3, 1, 2, 7, 6" in " ".join(text.split())


def test_the_page_on_guards_has_each_guard(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(DESCRIPTIONS) == list(GUARDS)
    text = page(capsys, monkeypatch, "help", "guards")
    assert [name for name in GUARDS if f"\n  {name} " not in text] == []
    line = " ".join(text.split())
    firm = "require_self, idp_target, preconditions, approval, escalations set to deny, and min_org_admins"
    assert f"Without override: {firm}" in line
    assert "Default: review above 10, block above 2%." in line
    assert "Default: review above 30d." in line


def test_the_page_on_rules_has_the_titles_of_the_docs(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = re.findall(r"^### (R\d+) (.+)$", (ROOT / "docs" / "rules.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(titles) == dict(RULE_TITLES)
    line = " ".join(page(capsys, monkeypatch, "help", "rules").split())
    assert [number for number, title in titles if f"{number} {title}." not in line] == []


def test_the_page_on_variables_has_each_that_the_code_reads(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(r"[\"']((?:_?ROLECALL)_[A-Z_]+)[\"']", path.read_text(encoding="utf-8")))
    options = {f"ROLECALL_{str(param.name).upper()}" for param in GLOBAL}
    completion = {name for name in read if name.startswith("_")}
    assert {name for name in read if name.endswith("_")} == set()
    assert read - options - completion <= set(VARIABLES)
    text = page(capsys, monkeypatch, "help", "environment")
    assert [name for name in VARIABLES if f"\n  {name} " not in text] == []


def test_every_key_that_messages_name_is_on_the_page(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(capsys, monkeypatch, "help", "config")
    for key in ("id", "previously", "expires", "protect", "remove", "blank", "url", "up_to", "until", "allow_empty"):
        assert re.search(rf"^  (.*, )?{key}(, .*)?: ", text, re.MULTILINE), key


def test_what_is_described_of_guards_is_what_the_schema_has() -> None:
    schema = json.loads(schema_text("config.schema.json"))
    overridable = schema["definitions"]["allow"] if "allow" in schema["definitions"] else schema["properties"]["allow"]
    names = re.findall(r'"enum": \[([^\]]*)\]', json.dumps(overridable))[0]
    assert set(json.loads(f"[{names}]")) == {name for name, guard in DESCRIPTIONS.items() if guard.overridable}
    assert set(schema["definitions"]["guards"]["properties"]) == {
        name for name, guard in DESCRIPTIONS.items() if guard.setting
    }


def test_the_page_on_the_configuration_has_each_key_and_field(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(capsys, monkeypatch, "help", "config")
    keys = json.loads(schema_text("config.schema.json"))["properties"]
    assert [key for key in keys if not re.search(rf"^( *){key}\b", text, re.MULTILINE)] == []
    for kind in KINDS:
        assert [field.name for field in kind.fields if not re.search(rf"^  {field.name}: ", text, re.MULTILINE)] == []


def test_a_line_of_the_page_on_the_configuration_fits_with_more_kinds() -> None:
    names = [*SECTIONS, "sessions", "teams", "seats"]
    part = {"enum": ["additive", "authoritative", "unmanaged"]}
    schema = {"properties": {"manage": {"properties": dict.fromkeys(names, part)}}}

    ((heading, ((keys, _),)),) = sections_of(schema)

    assert heading == "manage"
    assert " ".join(keys.split()) == f"{', '.join(names)}: additive|authoritative|unmanaged"
    assert max(map(len, keys.splitlines())) <= 76


def test_the_page_on_addresses_has_each_kind(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(capsys, monkeypatch, "help", "addresses")
    for kind in KINDS:
        assert f"\n  {kind.section}/" in text if kind.keyed else f"\n  {kind.section} " in text


def test_help_of_a_command_is_its_own(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["plan"], ["local", "token"], ["local"]):
        assert page(capsys, monkeypatch, "help", *words) == page(capsys, monkeypatch, *words, "--help")
    assert page(capsys, monkeypatch, "help") == page(capsys, monkeypatch, "--help")


@pytest.mark.parametrize("words", [["pln"], ["local", "tokn"], ["plan", "x"], ["xit-codes"]])
def test_help_for_what_is_not_there_names_what_is_near(words: list[str], capsys: Capture) -> None:
    assert run(["help", *words]) == Exit.USAGE
    assert re.search(
        r"no command or topic '\S+'; (did you mean `[\w-]+`\?|for the list: rolecall --help)", capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("plan -out=plan.json", "no such option: -out; use --out FILE"),
        ("plan -target=sso", "no such option: -target; use --target ADDRESS"),
        ("plan -exclude=sso", "no such option: -exclude; use --exclude ADDRESS"),
        ("apply -auto-approve", "no such option: -auto-approve; use --auto-approve"),
        ("plan -detailed-exitcode", "no such option: -detailed-exitcode; use --detailed-exitcode"),
        ("plan --json", "no such option: --json; use --format json"),
        ("apply --dry-run", "no such option: --dry-run; use rolecall plan, which never writes to the org"),
        ("apply --yes", "no such option: --yes; use --auto-approve"),
        ("plan -refresh-only", "no such option: -refresh-only; use rolecall drift"),
        ("init -upgrade", "no such option: -upgrade; there are no providers to upgrade. To update rolecall"),
        ("-chdir=acme plan", "no such option: -chdir; use -C DIR"),
        ("local reset --force", "no such option '--force'"),
        ("destroy", "rolecall never deletes an org"),
        ("import", "rolecall export --update"),
        ("state list", "rolecall has no state file"),
        ("refresh", "rolecall drift"),
        ("workspace select prod", "rolecall --env NAME plan"),
    ],
)
def test_habits_of_other_tools_are_answered(line: str, hint: str, capsys: Capture) -> None:
    assert run(line.split()) == Exit.USAGE
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize("line", ["plan -eprod", "plan -vv", "plan -qv", "plan -- --json"])
def test_short_options_are_still_read(line: str, capsys: Capture) -> None:
    assert run(line.split()) in (Exit.ERROR, Exit.USAGE)
    assert "no such option" not in capsys.readouterr().err
