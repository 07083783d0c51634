"""The console in headless Chromium, its own scripts switched off: keyboard, wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Tab, tab
from org_client import Client as Api
from org_client import fill
from scim_org import copied, served

from rolecall.localorg.manage import make_token
from rolecall.localorg.store import Database, open_database

PAGES = [
    "",
    "admin/access",
    "admin/sso",
    "admin/sso/set-up",
    "admin/scim",
    "admin/idp-groups",
    "admin/idp-groups?edit=1",
    "people",
    "audit",
]


@pytest.fixture(scope="module")
def org(scim_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    db = open_database(copied(scim_template, tmp_path_factory.mktemp("console")))
    fill(db)
    yield db
    db.close()


@pytest.fixture(scope="module")
def window(org: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tab, str]]:
    """A browser signed in by keyboard alone, and the console's base URL."""
    with tab(tmp_path_factory.mktemp("profile")) as page, served(org) as url:
        page.open(url)
        assert page.look("location.pathname") == "/sign-in"
        assert page.look("document.activeElement.id") == "token"
        page.type(make_token(org, "admin", email="ann@acme.com").secret)
        page.enter()
        yield page, url


def test_signed_in_without_a_script(window: tuple[Tab, str]) -> None:
    page, url = window
    page.open(url)
    assert "ann@acme.com" in page.text()
    assert page.look("document.cookie") == ""
    assert page.look("document.scripts.length") == 0


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 1200])
def test_pages_fit_and_can_be_read(window: tuple[Tab, str], tmp_path: Path, width: int, dark: bool) -> None:
    page, url = window
    page.shape(width, dark=dark)
    grounds = set()
    for name in PAGES:
        page.open(f"{url}/{name}")
        assert page.look("document.documentElement.scrollWidth") <= width, name
        assert page.look(CONTRAST) >= 4.5, name
        unlabelled = (
            "[...document.querySelectorAll('main input:not([type=hidden]), main select')].filter(e => !e.labels.length)"
        )
        assert page.look(f"{unlabelled}.length") == 0, name
        grounds.add(page.look("getComputedStyle(document.body).backgroundColor"))
        page.picture(tmp_path / f"{name.replace('/', '-') or 'overview'}.png")
    assert grounds == {"rgb(18, 21, 27)" if dark else "rgb(245, 246, 248)"}
    page.shape(1200)


def test_a_mapping_is_changed_by_keyboard(window: tuple[Tab, str], org: Database) -> None:
    page, url = window
    page.open(f"{url}/admin/idp-groups?edit=1")
    page.press("Tab", 9)
    assert page.look("document.activeElement.className") == "skip"
    focus(page, "document.activeElement.getAttribute('aria-label') === 'Team of Marketing'")
    page.press("Enter", 13, "\r")
    focus(page, "document.activeElement.value === 'Legal'")
    page.press(" ", 32, " ")
    page.enter()
    assert "Saved." in page.text()
    assert Api(org).group("Marketing")["mapping"] == {"role": "member", "teams": ["Legal", "Marketing"]}


def focus(page: Tab, condition: str) -> None:
    """Press Tab until a condition holds of what has the focus."""
    for _ in range(40):
        if page.look(condition):
            return
        page.press("Tab", 9)
    raise AssertionError(condition)


def test_a_toggle_is_turned_and_shown_in_the_audit_log(window: tuple[Tab, str], org: Database) -> None:
    page, url = window
    page.open(f"{url}/admin/scim")
    page.click("#scim-manual_editing")
    page.follow("form[action='/admin/scim/scim'] button")
    assert "Saved." in page.text()
    assert Api(org).get("/v1/access/scim")["manual_editing"] is True
    page.follow("nav li:last-child a")
    assert "console" in page.look("document.querySelector('tbody tr').innerText")
    assert "ann@acme.com" in page.look("document.querySelector('tbody tr').innerText")
    page.click("summary")
    assert '"manual_editing": true' in page.look("document.querySelector('details[open]').innerText")


def test_people_are_searched_and_opened(window: tuple[Tab, str]) -> None:
    page, url = window
    page.open(f"{url}/people")
    page.click("#q")
    page.type("bo@")
    page.enter()
    page.follow("tbody a")
    assert page.look("document.querySelector('h1').innerText") == "bo@acme.com"
    assert "group Marketing" in page.text()


def test_signing_out(window: tuple[Tab, str]) -> None:
    page, url = window
    page.open(url)
    page.follow("header button")
    page.open(f"{url}/people")
    assert page.look("location.pathname") == "/sign-in"


CONTRAST = """(() => {
  const parts = c => (c.match(/[0-9.]+/g) || []).map(Number);
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  let least = 21;
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    const a = light(parts(getComputedStyle(e).color)), b = light(ground(e));
    least = Math.min(least, (Math.max(a, b) + .05) / (Math.min(a, b) + .05));
  }
  return least;
})()"""
