"""``python -m bitrate`` and ``bitrate`` are the command line."""

import signal
import sys
import threading
from typing import Any


def main() -> None:
    """Run the command line; Ctrl-C ends it with a word, even before it is loaded."""
    sys.unraisablehook = _again
    try:
        from bitrate.cli import main as run

        run()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


def _again(lost: Any) -> None:
    """Ctrl-C that falls into a callback, of the import system say, is lost there: press it again a moment later."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        main_thread = threading.main_thread().ident
        threading.Timer(0.05, signal.pthread_kill, (main_thread, signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(lost)


if __name__ == "__main__":
    main()
