"""
The forest over many rows at once; the one part of the score that needs numpy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scanner.detect.score_tables import Forest

_BLOCK = 512


def sums(forest: Forest, rows: Sequence[Sequence[float]]) -> list[float]:
    """
    Return the raw sum of the leaves that each row reaches.
    """
    feature = np.asarray(forest.feature, dtype=np.intp)
    threshold = np.asarray(forest.threshold, dtype=np.float64)
    children = np.stack(
        [np.asarray(forest.right, dtype=np.intp), np.asarray(forest.left, dtype=np.intp)]
    )
    leaf = np.asarray(forest.leaf, dtype=np.float64)
    roots = np.asarray(forest.roots, dtype=np.intp)
    totals: list[float] = []
    for start in range(0, len(rows), _BLOCK):
        block = np.asarray(rows[start : start + _BLOCK], dtype=np.float64)
        node = np.broadcast_to(roots, (len(block), len(roots))).copy()
        lines, trees = np.nonzero(node >= 0)
        while len(lines):
            at = node[lines, trees]
            goes_left = block[lines, feature[at]] <= threshold[at]
            node[lines, trees] = np.where(goes_left, children[1, at], children[0, at])
            going = node[lines, trees] >= 0
            lines, trees = lines[going], trees[going]
        # cumsum adds in the order of the plain way, so that both agree to the last bit.
        totals.extend(np.cumsum(leaf[~node], axis=1)[:, -1].tolist())
    return totals
