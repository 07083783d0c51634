"""A model of WRITER's console that follows the text of a runbook mechanically, by the labels of its pages.

It knows pages, labels and values as the console shows them, and nothing of plans. It does only what the text says.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from rolecall.model.kinds import BY_SECTION
from rolecall.model.roles import BUILT_IN
from rolecall.model.settings import BLANK, UNSET, GroupMapping, Settings
from rolecall.report.builders.changes import scalar

NONE = "–"
_PUSH = re.compile(r"^(?:`([^`]+)`|<code>(.+?)</code>)$")
Shown = dict[str, str]
"""Values by label."""


def shown(section: str, value: Any) -> Shown:
    """Return the values of a setting as the console shows them."""
    return {
        field.label: _shown(field, getattr(value, field.name)) for field in BY_SECTION[section].fields if field.written
    }


def _shown(field: Any, value: Any) -> str:
    if value is UNSET or value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "on" if value else "off"
    if field.type == "role":
        return BUILT_IN[value].name if value in BUILT_IN else value
    if field.name == "idp":
        words = dict(field.words)
        return words.get(value.casefold(), f"{words['other']} ({value})")
    return (
        dict(field.words).get(value, scalar(field.name, value)) if isinstance(value, str) else scalar(field.name, value)
    )


def mapping_shown(mapping: GroupMapping) -> str:
    """Return a mapping as a table of a runbook has it."""
    if mapping == BLANK:
        return "no role, no team"
    role = BUILT_IN[mapping.role].name if mapping.role in BUILT_IN else mapping.role
    teams = ", ".join(f"**{team}**" for team in sorted(mapping.teams)) or "no team"
    return f"{f'**{role}**' if role else 'no role'} on {teams}"


class Console:
    """The pages of an org. ``strict`` refuses what WRITER's console does: SSO without a domain, SCIM without SSO."""

    def __init__(self, settings: Settings, *, strict: bool = True) -> None:
        self.domains = {name: shown("domains", domain) for name, domain in (settings.domains or {}).items()}
        self.groups = {name: mapping_shown(mapping) for name, mapping in (settings.idp_groups or {}).items()}
        self.pages = {name: shown(name, getattr(settings, name)) for name in ("defaults", "sso", "scim")}
        self._strict = strict

    @property
    def state(self) -> dict[str, Any]:
        """Return everything that the pages show. A group without a mapping is shown like one that is not there."""
        mapped = {name: text for name, text in self.groups.items() if text != "no role, no team"}
        return {"domains": self.domains, "groups": mapped, **self.pages}

    def follow(self, text: str) -> None:
        """Do what a runbook says, chapter by chapter. Raises AssertionError for a label that a page does not have."""
        for chapter in text.split("\n## ")[1:]:
            _Chapter(self, chapter, strict=self._strict).follow()


class _Chapter:
    """One chapter on its way: the page, the entry that is open, and groups that are edited and not saved."""

    def __init__(self, console: Console, text: str, *, strict: bool) -> None:
        self._console, self._strict = console, strict
        self._lines = text.splitlines()
        page = re.search(r"^Page: \*\*Admin > Access & provisioning > ([^*,]+)", text, re.MULTILINE)
        self._page = page[1] if page else ""
        self._open: Shown | None = {"SSO": console.pages["sso"], "SCIM": console.pages["scim"]}.get(self._page)
        self._edited: dict[str, str] | None = None

    def follow(self) -> None:
        for line in self._lines:
            if line.startswith("- [ ] Check: "):
                self._check(line)
            elif line.startswith("- [ ] "):
                self._act(line[6:])
        assert self._edited is None, "edited, and never saved"

    def _act(self, action: str) -> None:
        pages = self._console.pages
        if pushed := _PUSH.search(action):
            self._console.groups.setdefault(unescape(pushed[1] or pushed[2]), "no role, no team")
        elif named := re.match(r"Select \*\*Claim domain\*\* and claim \*\*(.+?)\*\*", action):
            assert unescape(named[1]) not in self._console.domains
            self._open = self._console.domains[unescape(named[1])] = shown("domains", BY_SECTION["domains"].type())
        elif named := re.match(r"Find \*\*(.+?)\*\* and select \*\*Remove domain\*\*", action):
            del self._console.domains[unescape(named[1])]
            self._require(self._console.domains or pages["sso"]["SAML SSO"] == "off", "SSO needs a domain")
        elif named := re.match(r"Find \*\*(.+?)\*\*\.", action):
            self._open = self._console.domains[unescape(named[1])]
        elif action.startswith("Under **Default user permissions**"):
            self._open = pages["defaults"]
        self._switch(action)
        if "column After" in action:
            self._set()
        if action.startswith("Select **Save**") and self._edited is not None:
            self._console.groups |= self._edited
            self._edited = None

    def _switch(self, action: str) -> None:
        pages = self._console.pages
        if action.startswith("Select **Edit**"):
            assert self._page == "IdP groups"
            self._edited = {}
        elif action.startswith("Select **Set up single sign-on**"):
            self._require(self._console.domains, "SSO needs a domain")
        elif action.startswith("Select **Set up SCIM**"):
            self._require(pages["sso"]["SAML SSO"] == "on", "SCIM needs SSO")
        elif action.startswith("Select **Upgrade**"):
            pages["scim"]["Endpoint version"] = "Upgrade started"
            self._console.groups.clear()
        elif action.startswith("Select **Complete upgrade**"):
            pages["scim"]["Endpoint version"] = "New"
        elif re.search(r"\*\*Remove configuration\*\*", action):
            assert self._open is not None
            self._open["SAML SSO" if self._page == "SSO" else "SCIM provisioning"] = "off"
            off = pages["scim"]["SCIM provisioning"] == "off" or self._page == "SCIM"
            self._require(off, "SCIM needs SSO")

    def _set(self) -> None:
        for first, *cells in self._rows():
            if first[0] in "☐☑":
                name, before, after = cells
                assert self._console.groups.get(name, "no role, no team") == before, (
                    name,
                    before,
                    self._console.groups,
                )
                target = self._console.groups if self._edited is None else self._edited
                assert self._edited is not None or self._page.startswith("SCIM"), "not in the form"
                target[name] = after
            else:
                before, after = cells
                assert self._open is not None
                assert first in self._open, f"the page has no {first}"
                assert before == NONE or self._open[first] in (before, after)
                self._open[first] = after

    def _check(self, line: str) -> None:
        for first, *cells in self._rows() if "column After" in line or "with the table" in line else ():
            found = self._console.groups[cells[0]] if first[0] in "☐☑" else (self._open or {})[first]
            assert found == cells[-1]

    def _rows(self) -> list[list[str]]:
        rows = [line for line in self._lines if line.startswith("| ")][1:]
        return [[unescape(cell) for cell in line[2:-2].split(" | ")] for line in rows]

    def _require(self, condition: object, message: str) -> None:
        assert condition or not self._strict, message
