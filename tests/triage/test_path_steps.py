"""
Our own library finds the paths that numpy finds.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from scanner.history import ENTRY, Trees
from scanner.native import library
from scanner.triage import attribution_paths
from scanner.triage.attribution_paths import PathFinder

pytestmark = pytest.mark.skipif(library() is None, reason="the library was not built")

TREES = 60
BLOBS = 12


def key(number: int) -> int:
    return number * 0x9E3779B97F4A7C15 % (1 << 64) | 1


def forest(seed: int) -> Trees:
    """
    Trees that hold later ones, and blobs, under few names, many behind one another.
    """
    rng = random.Random(seed)
    ids = np.zeros((TREES, 20), np.uint8)
    for number in range(TREES):
        ids[number, :8] = np.frombuffer(key(number).to_bytes(8, "big"), np.uint8)
    rows = []
    for _ in range(rng.randint(1, 60)):
        child = rng.randint(1, TREES + BLOBS)
        first = rng.randrange(min(child, TREES))
        last = min(first + rng.choice([0, 0, 1, 5, 20]), min(child, TREES) - 1)
        rows.append((key(child), rng.randint(1, 3), first, last))
    entries = np.array(rows, ENTRY)
    halves = entries[: len(rows) // 2], entries[len(rows) // 2 :]
    return Trees(ids=ids, rows=np.arange(TREES, dtype=np.int32), entries=lambda: iter(halves))


def found(trees: Trees, seed: int) -> tuple[list[object], list[int], bool]:
    rng = random.Random(seed)
    wanted = [key(n) for n in rng.sample(range(TREES + BLOBS), 8)]
    finder = PathFinder(trees, np.array(wanted, np.uint64))
    roots = np.array([rng.randrange(-1, TREES) for _ in range(10)])
    first = np.array([rng.randrange(1000) for _ in range(10)])
    places = [
        (item, place.path, place.first, [name for _, name in place.chain])
        for item, place in finder.places(roots, first)
    ]
    return sorted(places), finder.orphans().tolist(), finder.cut


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("most", [2_000, 7])
def test_both_find_the_same_paths(seed: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution_paths, "MAX_STATES", most)
    trees = forest(seed)
    ours, orphans, cut = found(trees, seed)
    monkeypatch.setattr(attribution_paths, "library", lambda: None)
    theirs, same_orphans, also_cut = found(trees, seed)

    assert cut == also_cut
    assert orphans == same_orphans
    if not cut:
        assert ours == theirs


def test_paths_without_number_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution_paths, "MAX_STATES", 50)
    ids = forest(0).ids
    rows = [(key(n + 1), name, n, n) for n in range(20) for name in range(10)]
    entries = np.array(rows, ENTRY)
    trees = Trees(ids=ids, rows=np.arange(TREES, dtype=np.int32), entries=lambda: iter([entries]))
    finder = PathFinder(trees, np.array([key(20)], np.uint64))

    places = list(finder.places(np.array([0]), np.array([3])))

    assert finder.cut
    assert 0 < len(places) <= 50


def test_a_level_grows_past_its_first_room() -> None:
    ids = forest(0).ids
    rows = [(key(n + 1), name, n, n) for n in range(4) for name in range(12)]
    entries = np.array(rows, ENTRY)
    trees = Trees(ids=ids, rows=np.arange(TREES, dtype=np.int32), entries=lambda: iter([entries]))
    finder = PathFinder(trees, np.array([key(4)], np.uint64))

    places = list(finder.places(np.array([0]), np.array([3])))

    assert len({place.path for _, place in places}) == 12**4
