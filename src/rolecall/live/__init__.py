"""The ways to read and write an org and to read its users: one set of Protocols, several adapters."""
