"""Reads YAML and JSON files into plain Python values with the place of every value and key.

``yaml_file.load_yaml`` and ``json_file.load_json`` return a ``document.Document``; ``files.read_file`` returns the
checked bytes of one file. Nothing here knows what the values mean.
"""
