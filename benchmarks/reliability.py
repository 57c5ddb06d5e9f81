"""
How far the scores of unseen repositories are from what comes true: a table and a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WORTH_KEEPING = 0.05
"""Below, `detect.generic` drops a candidate: nobody sees its score."""

_SIDE, _MARGIN = 360, 48


@dataclass(frozen=True)
class Bin:
    """
    Candidates of neighbouring scores.
    """

    low: float
    high: float
    count: int
    mean: float
    true: float

    @property
    def off(self) -> float:
        """How much more comes true than the score says."""
        return self.true - self.mean


def tenths(probability: np.ndarray, truth: np.ndarray) -> list[Bin]:
    """
    Return ten bins of equally many of the candidates that are worth keeping, by their score.
    """
    kept = probability >= WORTH_KEEPING
    order = np.argsort(probability[kept], kind="stable")
    p, t = probability[kept][order], truth[kept][order]
    return [_bin(p[part], t[part]) for part in np.array_split(np.arange(len(p)), 10)]


def widths(probability: np.ndarray, truth: np.ndarray) -> list[Bin]:
    """
    Return the candidates in bins of a tenth of the scale each.
    """
    which = np.minimum((probability * 10).astype(int), 9)
    return [
        _bin(probability[which == n], truth[which == n]) for n in range(10) if (which == n).any()
    ]


def _bin(p: np.ndarray, t: np.ndarray) -> Bin:
    return Bin(float(p.min()), float(p.max()), len(p), float(p.mean()), float(t.mean()))


def told(title: str, bins: Sequence[Bin], repeats: int) -> str:
    """
    Return the bins as a text, with the number of candidates in one shuffle.
    """
    lines = [f"{title}: scores, candidates, mean score, share true, off"]
    for b in bins:
        scores = f"{b.low:.2f}-{b.high:.2f}  {b.count // repeats:6d}  {b.mean:.3f}"
        lines.append(f"  {scores}  {b.true:.3f}  {b.off:+.3f}")
    worst = max(abs(b.off) for b in bins)
    return "\n".join([*lines, f"  furthest off: {worst:.3f}"])


def draw(path: Path, sets: Sequence[tuple[str, str, Sequence[Bin]]]) -> None:
    """
    Draw each set of bins (title, colour, bins) as points beside the diagonal, within a band of
    0.05 on both sides.
    """
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE + 2 * _MARGIN} '
            f'{_SIDE + 2 * _MARGIN}" font-family="sans-serif" font-size="12">'
        ),
        '<rect width="100%" height="100%" fill="#fff"/>',
        (
            f'<polygon points="{_at(0, 0)} {_at(0, 0.05)} {_at(0.95, 1)} {_at(1, 1)} '
            f'{_at(1, 0.95)} {_at(0.05, 0)}" fill="#e8eef5"/>'
        ),
        f'<polyline points="{_at(0, 0)} {_at(1, 1)}" stroke="#889" fill="none"/>',
        (
            f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIDE}" height="{_SIDE}" fill="none" '
            'stroke="#445"/>'
        ),
    ]
    for step in range(0, 11, 2):
        x, y = _MARGIN + step * _SIDE / 10, _MARGIN + _SIDE - step * _SIDE / 10
        parts += [
            f'<text x="{x:.0f}" y="{_MARGIN + _SIDE + 16}" text-anchor="middle">{step / 10}</text>',
            f'<text x="{_MARGIN - 6}" y="{y + 4:.0f}" text-anchor="end">{step / 10}</text>',
        ]
    for row, (title, colour, bins) in enumerate(sets):
        points = " ".join(_at(b.mean, b.true) for b in bins)
        parts.append(f'<polyline points="{points}" stroke="{colour}" fill="none"/>')
        for b in bins:
            x, y = _at(b.mean, b.true).split(",")
            parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>')
        y = _MARGIN + 18 + 18 * row
        parts += [
            f'<circle cx="{_MARGIN + 14}" cy="{y - 4}" r="4" fill="{colour}"/>',
            f'<text x="{_MARGIN + 24}" y="{y}">{title}</text>',
        ]
    middle = _MARGIN + _SIDE / 2
    parts += [
        f'<text x="{middle}" y="{_SIDE + 2 * _MARGIN - 8}" text-anchor="middle">mean score</text>',
        (
            f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">'
            "share that is true</text>"
        ),
        "</svg>\n",
    ]
    path.write_text("\n".join(parts), "utf8")


def _at(score: float, true: float) -> str:
    return f"{_MARGIN + score * _SIDE:.1f},{_MARGIN + (1 - true) * _SIDE:.1f}"
