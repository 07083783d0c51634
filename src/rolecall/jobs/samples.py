"""Put sections that `export --update` adds where the commented samples of `init` are, instead of those."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rolecall.jobs.init import CONFIG_TEMPLATE
from rolecall.model.kinds import ORG_SECTIONS

_SAMPLE = re.compile(r"^# (?P<section>\w+):.*(?:\n#   .*)*", re.MULTILINE)
_IDP = "{idp}"


def without_samples(before: str, after: str) -> str:
    """Return the text after a change, with each section that was added moved to the place of its sample.

    Only comments that are exactly as `init` writes them are replaced; a sample that was edited stays.
    """
    text = after.replace("\r\n", "\n")
    for section, sample in _samples():
        heading = re.compile(rf"^{section}:", re.MULTILINE)
        commented = sample.search(text)
        if commented is None or heading.search(before) or not heading.search(text):
            continue
        block = _block(section).search(text)
        if block is not None and commented.end() < block.start():
            between = text[commented.end() : block.start()].rstrip("\n")
            tail = text[block.end() :]
            text = f"{text[: commented.start()]}{block[0].rstrip()}{between}\n{tail}"
    return text.replace("\n", "\r\n") if "\r\n" in after else text


def _block(section: str) -> re.Pattern[str]:
    """Return the pattern of a section in a file: its line and the indented or empty lines after it."""
    return re.compile(rf"^{section}:.*\n(?:(?:[ \t].*)?\n)*(?:[ \t].*\Z)?", re.MULTILINE)


def _samples() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield each section with the pattern of its commented sample, whatever IdP it names."""
    text = CONFIG_TEMPLATE.replace("{{", "{").replace("}}", "}")
    for match in _SAMPLE.finditer(text):
        if match["section"] in ORG_SECTIONS:
            pattern = re.escape(match[0]).replace(re.escape(_IDP), r"[^,}\n]+")
            yield match["section"], re.compile(rf"^{pattern}$", re.MULTILINE)
