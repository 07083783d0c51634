"""Fixtures of the contract suites."""

from live_site import site
from scim_org import scim, scim_db, scim_postgres

__all__ = ["scim", "scim_db", "scim_postgres", "site"]
