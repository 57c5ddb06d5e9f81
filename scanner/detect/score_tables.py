"""
The score's data: what text looks like (letter trigrams, common words) and the trees.

One file, `weights.bin`: a line of JSON that names the parts, then the parts, little-endian.
It is read with the standard library alone, so that the hook need not import numpy, and as it
lies there: to unpack it took longer than to judge a commit's candidates.
"""

from __future__ import annotations

import array
import operator
import os
import sys
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from scanner.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = os.path.join(os.path.dirname(__file__), "weights.bin")
MAGIC = b"unsealed-score/2\n"
_SYMBOLS = 27  # a to z, and 0 for the edge of a word
_LETTERS = 26
_LONGEST_WORD = 16
_RUNS_REMEMBERED = 8192


class Words(dict[bytes, frozenset[bytes]]):
    """
    Lower-case words of three letters and more that ordinary repositories use, by their first
    three letters; those of a beginning are taken out of the text when it is first asked for.
    """

    def __init__(self, text: bytes, shelves: Sequence[int]) -> None:
        """
        `text` has the words in order, each on a line; `shelves` where each of the 26³ beginnings
        starts in it.
        """
        super().__init__()
        self.text = text
        self.shelves = shelves

    def __missing__(self, first: bytes) -> frozenset[bytes]:
        shelf = _shelf(first)
        found: frozenset[bytes] = frozenset()
        if shelf >= 0:
            start, stop = self.shelves[shelf : shelf + 2]
            found = frozenset(self.text[start : stop - 1].split(b"\n") if stop > start else ())
        self[first] = found
        return found


class Beginnings(dict[bytes, frozenset[bytes]]):
    """
    The first four letters of words, by the first three.
    """

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, first: bytes) -> frozenset[bytes]:
        found = self[first] = frozenset([word[:4] for word in self._words[first]])
        return found


def _shelf(first: bytes) -> int:
    if len(first) < 3 or not (first.isalpha() and first.islower()):
        return -1
    a, b, c = first[:3]
    return ((a - 97) * _LETTERS + b - 97) * _LETTERS + c - 97


def shelved(words: Iterable[bytes]) -> tuple[bytes, list[int]]:
    """
    Return what `Words` takes.
    """
    lines = [word + b"\n" for word in sorted(words)]
    sizes = [0] * _LETTERS**3
    for line in lines:
        sizes[_shelf(line[:3])] += len(line)
    return b"".join(lines), list(accumulate(sizes, initial=0))


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """
    What ordinary text looks like.
    """

    words: Words

    trigrams: bytes
    """For each three symbols the surprise in sixteenths of a bit, 27³ entries."""

    def knows(self, part: bytes) -> bool:
        """
        Return whether a part of a name is an ordinary word.
        """
        lower = part.lower()
        words = self.words[lower[:3]]
        return lower in words or (lower[-1:] == b"s" and lower[:-1] in words)

    @lru_cache(_RUNS_REMEMBERED)  # noqa: B019 # there is one table in a process
    def cover(self, run: bytes) -> int:
        """
        Return how many letters of a lower-case run longest-first reading finds ordinary words for.
        """
        beginnings = self._beginnings()
        position = covered = 0
        size = min(len(run), 64)
        while position < size - 3:
            first = run[position : position + 3]
            # Most places in random text begin no word.
            begun = beginnings[first]
            if not begun or run[position : position + 4] not in begun:
                position += 1
                continue
            words = self.words[first]
            for length in range(min(_LONGEST_WORD, size - position), 3, -1):
                if run[position : position + length] in words:
                    covered += length
                    position += length
                    break
            else:
                position += 1
        return covered

    @lru_cache(1)  # noqa: B019 # there is one table in a process
    def _beginnings(self) -> Beginnings:
        return Beginnings(self.words)

    def rarity(self, runs: Sequence[bytes]) -> tuple[float, float]:
        """
        Return the mean and the greatest windowed surprise of lower-case letter runs, in bits a
        letter; -1 for none.
        """
        if not runs:
            return -1.0, -1.0
        told = [self._surprise(run) for run in runs]
        count = sum([min(len(run), 64) + 1 for run in runs])
        return sum([one[0] for one in told]) / count / 16, max([one[1] for one in told]) / 16

    @lru_cache(_RUNS_REMEMBERED)  # noqa: B019 # there is one table in a process
    def _surprise(self, run: bytes) -> tuple[int, float]:
        """
        Return the surprise of a run in all, and of its most surprising four letters on average.
        """
        symbols = [0, 0, *[char - 96 for char in run[:64]], 0]
        table = self.trigrams
        surprises = [
            table[(a * _SYMBOLS + b) * _SYMBOLS + c]
            for a, b, c in zip(symbols, symbols[1:], symbols[2:], strict=False)
        ]
        width = min(len(surprises), 4)
        sums = list(accumulate(surprises, initial=0))
        return sums[-1], max(map(operator.sub, sums[width:], sums)) / width


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """
    Boosted trees, flattened: node `i` sends a row left when `row[feature[i]] <= threshold[i]`.

    A negative `left` or `right` is the leaf `~child`.
    """

    roots: Sequence[int]
    feature: Sequence[int]
    threshold: Sequence[float]
    left: Sequence[int]
    right: Sequence[int]
    leaf: Sequence[float]
    knots: Sequence[float]
    """Raw sums, ascending, and `levels`: the probability at each (isotonic calibration)."""

    levels: Sequence[float]

    @lru_cache(2)  # noqa: B019 # there are two in a process
    def nodes(self) -> list[tuple[int, float, int, int]]:
        """
        Return the nodes' feature, threshold, left and right: one look where four arrays take four.
        """
        return list(zip(self.feature, self.threshold, self.left, self.right, strict=True))


@dataclass(frozen=True, slots=True)
class Weights:
    """
    All that `weights.bin` holds.
    """

    tables: Tables
    content: Forest
    """For a candidate whose path is not known."""

    whole: Forest
    """For one whose path is."""


@cache
def load(path: str | Path = WEIGHTS) -> Weights:
    """
    Return the shipped weights; read once in a process.
    """
    with open(path, "rb") as file:
        raw = file.read()
    if not raw.startswith(MAGIC):
        raise ValueError(f"{os.path.basename(path)}: not a file of weights")
    stop = raw.index(b"\n", len(MAGIC))
    parts = _parts(_header(raw[len(MAGIC) : stop].decode()), raw[stop + 1 :])
    return Weights(
        tables=Tables(
            words=Words(bytes(parts["words"]), parts["shelves"]),
            trigrams=bytes(parts["trigrams"]),
        ),
        content=_forest(parts, "content"),
        whole=_forest(parts, "whole"),
    )


def _header(line: str) -> list[tuple[str, str, int]]:
    # It is JSON, whose module compiles six expressions that nothing else of a hook needs.
    rows = [row.replace('"', "").split(", ") for row in line[2:-2].split("], [")]
    return [(name, code, int(count)) for name, code, count in rows]


def _parts(header: list[tuple[str, str, int]], body: bytes) -> dict[str, array.array[Any]]:
    parts: dict[str, array.array[Any]] = {}
    offset = 0
    for name, code, count in header:
        values = array.array(code)
        size = count * values.itemsize
        values.frombytes(body[offset : offset + size])
        if sys.byteorder == "big":
            values.byteswap()
        parts[name] = values
        offset += size
    return parts


def _forest(parts: dict[str, array.array[Any]], prefix: str) -> Forest:
    return Forest(
        *(
            parts[f"{prefix}.{name}"]
            for name in (
                "roots",
                "feature",
                "threshold",
                "left",
                "right",
                "leaf",
                "knots",
                "levels",
            )
        )
    )


def dump(arrays: dict[str, array.array[Any]]) -> bytes:
    """
    Return the bytes of a weights file that holds the given parts.
    """
    header = [f'["{name}", "{one.typecode}", {len(one)}]' for name, one in arrays.items()]
    body = b""
    for values in arrays.values():
        copy = values[:]
        if sys.byteorder == "big":
            copy.byteswap()
        body += copy.tobytes()
    return MAGIC + f"[{', '.join(header)}]\n".encode() + body
