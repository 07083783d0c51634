"""Plans, problems and runs as text, Markdown, HTML and machine formats, over one shared walk. Pure."""
