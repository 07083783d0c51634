"""Reads a config: its files found, read and merged, with the place of each value."""
