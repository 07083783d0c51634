"""The console: pages for people, rendered on the server, that work without JavaScript.

``app.console_app(db)`` is the ASGI application that is mounted at ``/``, ``handle.handle_page(request, db)`` the plain
function behind it. Reading shows what the store holds; each form is one request of the admin API with the channel
``console``, so that the org's rules, ETags and the audit log are the same for a person as for a program.
"""
