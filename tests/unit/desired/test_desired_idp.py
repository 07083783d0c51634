"""The section `idp`: what is built of it, and every mistake in it with its place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.desired.build import read_config
from rolecall.desired.check.validate import validate
from rolecall.desired.load.read import load
from rolecall.model.target import SecretRef

HEAD = "version: 1\norg: {name: a, url: 'local:org.db'}\n"
OKTA = "okta: {url: 'https://acme.okta.com', app: 0oa1, token: {env: T}}"
ENTRA = "entra: {tenant: acme, app: a1, client_id: c, client_secret: {env: T}}"

PORTAL = (
    "https://portal.azure.com/#view/Microsoft_AAD_IAM/ManagedAppMenuBlade/~/Overview"
    "/objectId/5f0c6a3e-8f39-4b1c-9a53-0a4f0d1f7a10/appId/7d1f0f0e-2f8e-4c2f-8f55-1f4f7c6f2c11"
)


def problems(folder: Path, text: str) -> list[str]:
    (folder / "rolecall.yaml").write_text(HEAD + text, encoding="utf-8")
    found = validate(load(folder))
    return [f"{'' if problem.severity == 'error' else 'warning: '}{problem}" for problem in found]


@pytest.mark.parametrize(
    "text",
    [
        f"idp: {{{OKTA}}}",
        f"idp: {{{ENTRA}}}\npeople: idp",
        "idp: {okta: {url: 'https://acme.okta.com', app: x, client_id: c, private_key: {file: key.pem}}}",
        "idp: {entra: {tenant: t, app: x, token: {env: T}, url: 'https://graph.microsoft.us', login_url: 'https://l.us'}}",
        f"idp: {{{OKTA}}}\npeople: {{file: people.csv}}",
        f"idp: {{{OKTA}, assignments: [A], pushes: [B, {{name: C, id: 00g1}}]}}",
        f"idp_groups: {{A: blank}}\nidp: {{{OKTA}, assignments: [], pushes: idp_groups}}",
        f"idp: {{{OKTA[:-1]}, write: {{token: {{env: W}}}}}}}}",
        f"idp: {{{OKTA[:-1]}, write: {{client_id: c, private_key: {{env: W}}}}}}}}",
        f"scim: {{idp: okta}}\nsso: {{idp: okta}}\nidp: {{{OKTA}}}",
    ],
)
def test_what_is_accepted(tmp_path: Path, text: str) -> None:
    (tmp_path / "people.csv").write_text("email,groups\n")
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"idp: {{{OKTA},\n  {ENTRA}}}", "4:3: `idp` has both `okta` and `entra`; an org has one IdP. Keep the one"),
        ("idp: {}", "3:6: `idp` has no source. Add one of: okta, entra"),
        ("idp: okta", "3:6: `idp` must be a map, not the text `okta`. List its keys: rolecall help config idp"),
        (
            f"idp: {{{OKTA}, pushes: all}}",
            "3:81: `pushes` cannot be `all`. Use `idp_groups` for all groups of that section, or a list of groups",
        ),
        (f"idp: {{{OKTA}, pushes: idp_group}}", "3:81: `pushes` cannot be `idp_group`. Did you mean `idp_groups`?"),
        ("idp: {octa: {}}", "3:7: `octa` is not a key of `idp`. Did you mean `okta`?"),
        ("idp: {okta: {app: x, token: {env: T}}}", "3:7: `okta` has no `url`"),
        ("idp: {okta: {url: 'https://a.okta.com', app: x}}", "3:7: Okta requires credentials. Add `client_id` and"),
        (
            "idp: {okta: {url: 'https://a.okta.com', app: x, client_id: c}}",
            "3:7: Okta requires credentials. Add `client_id` and `private_key`, or `token`",
        ),
        (
            "idp: {okta: {url: 'https://a.okta.com', app: x, client_id: c, token: {env: T}}}",
            "3:49: `okta` has both `token` and `client_id`. Keep one of the two",
        ),
        (
            f"idp: {{{OKTA[:-1]}, write: {{}}}}}}",
            "3:72: `write` requires credentials. Add `client_id` and `private_key`",
        ),
        (
            f"idp: {{{OKTA[:-1]}, write: {{client_id: c, token: {{env: W}}}}}}}}",
            "3:80: `write` has both `token` and `client_id`. Keep one of the two",
        ),
        (f"idp: {{{OKTA[:-1]}, write: {{token: canary-1}}}}}}", "`token` contains the secret itself"),
        (
            "idp: {entra: {tenant: t, app: x, token: {env: T}, write: {client_id: w}}}",
            "3:51: `write` requires credentials. Add `client_id` and `client_secret`",
        ),
        (
            f"idp: {{{OKTA.replace('{env: T}', 'OKTA_TOKEN')}}}",
            "3:62: `token` must refer to a secret, and is a text. If it is the name of a variable, write "
            "`token: {env: NAME}`; if it is the secret itself, revoke it, because it may have been read in this file",
        ),
        (
            "idp: {okta: {url: 'https://a.okta.com', app: x, client_id: c, private_key: keys/okta.pem}}",
            "3:76: `private_key` must refer to a secret, and is a text. If it is the path of a file, write "
            "`private_key: {file: PATH}`; if it is the secret itself, revoke it",
        ),
        (
            f"idp: {{{OKTA.replace('0oa1', 'https://acme-admin.okta.com/admin/app/writer/instance/0oa1/#tab-general')}}}",
            "3:49: this is the address of a page, not the ID of an app. Write 0oa1",
        ),
        (
            f"idp: {{{OKTA.replace('0oa1', 'acme.okta.com/writer')}}}",
            "3:49: this is the address of a page, not the ID of an app. Write the app's ID, such as 0oa1b2c3",
        ),
        (
            f"idp: {{{ENTRA.replace('a1', PORTAL)}}}",
            "3:34: this is the address of a page, not the ID of an app. Write 5f0c6a3e-8f39-4b1c-9a53-0a4f0d1f7a10",
        ),
        (
            f"people: {{entra: acme, app: '{PORTAL}', token: {{env: T}}}}",
            "3:28: this is the address of a page, not the ID of an app. Write 5f0c6a3e-8f39-4b1c-9a53-0a4f0d1f7a10",
        ),
        ("idp: {entra: {tenant: t, app: x}}", "3:7: Entra requires credentials. Add `client_id` and `client_secret`"),
        ("idp: {okta: {url: 'http://a.okta.com', app: x, token: {env: T}}}", "3:19: http:// is allowed only for this"),
        (
            "idp: {okta: {url: 'https://u:p@a.okta.com', app: x, token: {env: T}}}",
            "3:19: a URL must not contain a user",
        ),
        (
            "idp: {okta: {url: 'https://a.okta.com', app: x, client_id: c, private_key: canary-1}}",
            "3:76: `private_key` contains the secret itself. Revoke",
        ),
        ("people: idp", "3:9: `people: idp` requires the section `idp`. Add `idp` with a connection"),
        (
            f"scim: {{idp: entra}}\nidp: {{{OKTA}}}",
            "4:7: `idp` connects to Okta, but `scim.idp` is `entra`. Use the IdP",
        ),
        (f"sso: {{idp: onelogin}}\nidp: {{{ENTRA}}}", "4:7: `idp` connects to Entra, but `sso.idp` is `onelogin`"),
    ],
)
def test_a_mistake_is_reported_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == 1, found
    assert expected in found[0]
    assert "canary-1" not in found[0]
    assert found[0].startswith("warning: ") == ("sso.idp" in expected)


@pytest.mark.parametrize(
    "text",
    [
        "idp: {okta: {url: 'https://a.okta.com', app: x, token: {env: T}}, scim_token: {env: S}}",
        "idp: {entra: {tenant: t, app: x, token: {env: T}}, scope: assigned}",
        "idp: {entra: {tenant: t, app: x, token: {env: T}}, attributes: {user: {externalId: mailNickname}}}",
        "manage: {idp_connection: additive}",
        "manage: {idp_attributes: authoritative}",
    ],
)
def test_what_is_not_supported_yet_is_refused(tmp_path: Path, text: str) -> None:
    """Nothing that is configured is ignored silently."""
    (found,) = problems(tmp_path, text)
    assert "is not supported yet. Remove it; rolecall does not manage this yet" in found


def test_users_are_read_through_the_same_connection(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_text(f"{HEAD}idp: {{{OKTA}}}\npeople: idp\n")
    config = read_config(tmp_path)
    assert config.people == config.idp
    assert (config.people.kind, config.people.at, config.people.app) == ("okta", "https://acme.okta.com", "0oa1")
    assert (config.people.section, config.people.of_idp) == ("idp.okta", True)
    assert isinstance(config.people.token, SecretRef)


def test_without_the_section_there_is_no_connection(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_text(
        f"{HEAD}people: {{okta: 'https://a.okta.com', app: x, token: {{env: T}}}}\n"
    )
    config = read_config(tmp_path)
    assert config.idp is None
    assert not config.people.of_idp


def test_the_credential_to_write_with_is_a_reference(tmp_path: Path) -> None:
    text = f"{HEAD}idp: {{{OKTA[:-1]}, write: {{client_id: c, private_key: {{env: W}}}}}}}}\n"
    (tmp_path / "rolecall.yaml").write_text(text)
    config = read_config(tmp_path)
    assert config.idp is not None
    assert config.idp.write is not None
    assert (config.idp.write.client_id, config.idp.write.token) == ("c", None)
    assert config.idp.write.secret is config.idp.write.private_key is not None
    assert config.idp.write.private_key.value == "W"
