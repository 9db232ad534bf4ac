"""Streams what changes in a table or view: after each transaction it is read anew, and the difference is told."""

import json
import sqlite3
from collections.abc import Iterator

from pipeline import Pipeline
from rows import as_csv, as_json
from state import quoted

SILENCE_SECONDS = 5.0
_PIECE_ROWS = 1_000


def egress(pipeline: Pipeline, relation: str, form: str, is_snapshot: bool) -> Iterator[bytes]:
    """
    Pieces `{"sequence_number", "json_data" | "text_data"}`, each a line. What was told is kept in a table of the connection's
    own, on the disk of the machine and not in memory. A piece without rows begins, and ends each round: it says that the
    connection is still there.
    """
    if form not in ("json", "csv"):
        raise sqlite3.ProgrammingError(f"format {form!r} is not known: json and csv are")
    with pipeline.state.reader() as connection:
        source = _source(connection, relation)
        connection.execute(f"CREATE TEMP TABLE told AS SELECT * FROM {source} WHERE FALSE")
        names = [row[1] for row in connection.execute("PRAGMA temp.table_info(told)")]
        sequence = 0
        version = None
        if not is_snapshot:
            version = pipeline.commits.count
            _take(connection, source, names)
            # Who listens knows from now on that each change is told.
            yield _line({"sequence_number": sequence})
            sequence += 1
        while True:
            version = pipeline.commits.after(version, SILENCE_SECONDS)
            _take(connection, source, names)
            changes = connection.execute("SELECT * FROM temp.changes")
            while rows := changes.fetchmany(_PIECE_ROWS):
                yield _piece(sequence, names, rows, form)
                sequence += 1
            yield _line({"sequence_number": sequence})
            sequence += 1


def _take(connection: sqlite3.Connection, source: str, names: list[str]) -> None:
    """Fills `changes` with what differs from what was told: the columns, and how often more (or less) a row is there."""
    columns = ", ".join(quoted(name) for name in names)
    connection.execute("BEGIN")
    try:
        connection.execute("DROP TABLE IF EXISTS temp.changes")
        connection.execute(
            f"CREATE TEMP TABLE changes AS SELECT {columns}, sum(hearth_weight) AS hearth_weight FROM ("
            f"SELECT {columns}, 1 AS hearth_weight FROM {source}"
            f" UNION ALL SELECT {columns}, -1 FROM temp.told)"
            f" GROUP BY {columns} HAVING sum(hearth_weight) <> 0"
        )
        connection.execute("DELETE FROM temp.told")
        connection.execute(f"INSERT INTO temp.told SELECT {columns} FROM {source}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _piece(sequence: int, names: list[str], rows: list[tuple[object, ...]], form: str) -> bytes:
    if form == "csv":
        return _line({"sequence_number": sequence, "text_data": "".join(as_csv(row) for row in rows)})
    changes: list[dict[str, object]] = []
    for *values, weight in rows:
        verb = "insert" if weight > 0 else "delete"
        changes += [{verb: as_json(names, tuple(values))}] * abs(weight)
    return _line({"sequence_number": sequence, "json_data": changes})


def _line(piece: dict[str, object]) -> bytes:
    return (json.dumps(piece) + "\n").encode()


def _source(connection: sqlite3.Connection, relation: str) -> str:
    row = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower(?)"
        " AND name NOT LIKE 'hearth\\_%' ESCAPE '\\'",
        [relation],
    ).fetchone()
    if row is None:
        raise sqlite3.ProgrammingError(f"the program has no table or view {relation}")
    return f"main.{quoted(row[0])}"
