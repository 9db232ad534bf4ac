"""What is wanted of the pipeline: a file that the agent replaces, and that is read anew whenever it is."""

import ctypes
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_WISH_BYTES = 4 * 1024
_CLOSE_WRITE = 0x8
_MOVED_TO = 0x80
_CLOSE_ON_EXEC = 0o2000000


@dataclass(frozen=True)
class Wish:
    desired: str
    """`standby`, `paused`, `running` or `suspended`."""
    bootstrap: str
    """What happens when the program is not the one whose rows are there: `allow`, `reject` or `await_approval`."""
    is_approved: bool


DESIRED = ("standby", "paused", "running", "suspended")
BOOTSTRAP = ("allow", "reject", "await_approval")


def read_wish(path: Path) -> Wish | None:
    """The present wish; None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(MOST_WISH_BYTES + 1))
    except (OSError, ValueError):
        return None
    if not isinstance(told, dict) or told.get("desired") not in DESIRED:
        return None
    bootstrap = told.get("bootstrap")
    return Wish(
        desired=told["desired"],
        bootstrap=bootstrap if bootstrap in BOOTSTRAP else "await_approval",
        is_approved=told.get("isApproved") is True,
    )


class WishFile:
    """Watched from its making on; `fileno` becomes readable when something in its folder changes."""

    def __init__(self, path: Path):
        self._path = path
        self._last: Wish | None = None
        library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = library.inotify_init1(_CLOSE_ON_EXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "the kernel does not tell of changed files")
        folder = str(path.parent).encode()
        if library.inotify_add_watch(self._descriptor, folder, _CLOSE_WRITE | _MOVED_TO) < 0:
            raise OSError(ctypes.get_errno(), f"{path.parent} cannot be watched")

    def fileno(self) -> int:
        return self._descriptor

    def another(self) -> Wish | None:
        """The present wish, where it is another one than was returned before."""
        wish = read_wish(self._path)
        if wish is None or wish == self._last:
            return None
        self._last = wish
        return wish

    def has_changed(self) -> bool:
        """Waits for changes in the folder; whether one is of the file itself."""
        return self._path.name in _names(os.read(self._descriptor, 4096))


def wishes(path: Path) -> Iterator[Wish]:
    """The present wish, and each that replaces it; ends never."""
    file = WishFile(path)
    while True:
        wish = file.another()
        if wish is not None:
            yield wish
        while not file.has_changed():
            pass


def _names(events: bytes) -> set[str]:
    names = set()
    while events:
        (length,) = struct.unpack_from("I", events, 12)
        names.add(events[16 : 16 + length].rstrip(b"\0").decode(errors="replace"))
        events = events[16 + length :]
    return names
