"""Requests and responses: transports, retries and pacing, lists in pages, and the messages for failed requests."""
