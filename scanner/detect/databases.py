"""
The databases of a plan, each loaded and tried on a canary when it is first asked for.
"""

from __future__ import annotations

from typing import Protocol

import hyperscan

from scanner.detect import first_pass

MAIN, RARE_WORDS, COMMON_WORDS, FAR = range(4)
EXPRESSIONS = "expressions"
NAMED_TAGS = "named"
"""The part that has the tag of each number told on behalf of `detect.generic`."""

LIKELY = "likely"
"""The part that has the score as code (`detect.score_code`)."""

CANARY_TEXT = b"an unsealed-canary-2024 sings"


class Reader(Protocol):
    """
    Where a plan's parts come from.
    """

    def read(self, name: str, *, summed: bool = False) -> bytes:
        """Return a part by its name; whoever reads a `summed` one checks its own sum."""
        ...

    def mend(self) -> None:
        """Make all parts again, for one that was read is no good."""
        ...


class Databases:
    """
    Shared by all threads of a run.
    """

    def __init__(self, parts: Reader) -> None:
        self._parts = parts
        self._loaded: dict[int, hyperscan.Database | None] = {}

    def early(self) -> list[hyperscan.Database]:
        """
        Return those that look at every byte.
        """
        return self._those(MAIN, RARE_WORDS, FAR)

    def near(self) -> list[hyperscan.Database]:
        """
        Return those of them whose expressions are near (see `scanner.ruleset.reach`).
        """
        return self._those(MAIN, RARE_WORDS)

    def far(self) -> list[hyperscan.Database]:
        """
        Return those of them whose expressions may reach far.
        """
        return self._those(FAR)

    def late(self) -> hyperscan.Database | None:
        """
        Return that of the common words, which looks at surroundings of hits only.
        """
        return self._get(COMMON_WORDS)

    def _those(self, *shards: int) -> list[hyperscan.Database]:
        found = [self._get(shard) for shard in shards]
        return [database for database in found if database is not None]

    def _get(self, shard: int) -> hyperscan.Database | None:
        if shard not in self._loaded:
            self._loaded[shard] = self._load(database_part(shard))
        return self._loaded[shard]

    def _load(self, part: str) -> hyperscan.Database | None:
        # Hyperscan sums up what it loads, and refuses it if that is not the sum it was saved with.
        serialised = self._parts.read(part, summed=True)
        if not serialised:
            return None
        database = first_pass.sound(serialised, CANARY_TEXT)
        if database is None:
            self._parts.mend()
            database = first_pass.load(self._parts.read(part))
        return database


def database_part(shard: int) -> str:
    """
    Return the name of the part that holds a database.
    """
    return f"database-{shard}"
