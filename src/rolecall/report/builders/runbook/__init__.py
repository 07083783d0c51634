"""Runbooks: the manual steps of a plan and their texts, for an admin who does not know rolecall."""
