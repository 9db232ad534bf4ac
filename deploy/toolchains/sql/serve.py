"""Answers over HTTP, on the machine's own loopback: rows in and out, queries, and how the pipeline is."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from egress import egress
from notes import note
from pipeline import Pipeline
from query import query
from rows import RowRefused, apply, changes_of, columns_of
from state import MOST_ROW_BYTES

MOST_BODY_BYTES = 1024 * 1024 * 1024
MOST_MESSAGE = 1_000
SILENCE_SECONDS = 60
_LEFT = (BrokenPipeError, ConnectionResetError, TimeoutError)


class Refused(Exception):
    """A request that is not served; the code is one of HTTP."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_SECONDS
    pipeline: Pipeline

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not noted: what the pipeline prints is its own log."""

    def _serve(self) -> None:
        try:
            self._answer(*self._asked())
        except Refused as refused:
            self._refuse(refused.code, refused.message)
        except (RowRefused, sqlite3.Error, sqlite3.Warning) as refused:
            self._refuse(400, str(refused))
        except _LEFT:
            self.close_connection = True
        except Exception as error:
            note("a request failed", repr(error))
            self._refuse(500, f"the pipeline failed to serve it: {error!r}")

    def _asked(self) -> tuple[list[str], dict[str, str]]:
        try:
            parts = urlsplit(self.path)
            asked = parse_qs(parts.query)
        except ValueError as error:
            raise Refused(400, f"the address cannot be read: {error}") from error
        place = [unquote(part) for part in parts.path.strip("/").split("/")]
        return place, {name: values[-1] for name, values in asked.items()}

    def _answer(self, place: list[str], asked: dict[str, str]) -> None:
        match place:
            case ["status"]:
                self._tell(200, self.pipeline.status.shown())
            case ["stats"]:
                self._tell(200, self._stats())
            case ["ingress", table]:
                self._tell(200, {"rows": self._ingress(table, asked)})
            case ["egress", relation]:
                self._require_open()
                is_snapshot = asked.get("send_snapshot") == "true"
                self._stream(egress(self.pipeline, relation, asked.get("format", "json"), is_snapshot))
            case ["query"]:
                self._require_open()
                self._stream(query(self.pipeline.state, asked.get("sql", ""), asked.get("format", "json")))
            case ["checkpoint"]:
                self._require_open()
                with self.pipeline.writing:
                    self.pipeline.state.checkpoint()
                self._tell(200, {})
            case _:
                raise Refused(404, f"{self.path} is not served")

    def _require_open(self) -> None:
        present = self.pipeline.status.present
        if present not in ("paused", "running"):
            raise Refused(503, f"the pipeline is {present}: it serves rows while it is paused or running")

    def _ingress(self, table: str, asked: dict[str, str]) -> int:
        """Takes all rows of a request, or none; they are on the disk when it is answered."""
        form = asked.get("format", "json")
        update = asked.get("update_format", "insert_delete")
        if form not in ("json", "csv"):
            raise Refused(400, f"format {form!r} is not known: json and csv are")
        if update not in ("raw", "insert_delete"):
            raise Refused(400, f"update_format {update!r} is not known: raw and insert_delete are")
        pipeline = self.pipeline
        with pipeline.writing:
            self._require_open()
            if pipeline.status.present == "paused" and asked.get("force") != "true":
                raise Refused(400, "the pipeline is paused: force=true takes rows all the same")
            with pipeline.state.writer() as connection:
                columns = columns_of(connection, table)
                if not columns:
                    raise Refused(404, f"the program has no table {table}")
                is_array = asked.get("array") == "true"
                changes = changes_of(self._lines(), columns, form, update, is_array)
                rows = apply(connection, table, columns, changes)
            pipeline.rows_taken += rows
            pipeline.commits.add()
            return rows

    def _stats(self) -> dict[str, object]:
        present = self.pipeline.status.present
        taken = self.pipeline.rows_taken
        metrics = {"state": present, "total_input_records": taken, "total_processed_records": taken}
        return {"global_metrics": metrics, "inputs": [], "outputs": []}

    def _lines(self) -> Iterator[bytes]:
        length = self.headers.get("Content-Length") or "0"
        if not (length.isascii() and length.isdecimal() and len(length) < 20):
            raise Refused(400, f"a Content-Length of {length!r}: it is a number of bytes")
        left = int(length)
        if left > MOST_BODY_BYTES:
            self.close_connection = True
            raise Refused(413, f"a body of {left} bytes: at most {MOST_BODY_BYTES} are taken at once")
        while left > 0:
            line = self.rfile.readline(min(left, MOST_ROW_BYTES + 1))
            if len(line) > MOST_ROW_BYTES:
                self.close_connection = True
                raise RowRefused(f"a line of more than {MOST_ROW_BYTES} bytes")
            if not line:
                raise ConnectionResetError
            left -= len(line)
            yield line

    def _stream(self, pieces: Iterator[bytes]) -> None:
        first = next(pieces, b"")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._chunk(first)
            for piece in pieces:
                self._chunk(piece)
        except _LEFT:
            raise
        except Exception as error:
            # The status is sent already: an answer that ends without its end says that it is not whole.
            self.close_connection = True
            note("an answer ended early", error)
            return
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, piece: bytes) -> None:
        if piece:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _refuse(self, code: int, message: str) -> None:
        self._tell(code, {"message": message[:MOST_MESSAGE]})

    def _tell(self, code: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        if code >= 400:
            # What is left of a body that was refused is not read.
            self.close_connection = True
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """In one line: a traceback has lines of its own for what the client said."""
        note("a connection failed", repr(sys.exc_info()[1]))


def server_of(pipeline: Pipeline, port: int) -> ThreadingHTTPServer:
    class Bound(Handler):
        pass

    Bound.pipeline = pipeline
    return Server(("127.0.0.1", port), Bound)
