"""Reads a configuration: finds, reads and merges its files, with the place of each value."""
