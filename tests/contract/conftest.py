"""Fixtures of the contract suites."""

from live_site import site

__all__ = ["site"]
