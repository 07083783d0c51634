"""Reads and writes an org, and reads its users: Protocols and their adapters."""
