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


def compile_shards(
    wanted: Sequence[Wanted],
    shards: Sequence[Sequence[int]],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[bytes]:
    """
    Return a serialised database for each shard, a list of places of expressions.

    Compilation lets go of the interpreter, so threads share it out.  Raise
    `hyperscan.error` if an expression is refused.
    """
    databases: list[bytes] = [b""] * len(shards)
    errors: list[Exception] = []
    done = [0]
    counting = threading.Lock()

    def work(index: int) -> None:
        try:
            databases[index] = hyperscan.dumpb(_compile(wanted, shards[index]))
        except hyperscan.error as error:
            errors.append(error)
        with counting:
            done[0] += len(shards[index])
            if progress is not None:
                progress(done[0], len(wanted))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(shards))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return databases


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
