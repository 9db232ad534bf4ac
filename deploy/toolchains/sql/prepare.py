"""Has SQLite read statements, and tell where in them a fault is, which Python's own module does not say."""

import ctypes
import ctypes.util

_OK = 0
_ROW = 100
_DONE = 101


class Refused(Exception):
    """SQLite does not take a statement; `offset` is a place in it, in characters, or None where it names none."""

    def __init__(self, message: str, offset: int | None):
        super().__init__(message)
        self.message = message
        self.offset = offset


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(ctypes.util.find_library("sqlite3") or "libsqlite3.so.0")
    pointer = ctypes.c_void_p
    library.sqlite3_open.argtypes = [ctypes.c_char_p, ctypes.POINTER(pointer)]
    library.sqlite3_prepare_v2.argtypes = [
        pointer,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.POINTER(pointer),
        ctypes.POINTER(ctypes.c_char_p),
    ]
    library.sqlite3_step.argtypes = [pointer]
    library.sqlite3_finalize.argtypes = [pointer]
    library.sqlite3_close.argtypes = [pointer]
    library.sqlite3_errmsg.argtypes = [pointer]
    library.sqlite3_errmsg.restype = ctypes.c_char_p
    library.sqlite3_error_offset.argtypes = [pointer]
    return library


class Reader:
    """A database in memory in which statements are tried."""

    def __init__(self) -> None:
        self._library = _library()
        self._database = ctypes.c_void_p()
        if self._library.sqlite3_open(b":memory:", ctypes.byref(self._database)) != _OK:
            raise RuntimeError("SQLite has no memory for a database")

    def close(self) -> None:
        self._library.sqlite3_close(self._database)

    def read(self, text: str) -> None:
        """Reads one statement and carries nothing out. Raises Refused."""
        self._finalize(self._prepare(text))

    def carry_out(self, text: str) -> None:
        """Reads one statement and carries it out. Raises Refused."""
        statement = self._prepare(text)
        try:
            if self._library.sqlite3_step(statement) not in (_ROW, _DONE):
                raise Refused(self._message(), None)
        finally:
            self._finalize(statement)

    def _prepare(self, text: str) -> ctypes.c_void_p:
        encoded = text.encode()
        statement = ctypes.c_void_p()
        code = self._library.sqlite3_prepare_v2(
            self._database, encoded, len(encoded), ctypes.byref(statement), None
        )
        if code == _OK:
            return statement
        offset = self._library.sqlite3_error_offset(self._database)
        place = None if offset < 0 else len(encoded[:offset].decode(errors="ignore"))
        raise Refused(self._message(), place)

    def _finalize(self, statement: ctypes.c_void_p) -> None:
        self._library.sqlite3_finalize(statement)

    def _message(self) -> str:
        return self._library.sqlite3_errmsg(self._database).decode(errors="replace")
