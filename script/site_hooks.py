"""Hooks of the docs site: reference pages made from click and the schemas, `llms.txt`, and links out of `docs/`.

mkdocs calls these functions by name. Nothing is written beside the site.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from rolecall.cli.program import COMMANDS, LazyGroup

ROOT = Path(__file__).resolve().parents[1]
BESIDE = "repo"
"""Where files of the repository that are not in `docs/` stand in the site."""

_SHOWN = ("schemas/*", "examples/**/*", "pipelines/**/*", "*.md", "LICENSE", "action.yml", "Containerfile")
_LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)]*)?\))")
_FENCE = re.compile(r"^```(\w+)(?: ([\w./-]+))?$", re.MULTILINE)
_SCHEMAS = {
    "config": "The config, key by key",
    "snapshot": "A snapshot, key by key",
    "plan": "A plan, key by key",
    "drift": "Drift, key by key",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is made, and what pages link to outside of `docs/`."""
    made = {"reference/cli.md": cli_page()}
    made |= {f"reference/{kind}.md": schema_page(kind, title) for kind, title in _SCHEMAS.items()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for path in sorted({path for pattern in _SHOWN for path in ROOT.glob(pattern)}):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            files.append(File.generated(config, f"{BESIDE}/{name}", abs_src_path=str(path)))
    files.append(File.generated(config, "llms.txt", content=llms_text(files)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as they stand in the repository lead to the same thing in the site; fences speak pymdownx's language."""
    source = page.file.src_uri
    here = source.removeprefix(f"{BESIDE}/") if source.startswith(f"{BESIDE}/") else f"docs/{source}"

    def led(found: re.Match[str]) -> str:
        target = found[2]
        if ":" in target or target.startswith("/"):
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        path = f"{path}/README.md" if (ROOT / path).is_dir() else path
        there = path.removeprefix("docs/") if path.startswith("docs/") else f"{BESIDE}/{path}"
        return f"{found[1]}{posixpath.relpath(there, posixpath.dirname(source) or '.')}{found[3]}"

    if source.startswith("reference/"):
        return markdown
    return _FENCE.sub(_fence, _LINK.sub(led, markdown))


def _fence(found: re.Match[str]) -> str:
    language = "console" if found[1] == "session" else found[1]
    return f'```{language} title="{found[2]}"' if found[2] else f"```{language}"


def cli_page() -> str:
    """Every command with its help, its flags and its examples."""
    parts = ["# Every flag", "", "Made from the program itself. [Commands](../commands.md) explains more.", ""]
    group = LazyGroup()
    context = click.Context(group, info_name="rolecall", auto_envvar_prefix="ROLECALL")
    for heading, rows in COMMANDS.items():
        parts += [f"## {heading}", ""]
        for name in rows:
            found = group.get_command(context, name)
            assert found is not None
            parts += _command(found, click.Context(found, parent=context, info_name=name))
    return "\n".join(parts)


def _command(found: click.Command, context: click.Context) -> Iterator[str]:
    yield f"### {context.command_path}"
    yield f"\n```text\n{found.get_help(context).strip()}\n```\n"
    if isinstance(found, click.Group):
        for name, below in found.commands.items():
            yield from _command(below, click.Context(below, parent=context, info_name=name))


def schema_page(kind: str, title: str) -> str:
    """A table of every key of a schema, with its type and what it says."""
    schema = json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    rows = "\n".join(f"| `{path}` | {form} | {told} |" for path, form, told in keys(schema, schema))
    start = f"# {title}\n\nMade from the schema; `rolecall schema --kind {kind}` prints it.\n\n"
    return f"{start}| key | is | says |\n|---|---|---|\n{rows}\n"


def keys(
    schema: Mapping[str, Any], top: Mapping[str, Any], path: str = "", depth: int = 0
) -> Iterator[tuple[str, ...]]:
    """Each key below a schema: its path, its form in words, and its description."""
    for name, said in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, _form(said, top), _cell(_resolved(said, top).get("description", said.get("description", "")))
        if depth < _DEEPEST:
            for below, end in _below(said, top):
                yield from keys(below, top, here + end, depth + 1)


_DEEPEST = 4


def _below(said: Mapping[str, Any], top: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    found = _resolved(said, top)
    yield found, ""
    for key, end in (("additionalProperties", ".NAME"), ("items", "[]")):
        if isinstance(found.get(key), dict):
            yield _resolved(found[key], top), end
    for one in (*found.get("oneOf", ()), *found.get("anyOf", ())):
        yield from _below(one, top)


def _resolved(said: Mapping[str, Any], top: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        return {}
    at: Any = top
    for part in said.get("$ref", "").removeprefix("#/").split("/") if "$ref" in said else ():
        at = at[part]
    return {**at, **said} if "$ref" in said else said


def _form(said: Mapping[str, Any], top: Mapping[str, Any]) -> str:
    found = _resolved(said, top)
    if "const" in found:
        return f"`{found['const']}`"
    if "enum" in found:
        return ", ".join(f"`{value}`" for value in found["enum"])
    forms = [_form(one, top) for key in ("oneOf", "anyOf") for one in found.get(key, ())]
    kind = found.get("type", "")
    return " or ".join(dict.fromkeys(forms)) or (" or ".join(kind) if isinstance(kind, list) else kind)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def llms_text(files: Files) -> str:
    """What there is to read, for programs that read: a line for each page, with its first sentence."""
    rows = []
    for file in sorted(files.documentation_pages(), key=lambda file: file.src_uri):
        if not file.src_uri.startswith(f"{BESIDE}/"):
            title, first = _said(file.content_string)
            rows.append(f"- [{title}]({file.url}): {first}")
    start = "# rolecall\n\n> Access and provisioning settings of a WRITER organisation as reviewed YAML in git.\n\n"
    return f"{start}## Pages\n\n" + "\n".join(rows) + "\n"


def _said(markdown: str) -> tuple[str, str]:
    title, _, rest = markdown.partition("\n")
    for part in re.sub(r"<!--.*?-->", "", rest, flags=re.DOTALL).split("\n\n"):
        text = " ".join(part.split())
        text = re.sub(r"!\[[^]]*\]\([^)]*\)|\*\*[A-Z]\w+\.\*\*|\*\*", "", text)
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).strip()
        if text and not re.match(r"[#|<]|```|- |\d+\.", text):
            return title.removeprefix("# "), re.split(r"(?<=[.:])\s", text)[0].rstrip(":")
    return title.removeprefix("# "), ""
