"""``python -m rolecall`` is the same program as ``rolecall``."""

from rolecall.cli.main import main

main()
