"""The world beside the org: git, notices to people, metrics for machines."""
