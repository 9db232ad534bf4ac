"""Leads a pipeline from its start to its suspension, as it is wished."""

import threading
from collections.abc import Iterable

from program import Statement
from state import State, digest_of
from status import Status
from wishes import Wish


class Rejected(Exception):
    """The pipeline cannot go on; the message says why."""


class Commits:
    """Counts the transactions, so that who reads can wait for the next one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.count = 0

    def add(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def after(self, seen: int | None, seconds: float) -> int:
        """How many there are, as soon as that is another number than was seen, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.count != seen, seconds)
            return self.count


class Pipeline:
    def __init__(self, statements: list[Statement], state: State, status: Status):
        self.statements = statements
        self.state = state
        self.status = status
        self.writing = threading.RLock()
        """Held by whoever changes rows: nobody does while the pipeline is about to be suspended."""
        self.commits = Commits()
        self.rows_taken = 0
        """Since it began."""
        self._is_open = False

    def follow(self, wishes: Iterable[Wish]) -> None:
        """Returns when it is suspended. Raises Rejected, and sqlite3.Error where the rows cannot be read."""
        self.status.move("initializing")
        for wish in wishes:
            if self.obey(wish):
                return

    def obey(self, wish: Wish) -> bool:
        """Takes the step that a wish asks for. True when the pipeline is suspended, and nothing follows."""
        with self.writing:
            if wish.desired == "standby" and not self._is_open:
                self.status.move("standby")
                return False
            if wish.desired == "suspended":
                if self._is_open:
                    self.state.checkpoint()
                self.status.move("suspended")
                return True
            if not self._is_open and not self._open(wish):
                return False
            self.status.move("paused" if wish.desired == "paused" else "running")
            return False

    def _open(self, wish: Wish) -> bool:
        """Makes the tables of the program, where they are not there yet; False while somebody has to approve it."""
        there = self.state.program_digest()
        if there == digest_of(self.statements):
            self._is_open = True
            return True
        differences = {} if there is None else self.state.differences(self.statements)
        # Another spelling of the same program, of its comments say, asks for nothing.
        if any(differences.values()):
            if wish.bootstrap == "reject":
                raise Rejected(
                    "the program is not the one whose rows are on the volume, and the bootstrap policy is reject:"
                    f" {differences}"
                )
            if wish.bootstrap == "await_approval" and not wish.is_approved:
                self.status.move("awaiting_approval", {"approvalDiff": differences})
                return False
            self.status.move("bootstrapping")
        self.state.adopt(self.statements)
        self._is_open = True
        return True
