"""Connects to systems other than the org: git, notifications, metrics, files."""
