"""An admin who follows a runbook on the console literally: pages, buttons and fields are found by their labels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser import Tab
from runbook_reader import Item, Part, labels, plain, values

HELPERS = r"""
window.norm = t => (t || '').replace(/\s+/g, ' ').trim();
window.same = (a, b) => norm(a).toLowerCase() === norm(b).toLowerCase();
window.heading = name => [...document.querySelectorAll('main h2, main h3')].find(h => same(h.textContent, name));
window.area = name => {
  if (!name) return document.querySelector('main');
  const h = heading(name); return h && (h.closest('form') || h.closest('section'));
};
window.button = (name, where) => [...(area(where) || document).querySelectorAll('button, a')].find(
  b => same(b.innerText, name) && b.getClientRects().length);
window.control = (name, where) => {
  const label = [...area(where).querySelectorAll('label')].find(l => same(l.textContent, name));
  return label && label.control;
};
window.choices = (name, where) => {
  const set = [...area(where).querySelectorAll('fieldset')].find(f => same(f.querySelector('legend').textContent, name))
    || [...area(where).querySelectorAll('details')].find(d => same(d.querySelector('summary').ariaLabel, name));
  return set && [...set.querySelectorAll('input[type=checkbox]')];
};
window.fact = name => {
  const term = [...document.querySelectorAll('main dt')].find(t => same(t.textContent, name));
  return term && norm(term.nextElementSibling.innerText);
};
"""


class Stumble(AssertionError):
    """The admin does not find what the runbook names."""


class Admin:
    """An org admin with a browser that is signed in to the console.

    ``metadata`` is the IdP's file. ``token`` and ``endpoint`` are what the admin copied for the IdP last.
    """

    def __init__(self, tab: Tab, metadata: Path) -> None:
        self.tab = tab
        self.metadata = metadata
        self.token = self.endpoint = ""
        self._scope = ""
        self._part = Part("")

    def sign_in(self, url: str, token: str) -> None:
        """Sign in to a console with an admin token."""
        self.tab.send("Network.clearBrowserCookies")
        self.tab.leave(lambda: self.tab.send("Page.navigate", url=url))
        self._scope, self._part = "", Part("Sign in")
        self._enter("Admin token", token)
        self._select("Sign in")

    def follow(self, part: Part, in_idp: Callable[[Item], None]) -> None:
        """Do one step; ``in_idp`` does what is to be done elsewhere."""
        self._part, self._scope = part, ""
        self.go(part.page)
        for item in part.items:
            if item.place == "WRITER":
                self._do(item.text)
            else:
                in_idp(item)

    def go(self, page: str) -> None:
        """Go to a page by the menu: ``Admin > Access & provisioning > SCIM``, from wherever the browser is."""
        menu, name, tab = (part.strip() for part in page.partition(",")[0].partition(" (")[0].split(" > "))
        assert self._look(f"same(document.querySelector('nav').ariaLabel, {json.dumps(menu)})"), page
        self._press(name, "document.querySelector('header + nav')")
        self._press(tab, "document.querySelector('main nav')")

    def _do(self, text: str) -> None:
        """Do what an item says, sentence by sentence; a sentence that names nothing on the page is for the admin."""
        for sentence in re.split(r"(?<=[.:]) (?=[A-Z*])|, and (?=select )", text):
            self._sentence(sentence)

    def _sentence(self, sentence: str) -> None:
        said, named = plain(sentence), labels(sentence)
        if said.startswith(("Find ", "Under ")):
            self._scope = named[0]
        if re.search(r"^Select .* and claim ", said):
            self._enter("Domain", named[1])
            self._select(named[0])
        elif re.search(r"as the identity provider", said):
            self._choose("Identity provider", named[-1])
        elif said.startswith("Enter "):
            self._enter(named[0], values(sentence)[0])
        elif re.search(r"set the (other )?values in the column After", said, re.IGNORECASE):
            self._set_table()
        elif said.startswith("For each group in the table"):
            self._set_groups()
        elif re.search(r"upload the IdP's (new )?metadata", said, re.IGNORECASE):
            self._upload("IdP metadata")
        elif said.startswith("Copy "):
            self._copy(named)
        elif re.search(r"\bselect ", said, re.IGNORECASE):
            self._select(named[-1], may_be_absent=said.endswith("if the page shows it."))

    def _set_table(self) -> None:
        for setting, _, after in self._part.table:
            name, value = plain(setting), plain(after)
            if self._look(self._js("choices", name)):
                self._check(name, value.split(", "))
                continue
            match self._look(f"{self._control(name)}.type"):
                case "checkbox":
                    self._look(f"{self._control(name)}.checked = {json.dumps(value == 'on')}")
                case "file":
                    self._upload(name)
                case "select-one":
                    self._choose(name, value)
                case _:
                    self._enter(name, "" if value == "–" else value)

    def _set_groups(self) -> None:
        for _, group, _, after in self._part.table:
            role, _, teams = after.partition(" on ")
            name = plain(group)
            self._choose(f"Role of {name}", "–" if plain(role).startswith("no role") else plain(role))
            self._check(f"Team of {name}", labels(teams))

    def _choose(self, name: str, value: str) -> None:
        """Select an option; the name of another IdP is entered next to it, or cleared."""
        option, _, custom = value.partition(" (")
        chosen = f"[...{self._control(name)}.options].find(o => same(o.text, {json.dumps(option)}))"
        if not self._look(f"!!{chosen}"):
            raise Stumble(f"{name} has no option {option!r}: {self._where()}")
        self._look(f"{chosen}.selected = true")
        if option == "Other IdP":
            self._enter("Name of the other IdP", custom.removesuffix(")"))

    def _check(self, name: str, wanted: list[str]) -> None:
        """Check these boxes and no other ones; a list that is closed is opened."""
        boxes = self._js("choices", name)
        if not self._look(f"!!{boxes}"):
            raise Stumble(f"there is no list {name!r}: {self._where()}")
        self._look(f"{boxes}.forEach(b => b.checked = {json.dumps(wanted)}.includes(norm(b.labels[0].textContent)))")
        checked = self._look(f"{boxes}.filter(b => b.checked).map(b => norm(b.labels[0].textContent))")
        if sorted(checked) != sorted(wanted):
            raise Stumble(f"{name} has no {sorted({*wanted} - {*checked})}: {self._where()}")

    def _enter(self, name: str, value: str) -> None:
        self._look(f"{self._control(name)}.value = {json.dumps(value)}")

    def _upload(self, name: str) -> None:
        found = self.tab.send("Runtime.evaluate", expression=self._control(name))["result"]["objectId"]
        self.tab.send("DOM.setFileInputFiles", files=[str(self.metadata)], objectId=found)

    def _copy(self, named: list[str]) -> None:
        for name in named:
            if not self._look(f"fact({json.dumps(name)})"):
                raise Stumble(f"the page has no value {name!r} to copy: {self._where()}")
        tokens = re.findall(r"rolecall_scim_[\w-]+", str(self._look("fact('Bearer token')")))
        if "Bearer token" in named and tokens:
            self.token, self.endpoint = tokens[0], str(self._look("fact('Endpoint')"))

    def _select(self, name: str, *, may_be_absent: bool = False) -> None:
        if may_be_absent and not self._look(f"!!{self._js('button', name)}"):
            return
        self._press(name, f"area({json.dumps(self._scope)})")
        self._scope = ""

    def _press(self, name: str, within: str) -> None:
        """Press a button or a link, and wait for the page that comes; the org must not refuse what is sent."""
        found = f"[...{within}.querySelectorAll('button, a')].find(b => same(b.innerText, {json.dumps(name)}))"
        if not self._look(f"!!({within} && {found})"):
            raise Stumble(f"there is no button {name!r}: {self._where()}")
        self.tab.leave(lambda: self._look(f"{found}.click()"))
        if refused := self._look(
            "document.querySelector('.problems') && document.querySelector('.problems').innerText"
        ):
            raise Stumble(f"{name} is refused: {refused}: {self._where()}")

    def _control(self, name: str) -> str:
        found = self._js("control", name)
        if not self._look(f"!!{found}"):
            raise Stumble(f"there is no field {name!r}: {self._where()}")
        return found

    def _js(self, function: str, name: str) -> str:
        return f"{function}({json.dumps(name)}, {json.dumps(self._scope)})"

    def _look(self, expression: str) -> Any:
        return self.tab.look(f"(() => {{ {HELPERS}; return {expression} }})()")

    def _where(self) -> str:
        return f"{self._part.title}, on {self.tab.look('location.pathname')}"
