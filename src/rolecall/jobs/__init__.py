"""Implement the use cases, one function each: ports in, values out. No click, no output, no environment."""
