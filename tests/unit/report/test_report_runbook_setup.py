"""Test the runbook that sets up an org for the first time, with the values of a configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.model.settings import Defaults, Domain, Endpoint, GroupMapping, Scim, Settings, Sso
from rolecall.report.builders.runbook.idp import IDPS
from rolecall.report.builders.runbook.setup import setup_document
from rolecall.report.document import Paragraph
from rolecall.report.renderers.html import html
from rolecall.report.renderers.runbook import runbook_markdown

SETTINGS = Settings(
    domains={"acme.com": Domain(True, "approval")},
    defaults=Defaults("member", frozenset({"Everyone"})),
    sso=Sso(True, "Acme login", "okta", allow_passwords=False, metadata="<xml>"),
    scim=Scim(True, "okta", "new", manual_editing=False),
    idp_groups={
        "Admins": GroupMapping("org_admin", frozenset({"IT"})),
        "All {group_0} **x**": GroupMapping(),
        "Legal": GroupMapping("member", frozenset({"Legal", "IT"})),
    },
)


def text_of(settings: Settings, idp: str = "okta") -> str:
    return runbook_markdown(setup_document(settings, idp, "acme", "okta.xml"))


@pytest.mark.parametrize("idp", IDPS)
def test_one_runbook_from_the_domain_to_the_mapped_groups(idp: str) -> None:
    text = text_of(SETTINGS, idp)
    titles = [line.partition(" · ")[2] for line in text.splitlines() if line.startswith("## Step ")]
    assert titles[:3] == ["Claim the domain acme.com", "Create the teams", "Set the default user permissions"]
    assert titles[3:5] == ["Set up single sign-on", "Set up SCIM"]
    if idp == "okta":
        assert titles[5:-1] == ["In Okta: push 3 groups", "Map 2 groups", "In Okta: assign users"]
    else:
        assert "assign users" in titles[5]
        assert titles[6:-1] == ["Map 2 groups"]
    assert titles[-1] == "Switch sign-in by password off"
    assert f"until step {len(titles) - 1} is checked" in text
    assert f"Do step {titles.index('Map 2 groups') + 1} signed in as them" in text
    assert text.count("- [ ] Check: ") >= 5
    assert "{" not in text.replace("{group_0}", "")


def test_the_values_of_the_configuration_are_filled_in() -> None:
    text = text_of(SETTINGS)
    assert "Enter `Acme login` as **Name**, and select **Okta**" in text
    assert "upload the IdP's metadata XML (okta.xml of the configuration)" in text
    assert "`https://app.writer.com/api/access/saml`" in text
    assert "Tick off the boxes as you go" in text
    assert "`rolecall done` does not apply" in text
    assert "**Endpoint** (`https://app.writer.com/api/scim/v2`)" in text
    assert "| Default teams | – | Everyone |" in text
    assert "- [ ] **IT**\n- [ ] **Legal**\n\n- [ ] Check: WRITER lists each of these teams" in text
    assert "If the page asks for a default role and team: **Member** and **Everyone**." in text
    assert "Save the file as `okta.xml` in the directory of the configuration" in text
    assert "Undo: Note the values on the page first. To undo, set them again" in text
    assert "| ☐ 7.2 | Legal | no role, no team | **Member** on **IT**, **Legal** |" in text
    assert "- [ ] `Legal`\n" in text
    assert "- [ ] `All {group_0} **x**`\n" in text
    assert "Undo: **Push Groups** > the menu in **Push Status** > **Unlink pushed group**" in text


@pytest.mark.parametrize("idp", IDPS)
@pytest.mark.parametrize("endpoint", ["new", "legacy"])
def test_each_step_has_a_check_and_an_undo(idp: str, endpoint: Endpoint) -> None:
    settings = replace(SETTINGS, scim=Scim(True, "okta", endpoint))
    steps = [chapter for chapter in setup_document(settings, idp, "acme").chapters if chapter.step]
    for step in steps:
        labels = [block.label for block in step.blocks if isinstance(block, Paragraph)]
        assert {"Check", "Undo"} <= set(labels), step.title
    assert [step.title.partition(" · ")[0] for step in steps] == [f"Step {n}" for n in range(1, len(steps) + 1)]


def test_entra_gets_the_scope_before_the_groups_and_the_status_last() -> None:
    text = text_of(SETTINGS, "entra")
    parts = [
        "**Scope** is",
        "select the groups below",
        "- [ ] `Legal`\n",
        "**Provisioning Status** to **On**",
        "**Off**",
    ]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)


def test_passwords_stay_on_until_the_last_step() -> None:
    text = text_of(SETTINGS)
    passwords = "| Allow team members to create passwords and sign in without SSO | on | off |"
    assert text.count(passwords) == 1
    assert text.index("Map 2 groups") < text.index("Keep this session open") < text.index(passwords)
    assert "Leave sign-in by password on until single sign-on is tested" in text
    assert "Upload the IdP's new metadata" not in text


def test_what_the_configuration_lacks_is_asked_for_in_words() -> None:
    text = text_of(Settings(), "entra")
    for title in ("Claim your domain", "Set up single sign-on", "Choose the default role and team", "Map the groups"):
        assert f"· {title}\n" in text
    assert "Switch sign-in by password off" not in text
    assert "select each group that gives access" in text


def test_an_idp_of_another_name_keeps_it() -> None:
    settings = Settings(sso=Sso(True, "Ping", "pingone"), scim=Scim(True, "pingone"))
    text = text_of(settings, "other")
    assert "| Identity provider | – | Other IdP (pingone) |" in text
    assert "Select **Other IdP** as the identity provider" in text


def test_the_legacy_endpoint_has_roles_by_attribute_and_no_mapping() -> None:
    settings = Settings(scim=Scim(True, "okta", "legacy", role_attribute="writerRole"))
    text = text_of(settings)
    assert "variable name `writerRole`" in text
    assert "external namespace `urn:custom:params:scim:schemas:extension:writer:2.0`" in text
    assert "Map the groups" not in text


def test_the_page_has_a_section_for_each_step() -> None:
    page = html(setup_document(SETTINGS, "okta", "acme"))
    assert page.count('<section class="step') == 9
    assert page.count('<section class="step long">') == 1, "the step that sets up SSO is longer than a page"
    assert "<xml>" not in page


CONFIG = """\
version: 1
org: {name: acme, url: observed:org.yaml}
scim: {enabled: true, idp: IDP}
"""


def test_the_command_takes_the_idp_of_the_configuration_or_that_of_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rolecall.yaml").write_text(CONFIG.replace("IDP", "entra"), encoding="utf-8")
    assert run(["-C", str(tmp_path), "runbook", "setup"]) == Exit.OK
    assert capsys.readouterr().out.startswith("# Set up SSO and SCIM with Entra on acme\n")
    assert run(["-C", str(tmp_path), "runbook", "setup", "--idp", "okta"]) == Exit.OK
    assert capsys.readouterr().out.startswith("# Set up SSO and SCIM with Okta on acme\n")
    assert run(["-C", str(tmp_path), "runbook", "okta", "--idp", "okta"]) == Exit.USAGE
    assert "--idp is for `rolecall runbook setup`" in capsys.readouterr().err


def test_without_an_idp_the_command_asks_for_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rolecall.yaml").write_text(CONFIG.partition("scim")[0], encoding="utf-8")
    assert run(["-C", str(tmp_path), "runbook", "setup"]) == Exit.USAGE
    assert "the configuration names no IdP; add --idp okta" in capsys.readouterr().err
