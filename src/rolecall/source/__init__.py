"""Reads YAML and JSON files into plain Python values and remembers where every value and key stands.

``yaml_file.load_yaml`` and ``json_file.load_json`` give a ``document.Document``; ``files.read_file`` gives the checked
bytes of one file. Nothing here knows what the values mean.
"""
