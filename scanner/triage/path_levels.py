"""
What `attribution_paths.py` and `path_steps.py` hand to each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.history import Keys

_Numbers = npt.NDArray[np.int32]
_Names = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Level:
    """
    What lies at one depth: objects, hashes of their paths, the first position, and the row of
    the folder each lies in, one level up.
    """

    item: _Numbers
    path: Keys
    first: _Numbers
    up: _Numbers
    name: _Names


@dataclass(frozen=True, slots=True)
class Runs:
    """
    Trees behind one another, from the first on, that all hold one item under one name.

    Spelled out they are millions.
    """

    firsts: _Numbers
    lengths: _Numbers
    items: _Numbers
    names: _Names

    @classmethod
    def empty(cls, count: int) -> Runs:
        """
        Return room for so many.
        """
        firsts, lengths, items = (np.empty(count, np.int32) for _ in range(3))
        return cls(firsts, lengths, items, np.empty(count, np.uint32))

    @classmethod
    def joined(cls, parts: Iterable[Runs]) -> Runs:
        """
        Return all of them.
        """
        every = [*parts, cls.empty(0)]
        return cls(
            np.concatenate([one.firsts for one in every]),
            np.concatenate([one.lengths for one in every]),
            np.concatenate([one.items for one in every]),
            np.concatenate([one.names for one in every]),
        )

    def head(self, count: int) -> Runs:
        """
        Return the first few.
        """
        columns = (self.firsts, self.lengths, self.items, self.names)
        firsts, lengths, items, names = (one[:count].copy() for one in columns)
        return Runs(firsts, lengths, items, names)
