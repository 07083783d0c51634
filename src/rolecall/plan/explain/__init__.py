"""Explain access: why a user has a role, what would give one, access tests, and records of privileged access."""
