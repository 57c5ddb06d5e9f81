"""
Commits of a buffer taken apart by our own library, `commits.c`.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from scanner.history import Ints, Keys
from scanner.native import NUMBER, POINTER, Library, column
from scanner.sources.stream import ObjectBatch

_PARTS = 3
_COLUMNS = ("trees", "times", "children", "parents", "starts", "ends", "owners", "parts")


class _Commits(ctypes.Structure):
    _fields_ = [
        *((name, POINTER) for name in _COLUMNS),
        ("parent_count", NUMBER),
        ("part_count", NUMBER),
    ]


@dataclass(frozen=True, slots=True)
class CommitColumns:
    """
    Tree and date of each commit; child and parent of each such pair; where each part stands,
    whose it is and which.
    """

    trees: Keys
    times: Ints
    children: Ints
    parents: Keys
    starts: Ints
    ends: Ints
    owners: Ints
    parts: Ints


def commit_columns(library: Library, batch: ObjectBatch, id_size: int) -> CommitColumns | None:
    """
    Return what the commits of a batch say; `None` if one is not written as git writes them.
    """
    data = np.frombuffer(batch.data, np.uint8)
    starts, ends = (np.array(places, np.int64) for places in (batch.starts, batch.ends))
    count, width = len(starts), 2 * id_size
    most = int((ends - starts).sum()) // (width + len("parent \n")) + 1
    told = CommitColumns(
        np.zeros(count, np.uint64), column(count), column(most), np.zeros(most, np.uint64),
        *(column(_PARTS * count) for _ in range(4)),
    )  # fmt: skip
    columns = _Commits(*(getattr(told, name).ctypes.data for name in _COLUMNS), 0, 0)
    if not library.ours.unsealed_commits(
        ctypes.byref(columns), data.ctypes.data, starts.ctypes.data, ends.ctypes.data, count, width
    ):
        return None
    pairs, parts = columns.parent_count, columns.part_count
    return CommitColumns(
        told.trees, told.times, told.children[:pairs], told.parents[:pairs],
        told.starts[:parts], told.ends[:parts], told.owners[:parts], told.parts[:parts],
    )  # fmt: skip
