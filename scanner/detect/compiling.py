"""
From expressions to databases.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import hyperscan

_FLAGS = hyperscan.HS_FLAG_DOTALL


class Wanted(NamedTuple):
    """
    One expression of the first pass.
    """

    pattern: bytes
    caseless: bool = False
    number: int | None = None
    """What its hits are told by: its place in the list, unless it shares a number with others."""


class Compilation:
    """
    Compiles shards, lists of places of expressions, in threads of its own from the start on.

    Compilation lets go of the interpreter, so its caller has it to itself meanwhile.
    """

    def __init__(
        self,
        wanted: Sequence[Wanted],
        shards: Sequence[Sequence[int]],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._databases: list[bytes] = [b""] * len(shards)
        self._errors: list[Exception] = []
        done = [0]
        counting = threading.Lock()

        def work(index: int) -> None:
            try:
                self._databases[index] = hyperscan.dumpb(_compile(wanted, shards[index]))
            except hyperscan.error as error:
                self._errors.append(error)
            with counting:
                done[0] += len(shards[index])
                if progress is not None:
                    progress(done[0], len(wanted))

        self._threads = [
            threading.Thread(target=work, args=(index,)) for index in range(len(shards))
        ]
        for thread in self._threads:
            thread.start()

    def result(self) -> list[bytes]:
        """
        Return a serialised database for each shard.

        Raise `hyperscan.error` if an expression is refused.
        """
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return self._databases


def _compile(wanted: Sequence[Wanted], places: Sequence[int]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    chosen = [wanted[place] for place in places]
    numbers = [one.number for one in chosen]
    database.compile(
        expressions=[one.pattern for one in chosen],
        ids=[
            place if number is None else number
            for place, number in zip(places, numbers, strict=True)
        ],
        elements=len(chosen),
        flags=[_FLAGS | (hyperscan.HS_FLAG_CASELESS if one.caseless else 0) for one in chosen],
    )
    return database


def compile_problem(wanted: Wanted) -> str | None:
    """
    Return why Hyperscan refuses this expression, or `None`.
    """
    try:
        _compile([wanted], [0])
    except hyperscan.error as error:
        return str(error)
    return None
