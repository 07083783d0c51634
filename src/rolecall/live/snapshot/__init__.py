"""Reads snapshot files, and implements a reader that uses one instead of an org."""
