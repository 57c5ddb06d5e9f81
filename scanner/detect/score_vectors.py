"""
The forest over many rows at once; the one part of the score that needs numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.detect.score_tables import Forest

_BLOCK = 256
_Ints = npt.NDArray[np.int32]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Table:
    """
    A forest whose leaves are nodes that lead to themselves, so that all rows take equal steps.
    """

    roots: _Ints
    feature: _Ints
    threshold: _Floats
    children: _Ints
    """Two for each node: where a row goes that is above the threshold, and where it goes else."""

    leaf: _Floats
    depth: int


def sums(forest: Forest, rows: Sequence[Sequence[float]]) -> list[float]:
    """
    Return the raw sum of the leaves that each row reaches.
    """
    table = _table(forest)
    totals: list[float] = []
    for start in range(0, len(rows), _BLOCK):
        block = np.asarray(rows[start : start + _BLOCK], dtype=np.float64)
        flat = block.ravel()
        offset = (np.arange(len(block), dtype=np.int32) * block.shape[1])[:, None]
        node = np.broadcast_to(table.roots, (len(block), len(table.roots)))
        for _ in range(table.depth):
            value = flat.take(table.feature.take(node) + offset)
            node = table.children.take(2 * node + (value <= table.threshold.take(node)))
        # cumsum adds in the order of the plain way, so that both agree to the last bit.
        totals.extend(np.cumsum(table.leaf.take(node), axis=1)[:, -1].tolist())
    return totals


@lru_cache(4)
def _table(forest: Forest) -> _Table:
    inner, leaves = len(forest.feature), len(forest.leaf)

    def node(child: Any) -> _Ints:
        at = np.asarray(child, dtype=np.int32)
        return np.where(at < 0, inner + ~at, at).astype(np.int32)

    children = np.repeat(np.arange(inner + leaves, dtype=np.int32), 2)
    children[0 : 2 * inner : 2] = node(forest.right)
    children[1 : 2 * inner : 2] = node(forest.left)
    roots = node(forest.roots)
    return _Table(
        roots=roots,
        feature=np.concatenate(
            [np.asarray(forest.feature, dtype=np.int32), np.zeros(leaves, dtype=np.int32)]
        ),
        threshold=np.concatenate(
            [np.asarray(forest.threshold, dtype=np.float64), np.zeros(leaves)]
        ),
        children=children,
        leaf=np.concatenate([np.zeros(inner), np.asarray(forest.leaf, dtype=np.float64)]),
        depth=_depth(roots, children),
    )


def _depth(roots: _Ints, children: _Ints) -> int:
    """
    Return how many steps take any row to its leaf.
    """
    depth, reached = 0, np.unique(roots)
    while True:
        below = np.unique(np.concatenate([children[2 * reached], children[2 * reached + 1]]))
        if np.array_equal(below, reached):
            return depth
        depth, reached = depth + 1, below
