"""Hooks of the docs site: generated reference pages, `llms.txt`, and links to files outside `docs/`.

mkdocs calls these functions by name. They write to the site only.
"""

from __future__ import annotations

import importlib.util
import json
import posixpath
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from rolecall.cli.program import COMMANDS, LazyGroup

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = "repo"
"""The folder of the site with files of the repository that are not in `docs/`."""

_SHOWN = ("schemas/*", "examples/**/*", "pipelines/**/*", "*.md", "LICENSE", "action.yml", "Containerfile")
_LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)]*)?\))")
_FENCE = re.compile(r"^```(\w+)(?: ([\w./-]+))?$", re.MULTILINE)
_SCHEMAS = {
    "config": "Configuration reference",
    "snapshot": "Snapshot reference",
    "plan": "Plan reference",
    "drift": "Drift reference",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add generated pages, and files outside `docs/` that pages link to."""
    pages = {"reference/cli.md": cli_page(), "reference/messages.md": messages_page()}
    pages |= {f"reference/{kind}.md": schema_page(kind, title) for kind, title in _SCHEMAS.items()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for path in sorted({path for pattern in _SHOWN for path in ROOT.glob(pattern)}):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            files.append(File.generated(config, f"{REPOSITORY}/{name}", abs_src_path=str(path)))
    files.append(File.generated(config, "llms.txt", content=llms_text(files)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page with its relative links pointing into the site and its fences in the syntax of pymdownx."""
    source = page.file.src_uri
    repository_path = source.removeprefix(f"{REPOSITORY}/") if source.startswith(f"{REPOSITORY}/") else f"docs/{source}"

    def site_link(link: re.Match[str]) -> str:
        target = link[2]
        if ":" in target or target.startswith("/"):
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(repository_path), target))
        path = f"{path}/README.md" if (ROOT / path).is_dir() else path
        destination = path.removeprefix("docs/") if path.startswith("docs/") else f"{REPOSITORY}/{path}"
        return f"{link[1]}{posixpath.relpath(destination, posixpath.dirname(source) or '.')}{link[3]}"

    if source.startswith("reference/"):
        return markdown
    return _FENCE.sub(_fence, _LINK.sub(site_link, markdown))


def _fence(fence: re.Match[str]) -> str:
    language = "console" if fence[1] == "session" else fence[1]
    return f'```{language} title="{fence[2]}"' if fence[2] else f"```{language}"


def cli_page() -> str:
    """Return the page with every command: its help, its options and its examples."""
    parts = [
        "# Command reference",
        "",
        "Generated from `rolecall COMMAND --help`. [Commands](../commands.md) explains more.",
        "",
    ]
    group = LazyGroup()
    context = click.Context(group, info_name="rolecall", auto_envvar_prefix="ROLECALL")
    for heading, names in COMMANDS.items():
        parts += [f"## {heading}", ""]
        for name in names:
            command = group.get_command(context, name)
            assert command is not None
            parts += _command(command, click.Context(command, parent=context, info_name=name))
    return "\n".join(parts)


def messages_page() -> str:
    """Return the page with every message of the code."""
    spec = importlib.util.spec_from_file_location("messages_script", ROOT / "script" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    return str(script.page(script.catalog([script.SRC])))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"### {context.command_path}"
    yield f"\n```text\n{command.get_help(context).strip()}\n```\n"
    if isinstance(command, click.Group):
        for name, subcommand in command.commands.items():
            yield from _command(subcommand, click.Context(subcommand, parent=context, info_name=name))


def schema_page(kind: str, title: str) -> str:
    """Return the page of a schema: a table of every key with its type and its description."""
    schema = json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    table = "\n".join(f"| `{path}` | {form} | {text} |" for path, form, text in keys(schema, schema))
    start = f"# {title}\n\nGenerated from the JSON Schema, which `rolecall schema --kind {kind}` prints.\n\n"
    return f"{start}| key | type | description |\n|---|---|---|\n{table}\n"


def keys(
    schema: Mapping[str, Any], top: Mapping[str, Any], path: str = "", depth: int = 0
) -> Iterator[tuple[str, ...]]:
    """Yield each key of a schema: its path, its type and its description."""
    for name, node in schema.get("properties", {}).items():
        key = f"{path}.{name}" if path else name
        yield key, _form(node, top), _cell(_resolved(node, top).get("description", node.get("description", "")))
        if depth < _DEEPEST:
            for inner, suffix in _inner(node, top):
                yield from keys(inner, top, key + suffix, depth + 1)


_DEEPEST = 4


def _inner(node: Mapping[str, Any], top: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    schema = _resolved(node, top)
    yield schema, ""
    for key, suffix in (("additionalProperties", ".NAME"), ("items", "[]")):
        if isinstance(schema.get(key), dict):
            yield _resolved(schema[key], top), suffix
    for alternative in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _inner(alternative, top)


def _resolved(node: Mapping[str, Any], top: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(node, dict):
        return {}
    at: Any = top
    for part in node.get("$ref", "").removeprefix("#/").split("/") if "$ref" in node else ():
        at = at[part]
    return {**at, **node} if "$ref" in node else node


def _form(node: Mapping[str, Any], top: Mapping[str, Any]) -> str:
    schema = _resolved(node, top)
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    forms = [_form(part, top) for key in ("oneOf", "anyOf") for part in schema.get(key, ())]
    kind = schema.get("type", "")
    return " or ".join(dict.fromkeys(forms)) or (" or ".join(kind) if isinstance(kind, list) else kind)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def llms_text(files: Files) -> str:
    """Return the index of the pages for language models: a line for each page, with its first sentence."""
    lines = []
    for file in sorted(files.documentation_pages(), key=lambda file: file.src_uri):
        if not file.src_uri.startswith(f"{REPOSITORY}/"):
            title, first = _title_and_sentence(file.content_string)
            lines.append(f"- [{title}]({file.url}): {first}")
    start = "# rolecall\n\n> Access and provisioning settings of a WRITER organization as reviewed YAML in git.\n\n"
    return f"{start}## Pages\n\n" + "\n".join(lines) + "\n"


def _title_and_sentence(markdown: str) -> tuple[str, str]:
    title, _, body = markdown.partition("\n")
    for part in re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL).split("\n\n"):
        text = " ".join(part.split())
        text = re.sub(r"!\[[^]]*\]\([^)]*\)|\*\*[A-Z]\w+\.\*\*|\*\*", "", text)
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).strip()
        if text and not re.match(r"[#|<]|```|- |\d+\.", text):
            return title.removeprefix("# "), re.split(r"(?<=[.:])\s", text)[0].rstrip(":")
    return title.removeprefix("# "), ""
