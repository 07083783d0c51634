"""The console: pages rendered on the server that work without JavaScript.

``handle.handle_page(request, db)`` answers everything below ``/``. Pages show what the store has; each form is one
request of the admin API with the channel ``console``, so that the org's rules, ETags and the audit log are the same for
users as for programs.
"""
