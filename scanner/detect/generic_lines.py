"""
Which stretches of a text the hits on behalf of `detect.generic` ask for: the lines that may hold
a credential without a shape, and the surroundings in which providers' common words are looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum

from scanner.detect.generic_forms import Candidate, values_on
from scanner.records import dataclass

_LONG = 3000
"""A line of more bytes is read in windows around its hits."""

_BEFORE = 400
_AFTER = 1600
_JWK_REACH = 600
"""Bytes either side of `kty` within which the members of a key are looked for."""

_NEAR_BEFORE, _NEAR_AFTER = 120, 160


class Trigger(IntEnum):
    """
    The tag of an expression: what its hit asks `generic` to read.
    """

    LINE = 0
    JWK = 1
    """The lines around it too."""

    AROUND = 2
    """Nothing: it only says where common words of providers are looked for."""


@dataclass(frozen=True, slots=True)
class Located:
    """
    A candidate and where in its text its line (or window) begins.
    """

    candidate: Candidate
    base: int


def candidates(data: bytes, hits: Sequence[tuple[int, int]]) -> list[Located]:
    """
    Return the candidates on the lines that the first pass hit, in order; `hits` are
    (end offset, tag).
    """
    found: dict[int, Located] = {}
    for start, end in windows(data, hits):
        for candidate in values_on(data[start:end]):
            found.setdefault(start + candidate.start, Located(candidate, start))
    return [found[start] for start in sorted(found)]


def windows(data: bytes, hits: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """
    Return each stretch of text to be read: whole lines, or windows of lines too long for that.
    """
    found: list[tuple[int, int]] = []
    rfind, find = data.rfind, data.find
    done = -1
    for offset, tag in hits:
        if tag == Trigger.AROUND:
            continue
        if tag == Trigger.JWK:
            found += _lines(data, max(0, offset - _JWK_REACH), min(len(data), offset + _JWK_REACH))
            continue
        at = offset - 1 if offset else 0
        if at < done:
            continue
        # Nearly every line is short: the rest of `_line_at` is for those that are not.
        begin = rfind(b"\n", at - _LONG if at > _LONG else 0, at) + 1
        end = find(b"\n", at, begin + _LONG)
        if end < 0 or (begin == 0 and at > _LONG):
            begin, end = _line_at(data, at)
        done = end
        found.append((begin, end))
    return found


def _line_at(data: bytes, at: int) -> tuple[int, int]:
    begin = data.rfind(b"\n", max(0, at - _LONG), at) + 1
    if begin == 0 and at > _LONG:
        begin = at - _BEFORE
    end = data.find(b"\n", at, begin + _LONG)
    if end < 0:
        end = len(data) if len(data) - begin <= _LONG else max(at, begin) + _AFTER
    return begin, min(end, len(data))


def _lines(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int]]:
    at = start
    while at < stop:
        begin, end = _line_at(data, at)
        yield begin, end
        at = max(end, at) + 1


def surroundings(hits: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """
    Return the surroundings of the hits, joined where they meet.
    """
    found: list[tuple[int, int]] = []
    low = high = 0
    for end, _ in hits:
        start = end - _NEAR_BEFORE
        if high and start > high:
            found.append((low, high))
            low = start
        elif not high:
            low = max(0, start)
        high = end + _NEAR_AFTER
    if high:
        found.append((low, min(high, length)))
    return found
