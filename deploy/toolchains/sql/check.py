"""Checks a program. Prints one JSON object for each fault, as `check` of every toolchain does; exits with 1 when there is one."""

import json
import re
import sys
from pathlib import Path

from prepare import Reader, Refused
from program import Fault, Statement, statements_of

MOST_FAULTS = 100
MOST_SNIPPET = 400


def faults_of(program: str) -> list[Fault]:
    """What is wrong with a program, in the order of its text."""
    statements, faults = statements_of(program)
    if not statements and not faults:
        faults.append(Fault("the program is empty: it has at least one CREATE TABLE", 0, len(program)))
    reader = Reader()
    try:
        for statement in statements:
            try:
                _try(reader, statement)
            except Refused as refused:
                faults.append(_fault(program, statement, refused))
    finally:
        reader.close()
    return sorted(faults, key=lambda fault: fault.start)[:MOST_FAULTS]


def _try(reader: Reader, statement: Statement) -> None:
    if statement.kind == "view":
        # SQLite looks at the query of a view only when it is read.
        query = statement.text[statement.query_start :]
        try:
            reader.read(query)
        except Refused as refused:
            offset = None if refused.offset is None else refused.offset + statement.query_start
            raise Refused(refused.message, offset) from refused
    reader.carry_out(statement.text)


def _fault(program: str, statement: Statement, refused: Refused) -> Fault:
    if refused.offset is None:
        return Fault(refused.message, statement.start, statement.start + len(statement.text))
    start = statement.start + refused.offset
    word = re.compile(r"\w+|\S|$").match(program, start)
    return Fault(refused.message, start, start + 1 if word is None else max(word.end(), start + 1))


def described(program: str, fault: Fault) -> dict[str, object]:
    """A fault as the toolchain contract has it: lines and columns count from 1, the end is the last character."""
    line, column = _place(program, fault.start)
    end_line, end_column = _place(program, max(fault.start, fault.end - 1))
    snippet = program.splitlines()[line - 1] if program else ""
    return {
        "line": line,
        "column": column,
        "endLine": end_line,
        "endColumn": end_column,
        "isWarning": False,
        "type": "Error in SQL",
        "message": fault.message,
        "snippet": f"{snippet[:MOST_SNIPPET]}\n{' ' * (min(column, MOST_SNIPPET) - 1)}^",
    }


def _place(program: str, offset: int) -> tuple[int, int]:
    before = program[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def main(path: str) -> int:
    try:
        program = Path(path).read_bytes().decode()
    except UnicodeDecodeError as error:
        print(json.dumps(described("", Fault(f"the program is not UTF-8: byte {error.start}", 0, 0))))
        return 1
    faults = faults_of(program)
    for fault in faults:
        print(json.dumps(described(program, fault)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
