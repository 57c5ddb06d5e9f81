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
    One expression of the first pass; its place in the list is its number.
    """

    pattern: bytes
    caseless: bool = False


def compile_shards(
    wanted: Sequence[Wanted],
    shards: Sequence[Sequence[int]],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[bytes]:
    """
    Return a serialised database for each shard, a list of numbers of expressions.

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


def _compile(wanted: Sequence[Wanted], numbers: Sequence[int]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[wanted[number].pattern for number in numbers],
        ids=list(numbers),
        elements=len(numbers),
        flags=[
            _FLAGS | (hyperscan.HS_FLAG_CASELESS if wanted[number].caseless else 0)
            for number in numbers
        ],
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
