"""Defines the domain model: frozen data that all other packages use; no I/O, no clock."""
