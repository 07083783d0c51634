"""The names that WRITER's console uses for the pages, buttons and messages of its access settings.

Runbooks name them, and the console of the local org shows them. Names of tabs, fields and values are declared with the
kinds and fields in ``model.settings``. WRITER's articles name those marked A; the others are assumptions.
"""

from typing import Final

ADMIN: Final = "Admin"
"""A: the menu that the page is in."""
PAGE: Final = "Access & provisioning"
"""A: the page with the tabs."""
PLACE: Final = f"{ADMIN} > {PAGE}"
NEWER_PLACE: Final = "Org settings > Users, teams, & roles"
"""The menu of newer consoles, by WRITER's newer public articles. It is assumed to lead to the same tabs."""
NEWER_AUDIT_LOG: Final = "Org settings > Reporting > Admin audit log"
"""The page with the audit log in newer consoles, by the same articles."""

SAVE: Final = "Save"
"""A on the page of IdP groups."""
EDIT: Final = "Edit"
"""A: opens all rows of the IdP groups for editing."""

CLAIM_DOMAIN: Final = "Claim domain"
DOMAIN_NAME: Final = "Domain"
REMOVE_DOMAIN: Final = "Remove domain"

SET_UP_SSO: Final = "Set up single sign-on"
"""WRITER's public article 43, like the next three."""
ENTITY_ID: Final = "SP Entity ID"
ACS_URL: Final = "SP SSO URL"
SSO_DONE: Final = "Done"

SET_UP_SCIM: Final = "Set up SCIM"
"""A."""
UNIQUE_IDENTIFIER: Final = "Unique identifier"
"""A: the first of the three fields that the IdP is given."""
ENDPOINT: Final = "Endpoint"
"""A: the second one."""
BEARER_TOKEN: Final = "Bearer token"
"""A: the third one."""
CREATE_TOKEN: Final = "Create token"
REVOKE_TOKEN: Final = "Revoke"
TEST_CONNECTION: Final = "Test connection"
REMOVE_CONFIGURATION: Final = "Remove configuration"
"""Article 001: "You can also edit or remove the configuration"."""
OTHER_IDP_NAME: Final = "Name of the other IdP"

UPGRADE: Final = "Upgrade"
"""A."""
COMPLETE_UPGRADE: Final = "Complete upgrade"
"""A."""
UPGRADED: Final = "Your SCIM endpoint has been updated."
"""A: the confirmation message in the bottom right corner, on the tab with the IdP groups."""

SUPPORT: Final = "support@writer.com"
"""A."""
