"""Compute the changes from live to desired: identify groups, then compare entry by entry and field by field."""
