"""Sends requests and reads responses: transports, retries, rate limits, paged lists, and messages for failed
requests.
"""
