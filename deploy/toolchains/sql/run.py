"""Runs a compiled program until it is suspended, or ended. Exits with 0 when it is suspended."""

import os
import sqlite3
import sys
import threading
from pathlib import Path

from notes import note
from pipeline import Pipeline, Rejected
from program import statements_of
from serve import server_of
from state import State
from status import Status
from wishes import wishes


def main(program: str) -> int:
    statements, faults = statements_of(Path(program).read_text())
    if faults:
        note("the program was not checked", faults[0].message)
        return 1
    status = Status(os.environ["PIPELINE_JOURNAL"])
    pipeline = Pipeline(statements, State(Path(os.environ["PIPELINE_VOLUME"])), status)
    server = server_of(pipeline, int(os.environ.get("PORT", "8080")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=status.repeat, daemon=True).start()
    try:
        pipeline.follow(wishes(Path(os.environ["HEARTH_WISH"])))
    except (Rejected, sqlite3.Error, OSError) as error:
        note("the pipeline cannot go on", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
