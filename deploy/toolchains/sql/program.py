"""Reads the text of a program: which tables and views it makes, and where each statement stands."""

import re
from dataclasses import dataclass

MOST_STATEMENTS = 1_000

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<text>'(?:[^']|'')*')
  | (?P<name>"(?:[^"]|"")*")
  | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.text.upper() == word


@dataclass(frozen=True)
class Statement:
    """One statement of a program. `text` is what SQLite is given: it has the length of the original, so that places fit."""

    kind: str
    """`table` or `view`."""
    name: str
    text: str
    start: int
    """Where it begins in the program, in characters."""
    query_start: int
    """Of a view: where its query begins in `text`."""


class Fault(Exception):
    """Something in the program is wrong; `start` and `end` are places in it, in characters."""

    def __init__(self, message: str, start: int, end: int):
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


def tokens_of(program: str) -> list[Token]:
    """All tokens but space and comments. Raises Fault at what is not closed."""
    tokens = []
    for match in _TOKEN.finditer(program):
        kind = match.lastgroup or "sign"
        token = Token(kind, match.group(), match.start())
        if kind == "sign" and token.text in "'\"":
            raise Fault("a quotation that is not closed", token.start, len(program))
        if kind == "sign" and program.startswith("/*", token.start):
            raise Fault("a comment that is not closed", token.start, len(program))
        if kind != "space":
            tokens.append(token)
    return tokens


def normal_form(text: str) -> str:
    """Alike for statements that mean the same: without comments, with names and keywords in one case, with the needed space alone."""
    form = ""
    end = 0
    for token in tokens_of(text):
        word = token.text.upper() if token.kind == "word" else token.text
        if token.start > end and _joins(form[-1:]) and _joins(word[0]):
            form += " "
        form += word
        end = token.end
    return form


def _joins(character: str) -> bool:
    """Whether it would be read as one with another such character before or behind it, as in `1 e5` and `1e5`."""
    return character.isalnum() or (character != "" and character in "_$.'\"`") or character > "\x7f"


def statements_of(program: str) -> tuple[list[Statement], list[Fault]]:
    """The statements that can be read, and a fault for each that cannot."""
    try:
        tokens = tokens_of(program)
    except Fault as fault:
        return [], [fault]
    statements: list[Statement] = []
    faults: list[Fault] = []
    for group in _groups(tokens):
        if len(statements) + len(faults) == MOST_STATEMENTS:
            fault = Fault(f"more than {MOST_STATEMENTS} statements", group[0].start, group[-1].end)
            return statements, [*faults, fault]
        try:
            statements.append(_statement(program, group))
        except Fault as fault:
            faults.append(fault)
    return statements, faults


def _groups(tokens: list[Token]) -> list[list[Token]]:
    groups: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == ";":
            groups.append([])
        else:
            groups[-1].append(token)
    return [group for group in groups if group]


def _statement(program: str, tokens: list[Token]) -> Statement:
    start, end = tokens[0].start, tokens[-1].end
    hidden: list[tuple[int, int]] = []
    rest = list(tokens)
    if not rest.pop(0).is_word("CREATE"):
        raise Fault("a program has CREATE TABLE and CREATE VIEW statements alone", start, tokens[0].end)
    while rest and (rest[0].is_word("MATERIALIZED") or rest[0].is_word("LOCAL")):
        # Every view is computed when it is read.
        word = rest.pop(0)
        hidden.append((word.start, word.end))
    kind = rest.pop(0).text.lower() if rest else ""
    if kind not in ("table", "view"):
        raise Fault("a program has CREATE TABLE and CREATE VIEW statements alone", start, tokens[0].end)
    if not rest or rest[0].kind not in ("word", "name"):
        raise Fault(f"CREATE {kind.upper()} without a name", start, end)
    token = rest.pop(0)
    name = token.text[1:-1].replace('""', '"') if token.kind == "name" else token.text
    if name.lower().startswith(("sqlite_", "hearth_")):
        raise Fault(f"{name} is a reserved name: choose another", token.start, token.end)
    query_start = 0
    follows = rest[0].text.upper() if rest else ""
    if kind == "table" and follows != "(":
        raise Fault(f"CREATE TABLE {name} (…) has its columns in parentheses", start, end)
    if kind == "view" and follows not in ("(", "AS", "WITH"):
        raise Fault(f"view {name} has no query: CREATE VIEW {name} AS SELECT …", start, end)
    if kind == "table":
        hidden += _properties(rest)
    else:
        hidden += _view_properties(rest)
        query = next((index for index, each in enumerate(rest) if each.is_word("AS")), None)
        if query is None or query + 1 == len(rest):
            raise Fault(f"view {name} has no query: CREATE VIEW {name} AS SELECT …", start, end)
        query_start = rest[query + 1].start - start
    return Statement(kind, name, _without(program, start, end, hidden), start, query_start)


def _properties(rest: list[Token]) -> list[tuple[int, int]]:
    """Where `WITH (…)` stands behind the columns of a table; it speaks of connectors, which there are none of."""
    depth = 0
    for index, token in enumerate(rest):
        if depth == 0 and index > 0:
            if token.is_word("WITH"):
                return [(token.start, rest[-1].end)]
            raise Fault("nothing but WITH (…) follows the columns of a table", token.start, rest[-1].end)
        depth += {"(": 1, ")": -1}.get(token.text, 0)
    return []


def _view_properties(rest: list[Token]) -> list[tuple[int, int]]:
    """Where `WITH (…)` stands before the `AS` of a view."""
    for index, token in enumerate(rest):
        if token.is_word("AS"):
            return []
        if token.is_word("WITH"):
            last = next((each for each in rest[index:] if each.is_word("AS")), rest[-1])
            return [(token.start, last.start)]
    return []


def _without(program: str, start: int, end: int, hidden: list[tuple[int, int]]) -> str:
    text = program[start:end]
    for first, last in hidden:
        text = text[: first - start] + " " * (last - first) + text[last - start :]
    return text
