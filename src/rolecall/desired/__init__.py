"""The config repo: YAML in, one frozen ``Config`` out, or every problem in it with its place; and YAML written back.

``load``: files read, merged and placed. ``check``: every error and warning, offline, and names that an org does not
have. ``build``: the ``Config`` of sources without errors. ``edit``: files written, changed and formatted.
"""
