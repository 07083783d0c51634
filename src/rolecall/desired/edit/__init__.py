"""Writes YAML: new files, changes in existing ones, one format."""
