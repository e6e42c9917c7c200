"""``python -m bitrate`` and ``bitrate`` are the command line, and end with a word at Ctrl-C, whenever it is pressed."""

import contextlib
import os
import signal
import sys
import threading
from typing import Any, NoReturn

#: Exit status after Ctrl-C, as shells have it.
STOPPED = 130


def main() -> None:
    """Run the command line."""
    heard = threading.Event()

    def press(*_: object) -> NoReturn:
        heard.set()
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not in the background of a script
        signal.signal(signal.SIGINT, press)
    sys.unraisablehook = _again
    try:
        from bitrate.cli import main as run

        run()
    except KeyboardInterrupt:
        _stopped()
    except SystemExit as end:
        if end.code == STOPPED:
            _leave()
        raise
    except Exception:
        # Compiled code that calls back turns Ctrl-C into an error of its own.
        if not heard.is_set():
            raise
        _stopped()


def _stopped() -> NoReturn:
    if sys.stderr:
        print("stopped", file=sys.stderr)
    _leave()


def _leave() -> NoReturn:
    """End at once: a thread that cannot be interrupted, in a query say, would hold up an orderly exit."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            if stream:
                stream.flush()
    os._exit(STOPPED)


def _again(lost: Any) -> None:
    """Python loses Ctrl-C where it falls into a callback, of the import system say: press it again a moment later."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        main_thread = threading.main_thread().ident
        threading.Timer(0.05, signal.pthread_kill, (main_thread, signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(lost)


if __name__ == "__main__":
    main()
