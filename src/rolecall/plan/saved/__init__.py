"""Save plans: encode and decode JSON, compute the digest that approvals name, and redact users."""
