"""
The first pass over documents that resemble each other: what two have in common is looked at once.

Neighbours in a pack are mostly versions of one file.  Where one begins and ends like the one
before it, and in long blocks between, its hits are those of the one before it; only the rest, with
as much around it as an expression may reach (see `scanner.ruleset.reach`), is scanned.  Hits are
hints, so one too many costs a look; that none is lost is tested against plain scans.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scanner.detect.first_pass import FirstPass, Hits
from scanner.ruleset.reach import end_of_change, start_of_change
from scanner.sources.batch import Batch, Shared

_Bytes = npt.NDArray[np.uint8]


class Block(NamedTuple):
    """
    Bytes that a document shares with the one before it.
    """

    old: int
    """Where they are in the one before."""

    new: int
    size: int


class Common(NamedTuple):
    """
    What a document shares with the one before it.
    """

    base: int
    """Number of the one before, -1 for the last of the batch before; -2 for nothing in common."""

    blocks: tuple[Block, ...]
    """In order: what both begin with, what both end with, however little, and what is between."""


_LAST, _NONE = -1, -2
_NOTHING = Common(_NONE, ())
_SMALL = 2_048
"""Bytes of a document that is scanned sooner than compared."""

_LEAST_KEPT, _MOST_KEPT = 64 << 10, 16 << 20
"""Bytes of a batch's last document that is kept for the next batch."""

_BLOCK = 8_192
_FAR_APART = 32_768
"""Bytes between two changes for which it is worth to look for what lies between them."""

_PROBE = 48
_EDGES = 2
_PLACES = (2.0, 3.3, 1.4)

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
        # A plain dict gets slower the more is taken from its front.
        self._kept: OrderedDict[int, tuple[int, Hits]] = OrderedDict()

    def worth(self, batch: Batch) -> bool:
        """
        Tell whether documents may have something in common with those before them.
        """
        if batch.shared is not None:
            return True
        if not batch.alike or not len(batch.starts):
            return False
        return len(batch.starts) > 1 or batch.ends[0] - batch.starts[0] <= _MOST_KEPT

    def hits(self, batch: Batch) -> Iterator[tuple[int, Sequence[tuple[int, int]]]]:
        """
        Yield the number of each document with hits, and its hits with offsets of its own.
        """
        if batch.shared is not None:
            yield from self._hits_of_pieces(batch, batch.shared)
            return
        data, starts, ends = _whole(batch.data), batch.starts, batch.ends
        last, self._last = self._last, None
        common = commons(data, starts, ends, None if last is None else last.text)
        fresh: dict[int, Hits] = {}
        for first_pass, reach in self._passes:
            pieces = _pieces(batch, data, common, reach)
            for end, number, index in _scan(first_pass, data, starts, pieces):
                fresh.setdefault(index, []).append((end, number))
        every: list[Hits] = []
        for index, shared in enumerate(common):
            hits = fresh.get(index, [])
            if shared.base == _LAST and last is not None:
                hits = sorted({*hits, *_kept(last.hits, shared)})
            elif shared.base >= 0 and (before := every[shared.base]):
                hits = sorted({*hits, *_kept(before, shared)})
            every.append(hits)
            if hits:
                yield index, hits
        if _LEAST_KEPT <= ends[-1] - starts[-1] <= _MOST_KEPT:
            self._last = Last(bytes(data[starts[-1] : ends[-1]]), every[-1])

    def _hits_of_pieces(
        self, batch: Batch, shared: Shared
    ) -> Iterator[tuple[int, Sequence[tuple[int, int]]]]:
        """
        Do the same where the source has said what documents have in common, by the number.
        """
        fresh: dict[int, Hits] = {}
        for (first_pass, _), pieces in zip(self._passes, shared.passes, strict=True):
            places, shifts, owners = pieces.places, pieces.shifts, pieces.owners
            for end, number in first_pass.hits(pieces.text):
                piece = bisect_left(places, end) - 1
                if piece >= 0:
                    fresh.setdefault(owners[piece], []).append((end + shifts[piece], number))
        self._forget(shared)
        kept, first_block = self._kept, 0
        for index, (base, stop) in enumerate(zip(shared.bases, shared.stops, strict=True)):
            hits = fresh.get(index, [])
            size = batch.ends[index] - batch.starts[index]
            if base >= 0 and base in kept:
                blocks = shared.blocks[3 * first_block : 3 * stop]
                hits = sorted({*hits, *_repeated(*kept[base], blocks, size)})
            first_block = stop
            if hits:
                kept[shared.first + index] = size, hits
                yield index, hits

    def _forget(self, shared: Shared) -> None:
        """
        Let go of hits that no document to come repeats.
        """
        if not shared.first:
            self._kept.clear()
        oldest = shared.first - shared.kept
        while self._kept and next(iter(self._kept)) < oldest:
            self._kept.popitem(last=False)


def _repeated(
    size: int, before: Hits, blocks: Sequence[int], own_size: int
) -> Iterator[tuple[int, int]]:
    """
    Yield the hits of a base of `size` bytes that stand in what a document repeats of it.
    """
    for at in range(0, len(blocks), 3):
        old, new, length = blocks[at], blocks[at + 1], blocks[at + 2]
        first = bisect_left(before, (old + 1, 0))
        # As in `_kept`: at an edge it is looked for again, but for the end of both.
        both = old + length == size and new + length == own_size
        last = len(before) if both else bisect_left(before, (old + length, 0))
        if first < last:
            yield from _moved(before[first:last], new - old)


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
    new = _Text(text, np.frombuffer(text, np.uint8))
    found = [_NOTHING]
    if last is not None and len(starts):
        old = _Text(last, np.frombuffer(last, np.uint8))
        found = [_common(_LAST, old, (0, len(last)), new, (starts[0], ends[0]))]
    for index in range(1, len(starts)):
        old_span, span = (starts[index - 1], ends[index - 1]), (starts[index], ends[index])
        found.append(_common(index - 1, new, old_span, new, span))
    return found


class _Text(NamedTuple):
    text: bytes | bytearray
    data: _Bytes


_Span = tuple[int, int]


def _common(base: int, old: _Text, old_span: _Span, new: _Text, span: _Span) -> Common:
    (one, one_end), (other, other_end) = old_span, span
    most = min(other_end - other, one_end - one)
    if most < _SMALL:
        return _NOTHING
    before, after = old.data[one:one_end], new.data[other:other_end]
    head = _head(before, after, most)
    tail = _tail(before, after, most - head)
    first, last = Block(0, 0, head), Block(one_end - one - tail, other_end - other - tail, tail)
    if most - head - tail < _FAR_APART:
        return Common(base, (first, last))
    between = _between(old, (one + head, one_end - tail), new, (other + head, other_end - tail))
    moved = (Block(a - one, b - other, size) for a, b, size in between)
    return Common(base, (first, *moved, last))


def _between(old: _Text, old_span: _Span, new: _Text, span: _Span) -> Iterator[Block]:
    """
    Yield, in order, what two stretches that differ at both ends have in common, if it is long.
    """
    (one, one_end), (other, other_end) = old_span, span
    if min(one_end - one, other_end - other) < _FAR_APART:
        return
    for part in _PLACES:
        spot = other + int((other_end - other) / part)
        there = old.text.find(new.text[spot : spot + _PROBE], one, one_end)
        if there >= 0:
            break
    else:
        return
    back = _tail(old.data[one:there], new.data[other:spot], min(there - one, spot - other))
    size = back + _head(
        old.data[there:one_end], new.data[spot:other_end], min(one_end - there, other_end - spot)
    )
    there, spot = there - back, spot - back
    yield from _between(old, (one, there), new, (other, spot))
    yield Block(there, spot, size)
    yield from _between(old, (there + size, one_end), new, (spot + size, other_end))


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
    Yield where the pieces that must be scanned begin and stop, and whose they are.
    """
    for index, (start, end, shared) in enumerate(
        zip(batch.starts, batch.ends, common, strict=True)
    ):
        if shared.base == _NONE:
            yield start, end, index
            continue
        if len(shared.blocks) == _EDGES:
            # Most differ in one place, or in places that are near each other.
            (_, _, head), (_, tail, _) = shared.blocks
            begin = start_of_change(data, start, start + head, reach)
            stop = end_of_change(data, end, start + tail, reach)
            whole = stop - begin > _WORTH * (end - start)
            yield (start, end, index) if whole else (begin, stop, index)
            continue
        pieces: list[_Span] = []
        for block, behind in pairwise(shared.blocks):
            begin = start_of_change(data, start, start + block.new + block.size, reach)
            stop = end_of_change(data, end, start + behind.new, reach)
            if pieces and begin <= pieces[-1][1]:
                begin, _ = pieces.pop()
            pieces.append((begin, stop))
        if sum(stop - begin for begin, stop in pieces) > _WORTH * (end - start):
            pieces = [(start, end)]
        for begin, stop in pieces:
            yield begin, stop, index


def _scan(
    first_pass: FirstPass,
    data: bytes | bytearray,
    starts: Sequence[int],
    pieces: Iterator[tuple[int, int, int]],
) -> Iterator[tuple[int, int, int]]:
    """
    Yield the hits in the pieces: end in the document, expression, number of the document.
    """
    view = memoryview(data)
    texts: list[memoryview] = []
    places: list[int] = []
    shifts: list[int] = []
    owners: list[int] = []
    at = 0
    for begin, stop, index in pieces:
        texts.append(view[begin:stop])
        places.append(at)
        shifts.append(begin - starts[index] - at)
        owners.append(index)
        at += stop - begin + 1
    for end, number in first_pass.hits(b"\n".join(texts)):
        piece = bisect_left(places, end) - 1
        if piece >= 0:
            yield end + shifts[piece], number, owners[piece]


def _kept(before: Hits, shared: Common) -> Iterator[tuple[int, int]]:
    """
    Yield the hits of the earlier document that this one has too.
    """
    *blocks, tail = shared.blocks
    for old, new, size in blocks:
        # A hit at the very edge may have asked what is there: it is looked for again.
        first = bisect_left(before, (old + 1, 0))
        last = bisect_left(before, (old + size, 0))
        yield from _moved(before[first:last], new - old)
    yield from _moved(before[bisect_left(before, (tail.old + 1, 0)) :], tail.new - tail.old)


def _moved(hits: Hits, shift: int) -> Hits:
    return [(end + shift, number) for end, number in hits] if shift else hits
