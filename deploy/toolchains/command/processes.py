"""The processes that a program has become: all that it has started, wherever it has put them."""

import ctypes
import os
import signal
import subprocess
from pathlib import Path

_SET_CHILD_SUBREAPER = 36
_MOST_LOOKS = 1_000


class Processes:
    """Nothing that the program starts gets out of sight: what loses its parent becomes a child of this process."""

    def __init__(self) -> None:
        if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not hand on orphans")
        self._first: int | None = None
        self._asked: set[int] = set()
        self.exit_status: int | None = None
        """Of the first one, once it has ended."""

    @property
    def has_begun(self) -> bool:
        return self._first is not None

    def begin(self, words: list[str]) -> None:
        self._first = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True).pid

    def reap(self) -> bool:
        """Takes note of those that have ended; whether any is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._first:
                self.exit_status = os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """Has all stand still. One that was about to start another has done so when it is looked for again."""
        seen: set[int] = set()
        for _ in range(_MOST_LOOKS):
            new = _descendants(os.getpid()) - seen
            if not new:
                return
            seen |= new
            _send(new, signal.SIGSTOP)

    def go_on(self) -> None:
        _send(_descendants(os.getpid()), signal.SIGCONT)

    def ask_to_end(self) -> None:
        """Asks all to end, each once, also those that stand still."""
        pids = _descendants(os.getpid()) - self._asked
        self._asked |= pids
        _send(pids, signal.SIGTERM)
        _send(pids, signal.SIGCONT)

    def kill(self) -> None:
        _send(_descendants(os.getpid()), signal.SIGKILL)


def _send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def _descendants(pid: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name of a program, in parentheses, may have any character.
            facts = (folder / "stat").read_bytes().rpartition(b") ")[2].split()
        except OSError:
            continue
        children.setdefault(int(facts[1]), []).append(int(folder.name))
    found: set[int] = set()
    left = [pid]
    while left:
        for child in children.get(left.pop(), []):
            found.add(child)
            left.append(child)
    return found
