"""Fixtures of the contract suites."""

from live_site import site, site_template
from scim_org import lite, scim, scim_db, scim_postgres, scim_template

__all__ = ["lite", "scim", "scim_db", "scim_postgres", "scim_template", "site", "site_template"]
