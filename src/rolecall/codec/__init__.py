"""Encodes and decodes settings as JSON: for the API, plans, snapshots, the journal and the local org. Pure."""
