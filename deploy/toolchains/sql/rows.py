"""Reads rows from what a client sends, and writes them as it wants them."""

import csv
import io
import json
import math
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from state import MOST_ROW_BYTES, quoted

_MOST_SHOWN = 200
_UNREADABLE = (ValueError, OverflowError, RecursionError, csv.Error)


class RowRefused(Exception):
    """A row does not fit; the message says which one and why."""


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    """As declared, in upper case, without length: `VARCHAR`."""
    is_key: bool


@dataclass(frozen=True)
class Change:
    is_insert: bool
    values: dict[str, object]


def columns_of(connection: sqlite3.Connection, table: str) -> list[Column]:
    """The columns of a table; empty where there is no such table."""
    is_table = connection.execute(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)"
        " AND name NOT LIKE 'hearth\\_%' ESCAPE '\\'",
        [table],
    ).fetchone()
    if is_table is None:
        return []
    rows = connection.execute(f"PRAGMA table_info({quoted(table)})")
    return [Column(row[1], str(row[2]).split("(")[0].strip().upper(), row[5] > 0) for row in rows]


def changes_of(
    lines: Iterable[bytes], columns: list[Column], form: str, update: str, is_array: bool
) -> Iterator[Change]:
    """The changes that a body says, in its order. Raises RowRefused."""
    read = _csv_changes(lines, columns) if form == "csv" else _json_changes(lines, columns, update, is_array)
    number = 0
    try:
        for change in read:
            number += 1
            yield change
    except _UNREADABLE as error:
        raise RowRefused(f"row {number + 1} cannot be read: {error}") from error


def _csv_changes(lines: Iterable[bytes], columns: list[Column]) -> Iterator[Change]:
    text = (line.decode() for line in lines)
    for number, cells in enumerate(csv.reader(text), 1):
        if cells:
            yield Change(True, _by_position(number, cells, columns, is_text=True))


def _json_changes(
    lines: Iterable[bytes], columns: list[Column], update: str, is_array: bool
) -> Iterator[Change]:
    for number, item in enumerate(_json_items(lines, is_array), 1):
        yield _change(number, item, columns, update)


def _arrays(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each array, which may be of several lines, with the number of its first line."""
    text = bytearray()
    first, depth = 1, 0
    for number, line in enumerate(lines, 1):
        if not text.strip():
            text.clear()
            first = number
        text += line
        if len(text) > MOST_ROW_BYTES:
            raise RowRefused(f"the array that begins in line {first} has more than {MOST_ROW_BYTES} bytes")
        depth += _deeper(line)
        if depth <= 0:
            yield first, bytes(text)
            text.clear()
            depth = 0
    yield first, bytes(text)


def _deeper(line: bytes) -> int:
    """How many more brackets are opened than closed; those in strings, which end in their line, do not count."""
    outside = b"".join(line.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    opened = outside.count(b"[") + outside.count(b"{")
    return opened - outside.count(b"]") - outside.count(b"}")


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no value of JSON")


def _json_items(lines: Iterable[bytes], is_array: bool) -> Iterator[object]:
    for number, text in _arrays(lines) if is_array else enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            value = json.loads(text, parse_constant=_no_number)
        except ValueError as error:
            raise RowRefused(f"line {number} is not JSON: {error}") from error
        if not is_array:
            yield value
        elif isinstance(value, list):
            yield from value
        else:
            raise RowRefused(f"line {number} is no array, which array=true asks for")


def _change(number: int, item: object, columns: list[Column], update: str) -> Change:
    is_insert = True
    if update == "insert_delete":
        if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) not in ("insert", "delete"):
            raise RowRefused(
                f'row {number} is neither {{"insert": …}} nor {{"delete": …}}:'
                " rows alone need update_format=raw"
            )
        is_insert = "insert" in item
        item = next(iter(item.values()))
    if isinstance(item, list):
        return Change(is_insert, _by_position(number, item, columns, is_text=False))
    if not isinstance(item, dict):
        raise RowRefused(f"row {number} is neither an object nor an array")
    names = {column.name.lower(): column for column in columns}
    values: dict[str, object] = {}
    for key, value in item.items():
        column = names.get(key.lower())
        if column is None:
            raise RowRefused(f"row {number} has {key[:_MOST_SHOWN]!r}, which is no column: {_listed(columns)} are")
        values[column.name] = _fitting(number, column, value)
    return Change(is_insert, values)


def _by_position(
    number: int, cells: list[object] | list[str], columns: list[Column], is_text: bool
) -> dict[str, object]:
    if len(cells) != len(columns):
        raise RowRefused(f"row {number} has {len(cells)} values, the table has {len(columns)} columns")
    pairs = zip(columns, cells, strict=True)
    return {
        column.name: _fitting(number, column, _typed(column, cell) if is_text else cell)
        for column, cell in pairs
    }


_WHOLE = ("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "INT2", "INT4", "INT8", "INT64")
_NUMBERS = ("DOUBLE", "REAL", "FLOAT", "FLOAT4", "FLOAT8", "DECIMAL", "NUMERIC", "NUMBER", "DEC")
_BOOLEANS = ("BOOLEAN", "BOOL")
_TEXTS = ("VARCHAR", "CHAR", "CHARACTER", "TEXT", "STRING", "DATE", "TIME", "TIMESTAMP", "UUID")


def _typed(column: Column, cell: object) -> object:
    """A cell of CSV as its column has it; what does not fit is left as it is, and refused."""
    text = str(cell)
    if text == "" and column.kind not in _TEXTS:
        return None
    try:
        if column.kind in _WHOLE:
            return int(text)
        if column.kind in _NUMBERS:
            return float(text)
    except ValueError:
        return text
    if column.kind in _BOOLEANS:
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def _fitting(number: int, column: Column, value: object) -> object:
    if value is None:
        return None
    kind = column.kind
    if kind in _WHOLE:
        fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    elif kind in _NUMBERS:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
        value = float(value) if fits else value
    elif kind in _BOOLEANS:
        fits = isinstance(value, bool)
    elif kind in _TEXTS:
        fits = isinstance(value, str)
    else:
        fits = True
        value = json.dumps(value) if isinstance(value, dict | list) else value
    if not fits:
        raise RowRefused(f"row {number}, column {column.name}: {json.dumps(value)[:_MOST_SHOWN]} is no {kind}")
    return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        # A whole number that no floating-point number comes near to.
        return False


def apply(
    connection: sqlite3.Connection, table: str, columns: list[Column], changes: Iterable[Change]
) -> int:
    """Makes the changes in the transaction of the connection; says how many there were. A row of a key replaces the one before."""
    count = 0
    for change in changes:
        count += 1
        try:
            if change.is_insert:
                names = ", ".join(quoted(name) for name in change.values)
                marks = ", ".join("?" for _ in change.values)
                connection.execute(
                    f"INSERT OR REPLACE INTO {quoted(table)} ({names}) VALUES ({marks})",
                    list(change.values.values()),
                )
            else:
                _delete(connection, table, columns, change.values)
        except (sqlite3.Error, *_UNREADABLE) as error:
            raise RowRefused(f"row {count}: {error}") from error
    return count


def _delete(
    connection: sqlite3.Connection, table: str, columns: list[Column], values: dict[str, object]
) -> None:
    """Deletes the row of a key, or one that is alike in all that is said."""
    keys = [column.name for column in columns if column.is_key]
    named = keys if keys and all(key in values for key in keys) else list(values)
    where = " AND ".join(f"{quoted(name)} IS ?" for name in named) or "FALSE"
    connection.execute(
        f"DELETE FROM {quoted(table)} WHERE rowid = (SELECT rowid FROM {quoted(table)} WHERE {where} LIMIT 1)",
        [values[name] for name in named],
    )


def as_json(names: list[str], row: tuple[object, ...]) -> dict[str, object]:
    return {name: _plain(value) for name, value in zip(names, row, strict=True)}


def as_csv(row: tuple[object, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow("" if value is None else value for value in row)
    return text.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no infinity.
        return None
    return value.hex() if isinstance(value, bytes) else value


def _listed(columns: list[Column]) -> str:
    return ", ".join(column.name for column in columns)
