"""Turns a configuration repository into one frozen ``Config`` or into a list of problems, and writes YAML back.

``load`` reads, merges and locates files. ``check`` finds every error and warning, offline, and names that an org does
not have. ``build`` makes the ``Config`` of sources without errors. ``edit`` writes, changes and formats files.
"""
