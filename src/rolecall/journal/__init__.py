"""Records runs, steps, previous values, the last apply and access records, and locks orgs; in SQLite or PostgreSQL."""
