"""Checks a configuration and reports every error and warning with its place."""
