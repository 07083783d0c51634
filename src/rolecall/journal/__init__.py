"""Runs, steps, pre-images, what was last applied, sightings, and the lock; in SQLite or PostgreSQL."""
