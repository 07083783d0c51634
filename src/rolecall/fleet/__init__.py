"""Many orgs in one repository: `fleet.yaml`, the org directories that it selects, and their labels."""
