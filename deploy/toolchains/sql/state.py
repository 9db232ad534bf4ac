"""The rows of a pipeline, in one SQLite database on its volume."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from program import Statement, normal_form

BUSY_SECONDS = 30.0
MOST_ROW_BYTES = 16 * 1024 * 1024
MOST_SQLITE_BYTES = 128 * 1024 * 1024
"""Of memory, that all connections have together: a query of a client would take all that the machine has."""


def digest_of(statements: list[Statement]) -> str:
    return hashlib.sha256("\0".join(each.text for each in statements).encode()).hexdigest()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _told_as_boolean(value: bytes) -> object:
    return {b"0": False, b"1": True}.get(value, value.decode(errors="replace"))


sqlite3.register_converter("BOOLEAN", _told_as_boolean)
sqlite3.register_converter("BOOL", _told_as_boolean)
for _kind in ("DATE", "TIMESTAMP"):
    # As they were given; Python's own converters would read them to objects.
    sqlite3.register_converter(_kind, lambda value: value.decode(errors="replace"))


class State:
    """`folder` is on the volume of the pipeline: nothing is written elsewhere."""

    def __init__(self, folder: Path):
        self.path = folder / "rows.sqlite"
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def writer(self) -> Iterator[sqlite3.Connection]:
        """A connection whose statements are one transaction, on the disk when it ends well, and undone otherwise."""
        connection = self._connect(str(self.path))
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            # What was begun and not committed is undone.
            connection.close()

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection that cannot change the rows. It may fill tables of its own, which are gone when it ends."""
        connection = self._connect(f"{self.path.as_uri()}?mode=ro", uri=True)
        try:
            yield connection
        finally:
            connection.close()

    def program_digest(self) -> str | None:
        """Of the program whose tables and views are there; None where there are none yet."""
        if not self.path.exists():
            return None
        with self.reader() as connection:
            try:
                row = connection.execute("SELECT digest FROM hearth_program").fetchone()
            except sqlite3.OperationalError:
                return None
            return None if row is None else str(row[0])

    def adopt(self, statements: list[Statement]) -> None:
        """Makes the tables and views of a program. Tables that are as before keep their rows; raises sqlite3.Error."""
        with self.writer() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS hearth_program (digest TEXT NOT NULL)")
            present = _present(connection)
            wanted = {each.name.lower(): each for each in statements}
            for name, (kind, text) in present.items():
                new = wanted.get(name.lower())
                if kind == "view" or new is None or new.kind != kind or normal_form(new.text) != text:
                    connection.execute(f"DROP {kind.upper()} {quoted(name)}")
            left = {name.lower() for name in _present(connection)}
            for statement in statements:
                if statement.name.lower() not in left:
                    connection.execute(statement.text)
            connection.execute("DELETE FROM hearth_program")
            connection.execute("INSERT INTO hearth_program VALUES (?)", [digest_of(statements)])

    def differences(self, statements: list[Statement]) -> dict[str, list[str]]:
        """What a program changes of the one before it, by name; for whoever has to approve it."""
        with self.reader() as connection:
            present = _present(connection)
        before = {name.lower(): text for name, (_, text) in present.items()}
        after = {each.name.lower(): normal_form(each.text) for each in statements}
        return {
            "added": sorted(after.keys() - before.keys()),
            "removed": sorted(before.keys() - after.keys()),
            "changed": sorted(name for name in after.keys() & before.keys() if after[name] != before[name]),
        }

    def checkpoint(self) -> None:
        """Writes what is in the journal of SQLite into its file, and returns when it is on the disk."""
        connection = self._connect(str(self.path))
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    @staticmethod
    def _connect(path: str, uri: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path,
            uri=uri,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES,
            check_same_thread=False,
        )
        connection.execute(f"PRAGMA hard_heap_limit = {MOST_SQLITE_BYTES}")
        if hasattr(connection, "setlimit"):
            # Python has it from 3.11 on.
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_ROW_BYTES)
        return connection


def _present(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """By name: the kind, and the normal form of the statement, since SQLite keeps it with changes of its own."""
    rows = connection.execute(
        "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view')"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'hearth\\_%' ESCAPE '\\'"
    )
    return {name: (kind, normal_form(text)) for name, kind, text in rows}
