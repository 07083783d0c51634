"""Draws the pictures in docs/images that show plans, each run for real: `script/picture [NAME ...]`, by default all.

plan            a plan in the terminal, as SVG
markdown        the plan of four changes as a comment on a pull request, rendered
html-small      the HTML report of a plan that affects 14 users
html-huge       the HTML report of a plan that affects 37,980 of 100,000 users

Chromium draws all but the first, without network access.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
ACME = ROOT / "examples" / "acme"
WIDTH = 112
LARGEST = 300_000
"""The most bytes of a picture."""

SNAPSHOT = "rolecall -e prod plan --as-of 2026-11-22 --snapshot live/prod.json"
COMMAND = (
    "rolecall -e prod plan --snapshot live/prod.json "
    "--target idp_groups/Writer-Content --target idp_groups/Writer-Legal-Leads"
)
LEGAL, CONTENT, INTERNS = (
    f"--target idp_groups/{name}" for name in ("Writer-Legal*", "Writer-Content", "Interns-2025")
)

FORGE = """
body { margin: 0 auto; max-width: 860px; padding: 16px 24px; font: 14px/1.5 system-ui, sans-serif; color: #1f2328; }
h3 { font-size: 1.25em; margin: 0 0 12px; } p, ul, table { margin: 0 0 12px; } ul { padding-left: 2em; }
code { font: 12px ui-monospace, monospace; background: #eff1f3; padding: .2em .4em; border-radius: 6px; }
table { border-collapse: collapse; } th, td { border: 1px solid #d1d9e0; padding: 6px 13px; }
tr:nth-child(2n) { background: #f6f8fa; } details { margin: 0 0 12px; } sub { font-size: 12px; vertical-align: 0; }
"""
"""A stylesheet close to that of GitHub and GitLab."""


def main(names: list[str]) -> None:
    """Draw the named pictures."""
    IMAGES.mkdir(exist_ok=True)
    for name in names or PICTURES:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = PICTURES[name](Path(folder))
        if path.stat().st_size > LARGEST:
            raise SystemExit(f"{path} has {path.stat().st_size:,} bytes, more than {LARGEST:,}")
        sys.stdout.write(f"Wrote {path.relative_to(ROOT)}, {path.stat().st_size:,} bytes\n")


def terminal(_: Path) -> Path:
    """Draw the plan of two changes as a terminal shows it."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text(f"$ {COMMAND}", style="bold"))
    console.print(Text.from_ansi(_terminal_output()), highlight=False)
    svg = console.export_svg(title="rolecall plan", theme=SVG_EXPORT_THEME, unique_id="plan")
    out = IMAGES / "plan.svg"
    out.write_text(_without_web_fonts(svg), encoding="utf-8")
    return out


def comment(folder: Path) -> Path:
    """Draw four changes of examples/acme as Markdown, rendered as on a forge, with users as counts."""
    from markdown_it import MarkdownIt

    _run(f"{SNAPSHOT} {CONTENT} {LEGAL} {INTERNS} --people counts --report markdown={folder / 'plan.md'}", ACME)
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render((folder / "plan.md").read_text("utf-8"))
    page = folder / "comment.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><style>{FORGE}</style>{html}", encoding="utf-8")
    return _shot(page, IMAGES / "plan-markdown.png", 908, 1390)


def small(folder: Path) -> Path:
    """Draw the HTML report of a plan that affects few users."""
    _run(f"{SNAPSHOT} {LEGAL} {INTERNS} --report html={folder / 'plan.html'}", ACME)
    return _shot(folder / "plan.html", IMAGES / "report-small.png", 1120, 1440)


def huge(folder: Path) -> Path:
    """Draw the HTML report of a reorganization of 100,000 users in dark mode."""
    config, live = _reorganization()
    (folder / "rolecall.yaml").write_text(json.dumps(config), encoding="utf-8")
    (folder / "live.json").write_text(json.dumps(live), encoding="utf-8")
    with (folder / "people.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(user)}\n" for user in _users())
    _run("rolecall plan --as-of 2026-11-22 --snapshot live.json --report html=plan.html", folder, refused=True)
    return _shot(folder / "plan.html", IMAGES / "report-huge.png", 1120, 1435, dark=True)


PICTURES: Mapping[str, Callable[[Path], Path]] = {
    "plan": terminal,
    "markdown": comment,
    "html-small": small,
    "html-huge": huge,
}

_SIZES = (30_000, 18_000, 12_000, 9_000, 7_500, 6_000, 5_000, 4_000, 3_500, 2_500, 1_500, 600, 380, 20)
_BEFORE = (
    *("Engineering", "Sales", "Support", "Marketing", "Operations", "Finance", "Field Marketing", "Talent"),
    *("Sales EMEA", "Legal", "Brand Studio", "Contractors 2025", "Sales Leads", "Workplace IT"),
)
_AFTER = {
    "Support": {"role": "member", "teams": ["Customer Care"]},
    "Marketing": {"role": "member", "teams": ["Brand"]},
    "Field Marketing": {"role": "member", "teams": ["Brand", "Sales"]},
    "Sales EMEA": {"role": "member", "teams": ["Sales"]},
    "Finance": {"role": "member", "teams": ["Finance", "Legal"]},
    "Brand Studio": {"role": "member", "teams": ["Brand"]},
    "Contractors 2025": {"blank": True, "reason": "the contract ended"},
    "Sales Leads": {"role": "team_admin", "teams": ["Sales"]},
    "Workplace IT": {"role": "org_admin", "teams": ["Workplace IT"]},
}


def _reorganization() -> tuple[dict[str, object], dict[str, object]]:
    before = {f"Writer-{name}": {"role": "member", "teams": [name]} for name in _BEFORE}
    before["Writer-Workplace IT"]["role"] = "org_admin"
    after = before | {f"Writer-{name}": mapping for name, mapping in _AFTER.items()}
    teams = sorted({"Everyone", "Brand", "Customer Care", *_BEFORE})
    org: dict[str, object] = {"name": "globex", "id": "org_2201"}
    defaults = {"role": "member", "teams": ["Everyone"]}
    config = {
        "version": 1,
        "org": {**org, "url": "https://rolecall.globex.example", "token": {"env": "ROLECALL_TOKEN"}},
        "idp_groups": after,
    }
    live = {
        "snapshot": 1,
        "taken_at": "2026-11-22T09:00:00Z",
        "org": org,
        "teams": teams,
        "defaults": defaults,
        "roles": ["org_admin", "team_admin", "member"],
        "domains": {"globex.example": {"discoverable": False, "join": "approval"}},
        "sso": {"enabled": True, "name": "Okta", "idp": "okta", "allow_uninvited": False, "allow_passwords": False},
        "scim": {"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False},
        "idp_groups": before,
        "people": "people.jsonl",
    }
    return config, live


def _users() -> Iterator[dict[str, object]]:
    numbers = count()
    for name, size in zip(_BEFORE, _SIZES, strict=True):
        for number in islice(numbers, size):
            groups = [f"Writer-{name}"]
            yield {"email": f"user{number:05}@globex.example", "origin": "scim", "active": True, "groups": groups}


def _run(command: str, folder: Path, *, refused: bool = False) -> None:
    """Run a command of rolecall, which must exit with 0, or with 3 if `refused`."""
    words = [sys.executable, "-m", *shlex.split(command)]
    environ = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != (3 if refused else 0):
        raise SystemExit(done.stdout + done.stderr)


def _shot(page: Path, out: Path, width: int, height: int, *, dark: bool = False) -> Path:
    """Write a screenshot of the top of a page in a window of that size."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is required for this picture and is not installed")
    flags = "--headless --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --disable-background-networking"
    mode = ["--blink-settings=preferredColorScheme=0"] if dark else []
    line = [chromium, *flags.split(), *mode, f"--user-data-dir={page.parent / 'profile'}", f"--screenshot={out}"]
    subprocess.run([*line, f"--window-size={width},{height}", page.as_uri()], capture_output=True, check=True)
    return out


def _terminal_output() -> str:
    """Return the output of the command on a terminal of that width, with a snapshot as the org."""
    words = [sys.executable, "-m", *shlex.split(COMMAND)]
    env = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color", "COLORTERM": "", "FORCE_COLOR": "1"}
    env.pop("CI", None)
    env.pop("NO_COLOR", None)
    master, slave = os.openpty()
    with subprocess.Popen(words, cwd=ACME, env=env, stdout=slave, stdin=slave) as running:
        os.close(slave)
        output = _all(master)
        if running.wait() != 0:
            raise SystemExit(output)
    return output.replace("\r\n", "\n").rstrip("\n")


def _all(master: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode()


def _without_web_fonts(svg: str) -> str:
    """Return the picture with the monospace font of the reader, so that it loads no web fonts."""
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace", svg)


if __name__ == "__main__":
    main(sys.argv[1:])
