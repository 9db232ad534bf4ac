"""How the pipeline is: kept here, told in its journal at each change and now and then, and shown to who asks."""

import json
import os
import sys
import threading
import time
from datetime import UTC, datetime

MOST_LINE_BYTES = 2_000
REPEAT_SECONDS = 60.0


class Status:
    """The journal is the lines of the output that begin with a prefix."""

    def __init__(self, prefix: str):
        self._prefix = prefix
        self._lock = threading.Lock()
        self._status = "unavailable"
        self._details: object = None
        self._since = _now()

    @property
    def present(self) -> str:
        with self._lock:
            return self._status

    def move(self, status: str, details: object = None) -> None:
        """Another status, or the same with other details. It is told when this returns."""
        if status == "suspended":
            # Who reads it takes the machine away, and nothing is unmounted: what is only in memory would be lost.
            os.sync()
        with self._lock:
            if (status, details) == (self._status, self._details):
                return
            self._since = self._since if status == self._status else _now()
            self._status, self._details = status, details
            self._tell()

    def repeat(self) -> None:
        """Tells it again, for ever: what was printed while nobody followed may have pushed a line out."""
        while True:
            time.sleep(REPEAT_SECONDS)
            with self._lock:
                self._tell()

    def shown(self) -> dict[str, object]:
        with self._lock:
            return {"status": self._status, "details": self._details, "since": self._since}

    def _tell(self) -> None:
        line = self._line(self._details)
        if len(line.encode()) > MOST_LINE_BYTES:
            line = self._line({"reason": "the details are too long to be told: GET /status has them"})
        sys.stdout.write(line)
        sys.stdout.flush()

    def _line(self, details: object) -> str:
        told = {"status": self._status, "since": self._since, "details": details}
        return f"{self._prefix}{json.dumps(told)}\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
