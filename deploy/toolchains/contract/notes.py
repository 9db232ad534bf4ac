"""What a toolchain says beside its status."""

import sys

MOST_NOTE = 1_000


def note(event: str, words: object) -> None:
    """One line, whatever the words are: with a line of their own they could pass for a status in the journal."""
    print(f"{event}: {str(words)[:MOST_NOTE]!r}", file=sys.stderr, flush=True)
