"""``python -m bitrate`` and ``bitrate`` are the command line."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it with a word even before it is loaded."""
    try:
        from bitrate.cli import main as run

        run()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
