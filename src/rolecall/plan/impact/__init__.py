"""Compute what a plan does to users: who gains, loses or changes access, and which change causes it."""
