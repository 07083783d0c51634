"""How it is laid out: one module for each format."""
