"""The nouns. Frozen data that every other room speaks in; no I/O, no clock."""
