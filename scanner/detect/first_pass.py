"""
The first pass: all expressions in a few Hyperscan databases over a whole batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import hyperscan

Hits = list[tuple[int, int]]
"""`(end offset, number of the expression)`, ascending."""


def load(serialised: bytes) -> hyperscan.Database:
    """
    Return the database; raise `hyperscan.error` if these bytes are none.
    """
    return hyperscan.loadb(serialised, hyperscan.HS_MODE_BLOCK)


def sound(serialised: bytes, canary: bytes) -> hyperscan.Database | None:
    """
    Return the database if it loads and hits in the canary's text.
    """
    try:
        database = load(serialised)
        return database if FirstPass([database]).hits(canary) else None
    except hyperscan.error:
        return None


class FirstPass:
    """
    One thread's way through the databases: it has scratch memory of its own.
    """

    def __init__(self, databases: Sequence[hyperscan.Database]) -> None:
        self._parts = [(database, hyperscan.Scratch(database)) for database in databases]

    def hits(self, data: bytes | bytearray | memoryview) -> Hits:
        """
        Return every hit in `data`.
        """
        hits: Hits = []
        append = hits.append

        # Called for each hit with the interpreter's lock taken anew: it does
        # nothing but note the hit.
        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            append((end, number))

        for database, scratch in self._parts:
            database.scan(data, note, scratch=scratch)  # type: ignore[type-var] # its stubs know of bytes only
        hits.sort()
        return hits
