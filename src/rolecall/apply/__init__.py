"""Applies a plan: locks, recovers, verifies, sends waves of steps, and closes. Records each step, and stops safely."""
