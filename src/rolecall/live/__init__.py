"""The ways to an org and to its people: one port, several adapters."""
