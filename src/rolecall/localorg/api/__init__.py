"""The admin API of the local org, as ``schemas/org-api.openapi.yaml`` defines it; ``handle.handle`` serves a
request."""
