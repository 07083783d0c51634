"""Settings to JSON and back: for the API, plans, snapshots, the journal and the local org alike. Pure."""
