"""The admin API of the local org, as ``schemas/org-api.openapi.yaml`` says it. ``handle.handle`` is the way in."""
