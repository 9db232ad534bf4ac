"""Runs any program as a pipeline, until it is suspended, or ended. Exits with 0 when it is suspended."""

import os
import selectors
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from processes import Processes
from status import Status
from wishes import Wish, WishFile

END_SECONDS = 60.0
"""How long a program may take to end, when it is asked to."""


class Run:
    def __init__(self, words: list[str], status: Status):
        self._words = words
        self._status = status
        self._processes = Processes()
        self._is_still = False
        self._ending: str | None = None
        """Why it ends: `suspended`, or `stopped`."""
        self._ends_by = 0.0

    def obey(self, wish: Wish) -> None:
        if self._ending is not None:
            return
        if wish.desired == "suspended":
            self.end("suspended")
        elif wish.desired == "running":
            self._go_on()
            self._status.move("running")
        elif not self._processes.has_begun:
            # What has not begun stands still by itself.
            self._status.move("standby" if wish.desired == "standby" else "paused")
        else:
            self._stand_still()
            self._status.move("paused")

    def _go_on(self) -> None:
        if not self._processes.has_begun:
            self._processes.begin(self._words)
        elif self._is_still:
            self._processes.go_on()
        self._is_still = False

    def _stand_still(self) -> None:
        if not self._is_still:
            self._processes.stop()
        self._is_still = True

    def end(self, why: str) -> None:
        if self._ending is not None:
            return
        self._ending = why
        self._ends_by = time.monotonic() + END_SECONDS
        self._processes.ask_to_end()

    def patience(self) -> float | None:
        """Seconds until something is to be done though nothing happens."""
        return None if self._ending is None else max(0.0, self._ends_by - time.monotonic())

    def exit_status(self) -> int | None:
        """How this process ends; None while it does not."""
        is_left = self._processes.reap()
        if self._ending is None:
            if self._processes.exit_status is None:
                return None
            print(
                f"the program has ended by itself, with exit status {self._processes.exit_status}",
                file=sys.stderr,
            )
            self._processes.kill()
            return 1
        if is_left and time.monotonic() < self._ends_by:
            # Some may have been started since.
            self._processes.ask_to_end()
            return None
        if is_left:
            print(f"the program did not end within {END_SECONDS:.0f} s of SIGTERM: it was killed", file=sys.stderr)
            self._processes.kill()
            return 1
        if self._ending == "suspended":
            self._status.move("suspended")
            return 0
        return 128 + signal.SIGTERM


def main(words: list[str]) -> int:
    status = Status(os.environ["PIPELINE_JOURNAL"])
    awoken, waking = socket.socketpair()
    for end in (awoken, waking):
        end.setblocking(False)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    run = Run(words, status)
    file = WishFile(Path(os.environ["HEARTH_WISH"]))
    threading.Thread(target=status.repeat, daemon=True).start()
    status.move("initializing")
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_READ)
        selector.register(awoken, selectors.EVENT_READ)
        while True:
            wish = file.another()
            if wish is not None:
                run.obey(wish)
            code = run.exit_status()
            if code is not None:
                return code
            for key, _ in selector.select(run.patience()):
                if key.fileobj is file:
                    file.has_changed()
                elif signal.SIGTERM in awoken.recv(4096):
                    run.end("stopped")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
