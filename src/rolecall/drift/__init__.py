"""Compare the org with the last apply and with the config, and report what changed outside rolecall. Pure."""
