"""Writes YAML: new files, changes to existing files, and formatting."""
