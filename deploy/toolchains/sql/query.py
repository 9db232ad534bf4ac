"""Queries of a client: they read, for a bounded time, and are answered row by row."""

import json
import sqlite3
import time
from collections.abc import Iterator

from rows import as_json
from state import State

QUERY_SECONDS = 60
_STEPS = 100_000
_PIECE = 64 * 1024


def query(state: State, text: str, form: str) -> Iterator[bytes]:
    """The answer in pieces. Raises sqlite3.Error before the first one where the query is wrong."""
    if form not in ("json", "text"):
        raise sqlite3.ProgrammingError(f"format {form!r} is not known: json and text are")
    if not text.strip():
        raise sqlite3.ProgrammingError("sql is empty: say a SELECT")
    with state.reader() as connection:
        connection.set_authorizer(_permit)
        ends = time.monotonic() + QUERY_SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        cursor = connection.execute(text)
        names = [each[0] for each in cursor.description or []]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if form == "json" and doubled is not None:
            raise sqlite3.ProgrammingError(
                f"two columns are named {doubled!r}: name one of them otherwise with AS, or ask for format=text"
            )
        yield from _pieces(_lines(cursor, names, form))


def _lines(cursor: sqlite3.Cursor, names: list[str], form: str) -> Iterator[str]:
    if form == "json":
        for row in cursor:
            yield json.dumps(as_json(names, row)) + "\n"
        return
    yield " | ".join(names) + "\n"
    yield "-+-".join("-" * len(name) for name in names) + "\n"
    for row in cursor:
        yield " | ".join("" if value is None else str(value) for value in row) + "\n"


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    piece = bytearray()
    for line in lines:
        piece += line.encode()
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


_READS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)


def _permit(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Reads alone, and no function that reaches files or other programs."""
    is_foreign = action == sqlite3.SQLITE_FUNCTION and second in ("load_extension", "readfile", "writefile")
    return sqlite3.SQLITE_OK if action in _READS and not is_foreign else sqlite3.SQLITE_DENY
