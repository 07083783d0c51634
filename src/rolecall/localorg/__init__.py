"""An org that runs on your machine: admin API, SCIM 2.0, console, SQL store. The database is its only state."""
