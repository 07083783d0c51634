"""``python -m rolecall`` is the same program as ``rolecall``."""

from rolecall.cli.entry import main

main()
