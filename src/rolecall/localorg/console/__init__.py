"""The console: pages for people, rendered on the server, that work without JavaScript.

``handle.handle_page(request, db)`` answers everything below ``/``. Reading shows what the store holds; each form is one
request of the admin API with the channel ``console``, so that the org's rules, ETags and the audit log are the same for
a person as for a program.
"""
