"""Carries a plan out: lock, recover, verify, waves of steps, close. Journals each step and stops safely."""
