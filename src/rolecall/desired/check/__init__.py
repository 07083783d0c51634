"""Checks a config: every error and warning, each with its place."""
