"""
The first pass: all expressions in a few Hyperscan databases over a whole batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import hyperscan

_LONG_RUN = 64
"""
Hits of one expression at so many bytes in a row mean that it fits all of a long run (`AAAA…`)
and not something in it.
"""

_STEP = 16
"""
From there on one hit in so many is told: confirmation looks further around each than
that (`confirm._SLACK`), and a text of a hundred megabytes must not become a hundred million hits.
"""

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
        Return every hit in `data`; in long runs of one expression's hits, one in some.
        """
        hits: Hits = []
        append = hits.append
        last: dict[int, int] = {}
        row: dict[int, int] = {}

        # Called for each hit with the interpreter's lock taken anew: it does
        # little but note the hit.
        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            if last.get(number) == end - 1:
                length = row[number] = row.get(number, 0) + 1
                if length > _LONG_RUN and length % _STEP:
                    last[number] = end
                    return
            elif number in row:
                del row[number]
            last[number] = end
            append((end, number))

        for database, scratch in self._parts:
            last.clear()
            row.clear()
            database.scan(data, note, scratch=scratch)  # type: ignore[type-var] # its stubs know of bytes only
        hits.sort()
        return hits
