"""The sources of users: the org's API, files, a SCIM server, Okta and Entra."""
