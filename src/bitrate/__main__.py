"""``python -m bitrate`` is the command line."""

from bitrate.cli import main

main()
