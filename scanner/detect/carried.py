"""
The first pass over documents that resemble each other: what two have in common is looked at once.

Neighbours in a pack are mostly versions of one file.  Where one begins and ends like the one
before it, its hits are those of the one before it; only what lies between, with as
much around it as an expression may reach (see `scanner.ruleset.reach`), is scanned.  Hits are
hints, so one too many costs a look; that none is lost is tested against plain scans.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scanner.detect.first_pass import FirstPass, Hits
from scanner.ruleset.reach import end_of_change, start_of_change
from scanner.sources.batch import Batch

_Bytes = npt.NDArray[np.uint8]


class Common(NamedTuple):
    """
    What a document shares with the one before it.
    """

    base: int
    """Number of the one before, -1 for the last of the batch before; -2 for nothing in common."""

    head: int
    """How many bytes both begin with."""

    tail: int
    """How many bytes both end with, apart from the head."""


_LAST, _NONE = -1, -2
_NOTHING = Common(_NONE, 0, 0)
_SMALL = 2_048
"""Bytes of a document that is scanned sooner than compared."""

_LEAST_KEPT, _MOST_KEPT = 64 << 10, 16 << 20
"""Bytes of a batch's last document that is kept for the next batch."""

_BLOCK = 8_192
_WORTH = 0.8
"""Where more of a document is new than this share, all of it is scanned."""


class Last(NamedTuple):
    """
    The last document of a batch, which the first of the next may resemble.
    """

    text: bytes
    hits: Hits


class Carrier:
    """
    Carries hits from one document to the next; each pass comes with the reach of its expressions.
    """

    def __init__(self, passes: Sequence[tuple[FirstPass, int]]) -> None:
        self._passes = passes
        self._last: Last | None = None

    def worth(self, batch: Batch) -> bool:
        """
        Tell whether documents may have something in common with those before them.
        """
        if not batch.alike or not len(batch.starts):
            return False
        return len(batch.starts) > 1 or batch.ends[0] - batch.starts[0] <= _MOST_KEPT

    def hits(self, batch: Batch) -> Iterator[tuple[int, Sequence[tuple[int, int]]]]:
        """
        Yield the number of each document with hits, and its hits with offsets of its own.
        """
        data, starts, ends = _whole(batch.data), batch.starts, batch.ends
        last, self._last = self._last, None
        common = commons(data, starts, ends, None if last is None else last.text)
        fresh: dict[int, Hits] = {}
        for first_pass, reach in self._passes:
            pieces = _pieces(batch, data, common, reach)
            for end, number, index in _scan(first_pass, data, pieces):
                fresh.setdefault(index, []).append((end, number))
        every: list[Hits] = []
        for index, shared in enumerate(common):
            hits = fresh.get(index, [])
            size = ends[index] - starts[index]
            if shared.base == _LAST and last is not None:
                hits = sorted({*hits, *_kept(last.hits, shared, len(last.text), size)})
            elif shared.base >= 0 and (before := every[shared.base]):
                old_size = ends[shared.base] - starts[shared.base]
                hits = sorted({*hits, *_kept(before, shared, old_size, size)})
            every.append(hits)
            if hits:
                yield index, hits
        if _LEAST_KEPT <= ends[-1] - starts[-1] <= _MOST_KEPT:
            self._last = Last(bytes(data[starts[-1] : ends[-1]]), every[-1])


def _whole(data: bytes | bytearray | memoryview) -> bytes | bytearray:
    # Views cannot search, what they look at can; ours begin where it begins.
    if isinstance(data, memoryview):
        whole: bytes | bytearray = data.obj  # type: ignore[assignment] # a bytearray or a map
        return whole
    return data


def commons(
    text: bytes | bytearray, starts: Sequence[int], ends: Sequence[int], last: bytes | None = None
) -> list[Common]:
    """
    Return what each document of a buffer shares with the one before it; `last` is the one before
    the first.
    """
    data = np.frombuffer(text, np.uint8)
    found = [_NOTHING]
    if last is not None and len(starts):
        old = np.frombuffer(last, np.uint8)
        found = [_common(_LAST, old, (0, len(last)), data, (starts[0], ends[0]))]
    for index in range(1, len(starts)):
        old_span, span = (starts[index - 1], ends[index - 1]), (starts[index], ends[index])
        found.append(_common(index - 1, data, old_span, data, span))
    return found


def _common(
    base: int, old: _Bytes, old_span: tuple[int, int], new: _Bytes, span: tuple[int, int]
) -> Common:
    (one, one_end), (other, other_end) = old_span, span
    most = min(other_end - other, one_end - one)
    if most < _SMALL:
        return _NOTHING
    before, after = old[one:one_end], new[other:other_end]
    head = _head(before, after, most)
    return Common(base, head, _tail(before, after, most - head))


def _head(old: _Bytes, new: _Bytes, most: int) -> int:
    at, step = 0, _BLOCK
    while at < most:
        size = min(step, most - at)
        differ = old[at : at + size] != new[at : at + size]
        first = int(differ.argmax())
        if differ[first]:
            return at + first
        at += size
        step *= 8
    return most


def _tail(old: _Bytes, new: _Bytes, most: int) -> int:
    at, step = 0, _BLOCK
    one, other = len(old), len(new)
    while at < most:
        size = min(step, most - at)
        differ = old[one - at - size : one - at] != new[other - at - size : other - at]
        last = int(differ[::-1].argmax())
        if differ[size - 1 - last]:
            return at + last
        at += size
        step *= 8
    return most


def _pieces(
    batch: Batch, data: bytes | bytearray, common: Sequence[Common], reach: int
) -> Iterator[tuple[int, int, int]]:
    """
    Yield, of each document, where the piece of it begins and stops that must be scanned,
    and where the document starts.
    """
    for start, end, shared in zip(batch.starts, batch.ends, common, strict=True):
        begin, stop = start, end
        if shared.base != _NONE:
            begin = start_of_change(data, start, start + shared.head, reach)
            stop = end_of_change(data, end, end - shared.tail, reach)
            if stop - begin > _WORTH * (end - start):
                begin, stop = start, end
        yield begin, stop, start


def _scan(
    first_pass: FirstPass, data: bytes | bytearray, pieces: Iterator[tuple[int, int, int]]
) -> Iterator[tuple[int, int, int]]:
    """
    Yield the hits in the pieces: end in the document, expression, number of the piece.
    """
    view = memoryview(data)
    texts: list[memoryview] = []
    places: list[int] = []
    shifts: list[int] = []
    at = 0
    for begin, stop, start in pieces:
        texts.append(view[begin:stop])
        places.append(at)
        shifts.append(begin - start - at)
        at += stop - begin + 1
    for end, number in first_pass.hits(b"\n".join(texts)):
        index = bisect_left(places, end) - 1
        if index >= 0:
            yield end + shifts[index], number, index


def _kept(before: Hits, shared: Common, old_size: int, size: int) -> Hits:
    """
    Return the hits of the earlier document that this one has too.
    """
    # A hit at the very edge may have asked what follows: it is looked for again.
    until = bisect_left(before, (shared.head, 0))
    since = max(until, bisect_left(before, (old_size - shared.tail + 1, 0)))
    shift = size - old_size
    if not shift:
        return before[:until] + before[since:]
    return before[:until] + [(end + shift, number) for end, number in before[since:]]
