"""The SCIM 2.0 provider of the local org (RFC 7643, RFC 7644, RFC 9865), as Okta and Microsoft Entra use it.

``handle.handle_scim(request, db)`` serves every address below ``/api/scim/v2``. scim2-server and scim2-models check the
messages and apply changes; the stored documents, the filters in SQL, the join table of memberships and the org's own
rules are defined in this package.
"""
