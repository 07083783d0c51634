"""Warn about what is valid but looks like a mistake, in the config, its names and the sources of users."""
