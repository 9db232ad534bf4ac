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
    checkpoint: int
    """Another number asks for another checkpoint."""


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
    checkpoint = told.get("checkpoint")
    return Wish(
        desired=told["desired"],
        bootstrap=bootstrap if bootstrap in BOOTSTRAP else "await_approval",
        is_approved=told.get("isApproved") is True,
        checkpoint=checkpoint if isinstance(checkpoint, int) else 0,
    )


def wishes(path: Path) -> Iterator[Wish]:
    """The present wish, and each that replaces it; ends never."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.inotify_init1(_CLOSE_ON_EXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "the kernel does not tell of changed files")
    folder = str(path.parent).encode()
    if library.inotify_add_watch(descriptor, folder, _CLOSE_WRITE | _MOVED_TO) < 0:
        raise OSError(ctypes.get_errno(), f"{path.parent} cannot be watched")
    last = None
    while True:
        wish = read_wish(path)
        if wish is not None and wish != last:
            last = wish
            yield wish
        while path.name not in _names(os.read(descriptor, 4096)):
            pass


def _names(events: bytes) -> set[str]:
    names = set()
    while events:
        (length,) = struct.unpack_from("I", events, 12)
        names.add(events[16 : 16 + length].rstrip(b"\0").decode(errors="replace"))
        events = events[16 + length :]
    return names
