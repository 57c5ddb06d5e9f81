"""
Encoded runs: where one that was hit begins and ends, also when it is wrapped over lines.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_RUN = 16 << 20
_STEP = 4096
_SHORTEST_LINE = 16
_MAX_LINE = 1 << 16
_MARGIN = 256
_QUOTES = (b'"', b"'")
_AROUND = b" \t\r\"'+\\,.>#*|&"
"""What may stand around a piece on its line: quotes, joiners, comment and mail marks."""


@dataclass(frozen=True, slots=True)
class Run:
    """
    One encoded run, put together again.
    """

    text: bytes
    start: int
    end: int
    index: int
    """Where in `text` the asked-for offset lies."""


def left_edge(data: bytes, at: int, alphabet: bytes, *, most: int = MAX_RUN) -> int:
    """
    Return where the unbroken run of `alphabet` that ends at `at` starts.
    """
    step, low = _STEP, max(0, at - most)
    while at > low:
        piece = data[max(low, at - step) : at]
        rest = len(piece.rstrip(alphabet))
        at -= len(piece) - rest
        if rest:
            break
        step *= 4
    return at


def right_edge(data: bytes, at: int, alphabet: bytes, *, most: int = MAX_RUN) -> int:
    """
    Return where the unbroken run of `alphabet` that starts at `at` ends.
    """
    step, high = _STEP, min(len(data), at + most)
    while at < high:
        piece = data[at : min(high, at + step)]
        rest = len(piece.lstrip(alphabet))
        at += len(piece) - rest
        if rest:
            break
        step *= 4
    return at


def run_at(data: bytes, at: int, alphabet: bytes) -> Run:
    """
    Return the run of `alphabet` around `at` (the end of a hit), with the lines before and after
    that continue it.
    """
    around = bytes(byte for byte in _AROUND if byte not in alphabet)
    start, end = left_edge(data, at, alphabet), right_edge(data, at, alphabet)
    above = _lines_above(data, start, end - start, alphabet, around)
    width = max(high - low for low, high in [(start, end), *above])
    below = _lines_below(data, end, width, alphabet, around, settled=bool(above))
    pieces = [*reversed(above), (start, end), *below]
    text = b"".join(data[low:high] for low, high in pieces)
    before = sum(high - low for low, high in above)
    return Run(text, pieces[0][0], pieces[-1][1], before + at - start)


def _lines_above(
    data: bytes, start: int, length: int, alphabet: bytes, around: bytes
) -> list[tuple[int, int]]:
    # Every line but the first and the last has the same width, and nothing but the run on it.
    found: list[tuple[int, int]] = []
    taken, width = 0, 0
    while taken < MAX_RUN:
        line = data.rfind(b"\n", max(0, start - _MARGIN), start)
        if line < 0 or not _only_joints(data[line + 1 : start], around):
            break
        floor = max(0, line - _MARGIN)
        high = floor + _before_joint(data[floor:line], around)
        low = left_edge(data, high, alphabet, most=_MAX_LINE)
        size = high - low
        if size < _SHORTEST_LINE or (not width and size < length) or (width and size > width):
            break
        found.append((low, high))
        if width and size < width:
            break
        width = size
        taken += size
        start = low
    return found


def _lines_below(
    data: bytes, end: int, width: int, alphabet: bytes, around: bytes, *, settled: bool
) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    taken = 0
    while taken < MAX_RUN:
        line = data.find(b"\n", end, end + _MARGIN)
        if line < 0 or not _only_joints(data[end:line], around):
            break
        low = line + 1 + _after_joint(data[line + 1 : line + 1 + _MARGIN], around)
        high = right_edge(data, low, alphabet, most=_MAX_LINE)
        size = high - low
        # The first line shares its own with a name, so it may be the shorter one.
        width = width if settled else max(width, size)
        settled = True
        if not size or size > width or width < _SHORTEST_LINE or not _ends(data, high, around):
            break
        found.append((low, high))
        taken += size
        end = high
        if size < width:
            break
    return found


def _ends(data: bytes, at: int, around: bytes) -> bool:
    line = data.find(b"\n", at, at + _MARGIN)
    return _only_joints(data[at : line if line >= 0 else at + _MARGIN], around + b"=;)]}")


# A plus belongs to the run, unless a quote stands between them: `'…' +`.


def _only_joints(piece: bytes, around: bytes) -> bool:
    return not piece.strip(_AROUND + around if _quoted(piece) else around)


def _before_joint(line: bytes, around: bytes) -> int:
    kept = line.rstrip(_AROUND)
    quotes = [at for at in (line.find(mark, len(kept)) for mark in _QUOTES) if at >= 0]
    return min(quotes) if quotes else len(line.rstrip(around))


def _after_joint(line: bytes, around: bytes) -> int:
    lead = len(line) - len(line.lstrip(_AROUND))
    quote = max(line.rfind(mark, 0, lead) for mark in _QUOTES)
    return quote + 1 if quote >= 0 else len(line) - len(line.lstrip(around))


def _quoted(piece: bytes) -> bool:
    return any(mark in piece for mark in _QUOTES)
