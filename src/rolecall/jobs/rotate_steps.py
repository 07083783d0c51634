"""Steps of an admin who enters a new SCIM token in the IdP, and of a rotation in WRITER, which has no API for it."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.model.paste import shell_word

AGAIN = "rolecall rotate scim-token"
_ENTER = {
    "okta": (
        "In Okta, open the WRITER app > Provisioning > Integration > Edit.",
        "Enter {token} as the API Token, select Test API Credentials, then Save.",
        "Under Push Groups, select a group and Push now, so that Okta writes with the new token.",
    ),
    "entra": (
        "In Entra, open the WRITER enterprise application > Provisioning > Admin Credentials.",
        "Enter {token} as the Secret Token, select Test Connection, then Save.",
        "Provision a user on demand whose attributes changed, so that Entra writes with the new token.",
    ),
    "": (
        "In the IdP, open the provisioning settings of the WRITER app.",
        "Enter {token} as the SCIM token, test the connection, and save it.",
        "Provision a group or a user, so that the IdP writes with the new token.",
    ),
}


def steps_in_idp(idp: str, file: str) -> tuple[str, ...]:
    """Return the steps for a token whose secret is in a file; ``idp`` is okta, entra, or empty for another one."""
    entered = (step.format(token=f"the content of {shell_word(file)}") for step in _ENTER[idp])
    last = f"{AGAIN}   (checks that the IdP uses the new token, revokes the old one, and removes the file)"
    return (*entered, last)


def steps_at_writer(idp: str) -> Iterator[str]:
    """Yield the steps of a rotation in WRITER."""
    first, *remaining = (step.format(token="the new token") for step in _ENTER[idp])
    yield f"{first} Leave the page open."
    yield "In WRITER, open Admin > Access & provisioning > SCIM, create a token, and copy it."
    yield from remaining
    yield "Check in WRITER that the group or user was changed just now."
    yield "rolecall drift   (nothing else should have changed)"
    yield f"{AGAIN} --done   (records the rotation)"


AT_WRITER = (
    "WRITER has no API for tokens, and the old token may stop working as soon as a new one exists. Until the IdP has "
    "the new one, changes in the IdP do not reach WRITER. No user loses access by that."
)
