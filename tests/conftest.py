"""What every test may use: the folder of real runs, a cache folder of its own, and programs to interrupt."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

REAL_RUNS = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Path of a real run by its name; the test is skipped where the runs are not at hand."""

    def find(name: str) -> Path:
        path = REAL_RUNS / name
        if not path.exists():
            pytest.skip(f"real run {name} is not beside this checkout (../shared/data)")
        return path

    return find


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(20261121)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or leaves anything in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


class Child:
    """A program that a test interrupts when it announces a moment, and that nobody waits for without a limit.

    Args:
        command: the program and its words.
        terminal: give it one on standard error, where it draws its progress.
        deaf: start it as a shell starts a program in the background of a script, with Ctrl-C ignored; otherwise it
            hears Ctrl-C, whatever the parent of the tests had them ignore.
        options: for Popen.
    """

    def __init__(
        self, command: Sequence[str | Path], *, terminal: bool = False, deaf: bool = False, **options: object
    ) -> None:
        self.ours, theirs = pty.openpty() if terminal else os.pipe()
        before = signal.signal(signal.SIGINT, signal.SIG_IGN if deaf else signal.default_int_handler)
        try:
            self.process = subprocess.Popen(
                list(map(str, command)), **{"stdout": subprocess.DEVNULL, "stderr": theirs, **options}
            )  # type: ignore[call-overload]
        finally:
            signal.signal(signal.SIGINT, before)
            os.close(theirs)
        self.said, self.news = "", threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        """Until the last process that holds the other end is gone: the program, and what it started."""
        while True:
            try:
                block = os.read(self.ours, 1 << 16)
            except OSError:  # how a terminal ends
                block = b""
            with self.news:
                self.said += block.decode("utf-8", "replace")
                self.news.notify_all()
            if not block:
                return

    def wait_for(self, words: str, seconds: float = 120.0) -> None:
        """Wait until it has said this on standard error."""
        end = time.monotonic() + seconds
        with self.news:
            while words not in self.said:
                assert self.reader.is_alive(), f"it ended without saying {words!r}: {self.said}"
                assert self.news.wait(end - time.monotonic()), (
                    f"not said in {seconds} seconds: {words!r} in {self.said!r}"
                )

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Ctrl-C, or another signal."""
        self.process.send_signal(number)

    def end(self, seconds: float = 120.0) -> tuple[int, str]:
        """Its exit status as a shell has it, and all that it said, once it and every process it started are gone."""
        status = self.process.wait(seconds)
        self.reader.join(seconds)
        assert not self.reader.is_alive(), f"a process that it started outlives it by {seconds} seconds"
        return (status if status >= 0 else 128 - status), self.said


@pytest.fixture
def start() -> Iterator[Callable[..., Child]]:
    """Starts a :class:`Child`; none outlives the test."""
    children: list[Child] = []

    def begin(command: Sequence[str | Path], **options: object) -> Child:
        children.append(Child(command, **options))  # type: ignore[arg-type]
        return children[-1]

    yield begin
    for child in children:
        child.process.kill()
        child.process.wait(60)
        child.reader.join(60)
        os.close(child.ours)
