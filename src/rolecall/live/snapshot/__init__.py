"""Snapshots as files, and a reader that answers from one instead of an org."""
